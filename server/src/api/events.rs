//! Tag `events`: the audit log of an organisation.

use axum::Json;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::extract::StorageJson;
use super::half::StorageFault;
use super::responses::{StorageAlways, StorageBody, StorageInvalid};
use super::strict::strict;
use super::{By, Shared};
use crate::model::audit::{Event, EventFilter};
use crate::model::time::Timestamp;
use crate::service::audit;

/// Search the audit log
///
/// Who changed what and when, newest first. The organisation roles ADMINISTRATORS and OWNER see every
/// event of the organisation; everyone else sees the events of the workspaces they have a role in, and
/// their own. All filters given must hold. Events are written in the transaction of the change itself,
/// so none is missing and none tells of a change that did not happen.
#[utoipa::path(post, path = "/systemevent", tag = "events", request_body = SystemEventQuery,
    responses(
        (status = 200, description = "One page of events.", body = SystemEventPage),
        StorageInvalid, StorageAlways, StorageBody,
    ))]
pub async fn list_events(
    services: Shared,
    caller: By,
    body: StorageJson<SystemEventQuery>,
) -> Result<Json<SystemEventPage>, StorageFault> {
    let (skip, take) = (body.0.skip, body.0.take);
    let page = audit::list(&services, &caller, &body.0.into()).await?;
    let events = page.items.into_iter().map(SystemEvent::from).collect();
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let (total, skip) = (count(page.total), count(skip));
    Ok(Json(SystemEventPage { events, total, skip, take }))
}

/// Which events to answer. Without any filter, all the caller can see.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"from_timestamp": "2026-01-01T00:00:00Z", "context": 2, "skip": 0, "take": 50}))]
pub struct SystemEventQuery {
    /// Only events at or after this instant.
    #[serde(default, rename = "from_timestamp")]
    from_timestamp: Option<DateTime<Utc>>,
    /// Only events before this instant.
    #[serde(default, rename = "to_timestamp")]
    to_timestamp: Option<DateTime<Utc>>,
    /// Only events about the thing with this id.
    #[serde(default)]
    context_id: Option<Uuid>,
    /// Only events about this kind of thing: 0 workspace, 1 bucket, 2 repo (of either kind), 3 user,
    /// 4 org, 5 workspaceuser, 6 apikey, 7 usersettings, 8 orgsettings, 9 flashbacknode, 10 orgkey,
    /// 11 aillm, 12 aillmapikey, 13 conversation. Some kinds never occur on this server.
    #[serde(default)]
    #[schema(maximum = 13)]
    context: Option<u32>,
    /// Only this kind of change: 0 created, 1 updated, 2 deleted.
    #[serde(default)]
    #[schema(maximum = 2)]
    event: Option<u32>,
    /// Only changes made by this user.
    #[serde(default)]
    user_id: Option<Uuid>,
    /// Only events of this workspace.
    #[serde(default)]
    workspace_id: Option<Uuid>,
    /// Only events the caller has not read. This server keeps no read marks: every event counts as
    /// unread, so `true` and `false` answer the same.
    #[serde(default)]
    #[allow(dead_code, reason = "every event counts as unread")]
    show_unread: Option<bool>,
    /// How many events to pass over, counted from the newest.
    #[serde(default)]
    #[schema(minimum = 0, default = 0)]
    skip: i64,
    /// How many events to answer at most.
    #[serde(default = "take_default")]
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    take: u32,
}

/// One page of the audit log. Has no `success` field, as documented for this operation.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct SystemEventPage {
    /// The events, newest first.
    events: Vec<SystemEvent>,
    /// How many events match, over all pages.
    total: u64,
    /// The `skip` that was used.
    skip: u64,
    /// The `take` that was used.
    take: u32,
}

/// One change somebody made.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": 1042, "timestamp": "2026-01-15T10:30:00Z", "contextId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "context": "workspace", "event": "created", "orgId": "16fd2706-8baf-433b-82eb-8c7fada847da", "userId": "3d813cbb-47fb-42ba-91df-831e1593ac29", "userName": "Ada Example", "userEmail": "ada@example.com", "workspaceId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "jsonData": "{\"name\":\"Production\"}", "showUnread": true}))]
pub struct SystemEvent {
    /// Number of the event. Later events have higher numbers; some are never used.
    id: i64,
    /// When the change was committed.
    timestamp: DateTime<Utc>,
    /// Id of the thing that changed.
    context_id: Uuid,
    /// Kind of thing that changed, by the names listed at `SystemEventQuery`, for instance `workspace`.
    context: String,
    /// Kind of change, `created`, `updated` or `deleted`.
    event: String,
    /// Id of the organisation.
    org_id: Uuid,
    /// Id of the user who made the change; all zeros if the server or its operator did.
    user_id: Uuid,
    /// First and last name of the user.
    user_name: String,
    /// E-mail address of the user; empty if the server or its operator made the change.
    user_email: String,
    /// Id of the workspace; `null` if the thing belongs to none.
    #[schema(required = true)]
    workspace_id: Option<Uuid>,
    /// A JSON document with details of the change, as text; `null` without any. Never holds a secret.
    #[schema(required = true)]
    json_data: Option<String>,
    /// Always `true`, see `SystemEventQuery`.
    show_unread: bool,
}

strict!(SystemEventQuery);

const fn take_default() -> u32 {
    100
}

impl From<SystemEventQuery> for EventFilter {
    fn from(query: SystemEventQuery) -> Self {
        Self {
            from: query.from_timestamp.map(Timestamp::from),
            to: query.to_timestamp.map(Timestamp::from),
            context: query.context.map(i64::from),
            context_id: query.context_id.map(|id| id.to_string()),
            action: query.event.map(i64::from),
            user: query.user_id.map(Into::into),
            workspace: query.workspace_id.map(Into::into),
            skip: query.skip,
            take: query.take.into(),
        }
    }
}

impl From<Event> for SystemEvent {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            timestamp: event.at.into(),
            context_id: event.context_id.parse().unwrap_or_default(),
            context: event.context.to_owned(),
            event: event.action.to_owned(),
            org_id: event.org.uuid(),
            user_id: event.user.map_or(Uuid::nil(), |id| id.uuid()),
            user_name: event.user_name,
            user_email: event.user_email,
            workspace_id: event.workspace.map(|id| id.uuid()),
            json_data: event.data,
            show_unread: true,
        }
    }
}
