//! Tag `repo_tokens`: tokens that reach only the source repos they name.

use axum::Json;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{SourceJson, SourcePath, SourceQuery};
use super::half::SourceFault;
use super::responses::{SourceAbsent, SourceAlways, SourceBody, SourceForbidden, SourceInvalid};
use super::strict::{strict, words};
use super::wire::{self, Name};
use super::{By, Shared};
use crate::model::id::SourceRepoId;
use crate::model::token::{self, RepoAccess};
use crate::service::repo_tokens::{self, NewRepoToken};

type Answer<T> = Result<Json<T>, SourceFault>;

/// Create a repo token
///
/// A token of the caller that reaches the source repos it names and nothing else, over the API and with git.
/// Needs an account token, and in the workspace of each repo the role that `access` names; a repo the caller
/// cannot see is 404. The token never allows more than its user may at the time, and dies with its user.
/// It is answered this once and cannot be had again.
#[utoipa::path(post, path = "/v1/repo_token", tag = "repo_tokens", request_body = CreateRepoTokenRequest,
    responses(
        (status = 201, description = "The token.", body = CreatedRepoToken),
        SourceAlways, SourceForbidden, SourceAbsent, SourceBody, SourceInvalid,
    ))]
pub async fn create_repo_token(
    services: Shared,
    caller: By,
    body: SourceJson<CreateRepoTokenRequest>,
) -> Result<(StatusCode, Json<CreatedRepoToken>), SourceFault> {
    let CreateRepoTokenRequest { name, repo_ids, ttl_seconds, access } = body.0;
    let new = NewRepoToken {
        name: name.into_text(),
        repos: repo_ids.into_iter().map(SourceRepoId::from).collect(),
        access: access.map_or_else(RepoAccess::default, Into::into),
        ttl_seconds,
    };
    let (made, secret) = repo_tokens::create(&services, &caller, new).await?;
    let RepoToken { id, name, prefix: _, repo_ids, access, created_at, expires_at } = made.into();
    let token = secret.expose_secret().to_owned();
    let made = CreatedRepoToken { token, id, name, repo_ids, access, created_at, expires_at };
    Ok((StatusCode::CREATED, Json(made)))
}

/// List the caller's repo tokens
///
/// The calling user's own repo tokens that are neither revoked nor expired, newest first, without their
/// secrets. Needs an account token.
#[utoipa::path(get, path = "/v1/repo_token", tag = "repo_tokens", params(PageQuery),
    responses(
        (status = 200, description = "One page of tokens.", body = RepoTokenPage),
        SourceAlways, SourceForbidden, SourceInvalid,
    ))]
pub async fn list_repo_tokens(
    services: Shared,
    caller: By,
    query: SourceQuery<PageQuery>,
) -> Answer<RepoTokenPage> {
    let page = wire::page(query.0.page_start, query.0.page_size)?;
    let found = repo_tokens::list(&services, &caller, page).await?;
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    Ok(Json(RepoTokenPage {
        items: found.items.into_iter().map(RepoToken::from).collect(),
        total_items: count(found.total),
        next_page: found.next.map(count),
    }))
}

/// Read a repo token's record
///
/// Needs an account token of the user who made it. One that is revoked or expired, or another user's, is 404.
#[utoipa::path(get, path = "/v1/repo_token/{token}", tag = "repo_tokens", params(RepoTokenPath),
    responses(
        (status = 200, description = "The token's record, without its secret.", body = RepoToken),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn get_repo_token(
    services: Shared,
    caller: By,
    path: SourcePath<RepoTokenPath>,
) -> Answer<RepoToken> {
    let found = repo_tokens::get(&services, &caller, &path.0.token).await?;
    Ok(Json(found.into()))
}

/// Revoke a repo token
///
/// The token fails from the next request on, whichever server that goes to. Needs an account token of the user
/// who made it.
#[utoipa::path(delete, path = "/v1/repo_token/{token}", tag = "repo_tokens", params(RepoTokenPath),
    responses(
        (status = 204, description = "The token is revoked. No body."),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn delete_repo_token(
    services: Shared,
    caller: By,
    path: SourcePath<RepoTokenPath>,
) -> Result<StatusCode, SourceFault> {
    repo_tokens::revoke(&services, &caller, &path.0.token).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RepoTokenPath {
    /// The token itself, or its id.
    #[param(
        max_length = 128,
        pattern = r"^[A-Za-z0-9_-]+$",
        example = "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35"
    )]
    token: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Index of the first item of the page, counted from 0; `next_page` of the page before.
    #[param(minimum = 0, default = 0, nullable = false)]
    pub page_start: Option<i64>,
    /// How many items a page holds at most.
    #[param(minimum = 1, maximum = 100, default = 100, nullable = false)]
    pub page_size: Option<u32>,
}

words! {
    /// What a repo token allows on the repos it names. `READ` reads, `WRITE` also changes.
    #[schema(example = json!("READ"))]
    RepoTokenAccess: token::RepoAccess { Read = "READ", Write = "WRITE" }
}

/// The repo token to create.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "build agent", "repo_ids": ["9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50"], "ttl_seconds": 86400, "access": "READ"}))]
pub struct CreateRepoTokenRequest {
    name: Name,
    /// Ids of the source repos it reaches. One that is named twice counts once.
    #[schema(min_items = 1, max_items = 100)]
    repo_ids: Vec<Uuid>,
    /// Seconds until it expires, at most ten years. Default is never.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 315_360_000)]
    ttl_seconds: Option<i64>,
    /// What it allows there. Default `WRITE`.
    #[serde(default)]
    access: Option<RepoTokenAccess>,
}

/// A new repo token, with its secret.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"token": "rlcr-Zq3vN8xK1mT6wB9cF2hJ5pL7rS0uY4aD", "id": "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35", "name": "build agent", "repo_ids": ["9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50"], "access": "READ", "created_at": "2026-01-15T10:30:00Z", "expires_at": "2026-01-16T10:30:00Z"}))]
pub struct CreatedRepoToken {
    /// The token, for `Authorization: Bearer` and as git's password. Not to be had again.
    token: String,
    /// Its id, which is no secret.
    id: Uuid,
    /// What it was named.
    name: String,
    /// Ids of the source repos it reaches.
    repo_ids: Vec<Uuid>,
    access: RepoTokenAccess,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops to work; `null` if never.
    #[schema(required = true)]
    expires_at: Option<DateTime<Utc>>,
}

/// A repo token, without its secret.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"id": "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35", "name": "build agent", "prefix": "rlcr-Zq3…", "repo_ids": ["9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50"], "access": "READ", "created_at": "2026-01-15T10:30:00Z", "expires_at": null}))]
pub struct RepoToken {
    /// Id of the token.
    id: Uuid,
    /// What it was named when it was made.
    name: String,
    /// First characters of the token and an ellipsis, enough to recognise it and too few to use it.
    prefix: String,
    /// Ids of the source repos it reaches, those that were deleted left out.
    repo_ids: Vec<Uuid>,
    access: RepoTokenAccess,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops to work; `null` if never.
    #[schema(required = true)]
    expires_at: Option<DateTime<Utc>>,
}

/// One page of repo tokens.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct RepoTokenPage {
    /// The tokens, newest first.
    items: Vec<RepoToken>,
    /// How many tokens there are, over all pages.
    total_items: u64,
    /// `page_start` of the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page: Option<u64>,
}

strict!(CreateRepoTokenRequest);

impl From<token::RepoToken> for RepoToken {
    fn from(found: token::RepoToken) -> Self {
        let token = found.token;
        Self {
            id: token.id.uuid(),
            name: token.name,
            prefix: format!("{}…", token.shown),
            repo_ids: found.repos.into_iter().map(SourceRepoId::uuid).collect(),
            access: found.access.into(),
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(DateTime::from),
        }
    }
}
