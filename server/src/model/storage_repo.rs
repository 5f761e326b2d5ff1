//! Storage repos: groups of buckets, how they use them, and what may be in one.

use uuid::Uuid;

use super::access_key::AccessKey;
use super::ai::{AiKey, AiLlm};
use super::bucket::{Bucket, StorageType};
use super::id::{BucketId, OrgId, StorageRepoId, WorkspaceId};
use super::time::Timestamp;

/// Most buckets of one storage repo, and most AI LLMs.
pub const MEMBERS_MAX: usize = 32;
/// Longest folder of a member, in bytes; half of what a key may have.
pub const FOLDER_BYTES_MAX: usize = 512;
/// How long deleted objects stay in the backups of a BACKUP repo, in days: if it says nothing, and at most.
pub const RETENTION_DAYS: u32 = 30;
pub const RETENTION_DAYS_MAX: u32 = 3_650;
/// Most rows of one page of storage repos, buckets or AI LLMs, and the default.
pub const LIST_MAX: u32 = 1_000;

/// How a storage repo uses its buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Independent buckets, each addressed by its own name.
    Normal,
    /// Every object in every bucket.
    Mirror,
    /// Writes go to the primary bucket, and later to the others.
    Backup,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Normal, Self::Mirror, Self::Backup];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Mirror => "MIRROR",
            Self::Backup => "BACKUP",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// Whether all buckets together are one namespace, with one of them as the primary.
    pub const fn is_shared(self) -> bool {
        !matches!(self, Self::Normal)
    }
}

/// A storage repo without what it holds.
#[derive(Clone, Debug)]
pub struct StorageRepo {
    pub id: StorageRepoId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub storage_type: StorageType,
    pub mode: Mode,
    pub disabled: bool,
    pub wallet: Option<String>,
    /// Copies that a write needs before it is acknowledged, if it says so.
    pub min_ack: Option<u32>,
    /// See [`RETENTION_DAYS`].
    pub retention_days: Option<u32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Grows with each change, so that a change made on old knowledge can be refused.
    pub version: i64,
}

/// A bucket's place in a storage repo.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    pub bucket: BucketId,
    /// What comes before the keys; empty for nothing, never with a slash at an end.
    pub folder: String,
    pub primary: bool,
}

/// A storage repo with all it holds, as lists answer it.
#[derive(Clone, Debug)]
pub struct Whole {
    pub repo: StorageRepo,
    pub members: Vec<(Member, Bucket)>,
    pub access_keys: Vec<AccessKey>,
    pub ai_llms: Vec<AiLlm>,
    pub ai_keys: Vec<AiKey>,
}

/// A storage repo as those who name it in passing show it.
#[derive(Clone, Debug)]
pub struct Mention {
    pub id: StorageRepoId,
    pub name: String,
    pub storage_type: StorageType,
    pub created_at: Timestamp,
}

/// The rules of storage repos, as the clients know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The storage repo, or a bucket or AI LLM it shall hold, is not there or not visible.
    NotFound,
    NameAlreadyUsed,
    /// More than one primary.
    MasterCount,
    /// No primary.
    MasterMissing,
    /// A bucket of a MIRROR or BACKUP repo belongs to it alone.
    InOtherRepo,
    /// A bucket and folder, or a bucket name within a NORMAL repo, is used once.
    FolderUsed,
    /// A link of a NORMAL repo with access keys stays.
    CannotUnlink,
    /// So does its folder.
    CannotEditFolder,
    QuotaExceeded,
}

impl Rule {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::NameAlreadyUsed => "NAME_ALREADY_USED",
            Self::MasterCount => "MIRROR_MASTER_UNIT_COUNT_INVALID",
            Self::MasterMissing => "MIRROR_MASTER_UNIT_MISSING",
            Self::InOtherRepo => "MIRROR_UNIT_ALREADY_IN_OTHER_REPO",
            Self::FolderUsed => "NORMAL_UNIT_FOLDER_ALREADY_USED",
            Self::CannotUnlink => "NORMAL_UNIT_FOLDER_CANNOT_DELETE",
            Self::CannotEditFolder => "NORMAL_UNIT_CANNOT_EDIT_FOLDER",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
        }
    }
}

/// Which rows of a list to read. Rows are in order of their ids, which is the order of creation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListFilter<W = WorkspaceId> {
    pub workspace: Option<W>,
    /// The only row to read.
    pub only: Option<Uuid>,
    pub wallet: Option<String>,
    /// The last row of the page before.
    pub after: Option<Uuid>,
    pub limit: u32,
}

impl<W> ListFilter<W> {
    /// The same in a workspace that has been looked up.
    pub fn within<V>(self, workspace: Option<V>) -> ListFilter<V> {
        let Self { workspace: _, only, wallet, after, limit } = self;
        ListFilter { workspace, only, wallet, after, limit }
    }
}

/// One page of such a list.
#[derive(Clone, Debug)]
pub struct ListPage<T> {
    pub items: Vec<T>,
    /// Whether there are rows after these.
    pub more: bool,
}

impl<T> ListPage<T> {
    /// From the rows that were read, which are one more than `limit` if there are more.
    pub fn new(mut items: Vec<T>, limit: u32) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Self { items, more }
    }
}
