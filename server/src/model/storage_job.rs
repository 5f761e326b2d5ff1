//! Long work on a storage repo, which people ask for or wait for.

use serde::{Deserialize, Serialize};

use super::id::{BucketId, JobId, SpaceId, StorageRepoId};
use super::time::Timestamp;

/// How long finished jobs can be looked at, in days.
pub const KEPT_DAYS: u32 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageJobKind {
    /// Hold what a bucket has against the catalog: the first time to import it, then to find what is
    /// not as it should be.
    Survey,
    /// Make all copies alike now.
    Repair,
    /// Bring deleted objects back from the backups.
    Restore,
}

impl StorageJobKind {
    pub const ALL: [Self; 3] = [Self::Survey, Self::Repair, Self::Restore];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::Repair => "repair",
            Self::Restore => "restore",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    /// Not wanted any more by whoever may say so.
    Cancelled,
}

impl JobState {
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// What exactly is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Survey: read all content, rather than list it.
    #[serde(default)]
    pub read: bool,
    /// Restore: only keys that begin so.
    #[serde(default)]
    pub prefix: String,
    /// Restore: only what was deleted since then, in microseconds.
    #[serde(default)]
    pub deleted_since: Option<i64>,
    /// Restore: only count what there is to bring back.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageJob {
    pub id: JobId,
    pub repo: StorageRepoId,
    pub space: SpaceId,
    pub bucket: Option<BucketId>,
    pub kind: StorageJobKind,
    pub state: JobState,
    pub asked: Asked,
    /// Where it goes on: the last key that is done with. Of a repair, for how many milliseconds nothing
    /// came of it.
    pub cursor: Option<String>,
    /// Things to do, as far as is known; 0 if it is not.
    pub total: i64,
    pub done: i64,
    /// Things that were not as they should be: imported, or to be mended.
    pub found: i64,
    pub failed: i64,
    pub message: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

impl StorageJob {
    pub fn new(
        repo: StorageRepoId,
        space: SpaceId,
        bucket: Option<BucketId>,
        kind: StorageJobKind,
        asked: Asked,
    ) -> Self {
        let now = Timestamp::now();
        Self {
            id: JobId::new(),
            repo,
            space,
            bucket,
            kind,
            state: JobState::Queued,
            asked,
            cursor: None,
            total: 0,
            done: 0,
            found: 0,
            failed: 0,
            message: None,
            created_at: now,
            updated_at: now,
            finished_at: None,
        }
    }

    /// Whether there is anything to tell that `before` did not.
    pub fn is_news(&self, before: &Self) -> bool {
        *self != Self { cursor: self.cursor.clone(), ..before.clone() }
    }

    /// How much of it is done, as far as is known; all of it only once it is finished.
    pub fn percent(&self) -> Option<u8> {
        if self.total <= 0 {
            return None;
        }
        let most = if self.state == JobState::Done { 100 } else { 99 };
        let percent = (self.done.clamp(0, self.total) as i128 * 100) / i128::from(self.total);
        u8::try_from(percent).ok().map(|percent| percent.min(most))
    }
}
