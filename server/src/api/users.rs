//! Tag `users`: the calling user.

use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::half::StorageFault;
use super::responses::StorageAlways;
use super::{By, Shared};
use crate::model::access::OrgRole;
use crate::model::org::User;
use crate::service::users;

/// Read the calling user's profile
#[utoipa::path(get, path = "/user/profile", tag = "users",
    responses(
        (status = 200, description = "The user the token belongs to.", body = ProfileResponse),
        StorageAlways,
    ))]
pub async fn get_profile(
    services: Shared,
    caller: By,
) -> Result<Json<ProfileResponse>, StorageFault> {
    let user = users::profile(&services, &caller).await?;
    Ok(Json(ProfileResponse { success: true, data: user.into() }))
}

/// The calling user.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct ProfileResponse {
    /// Always `true`.
    success: bool,
    data: Profile,
}

/// A user as the user sees it.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "3d813cbb-47fb-42ba-91df-831e1593ac29", "name": "Ada", "lastName": "Example", "email": "ada@example.com", "orgId": "16fd2706-8baf-433b-82eb-8c7fada847da", "orgRole": 255, "orgRoleDescription": "OWNER", "orgRoles": [0, 1, 2, 254, 255], "validated": true, "mfaRequired": false, "isBusiness": false}))]
pub struct Profile {
    /// Id of the user.
    id: Uuid,
    /// First name.
    name: String,
    /// Last name; may be empty.
    last_name: String,
    /// E-mail address.
    email: String,
    /// Id of the user's organisation. Never `null` on this server.
    #[schema(required = true)]
    org_id: Option<Uuid>,
    /// Role in the organisation: 0 USER, 1 BILLING, 2 WORKSPACES, 254 ADMINISTRATORS, 255 OWNER.
    /// Never `null` on this server.
    #[schema(required = true)]
    org_role: Option<u32>,
    /// Name of the role, for instance `OWNER`.
    org_role_description: String,
    /// Every role the user's own includes, ascending, by the numbers of `orgRole`.
    org_roles: Vec<u32>,
    /// Always `true`. Users are made by the operator, so there is no address to confirm.
    validated: bool,
    /// Always `false`. Tokens are the only credential of the API.
    mfa_required: bool,
    /// Always `false`. This server knows no plans.
    is_business: bool,
}

impl From<User> for Profile {
    fn from(user: User) -> Self {
        let role = user.org_role;
        let code = |role: OrgRole| u32::try_from(role.code()).unwrap_or_default();
        Self {
            id: user.id.uuid(),
            name: user.name,
            last_name: user.last_name,
            email: user.email,
            org_id: Some(user.org.uuid()),
            org_role: Some(code(role)),
            org_role_description: role.as_str().to_owned(),
            org_roles: OrgRole::ALL.into_iter().filter(|held| *held <= role).map(code).collect(),
            validated: true,
            mfa_required: false,
            is_business: false,
        }
    }
}
