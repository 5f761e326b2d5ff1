//! Tag `buckets`: buckets in clouds and on local disks, with their credentials.

mod shapes;

use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::extract::{StorageJson, StorageJsonOrNothing, StoragePath, StorageQuery};
use super::half::StorageFault;
use super::responses::{
    StorageAbsent, StorageAlways, StorageBody, StorageConflict, StorageInvalid,
};
use super::storage_words::IdOrName;
use super::wire::ActionResponse;
use super::{By, Shared};
use crate::model::id;
use crate::model::storage_repo::{LIST_MAX, ListFilter};
use crate::service::{Result, bucket_reach, buckets};

pub use shapes::*;

type Answer<T> = std::result::Result<Json<T>, StorageFault>;

/// Register a bucket
///
/// Needs WRITE in the workspace. The server reaches the bucket with the credential first, within 5 s; one that
/// does not answer, does not exist or does not let it in is refused with 400 that says so, and nothing is
/// stored. The name must be free in the organisation, among buckets that are not deleted.
#[utoipa::path(post, path = "/bucket", tag = "buckets",
    request_body = CreateBucketRequest,
    responses(
        (status = 200, description = "The bucket is registered.", body = BucketChangeResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn create_bucket(
    services: Shared,
    caller: By,
    body: StorageJson<CreateBucketRequest>,
) -> Answer<BucketChangeResponse> {
    let written = buckets::create(&services, &caller, body.0.into_new()?).await?;
    Ok(Json(written.into()))
}

/// List buckets
///
/// The buckets of every workspace the caller has a role in, oldest first. Deleted ones are left out. Without
/// `limit` the answer holds up to 1,000; where there are more, `nextCursor` leads to the next page.
#[utoipa::path(get, path = "/bucket", tag = "buckets", params(BucketQuery),
    responses(
        (status = 200, description = "The buckets the caller can see.", body = BucketListResponse),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn list_buckets(
    services: Shared,
    caller: By,
    query: StorageQuery<BucketQuery>,
) -> Answer<BucketListResponse> {
    let page = buckets::list(&services, &caller, query.0.into_filter()?).await?;
    Ok(Json(page.into()))
}

/// List buckets that a new storage repo could mirror
///
/// The buckets the caller can see that no storage repo of mode MIRROR or BACKUP holds, oldest first, at most
/// 1,000.
#[utoipa::path(get, path = "/bucket/available", tag = "buckets", params(AvailableQuery),
    responses(
        (status = 200, description = "The buckets, as a bare list.", body = Vec<Bucket>),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn list_available_buckets(
    services: Shared,
    caller: By,
    query: StorageQuery<AvailableQuery>,
) -> Answer<Vec<Bucket>> {
    let found = buckets::list_available(&services, &caller, query.0.into_filter()?).await?;
    Ok(Json(found.into_iter().map(Bucket::from).collect()))
}

/// Read a bucket
///
/// Needs READ in its workspace.
#[utoipa::path(get, path = "/bucket/{bucketId}", tag = "buckets", params(BucketPath),
    responses(
        (status = 200, description = "The bucket.", body = BucketResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn get_bucket(
    services: Shared,
    caller: By,
    path: StoragePath<BucketPath>,
) -> Answer<BucketResponse> {
    let bucket = buckets::get(&services, &caller, path.0.bucket_id.into()).await?;
    Ok(Json(BucketResponse::new(bucket.into())))
}

/// Change a bucket
///
/// Needs WRITE in its workspace, and in the new one if `workspaceId` names another. What is left out stays. If
/// the place or the credential changes, the server reaches the bucket first, as when it is created, and each
/// storage repo that holds the bucket gets an `updated` event in the audit log. A bucket that a
/// storage repo holds, or one on the server's disk, cannot move to another workspace.
#[utoipa::path(put, path = "/bucket/{bucketId}", tag = "buckets", params(BucketPath),
    request_body = UpdateBucketRequest,
    responses(
        (status = 200, description = "The bucket is changed.", body = BucketChangeResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageConflict, StorageBody,
    ))]
pub async fn update_bucket(
    services: Shared,
    caller: By,
    path: StoragePath<BucketPath>,
    body: StorageJson<UpdateBucketRequest>,
) -> Answer<BucketChangeResponse> {
    let (id, change) = (path.0.bucket_id.into(), body.0.into_change()?);
    Ok(Json(buckets::update(&services, &caller, id, change).await?.into()))
}

/// Forget a bucket
///
/// Needs WRITE in its workspace. A bucket that a storage repo holds is refused with 403. The bucket itself and
/// what is in it are left alone, the credential is erased, and the name is free again.
#[utoipa::path(delete, path = "/bucket/{bucketId}", tag = "buckets", params(BucketPath),
    responses(
        (status = 200, description = "The bucket is forgotten.", body = ActionResponse),
        StorageAlways, StorageAbsent, StorageConflict,
    ))]
pub async fn delete_bucket(
    services: Shared,
    caller: By,
    path: StoragePath<BucketPath>,
) -> Answer<ActionResponse> {
    buckets::delete(&services, &caller, path.0.bucket_id.into()).await?;
    Ok(ActionResponse::done())
}

/// Ask whether a bucket answers
///
/// Reaches the bucket now, within 5 s. This server is the only node there is. Needs READ in the workspace.
#[utoipa::path(get, path = "/bucket/{bucketId}/status", tag = "buckets", params(BucketPath),
    responses(
        (status = 200, description = "What each node sees of the bucket.", body = BucketStatusResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn get_bucket_status(
    services: Shared,
    caller: By,
    path: StoragePath<BucketPath>,
) -> Answer<BucketStatusResponse> {
    let sight = bucket_reach::look(&services, &caller, path.0.bucket_id.into()).await?;
    Ok(Json(BucketStatusResponse::new(path.0.bucket_id, &services.node, &sight)))
}

/// Check that a bucket can be used
///
/// Reaches the bucket now, within 5 s, with its stored place and credential; fields of the body stand in for
/// stored ones and are not kept. A bucket that cannot be used answers 400 that says why. Needs WRITE in the workspace.
/// A request without a body is read as `{}`.
#[utoipa::path(post, path = "/bucket/{bucketId}/validate", tag = "buckets", params(BucketPath),
    request_body(content = ValidateBucketRequest,
        description = "May be left out altogether, which checks what is stored."),
    responses(
        (status = 200, description = "The bucket can be used.", body = ValidateBucketResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn validate_bucket(
    services: Shared,
    caller: By,
    path: StoragePath<BucketPath>,
    body: StorageJsonOrNothing<ValidateBucketRequest>,
) -> Answer<ValidateBucketResponse> {
    let (id, change) = (path.0.bucket_id.into(), body.0.into_change());
    let latency = bucket_reach::validate(&services, &caller, id, change).await?;
    Ok(Json(ValidateBucketResponse::new(latency)))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Path)]
pub struct BucketPath {
    /// Id of the bucket.
    #[param(example = "123e4567-e89b-42d3-a456-426614174000")]
    pub bucket_id: Uuid,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketQuery {
    /// Only of this workspace, by id or name. One the caller cannot see answers 404.
    #[param(nullable = false)]
    workspace_id: Option<IdOrName>,
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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AvailableQuery {
    /// Only of this workspace, by id or name. One the caller cannot see answers 404.
    #[param(nullable = false)]
    workspace_id: Option<IdOrName>,
}

impl BucketQuery {
    fn into_filter(self) -> Result<ListFilter<id::IdOrName>> {
        Ok(ListFilter {
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            only: None,
            wallet: self.wallet_address,
            after: self.cursor,
            limit: self.limit.unwrap_or(LIST_MAX),
        })
    }
}

impl AvailableQuery {
    fn into_filter(self) -> Result<ListFilter<id::IdOrName>> {
        let workspace_id = self.workspace_id;
        BucketQuery { workspace_id, wallet_address: None, limit: None, cursor: None }.into_filter()
    }
}
