//! The making of a source repo from a repository elsewhere, as people look at it.

use std::time::Duration;

use super::git_source::Progress;
use super::id::{ImportId, OrgId, SourceRepoId, WorkspaceId};
use super::storage_job::JobState;
use super::time::Timestamp;

/// Imports that one process has under way or waiting.
pub const IMPORTS_MAX: usize = 64;
/// How often whoever works on one writes down that they do ...
pub const PULSE: Duration = Duration::from_secs(5);
/// ... and after how long without a word it counts as given up.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long they can be looked at after their beginning.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// What is said of one that was cancelled.
pub const CANCELLED: &str = "It was cancelled. No repo was made.";
/// What is said of one that nobody works on any more.
pub const LOST: &str =
    "The server that worked on it has stopped. No repo was made; start it again.";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceImport {
    pub id: ImportId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub state: JobState,
    pub progress: Progress,
    /// The repo, once it is made, and its head.
    pub made: Option<(SourceRepoId, String)>,
    /// Why there is none.
    pub message: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

impl SourceImport {
    pub fn new(org: OrgId, workspace: WorkspaceId) -> Self {
        let now = Timestamp::now();
        Self {
            id: ImportId::new(),
            org,
            workspace,
            state: JobState::Running,
            progress: Progress::default(),
            made: None,
            message: None,
            created_at: now,
            updated_at: now,
            finished_at: None,
        }
    }

    /// As it is to be seen at `now`: one that nobody works on any more has failed.
    pub fn seen_at(self, now: Timestamp) -> Self {
        if self.state.is_finished() || self.updated_at.plus(SILENCE_MAX) > now {
            return self;
        }
        let finished_at = Some(self.updated_at);
        Self { state: JobState::Failed, message: Some(LOST.to_owned()), finished_at, ..self }
    }

    /// How much of it is done; all of it only once it is finished.
    pub fn percent(&self) -> u8 {
        if self.state == JobState::Done { 100 } else { self.progress.percent() }
    }

    /// Whether there is anything to tell that `before` did not.
    pub fn is_news(&self, before: &Self) -> bool {
        *self != Self { updated_at: self.updated_at, ..before.clone() }
    }
}
