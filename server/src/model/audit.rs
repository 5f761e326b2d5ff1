//! The audit log: who created, changed or deleted what, and when.

use super::access::Caller;
use super::id::{OrgId, UserId, WorkspaceId};
use super::time::Timestamp;

/// Most lines of one answer.
pub const EVENTS_TAKE_MAX: i64 = 1_000;

/// The kind of thing an event is about. The position is its number on the wire.
pub const CONTEXTS: [&str; 14] = [
    "workspace",
    "bucket",
    "repo",
    "user",
    "org",
    "workspaceuser",
    "apikey",
    "usersettings",
    "orgsettings",
    "flashbacknode",
    "orgkey",
    "aillm",
    "aillmapikey",
    "conversation",
];

/// What happened. The position is its number on the wire.
pub const ACTIONS: [&str; 3] = ["created", "updated", "deleted"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Context {
    Workspace = 0,
    Bucket = 1,
    /// A storage repo or a source repo.
    Repo = 2,
    User = 3,
    Org = 4,
    WorkspaceUser = 5,
    /// A token or an access key; the clients' word for every kind of credential.
    ApiKey = 6,
    /// What a user has set up for themselves.
    UserSettings = 7,
    AiLlm = 11,
    AiKey = 12,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    Created = 0,
    Updated = 1,
    Deleted = 2,
}

/// A line about to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub org: OrgId,
    /// Nobody, when the command line or the server itself acted.
    pub user: Option<UserId>,
    pub context: Context,
    pub context_id: String,
    pub action: Action,
    pub workspace: Option<WorkspaceId>,
    /// Details as a JSON object. Never a secret.
    pub data: Option<String>,
}

impl NewEvent {
    pub fn by(
        caller: &Caller,
        context: Context,
        context_id: impl ToString,
        action: Action,
        workspace: WorkspaceId,
    ) -> Self {
        Self {
            org: caller.org,
            user: Some(caller.user),
            context,
            context_id: context_id.to_string(),
            action,
            workspace: Some(workspace),
            data: None,
        }
    }

    /// With details: a JSON object without a secret.
    pub fn with(self, data: impl ToString) -> Self {
        Self { data: Some(data.to_string()), ..self }
    }
}

/// A line as it was written.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: i64,
    pub at: Timestamp,
    pub org: OrgId,
    pub user: Option<UserId>,
    pub user_name: String,
    pub user_email: String,
    pub context: &'static str,
    pub context_id: String,
    pub action: &'static str,
    pub workspace: Option<WorkspaceId>,
    pub data: Option<String>,
}

/// Which lines to read.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub context: Option<i64>,
    pub context_id: Option<String>,
    pub action: Option<i64>,
    pub user: Option<UserId>,
    pub workspace: Option<WorkspaceId>,
    pub skip: i64,
    pub take: i64,
}
