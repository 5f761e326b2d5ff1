//! What every driver does with objects: whole in one request, or in parts. Nothing becomes an object
//! before the last byte of its content has come.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::BucketError;
use super::object::{Attributes, ByteRange, Content, Fetched, KeyError, Limits, Object, Stored};

/// Objects that are written and read in one request.
#[async_trait]
pub trait Objects: Send + Sync {
    fn limits(&self) -> Limits;

    /// Whether the bucket can hold this key, byte for byte.
    fn check_key(&self, key: &str) -> Result<(), KeyError>;

    /// Writes an object of `length` bytes, in place of the one that has the key. An error leaves that
    /// one, but for a provider that falls silent after the last byte: then it may be either.
    async fn put(
        &self,
        key: &str,
        length: u64,
        attributes: &Attributes,
        content: Content,
    ) -> Result<Stored, BucketError>;

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Fetched, BucketError>;

    async fn head_object(&self, key: &str) -> Result<Object, BucketError>;

    /// Deletes an object, if there is one.
    async fn delete(&self, key: &str) -> Result<(), BucketError>;

    /// Refuses what the bucket cannot hold before anything is sent.
    fn admit(&self, key: &str, length: u64, attributes: &Attributes) -> Result<(), BucketError> {
        self.check_key(key)?;
        attributes.check()?;
        if length > self.limits().put_bytes { Err(BucketError::TooLarge) } else { Ok(()) }
    }
}

/// An object that comes in parts. Kept by whoever began it; the driver knows nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub key: String,
    pub id: String,
    pub attributes: Attributes,
}

/// A part that has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub number: u32,
    /// The provider's name for what came under this number.
    pub tag: String,
}

/// Objects that are written in parts.
#[async_trait]
pub trait Multipart: Objects {
    async fn create_multipart(
        &self,
        key: &str,
        attributes: &Attributes,
    ) -> Result<Upload, BucketError>;

    /// Keeps a part until it is completed or aborted. A number may come again: the tag tells which one
    /// is meant.
    async fn upload_part(
        &self,
        upload: &Upload,
        number: u32,
        length: u64,
        content: Content,
    ) -> Result<Part, BucketError>;

    /// Makes an object of these parts, which come in ascending order of their numbers; there may be gaps.
    async fn complete_multipart(
        &self,
        upload: &Upload,
        parts: &[Part],
    ) -> Result<Stored, BucketError>;

    /// Forgets an upload and its parts, if there are any.
    async fn abort_multipart(&self, upload: &Upload) -> Result<(), BucketError>;

    /// Refuses a part that the bucket cannot hold before anything is sent.
    fn admit_part(&self, number: u32, length: u64) -> Result<(), BucketError> {
        let limits = self.limits();
        if !(1..=limits.part_number_max).contains(&number) {
            return Err(BucketError::PartNumber(limits.part_number_max));
        }
        if length > limits.part_bytes_max { Err(BucketError::TooLarge) } else { Ok(()) }
    }
}

/// Whether parts are as [`Multipart::complete_multipart`] wants them.
pub(super) fn check_order(parts: &[Part]) -> Result<(), BucketError> {
    let ascending = parts.is_sorted_by(|a, b| a.number < b.number);
    if ascending && !parts.is_empty() { Ok(()) } else { Err(BucketError::NoSuchUpload) }
}
