//! What an object is to a driver: its content as a stream, what is said about it, and where a provider
//! draws the line. Never holds a whole content in memory.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures::stream::BoxStream;
use reqwest::header::{HeaderMap, HeaderName};

use super::BucketError;
pub use crate::model::object::{Attributes, KEY_BYTES_MAX, METADATA_BYTES_MAX};

/// What is to be stored. An error in it, like an early end, leaves nothing in the bucket.
pub type Content = BoxStream<'static, io::Result<Bytes>>;
/// What was stored. An error in it means that the rest will not come.
pub type Body = BoxStream<'static, Result<Bytes, BucketError>>;

impl Attributes {
    /// All but the metadata, by the names of their headers.
    pub(super) fn standard(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("cache-control", &self.cache_control),
            ("content-disposition", &self.content_disposition),
            ("content-encoding", &self.content_encoding),
            ("content-language", &self.content_language),
            ("content-type", &self.content_type),
            ("expires", &self.expires),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// The reverse of [`Attributes::standard`], and the metadata from the headers that begin with
    /// `metadata`.
    pub(super) fn read(headers: &HeaderMap, metadata: &str) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let named = headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(metadata)?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        });
        Self {
            cache_control: text("cache-control"),
            content_disposition: text("content-disposition"),
            content_encoding: text("content-encoding"),
            content_language: text("content-language"),
            content_type: text("content-type"),
            expires: text("expires"),
            metadata: named.collect(),
        }
    }

    /// Whether all of it comes back as it was sent, from any provider.
    pub fn check(&self) -> Result<(), BucketError> {
        let refused = |name: &str| Err(BucketError::Attribute(name.to_owned()));
        for (name, value) in self.standard() {
            if value.is_empty() || !is_kept(value) {
                return refused(name);
            }
        }
        for (name, value) in &self.metadata {
            let header = HeaderName::from_bytes(name.as_bytes());
            if !header.is_ok_and(|header| header.as_str() == name) || !is_kept(value) {
                return refused("metadata");
            }
        }
        let bytes: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > METADATA_BYTES_MAX { refused("metadata") } else { Ok(()) }
    }
}

/// Whether a header carries this value unchanged.
fn is_kept(value: &str) -> bool {
    value.trim_ascii() == value && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A part of an object, by its bytes' numbers from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// All from this one.
    From(u64),
    /// From the one to the other, both included, or to the end.
    Span(u64, u64),
    /// This many before the end, or all.
    Last(u64),
}

impl ByteRange {
    /// As a request says it; none if no object can have such a part.
    pub(super) fn header(self) -> Result<String, BucketError> {
        match self {
            Self::From(first) => Ok(format!("bytes={first}-")),
            Self::Span(first, last) if first <= last => Ok(format!("bytes={first}-{last}")),
            Self::Last(count) if count > 0 => Ok(format!("bytes=-{count}")),
            Self::Span(..) | Self::Last(_) => Err(BucketError::Range),
        }
    }

    /// The bytes it means in an object of this size.
    pub fn of(self, size: u64) -> Result<Range<u64>, BucketError> {
        let range = match self {
            Self::From(first) => first..size,
            Self::Span(first, last) => first..size.min(last.saturating_add(1)),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() { Err(BucketError::Range) } else { Ok(range) }
    }
}

/// What is known of an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub attributes: Attributes,
    pub size: u64,
    /// Without quotes.
    pub etag: String,
}

/// An object that is being read.
pub struct Fetched {
    pub object: Object,
    /// The bytes that `body` brings.
    pub range: Range<u64>,
    pub body: Body,
}

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Without quotes.
    pub etag: String,
}

/// What a provider can hold. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub key_bytes: usize,
    /// Largest object that one put brings; a larger one comes in parts.
    pub put_bytes: u64,
    /// Smallest part but the last.
    pub part_bytes_min: u64,
    pub part_bytes_max: u64,
    /// Highest number of a part; the lowest is 1.
    pub part_number_max: u32,
}

/// Why a bucket cannot hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the key is empty")]
    Empty,
    #[error("the key is longer than {KEY_BYTES_MAX} bytes")]
    Long,
    #[error("a part of the key is . or .., which no URL can say")]
    Dots,
    #[error("the bucket's provider does not take {0} in a key")]
    Character(&'static str),
    #[error("keys that begin with {0} are not for objects")]
    Reserved(&'static str),
}

impl KeyError {
    /// What no bucket holds.
    pub(super) fn check(key: &str) -> Result<(), Self> {
        match key.len() {
            0 => Err(Self::Empty),
            1..=KEY_BYTES_MAX => Ok(()),
            _ => Err(Self::Long),
        }
    }

    /// What no URL holds: its `.` and `..`, escaped or not, are gone before it is sent.
    pub(super) fn check_segments(key: &str) -> Result<(), Self> {
        let dots = |segment: &str| matches!(segment, "." | "..");
        if key.split('/').any(dots) { Err(Self::Dots) } else { Ok(()) }
    }
}

/// What the headers of an answer say about an object and the part of it that follows; `asked` is
/// whether a part was asked for.
pub(super) fn described(
    headers: &HeaderMap,
    attributes: Attributes,
    asked: bool,
) -> Result<(Object, Range<u64>), BucketError> {
    let unexpected = |what: &str| BucketError::Unexpected(format!("an object without {what}"));
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let etag = text("etag").ok_or_else(|| unexpected("an ETag"))?;
    let etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
    let length: Option<u64> = text("content-length").and_then(|length| length.parse().ok());
    let length = length.ok_or_else(|| unexpected("a length"))?;
    if !asked {
        return Ok((Object { attributes, size: length, etag }, 0..length));
    }
    if length == 0 {
        // Not every provider says so by its status.
        return Err(BucketError::Range);
    }
    let (range, size) =
        text("content-range").and_then(content_range).ok_or_else(|| unexpected("a range"))?;
    if range.end - range.start != length || range.end > size {
        return Err(unexpected("a range of its length"));
    }
    Ok((Object { attributes, size, etag }, range))
}

/// `bytes FIRST-LAST/SIZE`.
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let end = last.checked_add(1).filter(|end| first < *end)?;
    Some((first..end, size.parse().ok()?))
}
