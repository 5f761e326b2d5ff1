//! Buckets: one place in some cloud, or on a local disk, and what is known of it.

use super::id::{BucketId, OrgId, WorkspaceId};
use super::time::Timestamp;

/// Longest name of a bucket in its cloud, in bytes.
pub const CLOUD_NAME_BYTES_MAX: usize = 222;
/// Longest endpoint, in characters.
pub const ENDPOINT_CHARS_MAX: usize = 2_048;
/// Longest key or secret, in characters.
pub const CREDENTIAL_CHARS_MAX: usize = 8_192;
/// Longest region, project or wallet address, in characters.
pub const REGION_CHARS_MAX: usize = 255;
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

    /// Who provides a bucket that speaks this and answers there, as far as that tells.
    pub fn provider(self, endpoint: Option<&str>) -> &'static str {
        const DOMAINS: [(&str, &str); 3] =
            [("amazonaws.com", "AWS"), ("googleapis.com", "GCP"), ("core.windows.net", "AZURE")];
        let Some(endpoint) = endpoint else {
            return match self {
                Self::S3 => "AWS",
                Self::Gcs => "GCP",
                Self::Blob | Self::Azure => "AZURE",
            };
        };
        if endpoint.starts_with(DISK_SCHEME) {
            return "LOCAL";
        }
        let after_scheme = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        let host = after_scheme.split(['/', ':']).next().unwrap_or_default();
        let within = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let known = DOMAINS.into_iter().find(|(domain, _)| within(domain));
        known.map_or("OTHER", |(_, provider)| provider)
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

impl Place {
    /// Whether it is a folder on the server's own disk.
    pub fn is_on_disk(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with(DISK_SCHEME))
    }

    /// Whether clouds have buckets with such names. It fits into a path and into a host, too.
    pub fn has_valid_name(&self) -> bool {
        let name = self.bucket.as_bytes();
        let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        let at_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        name.len() <= CLOUD_NAME_BYTES_MAX
            && name.iter().all(inside)
            && at_end(name.first())
            && at_end(name.last())
    }
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
