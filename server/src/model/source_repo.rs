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
/// Bundles of a small repo before they are put together with its base ...
const BUNDLES_SMALL: i64 = 200;
/// ... and of any repo.
const BUNDLES_MAX: i64 = 2_000;
/// Bytes of a base for which one bundle more may come.
const BASE_BYTES_PER_BUNDLE: i64 = 64 * 1024;
/// Bytes of a small repo's bundles before they are put together with its base ...
const BUNDLE_BYTES_SMALL: i64 = 4 * 1024 * 1024;
/// ... and of a large one, as a part of its base.
const BASE_PER_BUNDLES: i64 = 4;
/// Largest pack that is taken apart in memory, in bytes; a larger one goes to git as it comes.
pub const UNPACKED_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// How long a replaced pack stays for those who read it.
pub const DROP_GRACE: Duration = Duration::from_secs(3_600);
/// How long a pack may be in the object store before a row names it; no push or edit takes as long.
pub const STRAY_GRACE: Duration = Duration::from_hours(24);
/// Most bytes of text that one answer holds, all files of a repo together.
pub const CLONE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What the packs of a repo amount to: one base, and the bundles that changes have added since.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed {
    pub bundles: i64,
    pub bundle_bytes: i64,
    pub base_bytes: i64,
}

impl Packed {
    pub fn add(&mut self, bundle_bytes: i64) {
        self.bundles += 1;
        self.bundle_bytes += bundle_bytes;
    }

    /// Whether the base is to be written again, with the bundles in it. The larger it is, the more
    /// has to have come together: that is what keeps an edit as cheap in a large repo.
    pub fn is_compaction_due(&self) -> bool {
        let bundles = (self.base_bytes / BASE_BYTES_PER_BUNDLE).clamp(BUNDLES_SMALL, BUNDLES_MAX);
        let bytes = (self.base_bytes / BASE_PER_BUNDLES).max(BUNDLE_BYTES_SMALL);
        self.bundles >= bundles || self.bundle_bytes >= bytes
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: i64 = 1024 * 1024;

    fn is_due(bundles: i64, bundle_bytes: i64, base_bytes: i64) -> bool {
        Packed { bundles, bundle_bytes, base_bytes }.is_compaction_due()
    }

    #[test]
    fn a_base_is_written_again_when_enough_has_come_for_its_size() {
        assert!(!is_due(199, MIB, 0) && is_due(200, MIB, 0));
        assert!(!is_due(10, 4 * MIB - 1, 0) && is_due(10, 4 * MIB, 0));
        assert!(!is_due(1_599, 2 * MIB, 100 * MIB) && is_due(1_600, 2 * MIB, 100 * MIB));
        assert!(!is_due(10, 24 * MIB, 100 * MIB) && is_due(10, 25 * MIB, 100 * MIB));
        assert!(!is_due(1_999, 9 * MIB, 50_000 * MIB) && is_due(2_000, 9 * MIB, 50_000 * MIB));
    }
}
