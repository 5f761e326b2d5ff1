//! An object's file: one line that says what it is, then its content. One file, so that one rename
//! makes all of it the object, or nothing.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::FOLDER_MODE;
use crate::backend::buckets::object::Object;
use crate::backend::buckets::{Attributes, BucketError};

/// Longest first line, in bytes: the longest key and metadata fit, escaped, with headers of a usual size.
const LINE_BYTES_MAX: u64 = 256 * 1024;
/// How often a folder may vanish, with the last object in it, before another gets in.
const PLACE_ATTEMPTS: usize = 16;

#[derive(Serialize, Deserialize)]
pub struct Head {
    pub key: String,
    pub size: u64,
    pub etag: String,
    pub attributes: Attributes,
}

impl Head {
    pub fn line(&self) -> Result<Vec<u8>, BucketError> {
        // An escape takes the place of every end of line in it.
        let mut line = serde_json::to_vec(self)
            .map_err(|_| BucketError::Attribute("description".to_owned()))?;
        line.push(b'\n');
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(BucketError::Attribute("headers".to_owned()));
        }
        Ok(line)
    }

    pub fn into_object(self) -> Object {
        Object { attributes: self.attributes, size: self.size, etag: self.etag }
    }
}

/// Opens an object's file: what it is, and where in it the content begins.
pub fn open(path: &Path, key: &str) -> Result<(Head, u64, File), BucketError> {
    let damaged = || BucketError::Unexpected("a damaged file of an object".to_owned());
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => BucketError::NoSuchObject,
        _ => super::failed(error),
    })?;
    let mut line = Vec::new();
    BufReader::new((&file).take(LINE_BYTES_MAX))
        .read_until(b'\n', &mut line)
        .map_err(super::failed)?;
    let head: Head = serde_json::from_slice(&line).map_err(|_| damaged())?;
    let length = file.metadata().map_err(super::failed)?.len();
    let begin = line.len() as u64;
    if head.key != key || begin.checked_add(head.size) != Some(length) {
        return Err(damaged());
    }
    Ok((head, begin, file))
}

/// Gives a written file its place, durably. `root` is a folder above that place that is there to stay.
pub fn place(mut file: TempPath, path: &Path, root: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(root);
    let mut attempts = PLACE_ATTEMPTS;
    loop {
        let error = match make_folder(folder) {
            Ok(()) => match file.persist(path) {
                Ok(()) => break,
                Err(error) => {
                    file = error.path;
                    error.error
                }
            },
            Err(error) => error,
        };
        attempts -= 1;
        if !vanished(&error) || attempts == 0 {
            return Err(error);
        }
    }
    // Folders above may be new too; if one is gone, so is what was placed.
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(root)) {
        unless_vanished(sync(folder))?;
    }
    Ok(())
}

fn unless_vanished(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if !vanished(&error) => Err(error),
        _ => Ok(()),
    }
}

fn vanished(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

/// Removes a file and the folders that it leaves empty, up to `root`.
pub fn remove(path: &Path, root: &Path) -> io::Result<()> {
    unless_vanished(fs::remove_file(path))?;
    let folder = path.parent().unwrap_or(root);
    unless_vanished(sync(folder))?;
    let above = folder.ancestors().take_while(|folder| *folder != root);
    for folder in above {
        // It holds other objects, or somebody else was faster.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
