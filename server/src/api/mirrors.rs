//! Tag `mirrors`: how alike the copies of a storage repo's objects are, and what mends them.

mod answers;

use axum::Json;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::{StorageJsonOrNothing, StoragePath};
use super::half::StorageFault;
use super::responses::{
    StorageAbsent, StorageAlways, StorageBody, StorageConflict, StorageInvalid,
};
use super::storage_repos::StorageRepoPath;
use super::strict::strict;
use super::{By, Shared};
use crate::model::storage_job::Asked;
use crate::model::time::Timestamp;
use crate::service::mirrors;

pub use answers::*;

type Answer<T> = Result<Json<T>, StorageFault>;

/// Read how alike the copies are
///
/// What each bucket of the storage repo has to catch up with, by namespace: a MIRROR or BACKUP repo is one,
/// a NORMAL repo one for each bucket. Breakers are those of the server process that answers; others may
/// think otherwise. Needs READ in the workspace.
#[utoipa::path(get, path = "/repo/{repoId}/mirror", tag = "mirrors", params(StorageRepoPath),
    responses(
        (status = 200, description = "How the buckets do.", body = MirrorResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn get_mirror(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
) -> Answer<MirrorResponse> {
    let mirror = mirrors::get(&services, &caller, path.0.repo_id.into()).await?;
    Ok(Json(mirror.into()))
}

/// Make the copies alike now
///
/// All that buckets owe is tried now, rather than when it is its turn again. The job waits for what was owed
/// when it was made. It is `done` once nothing of that is left, and `failed` if nothing was paid for 60 s. As long
/// as one is not finished, it is answered again. Needs WRITE in the workspace.
#[utoipa::path(post, path = "/repo/{repoId}/mirror/repair", tag = "mirrors", params(StorageRepoPath),
    responses(
        (status = 200, description = "The repair is under way.", body = JobIdResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageConflict,
    ))]
pub async fn repair_mirror(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
) -> Answer<JobIdResponse> {
    let job = mirrors::repair(&services, &caller, path.0.repo_id.into()).await?;
    Ok(Json(JobIdResponse::new(job)))
}

/// Compare the buckets with the catalog now
///
/// Makes a job for each bucket that lists all it holds, and notes what is missing, another or damaged as owed,
/// to be mended at once. This comes by itself as well: each bucket is listed daily, and read monthly. A bucket
/// that is compared already keeps its job. Needs WRITE in the workspace. A request without a body is read
/// as `{}`.
#[utoipa::path(post, path = "/repo/{repoId}/mirror/scrub", tag = "mirrors", params(StorageRepoPath),
    request_body(content = ScrubMirrorRequest, description = "May be left out altogether, which lists only."),
    responses(
        (status = 200, description = "The comparison is under way.", body = JobIdsResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageConflict, StorageBody,
    ))]
pub async fn scrub_mirror(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
    body: StorageJsonOrNothing<ScrubMirrorRequest>,
) -> Answer<JobIdsResponse> {
    let (id, read) = (path.0.repo_id.into(), body.0.read.unwrap_or(false));
    let jobs = mirrors::scrub(&services, &caller, id, read).await?;
    Ok(Json(JobIdsResponse::new(jobs)))
}

/// Bring deleted objects back
///
/// For storage repos of mode BACKUP: what was deleted and a backup still holds is there again, in the version
/// that was deleted, and is copied to the other buckets afterwards. Keys that were written anew stay as they are.
/// The job counts as `found` what it brought back, or with `dryRun` what it could. As long as one is not finished,
/// the same request answers it again, and another one 409. Needs WRITE in the workspace. A request without a
/// body is read as `{}`.
#[utoipa::path(post, path = "/repo/{repoId}/restore", tag = "mirrors", params(StorageRepoPath),
    request_body(content = RestoreObjectsRequest, description = "May be left out altogether, which brings all back."),
    responses(
        (status = 200, description = "The restore is under way.", body = JobIdResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageConflict, StorageBody,
    ))]
pub async fn restore_objects(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
    body: StorageJsonOrNothing<RestoreObjectsRequest>,
) -> Answer<JobIdResponse> {
    let (id, asked) = (path.0.repo_id.into(), body.0.into());
    let job = mirrors::restore(&services, &caller, id, asked).await?;
    Ok(Json(JobIdResponse::new(job)))
}

/// How to compare.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"read": true}))]
pub struct ScrubMirrorRequest {
    /// Whether to read all content as well, and hold it against its checksum. Default is `false`.
    #[serde(default)]
    read: Option<bool>,
}

/// What to bring back. Without any field, all there is.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"prefix": "photos/2026/", "deletedSince": "2026-01-15T00:00:00Z", "dryRun": true}))]
pub struct RestoreObjectsRequest {
    /// Only objects whose keys begin so. Default is all.
    #[serde(default)]
    #[schema(max_length = 1024, pattern = r"^[^\u0000]*$")]
    prefix: Option<String>,
    /// Only what was deleted at or after this instant. Default is all.
    #[serde(default)]
    deleted_since: Option<DateTime<Utc>>,
    /// Whether to count only, and change nothing. Default is `false`.
    #[serde(default)]
    dry_run: Option<bool>,
}

strict!(ScrubMirrorRequest, RestoreObjectsRequest);

impl From<RestoreObjectsRequest> for Asked {
    fn from(request: RestoreObjectsRequest) -> Self {
        Self {
            read: false,
            prefix: request.prefix.unwrap_or_default(),
            deleted_since: request.deleted_since.map(|at| Timestamp::from(at).micros()),
            dry_run: request.dry_run.unwrap_or(false),
        }
    }
}
