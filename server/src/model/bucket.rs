//! Buckets: one place in some cloud, or on a local disk, and what is known of it.

use super::id::{BucketId, OrgId, WorkspaceId};
use super::time::Timestamp;

/// Longest name of a bucket as its cloud knows it, in bytes.
pub const CLOUD_NAME_BYTES_MAX: usize = 222;
/// Longest endpoint, in bytes.
pub const ENDPOINT_BYTES_MAX: usize = 2_048;
/// Longest key, secret, region or project, in bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 8_192;
/// What the endpoint of a local disk begins with; the rest is the name of a folder.
pub const DISK_SCHEME: &str = "file:";

/// The protocol a bucket, or the application in front of a storage repo, speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageType {
    S3,
    Gcs,
    Blob,
    /// Another spelling of `Blob`; kept apart, because clients get back what they sent.
    Azure,
}

impl StorageType {
    pub const ALL: [Self; 4] = [Self::S3, Self::Gcs, Self::Blob, Self::Azure];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Gcs => "GCS",
            Self::Blob => "BLOB",
            Self::Azure => "AZURE",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Whether a bucket answered when it was last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketStatus {
    Online,
    Offline,
}

impl BucketStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Offline => "OFFLINE",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Online, Self::Offline].into_iter().find(|status| status.as_str() == text)
    }
}

/// Where a bucket is and what opens it, but for the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub storage_type: StorageType,
    /// Its name in its cloud.
    pub bucket: String,
    /// Where its cloud answers; the provider's own address when absent.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// Access key id, or account name on Azure.
    pub key: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Bucket {
    pub id: BucketId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub place: Place,
    /// Ciphertext of the secret, when there is one.
    pub sealed: Option<Vec<u8>>,
    pub project: Option<String>,
    pub wallet: Option<String>,
    pub status: BucketStatus,
    pub status_at: Timestamp,
    pub created_at: Timestamp,
    /// Grows with each change, so that a change made on old knowledge can be refused.
    pub version: i64,
}
