//! Reaches users' buckets, one driver per protocol behind one trait. A key is taken and given byte
//! for byte, never tidied; no error holds a secret or a signature.

mod azure;
mod content;
mod dial;
mod error;
mod gcs;
mod listing;
mod local;
mod object;
mod objects;
mod s3;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::backend::egress::Egress;
use crate::model::bucket::{DISK_SCHEME, Place, StorageType};
use crate::model::id::WorkspaceId;

pub use error::BucketError;
pub use listing::ListedObject;
pub use object::{Attributes, Body, ByteRange, Content, Fetched, KeyError, Limits, Object, Stored};
pub use objects::{Multipart, Objects, Part, Upload};

/// How long a bucket has to prove that it can be reached.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a provider may do nothing while an object goes to it or comes from it.
pub const TRANSFER_PATIENCE: Duration = Duration::from_secs(30);

/// A bucket and what opens it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose it is; nobody else's bucket is on the same part of a local disk.
    pub workspace: WorkspaceId,
    pub place: Place,
    pub secret: Option<SecretString>,
}

/// One open bucket.
#[async_trait]
pub trait BucketDriver: Multipart {
    /// Whether the bucket is there and the credential opens it.
    async fn head(&self) -> Result<(), BucketError>;

    /// Objects whose key begins with `prefix` and comes after `start_after`, in byte order of their
    /// keys. Fewer than `max` means that there are no more.
    async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        max: usize,
    ) -> Result<Vec<ListedObject>, BucketError>;
}

/// Opens drivers. Checks addresses through [`Egress`]; holds the folder of local disks.
#[derive(Clone, Debug)]
pub struct Buckets {
    egress: Egress,
    disks: PathBuf,
    probe_timeout: Duration,
    patience: Duration,
}

impl Buckets {
    pub fn new(egress: Egress, disks: PathBuf) -> Self {
        Self { egress, disks, probe_timeout: PROBE_TIMEOUT, patience: TRANSFER_PATIENCE }
    }

    /// Gives buckets another time than [`PROBE_TIMEOUT`] to answer a probe.
    pub fn with_probe_timeout(self, probe_timeout: Duration) -> Self {
        Self { probe_timeout, ..self }
    }

    /// Gives buckets another time than [`TRANSFER_PATIENCE`] to go on with an object.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// A driver; resolves and checks the address, sends nothing yet.
    pub async fn open(&self, target: &Target) -> Result<Box<dyn BucketDriver>, BucketError> {
        let place = &target.place;
        if let Some(disk) = place.endpoint.as_deref().and_then(|url| url.strip_prefix(DISK_SCHEME))
        {
            return Ok(Box::new(
                local::Folder::open(&self.disk_of(target), disk, &place.bucket).await?,
            ));
        }
        if place.endpoint.is_none() {
            self.egress.check_public()?;
        }
        Ok(match place.storage_type {
            StorageType::Gcs if gcs::by_account(target) => {
                Box::new(gcs::GcsBucket::open(&self.egress, target, self.patience).await?)
            }
            StorageType::S3 | StorageType::Gcs => {
                Box::new(s3::S3Bucket::open(&self.egress, target, self.patience).await?)
            }
            StorageType::Blob | StorageType::Azure => {
                Box::new(azure::Container::open(&self.egress, target, self.patience).await?)
            }
        })
    }

    /// Removes the disk that a bucket has for itself, with all that is on it.
    pub async fn discard(&self, target: &Target) -> Result<(), BucketError> {
        let endpoint = target.place.endpoint.as_deref();
        match endpoint.and_then(|url| url.strip_prefix(DISK_SCHEME)) {
            Some(disk) => local::discard(&self.disk_of(target), disk).await,
            None => Ok(()),
        }
    }

    fn disk_of(&self, target: &Target) -> PathBuf {
        self.disks.join(target.workspace.to_string())
    }

    /// Reaches the bucket with its credential and looks at one key: how long that took.
    pub async fn probe(&self, target: &Target) -> Result<Duration, BucketError> {
        self.timed(async { self.open(target).await?.list("", None, 1).await.map(drop) }).await
    }

    /// Whether the bucket answers now, without looking into it: how long that took.
    pub async fn ping(&self, target: &Target) -> Result<Duration, BucketError> {
        self.timed(async { self.open(target).await?.head().await }).await
    }

    /// Removes from all local disks what was begun and not touched since then: files on their way to be
    /// objects, and uploads with their parts. Objects stay. Answers how many files and uploads went;
    /// what cannot be removed does not keep the rest.
    pub async fn sweep_disks(&self, untouched_since: SystemTime) -> Result<usize, BucketError> {
        local::sweep(self.disks.clone(), untouched_since).await
    }

    async fn timed(
        &self,
        exchange: impl Future<Output = Result<(), BucketError>>,
    ) -> Result<Duration, BucketError> {
        let started = Instant::now();
        let answer = tokio::time::timeout(self.probe_timeout, exchange).await;
        answer.map_err(|_| BucketError::TimedOut)??;
        Ok(started.elapsed())
    }
}

/// Whether a name is the same in a URL and on every file system, and one part of a path.
fn is_plain(name: &str, bytes_max: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=bytes_max).contains(&name.len()) && name.bytes().all(plain) && !matches!(name, "." | "..")
}
