//! How two trees differ, file by file, with patches that `git apply` takes; it must never follow
//! a symlink or a submodule, nor answer more than its limits.

mod patch;

use std::ops::ControlFlow;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::diff::blob::pipeline::{self, Mode, WorktreeRoots};
use gix::diff::blob::{Algorithm, Pipeline, Platform, platform};
use gix::diff::tree::recorder::Location;
use gix::diff::tree_with_rewrites::{Change, Options};
use gix::diff::{Rewrites, tree_with_rewrites};
use gix::glob::pattern::Case;
use gix::objs::tree::EntryMode;
use gix::objs::{Kind, TreeRefIter};
use gix::worktree::Stack;
use gix::worktree::stack::State;
use gix::worktree::stack::state::Attributes;

use self::patch::Sides;
pub use self::patch::is_binary;
use super::database::Database;
use super::objects::{HASH, ObjectError, ObjectSource};
use crate::model::history::{ChangeKind, FileDiff, GitMode, TreeDiff};

/// Most files that one diff lists.
pub const DIFF_FILES_MAX: usize = 1_000;
/// Most bytes of patches in one diff.
pub const DIFF_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest patch of one file, in bytes.
pub const PATCH_BYTES_MAX: usize = 1024 * 1024;
/// Largest file that is compared line by line, in bytes.
pub const COMPARED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes that one diff compares line by line, of all files together.
const WORK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most files among which renames are looked for by content, as git has it.
const RENAMES_MAX: usize = 1_000;

/// One side of a change.
#[derive(Clone, Debug)]
struct Side {
    path: BString,
    mode: EntryMode,
    id: ObjectId,
}

struct Pair {
    old: Option<Side>,
    new: Option<Side>,
}

/// From `old`, the empty tree if absent, to `new`; of `path` and what is below it only, if given.
pub fn between(
    source: &dyn ObjectSource,
    old: Option<ObjectId>,
    new: ObjectId,
    path: Option<&BStr>,
) -> Result<TreeDiff, ObjectError> {
    let mut pairs = pairs(source, old, Some(new), true)?;
    pairs.retain(|pair| path.is_none_or(|path| pair.touches(path)));
    pairs.sort_by(|a, b| a.path().cmp(b.path()));
    let truncated = pairs.len() > DIFF_FILES_MAX;
    let mut left = Left { patches: DIFF_BYTES_MAX, work: WORK_BYTES_MAX };
    let files = pairs.iter().take(DIFF_FILES_MAX);
    let files = files.map(|pair| pair.diff(source, &mut left)).collect::<Result<_, _>>()?;
    Ok(TreeDiff { files, truncated })
}

/// The paths that differ, in path order; a renamed file under both names.
pub fn paths(
    source: &dyn ObjectSource,
    old: ObjectId,
    new: ObjectId,
) -> Result<Vec<BString>, ObjectError> {
    let pairs = pairs(source, Some(old), Some(new), false)?;
    let mut paths: Vec<_> = pairs.iter().map(|pair| pair.path().to_owned()).collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// What a diff may still produce.
struct Left {
    patches: usize,
    work: usize,
}

fn pairs(
    source: &dyn ObjectSource,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    renames: bool,
) -> Result<Vec<Pair>, ObjectError> {
    let tree = |id: Option<ObjectId>| match id.filter(|id| !id.is_empty_tree()) {
        None => Ok(bytes::Bytes::new()),
        Some(id) => {
            let object = source.read(&id)?;
            object.expect(Kind::Tree)?;
            Ok::<_, ObjectError>(object.data)
        }
    };
    let (old, new) = (tree(old)?, tree(new)?);
    let database = Database::new(source);
    let mut pairs = Vec::new();
    let rewrites =
        Rewrites { copies: None, percentage: Some(0.5), limit: RENAMES_MAX, track_empty: false };
    let options = Options { location: Some(Location::Path), rewrites: renames.then_some(rewrites) };
    let collect = |change: gix::diff::tree_with_rewrites::ChangeRef<'_>| {
        pairs.extend(Pair::of(change.into_owned()));
        Ok(ControlFlow::Continue(()))
    };
    tree_with_rewrites(
        TreeRefIter::from_bytes(&old, HASH),
        TreeRefIter::from_bytes(&new, HASH),
        &mut content_cache(),
        &mut gix::diff::tree::State::default(),
        &database,
        collect,
        options,
    )
    .map_err(|error| database.fault(error))?;
    Ok(pairs)
}

/// Reads blobs as they are stored: no filters, no drivers, no attributes.
pub(super) fn content_cache() -> Platform {
    let filter = gix::filter::plumbing::Pipeline::new(Default::default(), HASH, Default::default());
    let options = pipeline::Options {
        large_file_threshold_bytes: COMPARED_BYTES_MAX as u64,
        ..Default::default()
    };
    let blobs = Pipeline::new(WorktreeRoots::default(), filter, Vec::new(), options);
    let attributes = State::AttributesStack(Attributes::default());
    let stack = Stack::new("", attributes, Case::Sensitive, Vec::new(), Vec::new());
    let options = platform::Options {
        algorithm: Some(Algorithm::Myers),
        skip_internal_diff_if_external_is_configured: false,
    };
    Platform::new(options, blobs, Mode::ToGit, stack)
}

impl Pair {
    /// Nothing for a directory: what is in it comes by itself.
    fn of(change: Change) -> Option<Self> {
        let side = |path, mode: EntryMode, id| (!mode.is_tree()).then_some(Side { path, mode, id });
        let pair = match change {
            Change::Addition { location, entry_mode, id, .. } => {
                Self { old: None, new: side(location, entry_mode, id) }
            }
            Change::Deletion { location, entry_mode, id, .. } => {
                Self { old: side(location, entry_mode, id), new: None }
            }
            Change::Modification { location, previous_entry_mode, previous_id, entry_mode, id } => {
                Self {
                    old: side(location.clone(), previous_entry_mode, previous_id),
                    new: side(location, entry_mode, id),
                }
            }
            Change::Rewrite {
                source_location,
                source_entry_mode,
                source_id,
                entry_mode,
                id,
                location,
                ..
            } => Self {
                old: side(source_location, source_entry_mode, source_id),
                new: side(location, entry_mode, id),
            },
        };
        (pair.old.is_some() || pair.new.is_some()).then_some(pair)
    }

    /// The new path, or the one that is gone.
    fn path(&self) -> &BStr {
        let side = self.new.as_ref().or(self.old.as_ref());
        side.map_or(BStr::new(""), |side| side.path.as_bstr())
    }

    fn touches(&self, path: &BStr) -> bool {
        [&self.old, &self.new].into_iter().flatten().any(|side| {
            let rest = side.path.strip_prefix(path.as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        })
    }

    fn diff(&self, source: &dyn ObjectSource, left: &mut Left) -> Result<FileDiff, ObjectError> {
        let (kind, old_path) = match (&self.old, &self.new) {
            (None, _) => (ChangeKind::Added, None),
            (_, None) => (ChangeKind::Deleted, None),
            (Some(old), Some(new)) if old.path != new.path => {
                (ChangeKind::Renamed, Some(old.path.to_string()))
            }
            _ => (ChangeKind::Modified, None),
        };
        let mode = |side: &Option<Side>| side.as_ref().map(|side| GitMode(side.mode.value()));
        let mut file = FileDiff {
            kind,
            path: self.path().to_string(),
            old_path,
            old_mode: mode(&self.old),
            new_mode: mode(&self.new),
            additions: 0,
            deletions: 0,
            binary: false,
            patch: None,
            truncated: false,
        };
        let (Some(old), Some(new)) = (content(source, &self.old)?, content(source, &self.new)?)
        else {
            return Ok(file);
        };
        let size = old.len() + new.len();
        if old.len().max(new.len()) > COMPARED_BYTES_MAX || size > left.work {
            file.truncated = true;
            return Ok(file);
        }
        left.work -= size;
        let sides = Sides { old: self.old.as_ref(), new: self.new.as_ref() };
        let Some(patch) = sides.compare(&old, &new) else {
            file.binary = true;
            return Ok(file);
        };
        (file.additions, file.deletions) = (patch.additions, patch.deletions);
        if patch.text.len() > PATCH_BYTES_MAX.min(left.patches) {
            file.truncated = true;
        } else {
            left.patches -= patch.text.len();
            file.patch = Some(patch.text);
        }
        Ok(file)
    }
}

/// Empty where there is no file; nothing for a submodule, whose content is elsewhere.
fn content(
    source: &dyn ObjectSource,
    side: &Option<Side>,
) -> Result<Option<bytes::Bytes>, ObjectError> {
    match side {
        None => Ok(Some(bytes::Bytes::new())),
        Some(side) if side.mode.is_commit() => Ok(None),
        Some(side) => {
            let blob = source.read(&side.id)?;
            blob.expect(Kind::Blob)?;
            Ok(Some(blob.data))
        }
    }
}
