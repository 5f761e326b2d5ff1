//! Clears up after a crash: what was on its way into a bucket on a disk, and has not moved for long.
//! Never looks into the folder of objects.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{INCOMING, UPLOADS, blocking, failed};
use crate::backend::buckets::BucketError;

/// Removes the leftovers of all buckets below `disks` that nobody touched since then, and says how many
/// there were. Goes on after an error, and ends with the first.
pub async fn sweep(disks: PathBuf, untouched_since: SystemTime) -> Result<usize, BucketError> {
    blocking(move || {
        let mut swept = Swept { untouched_since, removed: 0, error: None };
        // A workspace's folder holds its disks, and these their buckets.
        for bucket in swept.folders(&disks, 3) {
            for file in swept.entries(&bucket.join(INCOMING)) {
                swept.remove(&file, false);
            }
            for upload in swept.entries(&bucket.join(UPLOADS)) {
                swept.remove(&upload, true);
            }
        }
        swept.error.map_or(Ok(swept.removed), |error| Err(failed(error)))
    })
    .await
}

struct Swept {
    untouched_since: SystemTime,
    removed: usize,
    error: Option<io::Error>,
}

impl Swept {
    /// Folders this many levels down. No link is followed.
    fn folders(&mut self, above: &Path, levels: usize) -> Vec<PathBuf> {
        if levels == 0 {
            return vec![above.to_owned()];
        }
        let mut below = self.entries(above);
        below.retain(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        below.iter().flat_map(|folder| self.folders(&folder.path(), levels - 1)).collect()
    }

    fn entries(&mut self, folder: &Path) -> Vec<DirEntry> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect);
        self.noted(entries).unwrap_or_default()
    }

    /// Removes a file, or a folder with what is in it, unless it was touched meanwhile.
    fn remove(&mut self, entry: &DirEntry, is_folder: bool) {
        let remove = || {
            let found = entry.metadata()?;
            // Parts are moved into their folder, which is a touch of it.
            if found.is_dir() != is_folder || found.modified()? >= self.untouched_since {
                return Ok(false);
            }
            if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }
                .map(|()| true)
        };
        let removed = remove();
        if self.noted(removed) == Some(true) {
            self.removed += 1;
        }
    }

    /// What was done, unless it is an error. That something is gone is none.
    fn noted<T>(&mut self, done: io::Result<T>) -> Option<T> {
        done.map_err(|error| {
            if error.kind() != ErrorKind::NotFound {
                self.error.get_or_insert(error);
            }
        })
        .ok()
    }
}
