//! How alike the copies of a storage repo's objects are.

use super::bucket::Bucket;
use super::storage_repo::StorageRepo;
use super::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Mirror {
    pub repo: StorageRepo,
    pub spaces: Vec<MirrorSpace>,
}

/// One namespace of objects, and how its buckets do.
#[derive(Clone, Debug)]
pub struct MirrorSpace {
    /// What the gateway knows it by.
    pub names: Vec<String>,
    pub members: Vec<MirrorMember>,
}

#[derive(Clone, Debug)]
pub struct MirrorMember {
    pub bucket: Bucket,
    pub folder: String,
    pub primary: bool,
    pub breaker: Breaker,
    pub debts: u64,
    pub bytes_behind: u64,
    pub oldest_debt_at: Option<Timestamp>,
    /// Deleted objects that it keeps for a while.
    pub retained: u64,
    pub surveyed_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    /// Objects that its import has looked at, while it is not over.
    pub imported: Option<u64>,
}

/// Whether a process uses a bucket that may have failed of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    Closed,
    /// Left alone until then.
    Open(Timestamp),
    /// The next request tries it.
    HalfOpen,
}

/// A bucket in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorState {
    Unreachable,
    Importing,
    Behind,
    Active,
}

impl MirrorMember {
    pub fn state(&self) -> MirrorState {
        if self.breaker != Breaker::Closed {
            MirrorState::Unreachable
        } else if self.surveyed_at.is_none() {
            MirrorState::Importing
        } else if self.debts > 0 {
            MirrorState::Behind
        } else {
            MirrorState::Active
        }
    }
}

impl MirrorState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Importing => "importing",
            Self::Behind => "behind",
            Self::Active => "active",
        }
    }
}

impl Breaker {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open(_) => "open",
            Self::HalfOpen => "half-open",
        }
    }
}
