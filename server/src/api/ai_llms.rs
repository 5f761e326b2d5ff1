//! Tag `ai_llms`: language models with their credentials.

use axum::Json;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{StorageJson, StoragePath, StorageQuery};
use super::half::StorageFault;
use super::responses::{StorageAbsent, StorageAlways, StorageBody, StorageInvalid};
use super::storage_words::{AiType, IdOrName, secret};
use super::strict::strict;
use super::wire::{ActionResponse, Name};
use super::{By, Shared};
use crate::model::storage_repo::{LIST_MAX, ListFilter, Mention};
use crate::model::{ai, id};
use crate::service::ai_llms::{AiLlmChange, NewAiLlm, WithHolders};
use crate::service::{Result, ai_llms};

type Answer<T> = std::result::Result<Json<T>, StorageFault>;

/// Register an AI LLM
///
/// A language model with its credential, for storage repos to name. Needs WRITE in the workspace. Names need not
/// be unique.
#[utoipa::path(post, path = "/ai/llm", tag = "ai_llms",
    request_body = CreateAiLlmRequest,
    responses(
        (status = 200, description = "The AI LLM is registered.", body = AiLlmChangeResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn create_ai_llm(
    services: Shared,
    caller: By,
    body: StorageJson<CreateAiLlmRequest>,
) -> Answer<AiLlmChangeResponse> {
    let id = ai_llms::create(&services, &caller, body.0.into_new()?).await?;
    Ok(Json(AiLlmChangeResponse { success: true, ai_llm_id: id.uuid() }))
}

/// List AI LLMs
///
/// The AI LLMs of every workspace the caller has a role in, oldest first. Without `limit` the answer holds up to
/// 1,000; where there are more, `nextCursor` leads to the next page.
#[utoipa::path(get, path = "/ai/llm", tag = "ai_llms", params(AiLlmQuery),
    responses(
        (status = 200, description = "The AI LLMs the caller can see.", body = AiLlmListResponse),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn list_ai_llms(
    services: Shared,
    caller: By,
    query: StorageQuery<AiLlmQuery>,
) -> Answer<AiLlmListResponse> {
    let page = ai_llms::list(&services, &caller, query.0.into_filter()?).await?;
    let ai_llms: Vec<AiLlm> = page.items.into_iter().map(AiLlm::from).collect();
    let last = ai_llms.last().filter(|_| page.more);
    let next_cursor = last.map(|last| last.id.to_string());
    Ok(Json(AiLlmListResponse { success: true, ai_llms, next_cursor }))
}

/// Change an AI LLM
///
/// Needs WRITE in its workspace. What is left out stays.
#[utoipa::path(put, path = "/ai/llm/{id}", tag = "ai_llms", params(AiLlmPath),
    request_body = UpdateAiLlmRequest,
    responses(
        (status = 200, description = "The AI LLM is changed.", body = AiLlmChangeResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn update_ai_llm(
    services: Shared,
    caller: By,
    path: StoragePath<AiLlmPath>,
    body: StorageJson<UpdateAiLlmRequest>,
) -> Answer<AiLlmChangeResponse> {
    let id = path.0.id;
    ai_llms::update(&services, &caller, id.into(), body.0.into_change()).await?;
    Ok(Json(AiLlmChangeResponse { success: true, ai_llm_id: id }))
}

/// Delete an AI LLM
///
/// Needs WRITE in its workspace. One that a storage repo names is refused with 403. Its credential is
/// erased.
#[utoipa::path(delete, path = "/ai/llm/{id}", tag = "ai_llms", params(AiLlmPath),
    responses(
        (status = 200, description = "The AI LLM is deleted.", body = ActionResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn delete_ai_llm(
    services: Shared,
    caller: By,
    path: StoragePath<AiLlmPath>,
) -> Answer<ActionResponse> {
    ai_llms::delete(&services, &caller, path.0.id.into()).await?;
    Ok(ActionResponse::done())
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Path)]
pub struct AiLlmPath {
    /// Id of the AI LLM.
    #[param(example = "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7")]
    pub id: Uuid,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AiLlmQuery {
    /// Only of this workspace, by id or name. One the caller cannot see answers 404.
    #[param(nullable = false)]
    workspace_id: Option<IdOrName>,
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 1000, default = 1000, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `nextCursor` of the page before.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000", nullable = false)]
    cursor: Option<Uuid>,
}

/// The AI LLM to register.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Assistant model", "aiType": "OPENAI", "key": "sk-0123456789", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}))]
pub struct CreateAiLlmRequest {
    name: Name,
    ai_type: AiType,
    /// URL of its API. Default is that of the provider; for OTHER it must be given.
    #[serde(default)]
    #[schema(max_length = 2048, pattern = r"^[^\u0000]*$")]
    endpoint: Option<String>,
    /// Its API key, or access key id. Write-only; only the first three characters are answered.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    key: Option<String>,
    /// The secret that goes with the key, where the provider has one. Write-only.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    secret: Option<String>,
    /// Workspace it belongs to. Default is the organisation's default workspace.
    #[serde(default)]
    workspace_id: Option<IdOrName>,
}

/// What to change of an AI LLM. What is left out stays.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Larger assistant model"}))]
pub struct UpdateAiLlmRequest {
    /// Its name.
    #[serde(default)]
    name: Option<Name>,
    /// Its provider.
    #[serde(default)]
    ai_type: Option<AiType>,
    /// URL of its API.
    #[serde(default)]
    #[schema(max_length = 2048, pattern = r"^[^\u0000]*$")]
    endpoint: Option<String>,
    /// Its API key, or access key id. Write-only. What the list answered as the key is no new one.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    key: Option<String>,
    /// The secret that goes with the key, where the provider has one. Write-only.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 8192, pattern = r"^[^\u0000]*$")]
    secret: Option<String>,
}

/// A language model that is registered here, without its credential.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7", "orgId": "16fd2706-8baf-433b-82eb-8c7fada847da", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "userId": "3d813cbb-47fb-42ba-91df-831e1593ac29", "name": "Assistant model", "aiType": "OPENAI", "endpoint": "https://api.openai.com/v1", "key": "sk-...", "createdAt": "2026-01-15T10:30:00Z"}))]
pub struct AiLlm {
    /// Id of the AI LLM.
    id: Uuid,
    /// Id of the organisation.
    org_id: Uuid,
    /// Id of the workspace it belongs to.
    workspace_id: Uuid,
    /// Id of the user who registered it.
    user_id: Uuid,
    /// Its name, 1 to 255 characters.
    name: String,
    ai_type: AiType,
    /// URL of its API.
    endpoint: String,
    /// First three characters of its key and `...`; `null` without a key.
    #[schema(required = true)]
    key: Option<String>,
    /// When it was registered.
    created_at: DateTime<Utc>,
    /// The storage repos that name it; left out inside a storage repo.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    repos: Option<Vec<AiLlmRepo>>,
}

/// A storage repo that names an AI LLM.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "550e8400-e29b-41d4-a716-446655440000", "name": "Photos", "createdAt": "2026-01-15T10:30:00Z"}))]
pub struct AiLlmRepo {
    /// Id of the storage repo.
    id: Uuid,
    /// Its name.
    name: String,
    /// When it was created.
    created_at: DateTime<Utc>,
}

/// One page of AI LLMs.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AiLlmListResponse {
    /// Always `true`.
    success: bool,
    /// The AI LLMs.
    ai_llms: Vec<AiLlm>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// The AI LLM that was registered or changed.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"success": true, "aiLlmId": "2f1e0d9c-8b7a-4695-a4b3-c2d1e0f9a8b7"}))]
pub struct AiLlmChangeResponse {
    /// Always `true`.
    success: bool,
    /// Id of the AI LLM.
    ai_llm_id: Uuid,
}

strict!(CreateAiLlmRequest, UpdateAiLlmRequest);

impl AiLlmQuery {
    fn into_filter(self) -> Result<ListFilter<id::IdOrName>> {
        Ok(ListFilter {
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            only: None,
            wallet: None,
            after: self.cursor,
            limit: self.limit.unwrap_or(LIST_MAX),
        })
    }
}

impl CreateAiLlmRequest {
    fn into_new(self) -> Result<NewAiLlm> {
        Ok(NewAiLlm {
            workspace: IdOrName::of("workspaceId", self.workspace_id)?,
            name: self.name.into_text(),
            ai_type: self.ai_type.into(),
            endpoint: self.endpoint,
            key: self.key.map(Into::into),
            secret: self.secret.map(Into::into),
        })
    }
}

impl UpdateAiLlmRequest {
    fn into_change(self) -> AiLlmChange {
        AiLlmChange {
            name: self.name.map(Name::into_text),
            ai_type: self.ai_type.map(Into::into),
            endpoint: self.endpoint,
            key: self.key.map(Into::into),
            secret: self.secret.map(Into::into),
        }
    }
}

impl From<ai::AiLlm> for AiLlm {
    fn from(llm: ai::AiLlm) -> Self {
        Self {
            id: llm.id.uuid(),
            org_id: llm.org.uuid(),
            workspace_id: llm.workspace.uuid(),
            user_id: llm.user.uuid(),
            name: llm.name,
            ai_type: llm.ai_type.into(),
            endpoint: llm.endpoint,
            key: llm.shown_key,
            created_at: llm.created_at.into(),
            repos: None,
        }
    }
}

impl From<WithHolders> for AiLlm {
    fn from((llm, holders): WithHolders) -> Self {
        let repos = holders.into_iter().map(AiLlmRepo::from).collect();
        Self { repos: Some(repos), ..llm.into() }
    }
}

impl From<Mention> for AiLlmRepo {
    fn from(repo: Mention) -> Self {
        Self { id: repo.id.uuid(), name: repo.name, created_at: repo.created_at.into() }
    }
}
