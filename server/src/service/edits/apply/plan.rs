//! The three phases of an edit; it must never let a conflict pass as a loss.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use gix::bstr::{BString, ByteSlice};
use gix::objs::Kind;
use gix::objs::tree::{EntryKind, EntryMode};

use super::EditError;
use crate::backend::git::objects::Object;
use crate::backend::git::path;
use crate::backend::git::tree::{Entry, InsertError, Tree};
use crate::model::edit::{FileMode, FileWrite, Operation};
use crate::model::file_path::{FilePath, PathError};

/// An edit with its operations sorted out by phase.
#[derive(Default)]
pub struct Plan<'c> {
    /// Files and directories, in path order.
    pub deletes: BTreeSet<BString>,
    writes: BTreeMap<&'c FilePath, &'c FileWrite>,
    pub renames: BTreeMap<&'c FilePath, &'c FilePath>,
}

impl<'c> Plan<'c> {
    pub fn of_operations(operations: &'c [Operation]) -> Self {
        let mut plan = Self::default();
        for operation in operations {
            match operation {
                Operation::Delete { path } => drop(plan.deletes.insert(path.as_str().into())),
                Operation::Write(write) => drop(plan.writes.insert(&write.path, write)),
                Operation::Rename { from, to } => drop(plan.renames.insert(from, to)),
            }
        }
        plan
    }

    /// Deletes what is not listed, so that directories which stay the same are not even rewritten.
    pub fn of_replacement(files: &'c [FileWrite], old: Vec<(BString, Entry)>) -> Self {
        let writes: BTreeMap<_, _> = files.iter().map(|write| (&write.path, write)).collect();
        let kept: HashSet<&[u8]> = writes.keys().map(|path| path.as_str().as_bytes()).collect();
        let goes = |path: &BString, entry: &Entry| {
            entry.mode.is_commit() || !kept.contains(path.as_slice())
        };
        let deletes = old
            .into_iter()
            .filter(|(path, entry)| goes(path, entry))
            .map(|(path, _)| path)
            .collect();
        Self { deletes, writes, renames: BTreeMap::new() }
    }

    pub fn check_paths(&self) -> Result<(), PathError> {
        self.writes.keys().chain(self.renames.values()).try_for_each(|path| path::check(path))
    }

    pub fn delete(&self, tree: &mut Tree<'_>) -> Result<(), EditError> {
        // All are looked up first: a directory and a file below it may both be listed.
        for path in &self.deletes {
            let path = path.as_bstr();
            if tree.get(path)?.is_none() && !tree.is_dir(path)? {
                return Err(EditError::NotFound { path: path.to_string(), verb: "deleted" });
            }
        }
        for path in &self.deletes {
            tree.remove(path.as_bstr())?;
        }
        Ok(())
    }

    pub fn write(
        &self,
        tree: &mut Tree<'_>,
        old: &mut Tree<'_>,
        new: &mut Vec<Object>,
    ) -> Result<(), EditError> {
        for (path, write) in &self.writes {
            let blob = Object::new(Kind::Blob, write.content.clone())?;
            let mode = mode_after(tree.get(path.as_str().into())?, write.mode);
            place(tree, path, Entry { mode, id: blob.id })?;
            if old.get(path.as_str().into())?.is_none_or(|entry| entry.id != blob.id) {
                new.push(blob);
            }
        }
        Ok(())
    }

    pub fn rename(&self, tree: &mut Tree<'_>) -> Result<(), EditError> {
        let mut moves = BTreeMap::new();
        for (from, to) in &self.renames {
            let source = from.as_str().into();
            let Some(entry) = tree.get(source)? else {
                return Err(match tree.is_dir(source)? {
                    true => EditError::Directory { path: from.to_string() },
                    false => EditError::NotFound { path: from.to_string(), verb: "renamed" },
                });
            };
            if moves.insert(*to, entry).is_some() {
                return Err(conflict(to, "two renames end here; keep one of them"));
            }
        }
        for from in self.renames.keys() {
            tree.remove(from.as_str().into())?;
        }
        moves.into_iter().try_for_each(|(to, entry)| place(tree, to, entry))
    }
}

/// The mode a write leaves: the one asked for, else that of the file it goes over.
pub fn mode_after(current: Option<Entry>, asked: Option<FileMode>) -> EntryMode {
    let fits = |entry: &Entry| {
        entry.file_mode().is_some_and(|mode| asked.is_none_or(|asked| asked == mode))
    };
    match (current.filter(fits), asked) {
        (Some(entry), _) => entry.mode,
        (None, Some(FileMode::Executable)) => EntryKind::BlobExecutable.into(),
        (None, _) => EntryKind::Blob.into(),
    }
}

pub fn place(tree: &mut Tree<'_>, path: &FilePath, entry: Entry) -> Result<(), EditError> {
    let at = path.as_str().into();
    if tree.get(at)?.is_some_and(|old| old.mode.is_commit()) {
        return Err(conflict(
            path,
            "it is a submodule; delete it in the same edit to put a file in its place",
        ));
    }
    if entry.mode.is_link() {
        path::check_symlink(path)?;
    }
    tree.insert(at, entry).map_err(|err| match err {
        InsertError::Objects(err) => err.into(),
        err => conflict(path, err.to_string()),
    })
}

fn conflict(path: &FilePath, reason: impl Into<String>) -> EditError {
    EditError::Conflict { path: path.to_string(), reason: reason.into() }
}
