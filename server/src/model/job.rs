//! Durable units of background work.

use std::time::Duration;

use super::id::JobId;

/// How long a claimed job stays claimed; a crashed worker's job is free again after this.
pub const LEASE: Duration = Duration::from_secs(60);
/// Attempts before a job is left for a person to look at.
pub const ATTEMPTS_MAX: i64 = 10;
/// Wait after the first failure; doubles with every further one.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Replace a source repo's bundles by one base pack.
    CompactSourceRepo,
    /// Make the index of a source repo's head, for the next search.
    IndexSourceRepo,
    /// Remove what a deleted source repo left behind.
    PurgeSourceRepo,
    /// Remove an object that no row names any more.
    DropObject,
    /// Go on with long work on a storage repo.
    StorageJob,
    /// Forget what is known of a space that was set aside.
    ClearSpace,
    /// Remove what a deleted bucket of the server's own left on its disk.
    DiscardBucket,
}

impl JobKind {
    pub const ALL: [Self; 7] = [
        Self::CompactSourceRepo,
        Self::IndexSourceRepo,
        Self::PurgeSourceRepo,
        Self::DropObject,
        Self::StorageJob,
        Self::ClearSpace,
        Self::DiscardBucket,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CompactSourceRepo => "compact_source_repo",
            Self::IndexSourceRepo => "index_source_repo",
            Self::PurgeSourceRepo => "purge_source_repo",
            Self::DropObject => "drop_object",
            Self::StorageJob => "storage_job",
            Self::ClearSpace => "clear_space",
            Self::DiscardBucket => "discard_bucket",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A job this process holds the lease of.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    /// What it is about: the id of a repo, say. One live job per kind and subject.
    pub subject: String,
    pub attempts: i64,
}
