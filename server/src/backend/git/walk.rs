//! Reads all files below a stored tree, one directory in memory at a time; it must never follow a
//! symlink or a submodule.

use std::vec::IntoIter;

use bytes::Bytes;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter};

use super::objects::{HASH, Object, ObjectError, ObjectSource};
use super::tree::Entry;
use crate::model::edit::{CommitId, FileMode};
use crate::model::file_path::PATH_BYTES_MAX;

/// Most entries one walk visits. Trees may share subtrees, so a tiny push can describe billions
/// of files.
pub const WALK_ENTRIES_MAX: usize = 1_000_000;

/// All leaves below a tree, in path order.
pub struct Walk<'a> {
    source: &'a dyn ObjectSource,
    /// Open directories, innermost last.
    open: Vec<(BString, IntoIter<(Bytes, Entry)>)>,
    visited: usize,
    /// Leaves up to this path are passed over, and directories that hold no other are not read.
    after: Option<BString>,
}

impl<'a> Walk<'a> {
    /// `prefix` is put before every path: empty, or a directory with its slash.
    pub fn new(
        source: &'a dyn ObjectSource,
        tree: ObjectId,
        prefix: BString,
    ) -> Result<Self, ObjectError> {
        let mut walk = Self { source, open: Vec::new(), visited: 0, after: None };
        walk.enter(tree, prefix)?;
        Ok(walk)
    }

    /// Goes on behind a path that an earlier walk has come to.
    pub fn after(mut self, path: Option<BString>) -> Self {
        self.after = path;
        self
    }

    fn is_behind(&self, path: &BString, is_tree: bool) -> bool {
        let behind = |after: &BString| path <= after && !(is_tree && after.starts_with(path));
        self.after.as_ref().is_some_and(behind)
    }

    fn enter(&mut self, tree: ObjectId, prefix: BString) -> Result<(), ObjectError> {
        let entries = read_tree(self.source, tree)?;
        self.visited += entries.len();
        if self.visited > WALK_ENTRIES_MAX || prefix.len() > PATH_BYTES_MAX {
            return Err(ObjectError::TreeTooLarge);
        }
        self.open.push((prefix, entries.into_iter()));
        Ok(())
    }

    fn step(&mut self) -> Result<Option<(BString, Entry)>, ObjectError> {
        while let Some((prefix, entries)) = self.open.last_mut() {
            let Some((name, entry)) = entries.next() else {
                self.open.pop();
                continue;
            };
            let mut path = prefix.clone();
            path.extend_from_slice(&name);
            let is_tree = entry.mode.is_tree();
            if is_tree {
                path.push(b'/');
            }
            if self.is_behind(&path, is_tree) {
                continue;
            }
            if !is_tree {
                return Ok(Some((path, entry)));
            }
            self.enter(entry.id, path)?;
        }
        Ok(None)
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<(BString, Entry), ObjectError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.open.clear();
        }
        step.transpose()
    }
}

/// A regular or executable file, with its content.
#[derive(Clone, Debug)]
pub struct File {
    pub path: BString,
    pub mode: FileMode,
    pub id: ObjectId,
    pub content: Bytes,
}

/// The files of a commit in path order, each read when its turn comes. Symlinks and submodules
/// are left out.
pub fn files_at<'a>(
    source: &'a dyn ObjectSource,
    commit: CommitId,
) -> Result<impl Iterator<Item = Result<File, ObjectError>> + 'a, ObjectError> {
    let root = source.read(&commit.into())?.root_tree()?;
    let walk = Walk::new(source, root, BString::default())?;
    Ok(walk.filter_map(move |leaf| {
        let load = |(path, entry): (BString, Entry)| {
            let Some(mode) = entry.file_mode() else {
                return Ok(None);
            };
            let blob = source.read(&entry.id)?;
            blob.expect(Kind::Blob)?;
            Ok(Some(File { path, mode, id: entry.id, content: blob.data }))
        };
        leaf.and_then(load).transpose()
    }))
}

/// What stands at a path below a tree: file, directory, symlink or submodule.
pub fn find_at(
    source: &dyn ObjectSource,
    tree: ObjectId,
    path: &BStr,
) -> Result<Option<Entry>, ObjectError> {
    let mut found = Entry { mode: EntryKind::Tree.into(), id: tree };
    for name in path.split(|byte| *byte == b'/') {
        if !found.mode.is_tree() {
            return Ok(None);
        }
        let entries = read_tree(source, found.id)?;
        let Some((_, entry)) = entries.into_iter().find(|(known, _)| known == name) else {
            return Ok(None);
        };
        found = entry;
    }
    Ok(Some(found))
}

/// The entries of one stored tree, in git's order. Names are slices of the tree, not copies.
pub fn read_tree(
    source: &dyn ObjectSource,
    id: ObjectId,
) -> Result<Vec<(Bytes, Entry)>, ObjectError> {
    if id.is_empty_tree() {
        return Ok(Vec::new());
    }
    let Object { data, kind, .. } = source.read(&id)?;
    if kind != Kind::Tree {
        return Err(ObjectError::WrongKind { id, expected: Kind::Tree });
    }
    TreeRefIter::from_bytes(&data, HASH)
        .map(|entry| {
            let entry = entry.map_err(|err| ObjectError::broken(id, err))?;
            Ok((
                data.slice_ref(entry.filename.as_bytes()),
                Entry { mode: entry.mode, id: entry.oid.to_owned() },
            ))
        })
        .collect()
}

impl Entry {
    /// How a plain file is stored here; none for a symlink or a submodule.
    pub fn file_mode(&self) -> Option<FileMode> {
        match self.mode.kind() {
            EntryKind::Blob => Some(FileMode::Regular),
            EntryKind::BlobExecutable => Some(FileMode::Executable),
            EntryKind::Tree | EntryKind::Link | EntryKind::Commit => None,
        }
    }
}
