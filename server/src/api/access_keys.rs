//! Tag `access_keys`: S3 key pairs for the data of a storage repo.

use axum::Json;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{StorageJson, StoragePath};
use super::half::StorageFault;
use super::responses::{
    StorageAbsent, StorageAlways, StorageBody, StorageConflict, StorageInvalid,
};
use super::storage_repos::{StorageRepoPath, same_repo};
use super::storage_words::SecretEnvelope;
use super::strict::strict;
use super::wire::{ActionResponse, Name};
use super::workspaces::AccessType;
use super::{By, Shared};
use crate::model::access_key;
use crate::service::access_keys;

type Answer<T> = Result<Json<T>, StorageFault>;

/// Create an access key
///
/// An S3 key pair for the data of the storage repo. Needs WRITE in the workspace, for an ADMIN key ADMIN. The
/// secret is answered this once and cannot be had again. A storage repo that is disabled gets none.
#[utoipa::path(post, path = "/repo/{repoId}/apikey", tag = "access_keys", params(StorageRepoPath),
    request_body = CreateAccessKeyRequest,
    responses(
        (status = 200, description = "The key pair.", body = CreatedKeyResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageConflict, StorageBody,
    ))]
pub async fn create_access_key(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
    body: StorageJson<CreateAccessKeyRequest>,
) -> Answer<CreatedKeyResponse> {
    let CreateAccessKeyRequest { name, access_type, repo_id } = body.0;
    same_repo(path.0.repo_id, repo_id.map(|id| id.to_string()))?;
    let (repo, name) = (path.0.repo_id.into(), name.as_str());
    let pair = access_keys::create(&services, &caller, repo, name, access_type.into()).await?;
    Ok(Json(CreatedKeyResponse::new(pair.id.uuid(), pair.key, &pair.secret)))
}

/// List access keys
///
/// The live access keys of the storage repo, oldest first. Needs READ in its workspace.
#[utoipa::path(get, path = "/repo/{repoId}/apikey", tag = "access_keys", params(StorageRepoPath),
    responses(
        (status = 200, description = "The access keys.", body = AccessKeyListResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn list_access_keys(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
) -> Answer<AccessKeyListResponse> {
    let keys = access_keys::list(&services, &caller, path.0.repo_id.into()).await?;
    let keys = keys.into_iter().map(AccessKey::from).collect();
    Ok(Json(AccessKeyListResponse { success: true, keys }))
}

/// Change an access key
///
/// Sets the name and what the key may do; the pair itself stays. Needs WRITE in the workspace, and ADMIN to make
/// a key ADMIN or to change one that is.
#[utoipa::path(put, path = "/repo/{repoId}/apikey/{keyId}", tag = "access_keys", params(AccessKeyPath),
    request_body = UpdateAccessKeyRequest,
    responses(
        (status = 200, description = "The access key is changed.", body = ActionResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn update_access_key(
    services: Shared,
    caller: By,
    path: StoragePath<AccessKeyPath>,
    body: StorageJson<UpdateAccessKeyRequest>,
) -> Answer<ActionResponse> {
    let (repo, id) = (path.0.repo_id.into(), path.0.key_id.into());
    let (name, access) = (body.0.name.as_str(), body.0.access_type.into());
    access_keys::update(&services, &caller, repo, id, name, access).await?;
    Ok(ActionResponse::done())
}

/// Delete an access key
///
/// The key fails from the next request on. Needs WRITE in the workspace, for an ADMIN key ADMIN.
#[utoipa::path(delete, path = "/repo/{repoId}/apikey/{keyId}", tag = "access_keys", params(AccessKeyPath),
    responses(
        (status = 200, description = "The access key is deleted.", body = ActionResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn delete_access_key(
    services: Shared,
    caller: By,
    path: StoragePath<AccessKeyPath>,
) -> Answer<ActionResponse> {
    let (repo, id) = (path.0.repo_id.into(), path.0.key_id.into());
    access_keys::delete(&services, &caller, repo, id).await?;
    Ok(ActionResponse::done())
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Path)]
pub struct AccessKeyPath {
    /// Id of the storage repo.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000")]
    pub repo_id: Uuid,
    /// Id of the access key, not the key itself.
    #[param(example = "789e0123-e45b-47d8-a901-234567890000")]
    pub key_id: Uuid,
}

/// The access key to create.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Analytics", "accessType": "READ"}))]
pub struct CreateAccessKeyRequest {
    name: Name,
    access_type: AccessType,
    /// The storage repo; must be the one in the path.
    #[serde(default)]
    repo_id: Option<Uuid>,
}

/// What the access key shall be.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Analytics", "accessType": "READ"}))]
pub struct UpdateAccessKeyRequest {
    name: Name,
    access_type: AccessType,
}

/// A new key pair.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"success": true, "id": "789e0123-e45b-47d8-a901-234567890000", "key": "RPQ3ZK7M2XV5N4T6A7WY", "secret": "mJ2pYc0Rk8VtX5wQ1nLz7GhB4sDf9EaU3oKiT6Me"}))]
pub struct CreatedKeyResponse {
    /// Always `true`.
    success: bool,
    /// Id of the key pair, to change or delete it.
    id: Uuid,
    /// The key id.
    key: String,
    /// The secret. It is answered this once.
    secret: String,
}

/// An access key, without its secret.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "789e0123-e45b-47d8-a901-234567890000", "name": "Analytics", "accessType": "READ", "key": "RPQ3ZK7M2XV5N4T6A7WY", "secret": {"key": "MQ==", "iv": "q83vEjRWeJCrze8S", "authTag": "AAECAwQFBgcICQoLDA0ODw==", "message": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, "createdAt": "2026-01-15T10:30:00Z"}))]
pub struct AccessKey {
    /// Id of the access key.
    id: Uuid,
    /// Its name, 1 to 255 characters.
    name: String,
    access_type: AccessType,
    /// Access key id that goes with requests.
    key: String,
    secret: SecretEnvelope,
    /// When it was created.
    created_at: DateTime<Utc>,
}

/// The access keys of a storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct AccessKeyListResponse {
    /// Always `true`.
    success: bool,
    /// The access keys.
    keys: Vec<AccessKey>,
}

strict!(CreateAccessKeyRequest, UpdateAccessKeyRequest);

impl CreatedKeyResponse {
    pub fn new(id: Uuid, key: String, secret: &SecretString) -> Self {
        Self { success: true, id, key, secret: secret.expose_secret().to_owned() }
    }
}

impl From<access_key::AccessKey> for AccessKey {
    fn from(key: access_key::AccessKey) -> Self {
        Self {
            id: key.id.uuid(),
            name: key.name,
            access_type: key.access.into(),
            key: key.key,
            secret: SecretEnvelope::of(&key.sealed),
            created_at: key.created_at.into(),
        }
    }
}
