//! A patch on the files of a tree: all of it fits exactly, or nothing happens.

use std::collections::HashSet;

use bytes::Bytes;
use gix::ObjectId;
use gix::objs::Kind;

use super::plan::{mode_after, place};
use super::{Applied, EditError};
use crate::backend::git::objects::{Object, ObjectSource};
use crate::backend::git::path;
use crate::backend::git::tree::{Entry, Tree};
use crate::model::edit::FILE_BYTES_MAX;
use crate::model::file_path::FilePath;
use crate::model::patch::{FilePatch, Target};

pub fn apply(
    source: &dyn ObjectSource,
    root: ObjectId,
    files: &[FilePatch],
) -> Result<Applied, EditError> {
    let (mut old, mut tree) = (Tree::open(source, root)?, Tree::open(source, root)?);
    let (mut new, mut placed, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for file in files {
        if let Some(twice) = file.target.paths().into_iter().find(|path| !seen.insert(*path)) {
            return Err(conflict(twice, "the patch has it twice"));
        }
        let entry = find(&mut old, &file.target)?;
        let before = entry.map_or(Ok(Bytes::new()), |it| source.read(&it.id).map(|it| it.data))?;
        let after = file.apply(&before).map_err(|why| conflict(file.target.path(), why))?;
        if let Target::Delete(path) | Target::Move { from: path, .. } = &file.target {
            tree.remove(path.as_str().into())?;
        }
        match &file.target {
            Target::Delete(path) if !after.is_empty() => {
                return Err(conflict(path, "the patch deletes it, but does not have all of it"));
            }
            Target::Delete(_) => {}
            target if after.len() > FILE_BYTES_MAX => {
                return Err(EditError::TooLarge { path: target.path().to_string() });
            }
            target => {
                let blob = Object::new(Kind::Blob, after)?;
                let mode = mode_after(entry, file.mode);
                placed.push((target.path(), Entry { mode, id: blob.id }));
                if entry.is_none_or(|entry| entry.id != blob.id) {
                    new.push(blob);
                }
            }
        }
    }
    for (path, entry) in placed {
        path::check(path)?;
        place(&mut tree, path, entry)?;
    }
    let root = tree.write(&mut new)?;
    let mut changed_files = Vec::new();
    for path in files.iter().map(|file| file.target.path()) {
        if old.get(path.as_str().into())? != tree.get(path.as_str().into())? {
            changed_files.push(path.to_string());
        }
    }
    Ok(Applied { root, changed_files, new })
}

/// The file that is patched; nothing for one that is made.
fn find(old: &mut Tree<'_>, target: &Target) -> Result<Option<Entry>, EditError> {
    let mut at = |path: &FilePath| old.get(path.as_str().into());
    let path = match target {
        Target::Create(path) => {
            return match at(path)? {
                Some(_) => Err(conflict(path, "the patch makes it, but it exists")),
                None => Ok(None),
            };
        }
        Target::Change(path) | Target::Delete(path) => path,
        Target::Move { from, to } | Target::Copy { from, to } => {
            if at(to)?.is_some() {
                return Err(conflict(to, "the patch makes it, but it exists"));
            }
            from
        }
    };
    match at(path)? {
        None => Err(EditError::NotFound { path: path.to_string(), verb: "patched" }),
        Some(entry) if entry.file_mode().is_none() => {
            Err(conflict(path, "it is a symlink or a submodule, which cannot be patched"))
        }
        found => Ok(found),
    }
}

fn conflict(path: &FilePath, reason: impl Into<String>) -> EditError {
    EditError::Conflict { path: path.to_string(), reason: reason.into() }
}
