//! What an edit means: phases, conflicts, and which files changed; it must never leave a trace of
//! an edit that fails.
//!
//! Operations are collected, then applied as deletes, writes, renames. The last write of a path
//! counts, and the last target of a rename source. All rename sources are read before any is
//! removed, and all are removed before any target is put, so that swaps and chains work.

mod changes;
mod patched;
mod plan;
mod whole;

use gix::ObjectId;
use gix::bstr::BStr;

use self::changes::Changes;
use self::plan::Plan;
use self::whole::Joined;
use crate::backend::git::commit::{self, Draft};
use crate::backend::git::objects::{Object, ObjectError, ObjectSource, Objects};
use crate::backend::git::tree::Tree;
use crate::model::edit::{
    Change, CommitId, Edit, FILE_BYTES_MAX, FileWrite, IDENTITY_CHARS_MAX, Identity,
    MESSAGE_CHARS_MAX, OPERATIONS_MAX, Operation,
};
use crate::model::file_path::PathError;

#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("path `{path}` cannot be used: {reason}")]
    PathInvalid { path: String, reason: String },
    #[error(
        "`{path}` does not exist when it is to be {verb}; an edit deletes first, then writes, then renames"
    )]
    NotFound { path: String, verb: &'static str },
    #[error("`{path}` conflicts: {reason}")]
    Conflict { path: String, reason: String },
    #[error("`{path}` is a directory and cannot be renamed; rename the files in it one by one")]
    Directory { path: String },
    #[error(
        "the branch is at {head}, not at the expected {expected}; read the new state and edit that"
    )]
    HeadMoved { expected: CommitId, head: CommitId },
    #[error("{what} may have at most {limit}; split the edit or make it smaller")]
    TooMany { what: &'static str, limit: usize },
    #[error("`{path}` would be larger than {FILE_BYTES_MAX} bytes, which is the most for one file")]
    TooLarge { path: String },
    #[error(
        "{what} conflicts in {}; nothing was changed. Settle it in an edit, or merge with git",
        some(.paths)
    )]
    Clash { what: String, paths: Vec<String> },
    #[error("commit {0} is a merge, which has no single opposite; reset to a commit instead")]
    MergeReverted(CommitId),
    #[error(
        "what commit {0} changed is not known here, since what was before it was not imported; reset to a \
         commit instead"
    )]
    Cut(CommitId),
    /// Ours to handle, not the user's.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// The first few of many paths.
fn some(paths: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<_> = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    match paths.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", shown.join(", ")),
        None => shown.join(", "),
    }
}

impl From<PathError> for EditError {
    fn from(err: PathError) -> Self {
        Self::PathInvalid { path: err.path, reason: err.reason }
    }
}

/// What a commit says where the edit does not.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub author: Identity,
    pub committer: Identity,
    pub message: String,
    /// Seconds since 1970, UTC.
    pub seconds: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The old head if nothing changed.
    pub head: CommitId,
    /// In request order, without repetition.
    pub changed_files: Vec<String>,
}

/// Applies `edit` on top of `head` and commits the result; on an error `objects` is as before.
pub fn apply(
    objects: &mut Objects<'_>,
    head: CommitId,
    edit: &Edit,
    stamp: &Stamp,
) -> Result<Outcome, EditError> {
    if let Some(expected) = edit.expected_head.filter(|expected| *expected != head) {
        return Err(EditError::HeadMoved { expected, head });
    }
    check_limits(edit)?;
    let unchanged = Outcome { head, changed_files: Vec::new() };
    let Some(change) = &edit.source else {
        return Ok(unchanged);
    };

    let root = objects.read(&head.into())?.root_tree()?;
    let mut parents = vec![head];
    let applied = match change {
        Change::Replace(_) | Change::Operations(_) => apply_files(objects, root, change)?,
        Change::Patch(files) => patched::apply(objects, root, files)?,
        Change::Merge { commit, .. } => match whole::merge(objects, head, root, *commit)? {
            Joined::Nothing => return Ok(unchanged),
            Joined::Forward(changed_files) => return Ok(Outcome { head: *commit, changed_files }),
            Joined::Merged(applied) => {
                parents.push(*commit);
                applied
            }
        },
        Change::Revert(commit) => whole::revert(objects, root, *commit)?,
        Change::Reset(commit) => whole::reset(objects, root, *commit)?,
    };
    if applied.root == root && parents.len() == 1 {
        return Ok(unchanged);
    }
    let message = edit.message.as_deref().filter(|message| !message.trim().is_empty());
    let commit = commit::build(&Draft {
        tree: applied.root,
        parents: &parents,
        author: edit.author.as_ref().unwrap_or(&stamp.author),
        committer: &stamp.committer,
        message: message.unwrap_or(&stamp.message),
        seconds: stamp.seconds,
    })?;
    let head = commit.id.into();
    // Only now can nothing fail any more.
    applied.new.into_iter().chain([commit]).for_each(|object| objects.put(object));
    Ok(Outcome { head, changed_files: applied.changed_files })
}

fn check_limits(edit: &Edit) -> Result<(), EditError> {
    within(MESSAGE_CHARS_MAX, chars(edit.message.as_deref()), "a message, in characters,")?;
    if let Some(author) = &edit.author {
        let longest = chars(Some(&author.name)).max(chars(Some(&author.email)));
        within(IDENTITY_CHARS_MAX, longest, "an author's name or email, in characters,")?;
    }
    let (count, writes): (usize, Vec<&FileWrite>) = match &edit.source {
        None | Some(Change::Merge { .. } | Change::Revert(_) | Change::Reset(_)) => return Ok(()),
        Some(Change::Patch(files)) => (files.len(), Vec::new()),
        Some(Change::Replace(files)) => (files.len(), files.iter().collect()),
        Some(Change::Operations(operations)) => {
            (operations.len(), operations.iter().filter_map(written).collect())
        }
    };
    within(OPERATIONS_MAX, count, "an edit, in operations or files,")?;
    match writes.iter().find(|write| write.content.len() > FILE_BYTES_MAX) {
        Some(write) => Err(EditError::TooLarge { path: write.path.to_string() }),
        None => Ok(()),
    }
}

fn chars(text: Option<&str>) -> usize {
    text.map_or(0, |text| text.chars().count())
}

fn written(operation: &Operation) -> Option<&FileWrite> {
    match operation {
        Operation::Write(write) => Some(write),
        Operation::Delete { .. } | Operation::Rename { .. } => None,
    }
}

fn within(limit: usize, size: usize, what: &'static str) -> Result<(), EditError> {
    if size > limit { Err(EditError::TooMany { what, limit }) } else { Ok(()) }
}

struct Applied {
    root: ObjectId,
    changed_files: Vec<String>,
    /// Blobs and trees that the result needs and the old tree did not have.
    new: Vec<Object>,
}

/// A change that names files.
fn apply_files(
    source: &dyn ObjectSource,
    root: ObjectId,
    change: &Change,
) -> Result<Applied, EditError> {
    let mut old = Tree::open(source, root)?;
    let mut tree = Tree::open(source, root)?;
    let plan = match change {
        Change::Operations(operations) => Plan::of_operations(operations),
        Change::Replace(files) => Plan::of_replacement(files, old.list(BStr::new(""))?),
        _ => unreachable!("other changes name no files"),
    };
    plan.check_paths()?;

    let mut new = Vec::new();
    plan.delete(&mut tree)?;
    plan.write(&mut tree, &mut old, &mut new)?;
    plan.rename(&mut tree)?;
    let written = tree.write(&mut new)?;

    let mut changes = Changes::between(old, tree);
    if written != root {
        match change {
            Change::Operations(operations) => changes.by_operations(operations, &plan)?,
            Change::Replace(files) => changes.by_replacement(files, &plan)?,
            _ => unreachable!("other changes name no files"),
        }
    }
    Ok(Applied { root: written, changed_files: changes.into_files(), new })
}

#[cfg(test)]
mod tests;
