//! What is sent about storage repos.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::storage_words::{BucketFolder, IdOrName, StorageMode, StorageType};
use super::super::strict::strict;
use super::super::wire::Name;
use crate::model::id;
use crate::model::storage_repo::Mode;
use crate::service::storage_links::Link;
use crate::service::storage_repos::Wanted;
use crate::service::{Error, Result};

/// The storage repo to create.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Photos", "storageType": "S3", "mode": "MIRROR", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "repoBuckets": [{"bucketId": "123e4567-e89b-42d3-a456-426614174000", "folder": "backups", "master": true}], "repoAiLlms": [{"aiLlmId": "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7"}]}))]
pub struct CreateStorageRepoRequest {
    name: Name,
    storage_type: StorageType,
    mode: StorageMode,
    /// Workspace it belongs to. Default is the organisation's default workspace.
    #[serde(default)]
    workspace_id: Option<IdOrName>,
    /// The buckets. Default is none.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_buckets: Option<Vec<RepoBucket>>,
    /// Older spelling of `repoBuckets`. Only one of them may be given.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_units: Option<Vec<RepoBucket>>,
    /// The AI LLMs. Default is none.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_ai_llms: Option<Vec<RepoAiLlm>>,
    /// Kept and answered, and what `walletAddress` of the lists selects by.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    wallet_address: Option<String>,
    /// Copies that a write needs before it is acknowledged, at most as many as there are buckets. Default is
    /// those of all buckets that answer in time, and at least one.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 32)]
    min_ack: Option<u32>,
    /// How many days the backups of mode BACKUP keep what was deleted. Default is 30.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    retention_days: Option<u32>,
}

/// What the storage repo shall be.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Photos and films", "storageType": "S3", "mode": "MIRROR", "repoBuckets": [{"bucketId": "123e4567-e89b-42d3-a456-426614174000", "folder": "backups", "master": true}], "repoAiLlms": [{"aiLlmId": "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7"}]}))]
pub struct UpdateStorageRepoRequest {
    name: Name,
    storage_type: StorageType,
    mode: StorageMode,
    /// Workspace it belongs to. Default is the one it is in.
    #[serde(default)]
    workspace_id: Option<IdOrName>,
    /// The buckets. Default is to leave them; `[]` detaches all.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_buckets: Option<Vec<RepoBucket>>,
    /// Older spelling of `repoBuckets`. Only one of them may be given.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_units: Option<Vec<RepoBucket>>,
    /// The AI LLMs. Default is to leave them; `[]` detaches all.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_ai_llms: Option<Vec<RepoAiLlm>>,
    /// Kept and answered, and what `walletAddress` of the lists selects by.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    wallet_address: Option<String>,
    /// Whether its access keys are refused and no new one is made. Default is to leave it.
    #[serde(default)]
    disabled: Option<bool>,
    /// Copies that a write needs before it is acknowledged, at most as many as there are buckets; 0 for the
    /// default. Default is to leave it.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 32)]
    min_ack: Option<u32>,
    /// How many days the backups of mode BACKUP keep what is deleted from now on. Default is to leave it.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    retention_days: Option<u32>,
}

/// A mode and buckets to check.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"repoId": "550e8400-e29b-41d4-a716-446655440000", "mode": "MIRROR", "repoBuckets": [{"bucketId": "123e4567-e89b-42d3-a456-426614174000", "folder": "", "master": true}]}))]
pub struct ValidateStorageRepoRequest {
    /// The storage repo; must be the one in the path, if there is one there.
    #[serde(default)]
    #[schema(max_length = 255, pattern = r"^[^\u0000]*$")]
    repo_id: Option<String>,
    mode: StorageMode,
    /// The buckets. Default is none for a new storage repo, otherwise those it has.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_buckets: Option<Vec<RepoBucket>>,
    /// Older spelling of `repoBuckets`. Only one of them may be given.
    #[serde(default)]
    #[schema(max_items = 32)]
    repo_units: Option<Vec<RepoBucket>>,
}

/// A bucket to put into a storage repo, named by one of `bucketId`, `bucket.id` and their older spellings.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"bucketId": "123e4567-e89b-42d3-a456-426614174000", "folder": "backups", "master": true}))]
pub struct RepoBucket {
    /// The bucket.
    #[serde(default)]
    bucket_id: Option<IdOrName>,
    /// Where in the bucket. Default is its root.
    #[serde(default)]
    folder: Option<BucketFolder>,
    /// Whether this is the primary bucket. Default is `false`.
    #[serde(default)]
    master: Option<bool>,
    /// What a list answered of the bucket, for clients that send it back. Its `id` counts where `bucketId` is
    /// absent; the rest is ignored.
    #[serde(default)]
    bucket: Option<BTreeMap<String, Value>>,
    /// Older spelling of `bucketId`.
    #[serde(default)]
    unit_id: Option<IdOrName>,
    /// Older spelling of `bucket`.
    #[serde(default)]
    unit: Option<BTreeMap<String, Value>>,
}

/// An AI LLM to name in a storage repo, by one of `aiLlmId` and `aiLlm.id`.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"aiLlmId": "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7"}))]
pub struct RepoAiLlm {
    /// The AI LLM.
    #[serde(default)]
    ai_llm_id: Option<IdOrName>,
    /// What a list answered of the AI LLM, for clients that send it back. Its `id` counts where `aiLlmId` is
    /// absent; the rest is ignored.
    #[serde(default)]
    ai_llm: Option<BTreeMap<String, Value>>,
}

strict!(
    CreateStorageRepoRequest,
    UpdateStorageRepoRequest,
    ValidateStorageRepoRequest,
    RepoBucket,
    RepoAiLlm
);

impl CreateStorageRepoRequest {
    pub fn into_wanted(self) -> Result<Wanted> {
        Ok(Wanted {
            name: self.name.into_text(),
            storage_type: self.storage_type.into(),
            mode: self.mode.into(),
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            links: links(self.repo_buckets, self.repo_units)?,
            ai_llms: ai_llms(self.repo_ai_llms)?,
            wallet: self.wallet_address,
            disabled: None,
            min_ack: self.min_ack,
            retention_days: self.retention_days,
        })
    }
}

impl UpdateStorageRepoRequest {
    pub fn into_wanted(self) -> Result<Wanted> {
        Ok(Wanted {
            name: self.name.into_text(),
            storage_type: self.storage_type.into(),
            mode: self.mode.into(),
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            links: links(self.repo_buckets, self.repo_units)?,
            ai_llms: ai_llms(self.repo_ai_llms)?,
            wallet: self.wallet_address,
            disabled: self.disabled,
            min_ack: self.min_ack,
            retention_days: self.retention_days,
        })
    }
}

impl ValidateStorageRepoRequest {
    pub fn repo_id(&self) -> Option<String> {
        self.repo_id.clone()
    }

    pub fn into_parts(self) -> Result<(Mode, Option<Vec<Link>>)> {
        Ok((self.mode.into(), links(self.repo_buckets, self.repo_units)?))
    }
}

/// The list in either of its spellings.
fn links(
    buckets: Option<Vec<RepoBucket>>,
    units: Option<Vec<RepoBucket>>,
) -> Result<Option<Vec<Link>>> {
    if buckets.is_some() && units.is_some() {
        let message = "repoUnits: is an older spelling of repoBuckets; send only one of them";
        return Err(Error::invalid("repoUnits", message));
    }
    buckets.or(units).map(|list| list.into_iter().map(RepoBucket::into_link).collect()).transpose()
}

fn ai_llms(list: Option<Vec<RepoAiLlm>>) -> Result<Option<Vec<id::IdOrName>>> {
    let named = |llm: RepoAiLlm| one_of("aiLlmId", [llm.ai_llm_id, echoed(llm.ai_llm.as_ref())]);
    list.map(|list| list.into_iter().map(named).collect()).transpose()
}

impl RepoBucket {
    fn into_link(self) -> Result<Link> {
        let echoes = [echoed(self.bucket.as_ref()), echoed(self.unit.as_ref())];
        let [bucket, unit] = echoes;
        Ok(Link {
            bucket: one_of("bucketId", [self.bucket_id, self.unit_id, bucket, unit])?,
            folder: self.folder.map(BucketFolder::into_text).unwrap_or_default(),
            primary: self.master.unwrap_or(false),
        })
    }
}

/// The first spelling that is there.
fn one_of<const N: usize>(field: &str, named: [Option<IdOrName>; N]) -> Result<id::IdOrName> {
    let first = IdOrName::of(field, named.into_iter().flatten().next())?;
    first.ok_or_else(|| {
        Error::invalid(
            field,
            format!("{field}: is missing in an entry of a list; give an id or a name"),
        )
    })
}

fn echoed(echo: Option<&BTreeMap<String, Value>>) -> Option<IdOrName> {
    echo?.get("id")?.as_str().map(IdOrName::new)
}
