//! Tag `ai_keys`: keys for the AI LLMs of a storage repo.

use axum::Json;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::access_keys::CreatedKeyResponse;
use super::extract::{StorageJson, StoragePath};
use super::half::StorageFault;
use super::responses::{
    StorageAbsent, StorageAlways, StorageBody, StorageConflict, StorageInvalid,
};
use super::storage_repos::StorageRepoPath;
use super::storage_words::AiType;
use super::strict::strict;
use super::wire::{MessageResponse, Name};
use super::{By, Shared};
use crate::model::ai;
use crate::service::ai_keys;

type Answer<T> = Result<Json<T>, StorageFault>;

/// Create an AI API key
///
/// A key for the AI LLMs of the storage repo. Needs WRITE in the workspace. The secret is answered this once and
/// cannot be had again; of it only a hash is kept.
#[utoipa::path(post, path = "/repo/{repoId}/ai/apikey", tag = "ai_keys", params(StorageRepoPath),
    request_body = CreateAiKeyRequest,
    responses(
        (status = 200, description = "The key and its secret.", body = CreatedKeyResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageConflict, StorageBody,
    ))]
pub async fn create_ai_key(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
    body: StorageJson<CreateAiKeyRequest>,
) -> Answer<CreatedKeyResponse> {
    let CreateAiKeyRequest { name, ai_type } = body.0;
    let (repo, name) = (path.0.repo_id.into(), name.as_str());
    let pair = ai_keys::create(&services, &caller, repo, name, ai_type.into()).await?;
    Ok(Json(CreatedKeyResponse::new(pair.id.uuid(), pair.key, &pair.secret)))
}

/// List AI API keys
///
/// The AI API keys of the storage repo that are not deleted, newest first. Needs READ in its workspace.
#[utoipa::path(get, path = "/repo/{repoId}/ai/apikey", tag = "ai_keys", params(StorageRepoPath),
    responses(
        (status = 200, description = "The AI API keys.", body = AiKeyListResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn list_ai_keys(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
) -> Answer<AiKeyListResponse> {
    let keys = ai_keys::list(&services, &caller, path.0.repo_id.into()).await?;
    let api_keys = keys.into_iter().map(AiKey::from).collect();
    Ok(Json(AiKeyListResponse { success: true, api_keys }))
}

/// Rename an AI API key
///
/// Needs WRITE in the workspace. Without a name nothing changes.
#[utoipa::path(put, path = "/repo/{repoId}/ai/apikey/{id}", tag = "ai_keys", params(AiKeyPath),
    request_body = UpdateAiKeyRequest,
    responses(
        (status = 200, description = "The AI API key is renamed.", body = MessageResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn update_ai_key(
    services: Shared,
    caller: By,
    path: StoragePath<AiKeyPath>,
    body: StorageJson<UpdateAiKeyRequest>,
) -> Answer<MessageResponse> {
    let (repo, id) = (path.0.repo_id.into(), path.0.id.into());
    let name = body.0.name.as_ref().map(Name::as_str);
    ai_keys::rename(&services, &caller, repo, id, name).await?;
    Ok(MessageResponse::new("The AI API key is renamed."))
}

/// Delete an AI API key
///
/// Needs WRITE in the workspace.
#[utoipa::path(delete, path = "/repo/{repoId}/ai/apikey/{id}", tag = "ai_keys", params(AiKeyPath),
    responses(
        (status = 200, description = "The AI API key is deleted.", body = MessageResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn delete_ai_key(
    services: Shared,
    caller: By,
    path: StoragePath<AiKeyPath>,
) -> Answer<MessageResponse> {
    let (repo, id) = (path.0.repo_id.into(), path.0.id.into());
    ai_keys::delete(&services, &caller, repo, id).await?;
    Ok(MessageResponse::new("The AI API key is deleted."))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Path)]
pub struct AiKeyPath {
    /// Id of the storage repo.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000")]
    pub repo_id: Uuid,
    /// Id of the AI API key, not the key itself.
    #[param(example = "5b0f7a1c-3d2e-4f60-8a9b-1c2d3e4f5a6b")]
    pub id: Uuid,
}

/// The AI API key to create.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Assistant", "aiType": "OPENAI"}))]
pub struct CreateAiKeyRequest {
    name: Name,
    ai_type: AiType,
}

/// What to change of an AI API key.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Renamed"}))]
pub struct UpdateAiKeyRequest {
    /// Its name.
    #[serde(default)]
    name: Option<Name>,
}

/// An AI API key, without its secret.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "5b0f7a1c-3d2e-4f60-8a9b-1c2d3e4f5a6b", "name": "Assistant", "repoId": "550e8400-e29b-41d4-a716-446655440000", "key": "RPAIQ3ZK7M2XV5N4T6A7WYDD", "aiType": "OPENAI", "createdAt": "2026-01-15T10:30:00Z", "deletedAt": null}))]
pub struct AiKey {
    /// Id of the AI API key.
    id: Uuid,
    /// Its name, 1 to 255 characters.
    name: String,
    /// Id of the storage repo it belongs to.
    repo_id: Uuid,
    /// The key id that goes with requests.
    key: String,
    ai_type: AiType,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was deleted; `null` as long as it lives.
    #[schema(required = true)]
    deleted_at: Option<DateTime<Utc>>,
}

/// The AI API keys of a storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AiKeyListResponse {
    /// Always `true`.
    success: bool,
    /// The AI API keys.
    api_keys: Vec<AiKey>,
}

strict!(CreateAiKeyRequest, UpdateAiKeyRequest);

impl From<ai::AiKey> for AiKey {
    fn from(key: ai::AiKey) -> Self {
        Self {
            id: key.id.uuid(),
            name: key.name,
            repo_id: key.repo.uuid(),
            key: key.key,
            ai_type: key.ai_type.into(),
            created_at: key.created_at.into(),
            deleted_at: None,
        }
    }
}
