//! The object store for what is too large for a row: a folder, or a bucket of S3. What `put` returned
//! for is durable. No key is ever used for two contents.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMode, RetryConfig, WriteMultipart,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncReadExt as _;
use url::Url;

/// Bytes of a file that are in memory at once while it is stored.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// How long a bucket may take to be reached ...
const CONNECT: Duration = Duration::from_secs(5);
/// ... and to send the next piece; a whole pack may take long.
const STALL: Duration = Duration::from_secs(30);
/// How often a request is made again, and for how long.
const RETRIES_MAX: usize = 4;
const RETRY: Duration = Duration::from_secs(30);
/// Is in every bucket that is in use.
const MARKER: &str = ".repoplane";
const MARKER_TEXT: &str = "Packs of source repos, kept by Repoplane.\n";

#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// None for a bucket.
    folder: Option<PathBuf>,
}

/// A bucket of S3, or of what is compatible with it.
pub struct Bucket {
    /// `s3://BUCKET/PREFIX`.
    pub url: Url,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// None where the machine has an identity of its own in its cloud.
    pub credential: Option<(String, SecretString)>,
}

impl Objects {
    /// A folder on a local or shared disk, made when absent.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(unreadable)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: Some(folder.to_owned()) })
    }

    /// A bucket, which must take an object and give it back.
    pub async fn open_bucket(bucket: Bucket) -> Result<Self, Error> {
        let name = bucket.url.host_str().unwrap_or_default();
        let client = ClientOptions::new()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(STALL)
            .with_timeout_disabled()
            // Only where the operator wrote it down so.
            .with_allow_http(bucket.endpoint.as_ref().is_some_and(|url| url.starts_with("http:")));
        let retry =
            RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY, ..Default::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(endpoint) = bucket.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = bucket.region {
            builder = builder.with_region(region);
        }
        if let Some((key, secret)) = bucket.credential {
            builder = builder
                .with_access_key_id(key)
                .with_secret_access_key(secret.expose_secret().to_owned());
        }
        let prefix = Key::from_url_path(bucket.url.path())?;
        let store = PrefixStore::new(builder.build()?, prefix);
        let opened = Self { store: Arc::new(store), folder: None };
        opened.store.put(&Key::from(MARKER), MARKER_TEXT.into()).await?;
        opened.get(MARKER).await?;
        Ok(opened)
    }

    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        match self.store.put_opts(&Key::from(key), bytes.into(), PutMode::Create.into()).await {
            // No two have one key, so that it can only be an earlier try of this one.
            Err(Error::AlreadyExists { .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// As [`Self::put`], for what is too large to be in memory.
    pub async fn put_file(&self, key: &str, path: &Path) -> Result<(), Error> {
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let first = part(&mut file).await?;
        if first.len() < PART_BYTES {
            return self.put(key, first).await;
        }
        let upload = self.store.put_multipart(&Key::from(key)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        writer.put(first);
        loop {
            match part(&mut file).await {
                Ok(part) if part.is_empty() => return writer.finish().await.map(drop),
                Ok(part) => {
                    writer.wait_for_capacity(1).await?;
                    writer.put(part);
                }
                Err(error) => {
                    writer.abort().await?;
                    return Err(error);
                }
            }
        }
    }

    pub async fn get(&self, key: &str) -> Result<Bytes, Error> {
        self.store.get(&Key::from(key)).await?.bytes().await
    }

    /// As [`Self::get`], for what is too large to be in memory.
    pub async fn read(
        &self,
        key: &str,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, Error> {
        let found = self.store.get(&Key::from(key)).await?;
        Ok(found.into_stream().map_err(std::io::Error::other).boxed())
    }

    /// The keys below a folder, each with the time since when it is there.
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<(String, DateTime<Utc>), Error>> {
        let found = self.store.list(Some(&Key::from(folder)));
        found.map_ok(|found| (found.location.to_string(), found.last_modified)).boxed()
    }

    /// Whether the store answers. A listing would not tell: to it, a folder that is gone is empty.
    pub async fn check(&self) -> Result<(), Error> {
        match &self.folder {
            Some(folder) => tokio::fs::read_dir(folder).await.map(drop).map_err(unreadable),
            None => self.store.head(&Key::from(MARKER)).await.map(drop),
        }
    }

    /// Removes an object; one that is not there is fine.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.store.delete(&Key::from(key)).await {
            Err(Error::NotFound { .. }) => Ok(()),
            other => other,
        }
    }
}

/// The next piece of a file, shorter than [`PART_BYTES`] only at its end.
async fn part(file: &mut tokio::fs::File) -> Result<Bytes, Error> {
    let mut part = BytesMut::with_capacity(PART_BYTES);
    while part.len() < PART_BYTES {
        if file.read_buf(&mut part).await.map_err(unreadable)? == 0 {
            break;
        }
    }
    Ok(part.freeze())
}

fn unreadable(source: std::io::Error) -> Error {
    Error::Generic { store: "local", source: source.into() }
}
