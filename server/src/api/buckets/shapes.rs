//! What is sent and answered about buckets.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::storage_words::{IdOrName, SecretEnvelope, StorageType, millis, secret};
use super::super::strict::strict;
use super::super::wire::Name;
use crate::model::bucket::{self, BucketStatus, Place};
use crate::model::storage_repo::{ListPage, Mention};
use crate::service::bucket_reach::Sight;
use crate::service::buckets::{BucketChange, NewBucket, WithHolders, Written};
use crate::service::{Node, Result};

/// The bucket to register.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Photos in Ireland", "bucket": "photos-2026", "storageType": "S3", "endpoint": "file:disk1", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}))]
pub struct CreateBucketRequest {
    name: Name,
    /// Its name in its cloud. Letters, digits, `.`, `_` and `-`.
    #[schema(
        min_length = 1,
        max_length = 222,
        pattern = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$"
    )]
    bucket: String,
    storage_type: StorageType,
    /// Access key id, or account name on Azure.
    #[serde(default)]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    key: Option<String>,
    /// Secret access key, or account key on Azure. Write-only.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    secret: Option<String>,
    /// Where it answers. Default is the provider's own address. `file:NAME` is a folder of the workspace on the
    /// server's disk, which is made if it is absent.
    #[serde(default)]
    #[schema(max_length = 2048, pattern = r"^[^\u0000]*$")]
    endpoint: Option<String>,
    /// Its region. Default is `us-east-1`.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    region: Option<String>,
    /// Project it belongs to, for GCS. Kept and answered.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    project_id: Option<String>,
    /// Workspace it belongs to. Default is the organisation's default workspace.
    #[serde(default)]
    workspace_id: Option<IdOrName>,
    /// Kept and answered, and what `walletAddress` of the lists selects by.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    wallet_address: Option<String>,
}

/// What to change of a bucket. What is left out stays. An empty text removes what is there, but for the
/// secret, which stays.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Photos, moved", "region": "us-west-2", "endpoint": "file:disk2"}))]
pub struct UpdateBucketRequest {
    /// Its name here.
    #[serde(default)]
    name: Option<Name>,
    /// Its name in its cloud. Letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 222,
        pattern = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$"
    )]
    bucket: Option<String>,
    /// Its protocol.
    #[serde(default)]
    storage_type: Option<StorageType>,
    /// Access key id, or account name on Azure.
    #[serde(default)]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    key: Option<String>,
    /// Secret access key, or account key on Azure. Write-only.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    secret: Option<String>,
    /// Where it answers. `file:NAME` is a folder of the workspace on the
    /// server's disk, which is made if it is absent.
    #[serde(default)]
    #[schema(max_length = 2048, pattern = r"^[^\u0000]*$")]
    endpoint: Option<String>,
    /// Its region.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    region: Option<String>,
    /// Project it belongs to, for GCS. Kept and answered.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    project_id: Option<String>,
    /// Workspace it belongs to.
    #[serde(default)]
    workspace_id: Option<IdOrName>,
    /// Kept and answered, and what `walletAddress` of the lists selects by.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    wallet_address: Option<String>,
}

/// What to check instead of what is stored.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"bucket": "photos-2026"}))]
pub struct ValidateBucketRequest {
    /// Its name in its cloud. Letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 222,
        pattern = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$"
    )]
    bucket: Option<String>,
    /// Access key id, or account name on Azure.
    #[serde(default)]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    key: Option<String>,
    /// Secret access key, or account key on Azure. Write-only.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    secret: Option<String>,
    /// Where it answers. `file:NAME` is a folder of the workspace on the
    /// server's disk, which is made if it is absent.
    #[serde(default)]
    #[schema(max_length = 2048, pattern = r"^[^\u0000]*$")]
    endpoint: Option<String>,
}

/// A bucket that is registered here.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "123e4567-e89b-42d3-a456-426614174000", "name": "Photos in Ireland", "bucket": "photos-2026", "storageType": "S3", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "key": "AKIAIOSFODNN7EXAMPLE", "secret": {"key": "MQ==", "iv": "q83vEjRWeJCrze8S", "authTag": "AAECAwQFBgcICQoLDA0ODw==", "message": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, "endpoint": "https://s3.amazonaws.com", "region": "us-east-1", "projectId": "photos-314159", "status": "ONLINE", "lastStatusAt": "2026-01-15T10:30:00Z", "createdAt": "2026-01-15T10:30:00Z"}))]
pub struct Bucket {
    /// Id of the bucket.
    id: Uuid,
    /// Its name here, 1 to 255 characters.
    name: String,
    /// Its name in its cloud.
    bucket: String,
    storage_type: StorageType,
    /// Id of the workspace it belongs to.
    workspace_id: Uuid,
    /// Access key id, or account name; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
    /// Left out if there is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<SecretEnvelope>,
    /// Where it answers; left out if at the provider's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    endpoint: Option<String>,
    /// Its region; left out if none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    region: Option<String>,
    /// Project it belongs to, for GCS; left out if none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    project_id: Option<String>,
    /// What was given as `walletAddress`; left out if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wallet_address: Option<String>,
    /// Whether it answered when it was last reached, `ONLINE` or `OFFLINE`.
    status: String,
    /// When it was last reached.
    last_status_at: DateTime<Utc>,
    /// When it was registered.
    created_at: DateTime<Utc>,
    /// The storage repos that hold it; left out inside a storage repo.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    repos: Option<Vec<StorageRepoBasic>>,
}

/// A storage repo that holds a bucket.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "550e8400-e29b-41d4-a716-446655440000", "name": "Photos", "storageType": "S3", "createdAt": "2026-01-15T10:30:00Z"}))]
pub struct StorageRepoBasic {
    /// Id of the storage repo.
    id: Uuid,
    /// Its name.
    name: String,
    storage_type: StorageType,
    /// When it was created.
    created_at: DateTime<Utc>,
}

/// A bucket.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct BucketResponse {
    /// Always `true`.
    success: bool,
    bucket: Bucket,
}

/// One page of buckets.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketListResponse {
    /// Always `true`.
    success: bool,
    /// The buckets.
    buckets: Vec<Bucket>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// The bucket that was registered or changed.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"success": true, "bucketId": "123e4567-e89b-42d3-a456-426614174000", "status": "ONLINE", "latency_ms": 31}))]
pub struct BucketChangeResponse {
    /// Always `true`.
    success: bool,
    /// Id of the bucket.
    bucket_id: Uuid,
    /// `ONLINE`, if the bucket was reached; left out if that was not needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<String>,
    /// Milliseconds it took to reach the bucket; left out if that was not needed.
    #[serde(rename = "latency_ms", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latency_ms: Option<u32>,
}

/// A bucket that can be used.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"success": true, "message": "The bucket can be used.", "latency_ms": 31, "status": "ONLINE"}))]
pub struct ValidateBucketResponse {
    /// Always `true`.
    success: bool,
    /// That it can be used.
    message: String,
    /// Milliseconds it took to reach the bucket.
    latency_ms: u32,
    /// Always `ONLINE`.
    status: String,
}

/// What each node sees of a bucket.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketStatusResponse {
    /// Id of the bucket.
    bucket_id: Uuid,
    /// One entry, for this server.
    node_status: Vec<NodeStatus>,
}

/// What one node sees of a bucket.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"ip": "127.0.0.1", "region": "local", "version": "0.1.0", "status": "ONLINE", "latencyMs": 31, "lastUpdated": "2026-01-15T10:30:00Z"}))]
pub struct NodeStatus {
    /// Address the node listens on.
    ip: String,
    /// Region of the node, as its configuration says.
    region: String,
    /// Version of the node.
    version: String,
    /// Whether the bucket answered with its credential, `ONLINE` or `OFFLINE`.
    status: String,
    /// Milliseconds it took to reach the bucket; left out if it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latency_ms: Option<u32>,
    /// When the bucket was asked.
    last_updated: DateTime<Utc>,
}

strict!(CreateBucketRequest, UpdateBucketRequest, ValidateBucketRequest);

impl CreateBucketRequest {
    pub fn into_new(self) -> Result<NewBucket> {
        Ok(NewBucket {
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            name: self.name.into_text(),
            place: Place {
                storage_type: self.storage_type.into(),
                bucket: self.bucket,
                endpoint: self.endpoint,
                region: self.region,
                key: self.key,
            },
            secret: self.secret.map(Into::into),
            project: self.project_id,
            wallet: self.wallet_address,
        })
    }
}

impl UpdateBucketRequest {
    pub fn into_change(self) -> Result<BucketChange> {
        Ok(BucketChange {
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            name: self.name.map(Name::into_text),
            storage_type: self.storage_type.map(Into::into),
            bucket: self.bucket,
            endpoint: self.endpoint,
            region: self.region,
            key: self.key,
            secret: self.secret.map(Into::into),
            project: self.project_id,
            wallet: self.wallet_address,
        })
    }
}

impl ValidateBucketRequest {
    pub fn into_change(self) -> BucketChange {
        let Self { bucket, key, secret, endpoint } = self;
        let secret = secret.map(Into::into);
        BucketChange { bucket, key, secret, endpoint, ..BucketChange::default() }
    }
}

impl From<bucket::Bucket> for Bucket {
    fn from(bucket: bucket::Bucket) -> Self {
        Self {
            id: bucket.id.uuid(),
            name: bucket.name,
            bucket: bucket.place.bucket,
            storage_type: bucket.place.storage_type.into(),
            workspace_id: bucket.workspace.uuid(),
            key: bucket.place.key,
            secret: bucket.sealed.as_deref().map(SecretEnvelope::of),
            endpoint: bucket.place.endpoint,
            region: bucket.place.region,
            project_id: bucket.project,
            wallet_address: bucket.wallet,
            status: bucket.status.as_str().to_owned(),
            last_status_at: bucket.status_at.into(),
            created_at: bucket.created_at.into(),
            repos: None,
        }
    }
}

impl From<WithHolders> for Bucket {
    fn from((bucket, holders): WithHolders) -> Self {
        let repos = holders.into_iter().map(StorageRepoBasic::from).collect();
        Self { repos: Some(repos), ..bucket.into() }
    }
}

impl From<Mention> for StorageRepoBasic {
    fn from(repo: Mention) -> Self {
        Self {
            id: repo.id.uuid(),
            name: repo.name,
            storage_type: repo.storage_type.into(),
            created_at: repo.created_at.into(),
        }
    }
}

impl BucketResponse {
    pub fn new(bucket: Bucket) -> Self {
        Self { success: true, bucket }
    }
}

impl From<ListPage<WithHolders>> for BucketListResponse {
    fn from(page: ListPage<WithHolders>) -> Self {
        let buckets: Vec<Bucket> = page.items.into_iter().map(Bucket::from).collect();
        let last = buckets.last().filter(|_| page.more);
        Self { success: true, next_cursor: last.map(|last| last.id.to_string()), buckets }
    }
}

impl From<Written> for BucketChangeResponse {
    fn from(written: Written) -> Self {
        let status = written.latency.map(|_| BucketStatus::Online.as_str().to_owned());
        let latency_ms = written.latency.map(millis);
        Self { success: true, bucket_id: written.id.uuid(), status, latency_ms }
    }
}

impl ValidateBucketResponse {
    pub fn new(latency: Duration) -> Self {
        let message = "The bucket can be used.".to_owned();
        let status = BucketStatus::Online.as_str().to_owned();
        Self { success: true, message, latency_ms: millis(latency), status }
    }
}

impl BucketStatusResponse {
    pub fn new(bucket_id: Uuid, node: &Node, sight: &Sight) -> Self {
        let answered = sight.latency.is_some();
        let status = if answered { BucketStatus::Online } else { BucketStatus::Offline };
        let seen = NodeStatus {
            ip: node.ip.to_string(),
            region: node.region.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            status: status.as_str().to_owned(),
            latency_ms: sight.latency.map(millis),
            last_updated: sight.at.into(),
        };
        Self { bucket_id, node_status: vec![seen] }
    }
}
