//! Objects of storage repos as the catalog knows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::Version;
use super::time::Timestamp;

/// Longest key of an object, in bytes: what S3, GCS and Azure take.
pub const KEY_BYTES_MAX: usize = 1_024;
/// Most that all names and values of an object's metadata may have together, in bytes, as on S3.
pub const METADATA_BYTES_MAX: usize = 2_048;
/// Largest object, in bytes, as on S3.
pub const OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 * 1024;
/// Most keys of one page of a list.
pub const LIST_KEYS_MAX: usize = 1_000;
/// Most tags of one object.
pub const TAGS_MAX: usize = 10;
/// Longest name and longest value of a tag, in characters.
pub const TAG_NAME_CHARS_MAX: usize = 128;
pub const TAG_VALUE_CHARS_MAX: usize = 256;

/// What is said about an object, apart from its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// A provider that is told none may say one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// By name, in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// A digest that the client gave or asked for, as S3 says it: Base64, of the whole content; or of the
/// parts' digests, with their number behind a dash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    pub algorithm: Algorithm,
    pub composite: bool,
    pub value: String,
}

/// A part of an object that came in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOf {
    pub number: u32,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

/// What the catalog keeps beside an object's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// CRC64NVME of the whole content; unknown of what was in a bucket before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartOf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// The bucket's own ETag of what was there before, which bears no mark of its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
}

/// A row of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    pub version: Version,
    /// Gone for clients; copies may be left.
    pub deleted: bool,
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    pub about: About,
    pub modified_at: Timestamp,
}
