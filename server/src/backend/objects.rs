//! The object store for what is too large for a row. What `put` returned for is on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};

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
