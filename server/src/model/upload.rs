//! Objects of storage repos that come in parts, until they are whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::id::{AccessKeyId, SpaceId, UploadId};
use super::object::{Algorithm, Attributes, Checksum};
use super::time::Timestamp;

/// Highest number of a part; the lowest is 1.
pub const PART_NUMBER_MAX: u32 = 10_000;
/// Smallest part but the last, in bytes, as on S3.
pub const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// Largest part, in bytes, as on S3.
pub const PART_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Most uploads that a space has open at the same time.
pub const UPLOADS_MAX: usize = 10_000;
/// Most uploads, or parts of one, on one page of a list.
pub const LIST_UPLOADS_MAX: usize = 1_000;
/// How long nothing may come to an upload before it is taken for abandoned.
pub const ABANDONED_AFTER: Duration = Duration::from_hours(7 * 24);

/// An object that is coming in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub id: UploadId,
    pub space: SpaceId,
    pub key: String,
    /// Who began it.
    pub by: AccessKeyId,
    pub announced: Announced,
    /// The ETag that it was told to become. No part comes any more then.
    pub sealed: Option<String>,
    /// How often parts have come, so that whoever read them sees that they changed.
    pub changes: i64,
    pub created_at: Timestamp,
}

/// What was said of the object when its upload was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Wanted>,
}

/// Which digest of the whole is wanted, and whether it is one of the parts' digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub algorithm: Algorithm,
    pub composite: bool,
}

/// A part that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub number: u32,
    pub size: u64,
    /// The MD5 digest, in hexadecimal digits.
    pub etag: String,
    pub crc64: u64,
    /// The digest that the client gave, or that its upload was announced with.
    pub checksum: Option<Checksum>,
    pub modified_at: Timestamp,
}
