//! Tag `workspaces`: workspaces of an organisation, and who may do what in them.

use axum::Json;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{StorageJson, StoragePath};
use super::half::StorageFault;
use super::responses::{StorageAbsent, StorageAlways, StorageBody, StorageInvalid};
use super::strict::{strict, words};
use super::wire::{ActionResponse, Name};
use super::{By, Shared};
use crate::model::access::Role;
use crate::model::org::{self, WorkspaceMember};
use crate::service::workspaces;

type Answer<T> = Result<Json<T>, StorageFault>;

/// Create a workspace
///
/// Needs the organisation role WORKSPACES, ADMINISTRATORS or OWNER. The caller becomes ADMIN of
/// the new workspace. Names need not be unique.
#[utoipa::path(post, path = "/workspace", tag = "workspaces", request_body = CreateWorkspaceRequest,
    responses(
        (status = 200, description = "The workspace, created.", body = WorkspaceResponse),
        StorageInvalid, StorageAlways, StorageBody,
    ))]
pub async fn create_workspace(
    services: Shared,
    caller: By,
    body: StorageJson<CreateWorkspaceRequest>,
) -> Answer<WorkspaceResponse> {
    let workspace = workspaces::create(&services, &caller, body.0.name.as_str()).await?;
    Ok(Json(WorkspaceResponse { success: true, workspace: workspace.into() }))
}

/// List workspaces
///
/// Every workspace the caller has a role in; for the organisation roles ADMINISTRATORS and OWNER
/// every workspace of the organisation. Ordered by name, then id. Deleted ones are left out.
#[utoipa::path(get, path = "/workspace", tag = "workspaces",
    responses(
        (status = 200, description = "The workspaces the caller can see, with their users.",
            body = WorkspaceListResponse),
        StorageAlways,
    ))]
pub async fn list_workspaces(services: Shared, caller: By) -> Answer<WorkspaceListResponse> {
    let found = workspaces::list(&services, &caller).await?;
    let workspaces = found.into_iter().map(WorkspaceWithUsers::from).collect();
    Ok(Json(WorkspaceListResponse { success: true, workspaces }))
}

/// Read a workspace
///
/// Any role in the workspace is enough.
#[utoipa::path(get, path = "/workspace/{id}", tag = "workspaces", params(WorkspacePath),
    responses(
        (status = 200, description = "The workspace, with its users.", body = WorkspaceDetailResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn get_workspace(
    services: Shared,
    caller: By,
    path: StoragePath<WorkspacePath>,
) -> Answer<WorkspaceDetailResponse> {
    let workspace = workspaces::get(&services, &caller, path.0.id.into()).await?;
    Ok(Json(WorkspaceDetailResponse { success: true, workspace: workspace.into() }))
}

/// Rename a workspace
///
/// Needs the role ADMIN in the workspace.
#[utoipa::path(put, path = "/workspace/{id}", tag = "workspaces", params(WorkspacePath),
    request_body = UpdateWorkspaceRequest,
    responses(
        (status = 200, description = "The workspace, renamed.", body = WorkspaceResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn update_workspace(
    services: Shared,
    caller: By,
    path: StoragePath<WorkspacePath>,
    body: StorageJson<UpdateWorkspaceRequest>,
) -> Answer<WorkspaceResponse> {
    let name = body.0.name.as_str();
    let workspace = workspaces::rename(&services, &caller, path.0.id.into(), name).await?;
    Ok(Json(WorkspaceResponse { success: true, workspace: workspace.into() }))
}

/// Delete a workspace
///
/// Needs the role ADMIN in the workspace. A workspace that still holds a bucket, a storage repo or
/// a source repo is refused with 400, and so is the organisation's default one.
#[utoipa::path(delete, path = "/workspace/{id}", tag = "workspaces", params(WorkspacePath),
    responses(
        (status = 200, description = "The workspace is deleted.", body = ActionResponse),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn delete_workspace(
    services: Shared,
    caller: By,
    path: StoragePath<WorkspacePath>,
) -> Answer<ActionResponse> {
    workspaces::delete(&services, &caller, path.0.id.into()).await?;
    Ok(ActionResponse::done())
}

/// Give a user a role in a workspace
///
/// Needs the role ADMIN in the workspace. The user must belong to the same organisation, else 404.
/// A user who already has a role in the workspace gets the new one instead.
#[utoipa::path(post, path = "/workspace/{id}/users", tag = "workspaces", params(WorkspacePath),
    request_body = AddWorkspaceUserRequest,
    responses(
        (status = 200, description = "The user has the role.", body = ActionResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn add_workspace_user(
    services: Shared,
    caller: By,
    path: StoragePath<WorkspacePath>,
    body: StorageJson<AddWorkspaceUserRequest>,
) -> Answer<ActionResponse> {
    let (user, role) = (body.0.user_id.into(), body.0.role.into());
    workspaces::add_user(&services, &caller, path.0.id.into(), user, role).await?;
    Ok(ActionResponse::done())
}

/// Change a user's role in a workspace
///
/// Needs the role ADMIN in the workspace. A user without a role in it answers 404.
#[utoipa::path(put, path = "/workspace/{id}/users/{userId}", tag = "workspaces",
    params(WorkspaceUserPath), request_body = UpdateWorkspaceUserRequest,
    responses(
        (status = 200, description = "The user has the new role.", body = ActionResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn update_workspace_user(
    services: Shared,
    caller: By,
    path: StoragePath<WorkspaceUserPath>,
    body: StorageJson<UpdateWorkspaceUserRequest>,
) -> Answer<ActionResponse> {
    let (id, user) = (path.0.id.into(), path.0.user_id.into());
    workspaces::set_role(&services, &caller, id, user, body.0.role.into()).await?;
    Ok(ActionResponse::done())
}

/// Take a user's role in a workspace away
///
/// Needs the role ADMIN in the workspace. Takes effect with the user's next request. A user without
/// a role in the workspace answers 404.
#[utoipa::path(delete, path = "/workspace/{id}/users/{userId}", tag = "workspaces",
    params(WorkspaceUserPath),
    responses(
        (status = 200, description = "The user has no role in the workspace any more.",
            body = ActionResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn remove_workspace_user(
    services: Shared,
    caller: By,
    path: StoragePath<WorkspaceUserPath>,
) -> Answer<ActionResponse> {
    workspaces::remove_user(&services, &caller, path.0.id.into(), path.0.user_id.into()).await?;
    Ok(ActionResponse::done())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WorkspacePath {
    /// Id of the workspace.
    #[param(example = "7c9e6679-7425-40de-944b-e07fc1f90ae7")]
    id: Uuid,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Path)]
pub struct WorkspaceUserPath {
    /// Id of the workspace.
    #[param(example = "7c9e6679-7425-40de-944b-e07fc1f90ae7")]
    id: Uuid,
    /// Id of the user.
    #[param(example = "3d813cbb-47fb-42ba-91df-831e1593ac29")]
    user_id: Uuid,
}

words! {
    /// What a user may do in a workspace, or an access key with the data of its storage repo. READ lists and
    /// reads, WRITE also changes, ADMIN also manages the workspace and its users, or whole buckets.
    #[schema(example = json!("WRITE"))]
    AccessType: Role { Read = "READ", Write = "WRITE", Admin = "ADMIN" }
}

/// The workspace to create.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Production"}))]
pub struct CreateWorkspaceRequest {
    name: Name,
}

/// What to change of a workspace.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Staging"}))]
pub struct UpdateWorkspaceRequest {
    name: Name,
}

/// A user and the role to give.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"userId": "3d813cbb-47fb-42ba-91df-831e1593ac29", "role": "WRITE"}))]
pub struct AddWorkspaceUserRequest {
    /// Id of a user of the same organisation.
    user_id: Uuid,
    role: AccessType,
}

/// The role to give instead.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"role": "READ"}))]
pub struct UpdateWorkspaceUserRequest {
    role: AccessType,
}

/// A workspace, without its users.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "name": "Production", "orgId": "16fd2706-8baf-433b-82eb-8c7fada847da", "default": false, "deletedAt": null}))]
pub struct Workspace {
    /// Id of the workspace.
    id: Uuid,
    /// Its name, 1 to 255 characters.
    name: String,
    /// Id of the organisation it belongs to.
    org_id: Uuid,
    /// Whether this is the organisation's default workspace, where source repos go that name none.
    #[serde(rename = "default")]
    is_default: bool,
    /// When it was deleted; `null` as long as it lives.
    #[schema(required = true)]
    deleted_at: Option<DateTime<Utc>>,
}

/// A workspace that was created or changed.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"success": true, "workspace": {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "name": "Production", "orgId": "16fd2706-8baf-433b-82eb-8c7fada847da", "default": false, "deletedAt": null}}))]
pub struct WorkspaceResponse {
    /// Always `true`.
    success: bool,
    workspace: Workspace,
}

/// A workspace with the users that have a role in it.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "name": "Production", "orgId": "16fd2706-8baf-433b-82eb-8c7fada847da", "default": false, "deletedAt": null, "users": [{"userId": "3d813cbb-47fb-42ba-91df-831e1593ac29", "role": "ADMIN", "user": {"id": "3d813cbb-47fb-42ba-91df-831e1593ac29", "name": "Ada", "lastName": "Example", "email": "ada@example.com", "orgRole": 2}}]}))]
pub struct WorkspaceWithUsers {
    /// Id of the workspace.
    id: Uuid,
    /// Its name, 1 to 255 characters.
    name: String,
    /// Id of the organisation it belongs to.
    org_id: Uuid,
    /// Whether this is the organisation's default workspace, where source repos go that name none.
    #[serde(rename = "default")]
    is_default: bool,
    /// When it was deleted; `null` as long as it lives.
    #[schema(required = true)]
    deleted_at: Option<DateTime<Utc>>,
    /// Users with a role in the workspace, ordered by e-mail address. Administrators and owners of the
    /// organisation act in every workspace and are listed only where they were also given a role.
    users: Vec<WorkspaceUser>,
}

/// A user's role in a workspace.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"userId": "3d813cbb-47fb-42ba-91df-831e1593ac29", "role": "ADMIN", "user": {"id": "3d813cbb-47fb-42ba-91df-831e1593ac29", "name": "Ada", "lastName": "Example", "email": "ada@example.com", "orgRole": 2}}))]
pub struct WorkspaceUser {
    /// Id of the user.
    user_id: Uuid,
    role: AccessType,
    user: WorkspaceUserAccount,
}

/// Who the user is.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "3d813cbb-47fb-42ba-91df-831e1593ac29", "name": "Ada", "lastName": "Example", "email": "ada@example.com", "orgRole": 2}))]
pub struct WorkspaceUserAccount {
    /// Id of the user, the same as `userId`.
    id: Uuid,
    /// First name.
    name: String,
    /// Last name; may be empty.
    last_name: String,
    /// E-mail address.
    email: String,
    /// Role in the organisation: 0 USER, 1 BILLING, 2 WORKSPACES, 254 ADMINISTRATORS, 255 OWNER.
    #[schema(required = true)]
    org_role: Option<u32>,
}

/// One workspace with its users.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct WorkspaceDetailResponse {
    /// Always `true`.
    success: bool,
    workspace: WorkspaceWithUsers,
}

/// Workspaces with their users.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct WorkspaceListResponse {
    /// Always `true`.
    success: bool,
    /// The workspaces, ordered by name, then id.
    workspaces: Vec<WorkspaceWithUsers>,
}

strict!(
    CreateWorkspaceRequest,
    UpdateWorkspaceRequest,
    AddWorkspaceUserRequest,
    UpdateWorkspaceUserRequest
);

impl From<org::Workspace> for Workspace {
    fn from(workspace: org::Workspace) -> Self {
        Self {
            id: workspace.id.uuid(),
            name: workspace.name,
            org_id: workspace.org.uuid(),
            is_default: workspace.is_default,
            deleted_at: None,
        }
    }
}

impl From<workspaces::WithUsers> for WorkspaceWithUsers {
    fn from((workspace, members): workspaces::WithUsers) -> Self {
        Self {
            id: workspace.id.uuid(),
            name: workspace.name,
            org_id: workspace.org.uuid(),
            is_default: workspace.is_default,
            deleted_at: None,
            users: members.into_iter().map(WorkspaceUser::from).collect(),
        }
    }
}

impl From<WorkspaceMember> for WorkspaceUser {
    fn from(WorkspaceMember { user, role }: WorkspaceMember) -> Self {
        let id = user.id.uuid();
        let org_role = u32::try_from(user.org_role.code()).ok();
        let (name, last_name, email) = (user.name, user.last_name, user.email);
        let user = WorkspaceUserAccount { id, name, last_name, email, org_role };
        Self { user_id: id, role: role.into(), user }
    }
}
