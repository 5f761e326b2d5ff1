//! A bucket on this machine: `file:NAME` and the bucket's name are two folders under the data
//! directory. A key is never a path.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::fs;

use super::{BucketDriver, BucketError, ListedObject, is_plain};
use crate::model::bucket::CLOUD_NAME_BYTES_MAX;

/// Longest name of a disk, in bytes.
const DISK_BYTES_MAX: usize = 64;
/// Only the server's own user may look into a bucket.
const FOLDER_MODE: u32 = 0o700;

#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
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

    /// Nothing writes objects to a disk yet, so all there is to find out is whether it is there.
    async fn list(
        &self,
        _prefix: &str,
        _start_after: Option<&str>,
        _max: usize,
    ) -> Result<Vec<ListedObject>, BucketError> {
        self.head().await?;
        Ok(Vec::new())
    }
}

/// Paths stay in here: they are the operator's business.
fn failed(error: std::io::Error) -> BucketError {
    match error.kind() {
        ErrorKind::NotFound => BucketError::Missing,
        _ => BucketError::Unreachable(format!("its folder: {error}")),
    }
}
