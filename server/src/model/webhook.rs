//! Webhooks: URLs that are told when a source repo changes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::id::{EventId, OrgId, SourceRepoId, UserId, WebhookId, WorkspaceId};
use super::push::Target;
use super::source_repo::DEFAULT_BRANCH;
use super::time::Timestamp;

/// Longest URL, in characters.
pub const URL_CHARS_MAX: usize = 2_083;
/// Longest bearer token that goes with the requests, in characters.
pub const TOKEN_CHARS_MAX: usize = 1_024;
/// What signing secrets start with; base64 follows.
pub const SECRET_PREFIX: &str = "whsec_";
/// Random bytes of a signing secret.
pub const SECRET_BYTES: usize = 32;
/// How long a replaced signing secret goes on signing beside the new one.
pub const FORMER_SECRET: Duration = Duration::from_hours(24);
/// Most changed files that an event names.
pub const FILES_MAX: usize = 100;
/// Most bytes of their names together.
pub const FILES_BYTES_MAX: usize = 16 * 1024;

/// Attempts before a delivery is given up.
pub const ATTEMPTS_MAX: i64 = 16;
/// How long after it was queued a delivery is given up, however often it was attempted.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(3 * 24);
/// Longest wait that a receiver may ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// How long a delivery stays in the log once it was queued.
pub const KEPT: Duration = Duration::from_hours(7 * 24);
/// Most deliveries of one webhook, the newest; older ones go, whether delivered or not.
pub const DELIVERIES_MAX: i64 = 10_000;
/// How long a process that sends to a webhook has it for itself; after a crash it is free then.
pub const LEASE: Duration = Duration::from_secs(60);

/// A URL to tell. What is secret about it is sealed.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub id: WebhookId,
    pub org: OrgId,
    /// Whose it is; for that of a repo, who set it.
    pub user: UserId,
    /// The one repo it is about; without, all that the user can see.
    pub repo: Option<SourceRepoId>,
    pub url: String,
    pub sealed_token: Option<Vec<u8>>,
    pub sealed_secret: Vec<u8>,
    /// The secret before, as long as it counts.
    pub former: Option<(Vec<u8>, Timestamp)>,
    pub updated_at: Timestamp,
}

/// Which webhook: the one of a user, or the one of a repo.
#[derive(Clone, Copy, Debug)]
pub enum Slot {
    User(UserId),
    Repo(SourceRepoId),
}

/// What happened to a source repo, as receivers read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: EventKind,
    pub timestamp: DateTime<Utc>,
    pub data: EventData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "repo.created")]
    Created,
    /// A branch or tag points to another commit, whoever moved it.
    #[serde(rename = "repo.pushed")]
    Pushed,
    #[serde(rename = "repo.deleted")]
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventData {
    pub repo_id: SourceRepoId,
    pub workspace_id: WorkspaceId,
    #[serde(rename = "ref")]
    pub name: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
    /// Nothing where nobody knows, or where they are too many.
    pub changed_files: Option<Vec<String>>,
}

/// A change of a source repo that webhooks are told of.
#[derive(Clone, Debug)]
pub enum Happening {
    Created {
        head: String,
    },
    /// A ref that is new has no `before`, one that is gone no `after`.
    Pushed {
        name: String,
        before: Option<String>,
        after: Option<String>,
        changed_files: Option<Vec<String>>,
    },
    Deleted,
}

impl Happening {
    /// A ref that now points elsewhere, without a word on the files.
    pub fn moved(name: &str, before: Option<Target>, after: Option<Target>) -> Self {
        let text = |target: Option<Target>| target.map(|target| target.to_string());
        let (before, after) = (text(before), text(after));
        Self::Pushed { name: name.to_owned(), before, after, changed_files: None }
    }

    /// Says what a move changed, if it is known.
    pub fn touching(self, files: Option<Vec<String>>) -> Self {
        match self {
            Self::Pushed { name, before, after, changed_files } => {
                Self::Pushed { name, before, after, changed_files: files.or(changed_files) }
            }
            other => other,
        }
    }

    pub fn into_event(
        self,
        repo_id: SourceRepoId,
        workspace_id: WorkspaceId,
        at: Timestamp,
    ) -> Event {
        let (kind, name, before, after, changed_files) = match self {
            Self::Created { head } => {
                (EventKind::Created, Some(DEFAULT_BRANCH.to_owned()), None, Some(head), None)
            }
            Self::Pushed { name, before, after, changed_files } => {
                let few = changed_files.filter(|files| {
                    files.len() <= FILES_MAX
                        && files.iter().map(String::len).sum::<usize>() <= FILES_BYTES_MAX
                });
                (EventKind::Pushed, Some(name), before, after, few)
            }
            Self::Deleted => (EventKind::Deleted, None, None, None, None),
        };
        let data = EventData { repo_id, workspace_id, name, before, after, changed_files };
        Event { kind, timestamp: at.into(), data }
    }
}

/// One event on its way to one webhook, or arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: EventId,
    pub event: Event,
    pub created_at: Timestamp,
    /// When it is tried next; none when it is settled.
    pub due_at: Option<Timestamp>,
    /// How often it was tried since it was queued.
    pub attempts: i64,
    pub attempted_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    /// Status of the last answer; none without one.
    pub answer: Option<i64>,
    /// What was wrong with the last attempt.
    pub error: Option<String>,
}

/// What an attempt came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub at: Timestamp,
    pub answer: Option<i64>,
    /// Nothing if it was delivered.
    pub error: Option<String>,
    /// When to try again; none when it is settled.
    pub again_at: Option<Timestamp>,
}
