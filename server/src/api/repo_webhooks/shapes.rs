//! What webhooks look like on the wire: how they are set, what they are told, and the log of it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::storage_words::secret;
use crate::api::strict::{strict, words};
use crate::model::page::Page;
use crate::model::webhook;
use crate::service::webhooks::Setting;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeliveryPath {
    /// Id of the delivery, which is that of the event: `webhook-id` of the request.
    #[param(example = "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35")]
    pub delivery_id: Uuid,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RepoDeliveryPath {
    /// Id of the source repo.
    #[param(example = "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50")]
    pub repo_id: Uuid,
    /// Id of the delivery, which is that of the event: `webhook-id` of the request.
    #[param(example = "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35")]
    pub delivery_id: Uuid,
}

/// What a webhook shall be.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"url": "https://hooks.example.com/repoplane", "token": "a long random word"}))]
pub struct SetWebhookRequest {
    /// Where to send events.
    #[schema(min_length = 1, max_length = 2083, pattern = r"^[^\u0000]+$")]
    url: String,
    /// Sent as `Authorization: Bearer` with each event; visible ASCII characters. Default is none.
    #[serde(default, deserialize_with = "secret")]
    #[schema(max_length = 1024, pattern = "^[!-~]*$")]
    token: Option<String>,
}

/// A webhook, without its secrets.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"url": "https://hooks.example.com/repoplane", "has_token": true, "updated_at": "2026-01-15T10:30:00Z"}))]
pub struct Webhook {
    /// Where events are sent.
    url: String,
    /// Whether a token goes with them.
    has_token: bool,
    /// When it was last set, or given another signing secret.
    updated_at: DateTime<Utc>,
}

/// A new signing secret.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD3RyHv5mGRsY="}))]
pub struct WebhookSecret {
    /// The signing secret: `whsec_` and 32 random bytes in base64. Not to be had again.
    secret: String,
}

/// One page of deliveries.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct WebhookDeliveryPage {
    /// The deliveries, newest event first.
    items: Vec<WebhookDelivery>,
    /// How many deliveries there are, over all pages.
    total_items: u64,
    /// `page_start` of the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page: Option<u64>,
}

/// One event on its way to one webhook, or arrived.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"id": "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35", "event": {"type": "repo.deleted", "timestamp": "2026-01-15T10:30:00Z", "data": {"repo_id": "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50", "workspace_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "ref": null, "before": null, "after": null, "changed_files": null}}, "status": "pending", "attempts": 1, "created_at": "2026-01-15T10:30:00Z", "attempted_at": "2026-01-15T10:30:01Z", "next_attempt_at": "2026-01-15T10:30:03Z", "response_status": 500, "error": "the receiver answered 500"}))]
pub struct WebhookDelivery {
    /// Id of the event, and of its delivery to this webhook: `webhook-id` of the request.
    id: Uuid,
    event: WebhookEvent,
    status: WebhookDeliveryStatus,
    /// How often it was tried since it was queued.
    attempts: u32,
    /// When the event happened and was queued.
    created_at: DateTime<Utc>,
    /// When it was last tried; `null` if never.
    #[schema(required = true)]
    attempted_at: Option<DateTime<Utc>>,
    /// When it is tried next, at the earliest; `null` unless it is pending.
    #[schema(required = true)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// HTTP status of the last answer; `null` without one.
    #[schema(required = true, minimum = 100, maximum = 999)]
    response_status: Option<u32>,
    /// What was wrong with the last attempt; `null` if nothing was.
    #[schema(required = true)]
    error: Option<String>,
}

/// What became of a delivery so far. `failed` is given up.
#[derive(Clone, Copy, Debug, Serialize, ToSchema, JsonSchema)]
#[schema(example = json!("delivered"))]
pub enum WebhookDeliveryStatus {
    #[serde(rename = "pending")]
    Pending,
    #[serde(rename = "delivered")]
    Delivered,
    #[serde(rename = "failed")]
    Failed,
}

/// What a webhook is told: the body of each request that is sent to it.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"type": "repo.pushed", "timestamp": "2026-01-15T10:30:00Z", "data": {"repo_id": "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50", "workspace_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "ref": "refs/heads/main", "before": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "after": "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a", "changed_files": ["src/search.ts"]}}))]
pub struct WebhookEvent {
    #[serde(rename = "type")]
    kind: WebhookEventType,
    /// When it happened.
    timestamp: DateTime<Utc>,
    data: WebhookEventData,
}

words! {
    /// What happened. `repo.pushed` says that a branch or tag points to another commit, or is new or gone, be it
    /// by an edit or a push.
    #[schema(example = json!("repo.pushed"))]
    WebhookEventType: webhook::EventKind {
        Created = "repo.created",
        Pushed = "repo.pushed",
        Deleted = "repo.deleted",
    }
}

/// What happened to which source repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"repo_id": "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50", "workspace_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "ref": "refs/heads/main", "before": null, "after": "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a", "changed_files": null}))]
pub struct WebhookEventData {
    /// Id of the source repo.
    repo_id: Uuid,
    /// Id of the workspace it belongs to.
    workspace_id: Uuid,
    /// Full name of the branch or tag; `null` for `repo.deleted`.
    #[serde(rename = "ref")]
    #[schema(required = true)]
    name: Option<String>,
    /// The commit it pointed to before, 40 hexadecimal digits; `null` if it is new.
    #[schema(required = true)]
    before: Option<String>,
    /// The commit it points to now, 40 hexadecimal digits; `null` if it is gone.
    #[schema(required = true)]
    after: Option<String>,
    /// Paths that differ between the two; `null` if they are more than 100, or their names longer than 16 KiB
    /// together, or nobody has determined them.
    #[schema(required = true)]
    changed_files: Option<Vec<String>>,
}

strict!(SetWebhookRequest);

impl From<SetWebhookRequest> for Setting {
    fn from(request: SetWebhookRequest) -> Self {
        Self { url: request.url, token: request.token.map(SecretString::from) }
    }
}

impl From<webhook::Webhook> for Webhook {
    fn from(found: webhook::Webhook) -> Self {
        let has_token = found.sealed_token.is_some();
        Self { url: found.url, has_token, updated_at: found.updated_at.into() }
    }
}

impl From<SecretString> for WebhookSecret {
    fn from(secret: SecretString) -> Self {
        Self { secret: secret.expose_secret().to_owned() }
    }
}

impl From<Page<webhook::Delivery>> for WebhookDeliveryPage {
    fn from(page: Page<webhook::Delivery>) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Self {
            items: page.items.into_iter().map(WebhookDelivery::from).collect(),
            total_items: count(page.total),
            next_page: page.next.map(count),
        }
    }
}

impl From<webhook::Delivery> for WebhookDelivery {
    fn from(found: webhook::Delivery) -> Self {
        let number = |n: i64| u32::try_from(n).unwrap_or_default();
        let status = match (found.due_at, found.delivered_at) {
            (Some(_), _) => WebhookDeliveryStatus::Pending,
            (None, Some(_)) => WebhookDeliveryStatus::Delivered,
            (None, None) => WebhookDeliveryStatus::Failed,
        };
        Self {
            id: found.id.uuid(),
            event: found.event.into(),
            status,
            attempts: number(found.attempts),
            created_at: found.created_at.into(),
            attempted_at: found.attempted_at.map(DateTime::from),
            next_attempt_at: found.due_at.map(DateTime::from),
            response_status: found.answer.map(number),
            error: found.error,
        }
    }
}

impl From<webhook::Event> for WebhookEvent {
    fn from(event: webhook::Event) -> Self {
        let data = event.data;
        Self {
            kind: event.kind.into(),
            timestamp: event.timestamp,
            data: WebhookEventData {
                repo_id: data.repo_id.uuid(),
                workspace_id: data.workspace_id.uuid(),
                name: data.name,
                before: data.before,
                after: data.after,
                changed_files: data.changed_files,
            },
        }
    }
}
