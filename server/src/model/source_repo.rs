//! Git repositories that are edited through the API.

use std::collections::BTreeMap;
use std::time::Duration;

use super::id::{OrgId, SourceRepoId, WorkspaceId};
use super::time::Timestamp;

/// The branch that edits go to and reads come from.
pub const DEFAULT_BRANCH: &str = "refs/heads/main";
/// Most keys of a repo's metadata.
pub const METADATA_KEYS_MAX: usize = 64;
/// Longest metadata key, in bytes.
pub const METADATA_KEY_BYTES_MAX: usize = 128;
/// Longest metadata value, in bytes.
pub const METADATA_VALUE_BYTES_MAX: usize = 4_096;
/// Largest pack kept in its row, in bytes; a larger one goes to the object store.
pub const ROW_PACK_BYTES_MAX: usize = 256 * 1024;
/// Bundles of a repo before they are put together.
pub const BUNDLES_MAX: i64 = 200;
/// Bytes of a repo's bundles before they are put together.
pub const BUNDLE_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// How long a replaced pack stays for those who read it.
pub const DROP_GRACE: Duration = Duration::from_secs(3_600);
/// How long a pack may be in the object store before a row names it; no push or edit takes as long.
pub const STRAY_GRACE: Duration = Duration::from_hours(24);
/// Most bytes of text that one answer holds, all files of a repo together.
pub const CLONE_BYTES_MAX: usize = 256 * 1024 * 1024;

pub type Metadata = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub struct SourceRepo {
    pub id: SourceRepoId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
    pub metadata: Option<Metadata>,
    pub auto_index: bool,
    /// Commit the default branch points to, as 40 hexadecimal digits.
    pub head: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderBy {
    #[default]
    CreatedAt,
    UpdatedAt,
}

/// Which source repos to list.
#[derive(Clone, Debug, Default)]
pub struct SourceRepoFilter {
    pub workspace: Option<WorkspaceId>,
    pub metadata: Metadata,
    pub created_after: Option<Timestamp>,
    pub created_before: Option<Timestamp>,
    pub order_by: OrderBy,
    pub descending: bool,
}
