//! A bucket on this machine: `file:NAME` and the bucket's name are two folders under the data
//! directory. A key is never a path.

mod file;
mod names;
mod objects;
mod parts;
mod sweep;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::fs;

use super::{BucketDriver, BucketError, ListedObject, is_plain};
use crate::model::bucket::CLOUD_NAME_BYTES_MAX;
use names::Wanted;

pub use sweep::sweep;

/// Longest name of a disk, in bytes.
const DISK_BYTES_MAX: usize = 64;
/// Only the server's own user may look into a bucket.
const FOLDER_MODE: u32 = 0o700;
/// What a bucket's folder holds: objects, files that are none yet, and the parts of uploads.
const OBJECTS: &str = "objects";
const INCOMING: &str = "incoming";
const UPLOADS: &str = "uploads";

#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Removes a disk, if it is there.
pub async fn discard(disks: &Path, disk: &str) -> Result<(), BucketError> {
    if !is_plain(disk, DISK_BYTES_MAX) {
        return Ok(());
    }
    match fs::remove_dir_all(disks.join(disk)).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    }
}

impl Folder {
    /// The folder of a bucket, made when absent.
    pub async fn open(disks: &Path, disk: &str, bucket: &str) -> Result<Self, BucketError> {
        let lower = |byte: u8| !byte.is_ascii_uppercase();
        if !is_plain(disk, DISK_BYTES_MAX) || !disk.bytes().all(lower) {
            return Err(BucketError::Place(format!(
                "the endpoint file:NAME takes a name of 1 to {DISK_BYTES_MAX} of a-z 0-9 . _ -"
            )));
        }
        if !is_plain(bucket, CLOUD_NAME_BYTES_MAX) {
            return Err(BucketError::Place(
                "the name of a bucket on a disk takes a-z A-Z 0-9 . _ -".to_owned(),
            ));
        }
        let path = disks.join(disk).join(bucket);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(&path)
            .await
            .map_err(failed)?;
        Ok(Self { path })
    }
}

#[async_trait]
impl BucketDriver for Folder {
    async fn head(&self) -> Result<(), BucketError> {
        fs::read_dir(&self.path).await.map(drop).map_err(failed)
    }

    async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        max: usize,
    ) -> Result<Vec<ListedObject>, BucketError> {
        self.head().await?;
        let (prefix, after) = (prefix.to_owned(), start_after.map(str::to_owned));
        let objects = self.objects();
        blocking(move || {
            let wanted =
                Wanted { prefix: prefix.as_bytes(), after: after.as_deref().map(str::as_bytes) };
            listed(&objects, &wanted, max)
        })
        .await
    }
}

impl Folder {
    fn objects(&self) -> PathBuf {
        self.path.join(OBJECTS)
    }

    /// Where files are that are no objects yet.
    fn incoming(&self) -> PathBuf {
        self.path.join(INCOMING)
    }
}

fn listed(
    objects: &Path,
    wanted: &Wanted<'_>,
    max: usize,
) -> Result<Vec<ListedObject>, BucketError> {
    let mut found = Vec::new();
    let mut broken = None;
    let mut take = |key: &[u8], path: &Path| {
        if found.len() == max {
            return Ok(false);
        }
        // No key was ever anything else than text.
        let Ok(key) = std::str::from_utf8(key) else { return Ok(true) };
        match file::open(path, key) {
            Ok((head, ..)) => {
                let etag = Some(head.etag);
                found.push(ListedObject { key: key.to_owned(), size: head.size, etag });
            }
            // Deleted meanwhile.
            Err(BucketError::NoSuchObject) => {}
            Err(error) => broken = Some(error),
        }
        Ok(broken.is_none())
    };
    names::walk(objects, b"", wanted, &mut take).map_err(failed)?;
    broken.map_or(Ok(found), Err)
}

/// Does what waits for the disk where nobody else has to wait for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BucketError> + Send + 'static,
) -> Result<T, BucketError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| BucketError::Unreachable("its folder: the work was given up".to_owned()))?
}

/// Paths stay in here: they are the operator's business.
fn failed(error: std::io::Error) -> BucketError {
    match error.kind() {
        ErrorKind::NotFound => BucketError::Missing,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            BucketError::Full
        }
        _ => BucketError::Unreachable(format!("its folder: {error}")),
    }
}
