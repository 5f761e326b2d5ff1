//! Tag `storage_repos`: storage repos, and the buckets and AI LLMs they name.

mod answers;
mod requests;

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::extract::{StorageJson, StoragePath, StorageQuery};
use super::half::StorageFault;
use super::responses::{
    StorageAbsent, StorageAlways, StorageBody, StorageConflict, StorageInvalid,
};
use super::storage_words::IdOrName;
use super::wire::ActionResponse;
use super::{By, Shared};
use crate::model::access::Role;
use crate::model::id;
use crate::model::storage_repo::{LIST_MAX, ListFilter};
use crate::service::{Error, Result, storage_repos};

pub use answers::*;
pub use requests::*;

type Answer<T> = std::result::Result<Json<T>, StorageFault>;

/// Create a storage repo
///
/// Needs WRITE in the workspace. The name must be free in the workspace, among storage repos that are not
/// deleted. Every bucket and AI LLM must belong to the same workspace. What the modes demand of the buckets
/// is said at `StorageMode`; a request that breaks a rule answers its `error_code` and changes nothing.
#[utoipa::path(post, path = "/repo", tag = "storage_repos",
    request_body = CreateStorageRepoRequest,
    responses(
        (status = 200, description = "The storage repo is created.", body = StorageRepoChangeResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn create_storage_repo(
    services: Shared,
    caller: By,
    body: StorageJson<CreateStorageRepoRequest>,
) -> Answer<StorageRepoChangeResponse> {
    let id = storage_repos::create(&services, &caller, body.0.into_wanted()?).await?;
    Ok(Json(StorageRepoChangeResponse::new(id.uuid())))
}

/// List storage repos
///
/// The storage repos of every workspace the caller has a role in, oldest first, each with its buckets,
/// access keys, AI LLMs and AI API keys. Deleted ones are left out. Without `limit` the answer holds up to
/// 1,000; where there are more, `nextCursor` leads to the next page.
#[utoipa::path(get, path = "/repo", tag = "storage_repos", params(StorageRepoQuery),
    responses(
        (status = 200, description = "The storage repos the caller can see.", body = StorageRepoListResponse),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn list_storage_repos(
    services: Shared,
    caller: By,
    query: StorageQuery<StorageRepoQuery>,
) -> std::result::Result<Response, StorageFault> {
    let filter = query.0.into_filter()?;
    let page = storage_repos::list(&services, &caller, filter, StorageRepoListResponse::render);
    Ok(([(CONTENT_TYPE, "application/json")], page.await?).into_response())
}

/// Check the buckets of a storage repo to be created
///
/// Answers what `create_storage_repo` would say of the mode and the buckets, and changes nothing. Both
/// outcomes are 200; `error_code` tells them apart. Needs a role in the workspaces of the buckets.
#[utoipa::path(post, path = "/repo/validate", tag = "storage_repos",
    request_body = ValidateStorageRepoRequest,
    responses(
        (status = 200, description = "The verdict.", body = ValidateStorageRepoResponse),
        StorageInvalid, StorageAlways, StorageBody,
    ))]
pub async fn validate_new_storage_repo(
    services: Shared,
    caller: By,
    body: StorageJson<ValidateStorageRepoRequest>,
) -> Answer<ValidateStorageRepoResponse> {
    let (mode, links) = body.0.into_parts()?;
    let links = links.unwrap_or_default();
    verdict(storage_repos::validate_new(&services, &caller, mode, links).await)
}

/// Read a storage repo
///
/// Needs READ in its workspace.
#[utoipa::path(get, path = "/repo/{repoId}", tag = "storage_repos", params(StorageRepoPath),
    responses(
        (status = 200, description = "The storage repo.", body = StorageRepoResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn get_storage_repo(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
) -> Answer<StorageRepoResponse> {
    let repo = storage_repos::get(&services, &caller, path.0.repo_id.into()).await?;
    Ok(Json(StorageRepoResponse::new(repo.into())))
}

/// Change a storage repo
///
/// Needs WRITE in its workspace, and in the new one if `workspaceId` names another. `name`, `storageType` and
/// `mode` replace what is there. `repoBuckets` and `repoAiLlms` replace the whole list when they are given, `[]`
/// detaches all, and leaving them out leaves them. A request that breaks a rule answers its `error_code`
/// and changes nothing.
#[utoipa::path(put, path = "/repo/{repoId}", tag = "storage_repos", params(StorageRepoPath),
    request_body = UpdateStorageRepoRequest,
    responses(
        (status = 200, description = "The storage repo is changed.", body = StorageRepoUpdateResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageConflict, StorageBody,
    ))]
pub async fn update_storage_repo(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
    body: StorageJson<UpdateStorageRepoRequest>,
) -> Answer<StorageRepoUpdateResponse> {
    let (id, wanted) = (path.0.repo_id.into(), body.0.into_wanted()?);
    Ok(Json(storage_repos::update(&services, &caller, id, wanted).await?.into()))
}

/// Delete a storage repo
///
/// Needs WRITE in its workspace. Its access keys and AI API keys stop to work, its buckets and AI LLMs are
/// detached and otherwise left alone, and its name is free again. Nothing in a bucket is deleted.
#[utoipa::path(delete, path = "/repo/{repoId}", tag = "storage_repos", params(StorageRepoPath),
    responses(
        (status = 200, description = "The storage repo is deleted.", body = ActionResponse),
        StorageAlways, StorageAbsent, StorageConflict,
    ))]
pub async fn delete_storage_repo(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
) -> Answer<ActionResponse> {
    storage_repos::delete(&services, &caller, path.0.repo_id.into()).await?;
    Ok(ActionResponse::done())
}

/// Check a change of a storage repo's buckets
///
/// Answers what `update_storage_repo` would say of the mode and the buckets, and changes nothing. Both
/// outcomes are 200; `error_code` tells them apart. Needs READ in the workspace of the storage repo.
#[utoipa::path(post, path = "/repo/{repoId}/validate", tag = "storage_repos", params(StorageRepoPath),
    request_body = ValidateStorageRepoRequest,
    responses(
        (status = 200, description = "The verdict.", body = ValidateStorageRepoResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn validate_storage_repo(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
    body: StorageJson<ValidateStorageRepoRequest>,
) -> Answer<ValidateStorageRepoResponse> {
    let id = path.0.repo_id;
    same_repo(id, body.0.repo_id())?;
    let (mode, links) = body.0.into_parts()?;
    let (repo, caller) = (id.into(), &caller);
    storage_repos::require(&services, caller, repo, Role::Read).await?;
    verdict(storage_repos::validate(&services, caller, repo, mode, links).await)
}

/// A rule that is broken is an answer here, anything else an error.
fn verdict(checked: Result<()>) -> Answer<ValidateStorageRepoResponse> {
    match checked {
        Ok(()) => Ok(Json(ValidateStorageRepoResponse::success())),
        Err(Error::Rule { rule, message }) => {
            Ok(Json(ValidateStorageRepoResponse::broken(rule, message)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Clients repeat the path's id in some bodies; another one there is a mistake.
pub fn same_repo(path: Uuid, body: Option<String>) -> Result<()> {
    if body.is_none_or(|id| id.eq_ignore_ascii_case(&path.to_string())) {
        return Ok(());
    }
    Err(Error::invalid("repoId", "repoId: must be the storage repo in the path, or left out"))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Path)]
pub struct StorageRepoPath {
    /// Id of the storage repo.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000")]
    pub repo_id: Uuid,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageRepoQuery {
    /// Only of this workspace, by id or name. One the caller cannot see answers 404.
    #[param(nullable = false)]
    workspace_id: Option<IdOrName>,
    /// Only the storage repo with this id. If there is none that the caller can see, the list is empty.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000", nullable = false)]
    repo_id: Option<Uuid>,
    /// Only those that were made with this `walletAddress`.
    #[param(
        max_length = 255,
        pattern = r"^[^\u0000]*$",
        example = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H",
        nullable = false
    )]
    wallet_address: Option<String>,
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 1000, default = 1000, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `nextCursor` of the page before.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000", nullable = false)]
    cursor: Option<Uuid>,
}

impl StorageRepoQuery {
    fn into_filter(self) -> Result<ListFilter<id::IdOrName>> {
        Ok(ListFilter {
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            only: self.repo_id,
            wallet: self.wallet_address,
            after: self.cursor,
            limit: self.limit.unwrap_or(LIST_MAX),
        })
    }
}
