//! Changes that take their files from other commits: merge, revert, reset. They must never
//! settle a conflict by themselves.

use gix::ObjectId;

use super::{Applied, EditError};
use crate::backend::git::diff;
use crate::backend::git::log;
use crate::backend::git::merge::{self, Merged, Relation};
use crate::backend::git::objects::{HASH, ObjectError, ObjectSource, Objects};
use crate::model::edit::CommitId;

/// What joining two commits comes to.
pub enum Joined {
    /// All of it is there already.
    Nothing,
    /// The branch can simply move; which files that changes.
    Forward(Vec<String>),
    Merged(Applied),
}

pub fn merge(
    source: &dyn ObjectSource,
    head: CommitId,
    root: ObjectId,
    commit: CommitId,
) -> Result<Joined, EditError> {
    match merge::relation(source, head, commit)? {
        Relation::Ahead => Ok(Joined::Nothing),
        Relation::Behind => {
            let theirs = source.read(&commit.into())?.root_tree()?;
            Ok(Joined::Forward(changed(source, root, theirs)?))
        }
        Relation::Apart | Relation::Strangers => {
            let merged = merge::commits(source, head, commit)?;
            settle(source, root, merged, "the merge").map(Joined::Merged)
        }
    }
}

/// Does to `root` the opposite of what a commit did to its parent.
pub fn revert(
    source: &dyn ObjectSource,
    root: ObjectId,
    commit: CommitId,
) -> Result<Applied, EditError> {
    let tree = |id: CommitId| source.read(&id.into())?.root_tree();
    if source.is_cut(&commit.into()) {
        return Err(EditError::Cut(commit));
    }
    let before = match log::read(source, commit)?.parents.as_slice() {
        [] => ObjectId::empty_tree(HASH),
        [parent] => tree(*parent)?,
        _ => return Err(EditError::MergeReverted(commit)),
    };
    let merged = merge::trees(source, tree(commit)?, root, before)?;
    settle(source, root, merged, "the revert")
}

/// Takes all files as a commit has them.
pub fn reset(
    source: &dyn ObjectSource,
    root: ObjectId,
    commit: CommitId,
) -> Result<Applied, EditError> {
    let tree = source.read(&commit.into())?.root_tree()?;
    let changed_files = changed(source, root, tree)?;
    Ok(Applied { root: tree, changed_files, new: Vec::new() })
}

fn settle(
    source: &dyn ObjectSource,
    old: ObjectId,
    merged: Merged,
    what: &str,
) -> Result<Applied, EditError> {
    match merged {
        Merged::Conflicts(paths) => {
            let paths = paths.iter().map(ToString::to_string).collect();
            Err(EditError::Clash { what: what.to_owned(), paths })
        }
        Merged::Clean { root, new } => {
            let mut objects = Objects::new(source);
            new.iter().for_each(|object| objects.put(object.clone()));
            let changed_files = changed(&objects, old, root)?;
            Ok(Applied { root, changed_files, new })
        }
    }
}

fn changed(
    source: &dyn ObjectSource,
    old: ObjectId,
    new: ObjectId,
) -> Result<Vec<String>, ObjectError> {
    Ok(diff::paths(source, old, new)?.iter().map(ToString::to_string).collect())
}
