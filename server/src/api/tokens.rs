//! Tag `tokens`: the calling user's bearer tokens. They are made by the operator only.

use axum::Json;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::StoragePath;
use super::half::StorageFault;
use super::responses::{StorageAbsent, StorageAlways};
use super::wire::ActionResponse;
use super::{By, Shared};
use crate::model::token;
use crate::service::tokens;

/// List the caller's tokens
///
/// The calling user's own tokens that are neither revoked nor expired, newest first. The secret is
/// never among the fields: the server keeps only a hash of it.
#[utoipa::path(get, path = "/token", tag = "tokens",
    responses(
        (status = 200, description = "The caller's live tokens.", body = TokenListResponse),
        StorageAlways,
    ))]
pub async fn list_tokens(
    services: Shared,
    caller: By,
) -> Result<Json<TokenListResponse>, StorageFault> {
    let found = tokens::list(&services, &caller).await?;
    let tokens = found.into_iter().map(Token::from).collect();
    Ok(Json(TokenListResponse { success: true, tokens }))
}

/// Revoke one of the caller's tokens
///
/// The token fails from the next request on, also if it is the one that made this call. The token of
/// another user, or one already revoked, answers 404.
#[utoipa::path(delete, path = "/token/{id}", tag = "tokens", params(TokenPath),
    responses(
        (status = 200, description = "The token is revoked.", body = ActionResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn revoke_token(
    services: Shared,
    caller: By,
    path: StoragePath<TokenPath>,
) -> Result<Json<ActionResponse>, StorageFault> {
    tokens::revoke(&services, &caller, path.0.id.into()).await?;
    Ok(ActionResponse::done())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TokenPath {
    /// Id of the token, as `list_tokens` gives it. Not the token itself.
    #[param(example = "0b7f2f9e-52d4-4c3b-9a55-3f0f6f3c1d20")]
    id: Uuid,
}

/// The caller's live tokens.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct TokenListResponse {
    /// Always `true`.
    success: bool,
    /// The tokens, newest first.
    tokens: Vec<Token>,
}

/// A bearer token, without its secret.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "0b7f2f9e-52d4-4c3b-9a55-3f0f6f3c1d20", "name": "laptop", "kind": "account", "prefix": "rlc-3f9a…", "createdAt": "2026-01-15T10:30:00Z", "expiresAt": null}))]
pub struct Token {
    /// Id of the token, for `revoke_token`.
    id: Uuid,
    /// What the token was named when it was made, 1 to 255 characters.
    name: String,
    /// What the token reaches. `account` reaches everything its user does, `repo` the source repos it names.
    kind: String,
    /// First characters of the token and an ellipsis, enough to recognise it and too few to use it.
    prefix: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops to work; `null` if never.
    #[schema(required = true)]
    expires_at: Option<DateTime<Utc>>,
}

impl From<token::Token> for Token {
    fn from(token: token::Token) -> Self {
        Self {
            id: token.id.uuid(),
            name: token.name,
            kind: token.kind.as_str().to_owned(),
            prefix: format!("{}…", token.shown),
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(DateTime::from),
        }
    }
}
