//! An editable tree of files that loads only the directories an edit touches; it must never let a
//! file replace a directory, or the reverse.

use std::collections::BTreeMap;

use bytes::Bytes;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::TreeRef;
use gix::objs::tree::{EntryKind, EntryMode, EntryRef};

use super::objects::{Object, ObjectError, ObjectSource};
use super::walk::{Walk, read_tree};

/// What a name in a directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As stored: old repos hold modes that git no longer writes, and an untouched entry keeps
    /// its own.
    pub mode: EntryMode,
    pub id: ObjectId,
}

/// A leaf stands where a directory is needed, or a directory where a leaf should go.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    #[error(
        "`{0}` is a file, so nothing can be stored below it; delete or rename it in the same edit"
    )]
    FileInTheWay(BString),
    #[error("it is a directory; delete it in the same edit to put a file in its place")]
    DirectoryInTheWay,
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// Paths have `/` between components and no empty component; their depth bounds the recursion here.
pub struct Tree<'a> {
    source: &'a dyn ObjectSource,
    root: Dir,
}

struct Dir {
    /// As which tree it is stored, while that is true.
    stored: Option<ObjectId>,
    slots: BTreeMap<Bytes, Slot>,
}

enum Slot {
    /// File, symlink or submodule.
    Leaf(Entry),
    /// A directory nobody has looked into.
    Stored(Entry),
    Dir(Dir),
}

impl<'a> Tree<'a> {
    /// `root` may be the empty tree, stored or not.
    pub fn open(source: &'a dyn ObjectSource, root: ObjectId) -> Result<Self, ObjectError> {
        Ok(Self { source, root: Dir::load(source, root)? })
    }

    /// The file, symlink or submodule at `path`.
    pub fn get(&mut self, path: &BStr) -> Result<Option<Entry>, ObjectError> {
        Ok(match self.root.find(self.source, path)? {
            Some(Slot::Leaf(entry)) => Some(*entry),
            _ => None,
        })
    }

    pub fn is_dir(&mut self, path: &BStr) -> Result<bool, ObjectError> {
        Ok(matches!(self.root.find(self.source, path)?, Some(Slot::Stored(_) | Slot::Dir(_))))
    }

    /// All leaves at and below `path` in path order; of the whole tree, if `path` is empty.
    pub fn list(&mut self, path: &BStr) -> Result<Vec<(BString, Entry)>, ObjectError> {
        let mut leaves = Vec::new();
        if path.is_empty() {
            self.root.list(self.source, path, &mut leaves)?;
        } else if let Some(slot) = self.root.find(self.source, path)? {
            slot.list(self.source, path.to_owned(), &mut leaves)?;
        }
        leaves.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(leaves)
    }

    /// Puts a leaf at `path`, over another leaf if there is one. A refused insert changes nothing.
    pub fn insert(&mut self, path: &BStr, entry: Entry) -> Result<(), InsertError> {
        self.root.insert(self.source, path, 0, entry).map(drop)
    }

    /// Removes a leaf, or a directory with all it holds, and the parents this leaves empty.
    /// False if there is nothing at `path`.
    pub fn remove(&mut self, path: &BStr) -> Result<bool, ObjectError> {
        self.root.remove(self.source, path)
    }

    /// Adds the trees that changed to `sink` and returns the id of the root.
    pub fn write(&mut self, sink: &mut Vec<Object>) -> Result<ObjectId, ObjectError> {
        self.root.write(sink)
    }
}

impl Dir {
    fn empty() -> Self {
        Self { stored: None, slots: BTreeMap::new() }
    }

    fn load(source: &dyn ObjectSource, id: ObjectId) -> Result<Self, ObjectError> {
        let slot = |(name, entry): (Bytes, Entry)| {
            (name, if entry.mode.is_tree() { Slot::Stored(entry) } else { Slot::Leaf(entry) })
        };
        Ok(Self { stored: Some(id), slots: read_tree(source, id)?.into_iter().map(slot).collect() })
    }

    fn find(
        &mut self,
        source: &dyn ObjectSource,
        path: &BStr,
    ) -> Result<Option<&Slot>, ObjectError> {
        let (name, rest) = split(path);
        let Some(slot) = self.slots.get_mut(name) else {
            return Ok(None);
        };
        let Some(rest) = rest else {
            return Ok(Some(slot));
        };
        match slot.enter(source)? {
            Some(dir) => dir.find(source, rest),
            None => Ok(None),
        }
    }

    fn list(
        &self,
        source: &dyn ObjectSource,
        prefix: &BStr,
        out: &mut Vec<(BString, Entry)>,
    ) -> Result<(), ObjectError> {
        for (name, slot) in &self.slots {
            let mut path = prefix.to_owned();
            path.extend_from_slice(name);
            slot.list(source, path, out)?;
        }
        Ok(())
    }

    /// `at` is where in `path` this directory's own part ends. True if anything changed.
    fn insert(
        &mut self,
        source: &dyn ObjectSource,
        path: &BStr,
        at: usize,
        entry: Entry,
    ) -> Result<bool, InsertError> {
        let (name, rest) = split(path[at..].as_bstr());
        let changed = match (self.slots.get_mut(name), rest) {
            (Some(Slot::Leaf(old)), None) => std::mem::replace(old, entry) != entry,
            (Some(_), None) => return Err(InsertError::DirectoryInTheWay),
            (None, None) => {
                self.slots.insert(Bytes::copy_from_slice(name), Slot::Leaf(entry));
                true
            }
            (Some(slot), Some(_)) => {
                let end = at + name.len();
                let dir = slot
                    .enter(source)?
                    .ok_or_else(|| InsertError::FileInTheWay(path[..end].into()))?;
                dir.insert(source, path, end + 1, entry)?
            }
            (None, Some(_)) => {
                let mut dir = Self::empty();
                dir.insert(source, path, at + name.len() + 1, entry)?;
                self.slots.insert(Bytes::copy_from_slice(name), Slot::Dir(dir));
                true
            }
        };
        if changed {
            self.stored = None;
        }
        Ok(changed)
    }

    fn remove(&mut self, source: &dyn ObjectSource, path: &BStr) -> Result<bool, ObjectError> {
        let (name, rest) = split(path);
        let emptied = match (self.slots.get_mut(name), rest) {
            (None, _) => return Ok(false),
            (Some(_), None) => true,
            (Some(slot), Some(rest)) => {
                let Some(dir) = slot.enter(source)? else {
                    return Ok(false);
                };
                if !dir.remove(source, rest)? {
                    return Ok(false);
                }
                dir.slots.is_empty()
            }
        };
        if emptied {
            self.slots.remove(name);
        }
        self.stored = None;
        Ok(true)
    }

    fn write(&mut self, sink: &mut Vec<Object>) -> Result<ObjectId, ObjectError> {
        if let Some(id) = self.stored {
            return Ok(id);
        }
        let mut entries = Vec::with_capacity(self.slots.len());
        for (name, slot) in &mut self.slots {
            let entry = match slot {
                Slot::Leaf(entry) | Slot::Stored(entry) => *entry,
                Slot::Dir(dir) => Entry { mode: EntryKind::Tree.into(), id: dir.write(sink)? },
            };
            entries.push((name, entry));
        }
        let mut tree = TreeRef {
            entries: entries
                .iter()
                .map(|(name, entry)| EntryRef {
                    mode: entry.mode,
                    filename: name.as_bstr(),
                    oid: &entry.id,
                })
                .collect(),
        };
        // Ours are sorted by name; git sorts a directory as if its name ended in a slash.
        tree.entries.sort_unstable();
        let object = Object::encode(&tree)?;
        let id = object.id;
        self.stored = Some(id);
        sink.push(object);
        Ok(id)
    }
}

impl Slot {
    /// The directory here, loaded; none if this is a leaf.
    fn enter(&mut self, source: &dyn ObjectSource) -> Result<Option<&mut Dir>, ObjectError> {
        if let Self::Stored(entry) = self {
            *self = Self::Dir(Dir::load(source, entry.id)?);
        }
        Ok(match self {
            Self::Dir(dir) => Some(dir),
            _ => None,
        })
    }

    fn list(
        &self,
        source: &dyn ObjectSource,
        mut path: BString,
        out: &mut Vec<(BString, Entry)>,
    ) -> Result<(), ObjectError> {
        if let Self::Leaf(entry) = self {
            out.push((path, *entry));
            return Ok(());
        }
        path.push(b'/');
        match self {
            Self::Leaf(_) => Ok(()),
            Self::Stored(entry) => Walk::new(source, entry.id, path)?.try_for_each(|leaf| {
                out.push(leaf?);
                Ok(())
            }),
            Self::Dir(dir) => dir.list(source, path.as_bstr(), out),
        }
    }
}

/// The first component, and what follows its slash.
fn split(path: &BStr) -> (&[u8], Option<&BStr>) {
    match path.find_byte(b'/') {
        Some(slash) => (&path[..slash], Some(path[slash + 1..].as_bstr())),
        None => (path, None),
    }
}
