//! The object store for what is too large for a row. What `put` returned for is on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::io::AsyncReadExt;

/// Bytes of a file that are in memory at once while it is stored.
const PART_BYTES: usize = 5 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
}

impl Objects {
    /// A folder on a local or shared disk, made when absent.
    pub fn open(folder: &Path) -> Result<Self, object_store::Error> {
        std::fs::create_dir_all(folder).map_err(|source| object_store::Error::Generic {
            store: "local",
            source: source.into(),
        })?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: folder.to_owned() })
    }

    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), object_store::Error> {
        self.store.put(&Key::from(key), bytes.into()).await.map(drop)
    }

    /// As [`Self::put`], for what is too large to be in memory.
    pub async fn put_file(&self, key: &str, path: &Path) -> Result<(), object_store::Error> {
        let unreadable = |source: std::io::Error| object_store::Error::Generic {
            store: "local",
            source: source.into(),
        };
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let upload = self.store.put_multipart(&Key::from(key)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        loop {
            let mut part = bytes::BytesMut::with_capacity(PART_BYTES);
            while part.len() < PART_BYTES {
                match file.read_buf(&mut part).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        writer.abort().await?;
                        return Err(unreadable(error));
                    }
                }
            }
            let last = part.len() < PART_BYTES;
            writer.wait_for_capacity(1).await?;
            writer.put(part.freeze());
            if last {
                return writer.finish().await.map(drop);
            }
        }
    }

    pub async fn get(&self, key: &str) -> Result<Bytes, object_store::Error> {
        self.store.get(&Key::from(key)).await?.bytes().await
    }

    /// Whether the store answers. A listing would not tell: to it, a folder that is gone is empty.
    pub async fn check(&self) -> std::io::Result<()> {
        tokio::fs::read_dir(&self.folder).await.map(drop)
    }

    /// Removes an object; one that is not there is fine.
    pub async fn delete(&self, key: &str) -> Result<(), object_store::Error> {
        match self.store.delete(&Key::from(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            other => other,
        }
    }
}
