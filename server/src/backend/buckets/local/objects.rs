//! Objects on a disk. A content is written beside them first; only when all of it is on the disk does it
//! take its place.

use std::io::{Seek, SeekFrom};
use std::path::PathBuf;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use tempfile::TempPath;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::file::{self, Head};
use super::{Folder, blocking, failed, names};
use crate::backend::buckets::content::exactly;
use crate::backend::buckets::object::KEY_BYTES_MAX;
use crate::backend::buckets::{
    Attributes, BucketError, ByteRange, Content, Fetched, KeyError, Limits, Object, Objects, Stored,
};

/// What a file system surely takes, in bytes.
const OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 * 1024;
const LIMITS: Limits = Limits {
    key_bytes: KEY_BYTES_MAX,
    put_bytes: OBJECT_BYTES_MAX,
    part_bytes_min: 0,
    part_bytes_max: OBJECT_BYTES_MAX,
    part_number_max: 10_000,
};
/// How much is read at once, in bytes.
const READ_BYTES: usize = 128 * 1024;

#[async_trait]
impl Objects for Folder {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn check_key(&self, key: &str) -> Result<(), KeyError> {
        KeyError::check(key)
    }

    async fn put(
        &self,
        key: &str,
        length: u64,
        attributes: &Attributes,
        content: Content,
    ) -> Result<Stored, BucketError> {
        self.admit(key, length, attributes)?;
        let etag = Uuid::now_v7().simple().to_string();
        let (key, attributes) = (key.to_owned(), attributes.clone());
        let head = Head { key, size: length, etag, attributes };
        let written = self.write(self.incoming(), head.line()?, length, content).await?;
        self.place(head, written).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Fetched, BucketError> {
        self.check_key(key)?;
        let (path, key) = (self.object(key), key.to_owned());
        let (head, range, file) = blocking(move || {
            let (head, begin, mut file) = file::open(&path, &key)?;
            let range = range.map_or(Ok(0..head.size), |range| range.of(head.size))?;
            file.seek(SeekFrom::Start(begin + range.start)).map_err(failed)?;
            Ok((head, range, file))
        })
        .await?;
        let content = tokio::fs::File::from_std(file).take(range.end - range.start);
        let body = ReaderStream::with_capacity(content, READ_BYTES).map_err(failed).boxed();
        Ok(Fetched { object: head.into_object(), range, body })
    }

    async fn head_object(&self, key: &str) -> Result<Object, BucketError> {
        self.check_key(key)?;
        let (path, key) = (self.object(key), key.to_owned());
        blocking(move || file::open(&path, &key).map(|(head, ..)| head.into_object())).await
    }

    async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.check_key(key)?;
        let (path, root) = (self.object(key), self.objects());
        blocking(move || file::remove(&path, &root).map_err(failed)).await
    }
}

impl Folder {
    fn object(&self, key: &str) -> PathBuf {
        self.objects().join(names::path(key))
    }

    /// Writes a line and a content into a new file, to the disk. Whoever drops it deletes it.
    pub(super) async fn write(
        &self,
        folder: PathBuf,
        line: Vec<u8>,
        length: u64,
        content: Content,
    ) -> Result<TempPath, BucketError> {
        let new = move || {
            file::make_folder(&folder)?;
            tempfile::Builder::new().prefix("").tempfile_in(folder)
        };
        let (file, path) = blocking(move || new().map_err(failed)).await?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        file.write_all(&line).await.map_err(failed)?;
        let mut content = exactly(content, length);
        let bad = |error: std::io::Error| BucketError::Content(error.to_string());
        while let Some(chunk) = content.try_next().await.map_err(bad)? {
            file.write_all(&chunk).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        Ok(path)
    }

    /// Makes a written file the object of its key.
    pub(super) async fn place(&self, head: Head, written: TempPath) -> Result<Stored, BucketError> {
        let (path, root) = (self.object(&head.key), self.path.clone());
        blocking(move || file::place(written, &path, &root).map_err(failed)).await?;
        Ok(Stored { etag: head.etag })
    }
}
