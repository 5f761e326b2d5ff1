//! What is answered about storage repos.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::access_keys::AccessKey;
use super::super::ai_keys::AiKey;
use super::super::ai_llms::AiLlm;
use super::super::buckets::Bucket;
use super::super::storage_words::{StorageMode, StorageType};
use crate::model::storage_repo::{self, ListPage, Member, RETENTION_DAYS, Rule, Whole};
use crate::model::{ai, bucket};
use crate::service::{Error, Result};

/// A storage repo, with all it holds.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "550e8400-e29b-41d4-a716-446655440000", "name": "Photos", "storageType": "S3", "mode": "MIRROR", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "buckets": [{"folder": "backups", "master": true, "bucketId": "123e4567-e89b-42d3-a456-426614174000", "bucket": {"id": "123e4567-e89b-42d3-a456-426614174000", "name": "Photos in Ireland", "bucket": "photos-2026", "storageType": "S3", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "key": "AKIAIOSFODNN7EXAMPLE", "secret": {"key": "MQ==", "iv": "q83vEjRWeJCrze8S", "authTag": "AAECAwQFBgcICQoLDA0ODw==", "message": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, "endpoint": "https://s3.amazonaws.com", "region": "us-east-1", "projectId": "photos-314159", "status": "ONLINE", "lastStatusAt": "2026-01-15T10:30:00Z", "createdAt": "2026-01-15T10:30:00Z"}}], "apiKeys": [{"id": "789e0123-e45b-47d8-a901-234567890000", "name": "Analytics", "accessType": "READ", "key": "RPQ3ZK7M2XV5N4T6A7WY", "secret": {"key": "MQ==", "iv": "q83vEjRWeJCrze8S", "authTag": "AAECAwQFBgcICQoLDA0ODw==", "message": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, "createdAt": "2026-01-15T10:30:00Z"}], "aiLlms": [{"aiLlmId": "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7", "aiLlm": {"id": "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7", "orgId": "16fd2706-8baf-433b-82eb-8c7fada847da", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "userId": "3d813cbb-47fb-42ba-91df-831e1593ac29", "name": "Assistant model", "aiType": "OPENAI", "endpoint": "https://api.openai.com/v1", "key": "sk-...", "createdAt": "2026-01-15T10:30:00Z"}}], "aiApiKeys": [{"id": "5b0f7a1c-3d2e-4f60-8a9b-1c2d3e4f5a6b", "name": "Assistant", "repoId": "550e8400-e29b-41d4-a716-446655440000", "key": "RPAIQ3ZK7M2XV5N4T6A7WYDD", "aiType": "OPENAI", "createdAt": "2026-01-15T10:30:00Z", "deletedAt": null}], "createdAt": "2026-01-15T10:30:00Z", "disabled": false, "minAck": null, "retentionDays": 30}))]
pub struct StorageRepo {
    /// Id of the storage repo.
    id: Uuid,
    /// Its name, 1 to 255 characters.
    name: String,
    storage_type: StorageType,
    mode: StorageMode,
    /// Id of the workspace it belongs to.
    workspace_id: Uuid,
    /// Its buckets, in the order they were given.
    buckets: Vec<RepoBucketInfo>,
    /// Its access keys, oldest first.
    api_keys: Vec<AccessKey>,
    /// Its AI LLMs, in the order they were given.
    ai_llms: Vec<RepoAiLlmInfo>,
    /// Its AI API keys, newest first.
    ai_api_keys: Vec<AiKey>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// Whether its access keys are refused.
    disabled: bool,
    /// What was given as `walletAddress`; left out if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wallet_address: Option<String>,
    /// Copies that a write needs before it is acknowledged; `null` for the default, which is those of all
    /// buckets that answer in time, and at least one. If there are fewer buckets, it needs all.
    #[schema(required = true, minimum = 1, maximum = 32)]
    min_ack: Option<u32>,
    /// How many days the backups of mode BACKUP keep what was deleted.
    #[schema(minimum = 1, maximum = 3650)]
    retention_days: u32,
}

/// A bucket in a storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepoBucketInfo {
    /// Where in the bucket; empty for its root.
    folder: String,
    /// Whether this is the primary bucket.
    master: bool,
    /// Id of the bucket.
    bucket_id: Uuid,
    bucket: Bucket,
}

/// An AI LLM in a storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepoAiLlmInfo {
    /// Id of the AI LLM.
    ai_llm_id: Uuid,
    ai_llm: AiLlm,
}

/// A storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct StorageRepoResponse {
    /// Always `true`.
    success: bool,
    repo: StorageRepo,
}

/// One page of storage repos.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageRepoListResponse {
    /// Always `true`.
    success: bool,
    /// The storage repos.
    repos: Vec<StorageRepo>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// The storage repo that was created.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"success": true, "repoId": "550e8400-e29b-41d4-a716-446655440000"}))]
pub struct StorageRepoChangeResponse {
    /// Always `true`.
    success: bool,
    /// Id of the storage repo.
    repo_id: Uuid,
}

/// The storage repo that was changed.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageRepoUpdateResponse {
    /// Always `true`.
    success: bool,
    /// Id of the storage repo.
    repo_id: Uuid,
    repo: StorageRepoSummary,
}

/// A storage repo, without what it holds.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "550e8400-e29b-41d4-a716-446655440000", "name": "Photos", "storageType": "S3", "mode": "MIRROR", "createdAt": "2026-01-15T10:30:00Z", "updatedAt": "2026-01-15T11:00:00Z"}))]
pub struct StorageRepoSummary {
    /// Id of the storage repo.
    id: Uuid,
    /// Its name, 1 to 255 characters.
    name: String,
    storage_type: StorageType,
    mode: StorageMode,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
}

/// Whether a storage repo may be like that.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"success": true, "error_code": "SUCCESS"}))]
pub struct ValidateStorageRepoResponse {
    /// Whether it may.
    success: bool,
    /// `SUCCESS`, or the rule that is broken. One of `NOT_FOUND`, `MIRROR_MASTER_UNIT_COUNT_INVALID`,
    /// `MIRROR_MASTER_UNIT_MISSING`, `MIRROR_UNIT_ALREADY_IN_OTHER_REPO`, `NORMAL_UNIT_FOLDER_ALREADY_USED`,
    /// `NORMAL_UNIT_FOLDER_CANNOT_DELETE`, `NORMAL_UNIT_CANNOT_EDIT_FOLDER`.
    error_code: String,
    /// What is wrong and what to do about it; left out if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_message: Option<String>,
}

impl From<Whole> for StorageRepo {
    fn from(whole: Whole) -> Self {
        let Whole { repo, members, access_keys, ai_llms, ai_keys } = whole;
        Self {
            id: repo.id.uuid(),
            name: repo.name,
            storage_type: repo.storage_type.into(),
            mode: repo.mode.into(),
            workspace_id: repo.workspace.uuid(),
            buckets: members.into_iter().map(RepoBucketInfo::from).collect(),
            api_keys: access_keys.into_iter().map(AccessKey::from).collect(),
            ai_llms: ai_llms.into_iter().map(RepoAiLlmInfo::from).collect(),
            ai_api_keys: ai_keys.into_iter().map(AiKey::from).collect(),
            created_at: repo.created_at.into(),
            disabled: repo.disabled,
            wallet_address: repo.wallet,
            min_ack: repo.min_ack,
            retention_days: repo.retention_days.unwrap_or(RETENTION_DAYS),
        }
    }
}

impl From<(Member, bucket::Bucket)> for RepoBucketInfo {
    fn from((member, bucket): (Member, bucket::Bucket)) -> Self {
        Self {
            folder: member.folder,
            master: member.primary,
            bucket_id: member.bucket.uuid(),
            bucket: bucket.into(),
        }
    }
}

impl From<ai::AiLlm> for RepoAiLlmInfo {
    fn from(llm: ai::AiLlm) -> Self {
        Self { ai_llm_id: llm.id.uuid(), ai_llm: llm.into() }
    }
}

impl StorageRepoResponse {
    pub fn new(repo: StorageRepo) -> Self {
        Self { success: true, repo }
    }
}

impl StorageRepoListResponse {
    /// The page as it goes out.
    pub fn render(page: ListPage<Whole>) -> Result<Bytes> {
        let repos: Vec<StorageRepo> = page.items.into_iter().map(StorageRepo::from).collect();
        let last = repos.last().filter(|_| page.more);
        let next_cursor = last.map(|last| last.id.to_string());
        let answer = Self { success: true, repos, next_cursor };
        serde_json::to_vec(&answer).map(Bytes::from).map_err(Error::internal)
    }
}

impl StorageRepoChangeResponse {
    pub fn new(repo_id: Uuid) -> Self {
        Self { success: true, repo_id }
    }
}

impl From<storage_repo::StorageRepo> for StorageRepoUpdateResponse {
    fn from(repo: storage_repo::StorageRepo) -> Self {
        let summary = StorageRepoSummary {
            id: repo.id.uuid(),
            name: repo.name,
            storage_type: repo.storage_type.into(),
            mode: repo.mode.into(),
            created_at: repo.created_at.into(),
            updated_at: repo.updated_at.into(),
        };
        Self { success: true, repo_id: summary.id, repo: summary }
    }
}

impl ValidateStorageRepoResponse {
    pub fn success() -> Self {
        Self { success: true, error_code: "SUCCESS".to_owned(), error_message: None }
    }

    pub fn broken(rule: Rule, message: String) -> Self {
        let error_code = rule.as_str().to_owned();
        Self { success: false, error_code, error_message: Some(message) }
    }
}
