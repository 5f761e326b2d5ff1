//! Blobs in one request each. A key is escaped as a whole, never taken apart.

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Request, Response};
use url::Url;

use super::{Container, metadata, succeeded};
use crate::backend::buckets::dial::Answer;
use crate::backend::buckets::object::{self, KEY_BYTES_MAX};
use crate::backend::buckets::{
    Attributes, BucketError, ByteRange, Content, Fetched, KeyError, Limits, Object, Objects, Stored,
};

const MIB: u64 = 1024 * 1024;
const LIMITS: Limits = Limits {
    key_bytes: KEY_BYTES_MAX,
    put_bytes: 5_000 * MIB,
    part_bytes_min: 1,
    part_bytes_max: 4_000 * MIB,
    // Azure itself has no numbers, only 50,000 blocks.
    part_number_max: 10_000,
};
/// All of a key that is escaped in a URL. Slashes are not: Azure reads them as part of the name.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Most parts of a key between slashes.
const SEGMENTS_MAX: usize = 254;

#[async_trait]
impl Objects for Container {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn check_key(&self, key: &str) -> Result<(), KeyError> {
        KeyError::check(key)?;
        KeyError::check_segments(key)?;
        if key.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
            return Err(KeyError::Character("a control character"));
        }
        // Azure takes the one for a slash and drops the other.
        if key.contains('\\') {
            return Err(KeyError::Character("a backslash"));
        }
        if key.split('/').any(|segment| segment.ends_with('.')) {
            return Err(KeyError::Character("a dot before a slash or the end"));
        }
        if key.split('/').count() > SEGMENTS_MAX {
            return Err(KeyError::Character("so many slashes"));
        }
        Ok(())
    }

    async fn put(
        &self,
        key: &str,
        length: u64,
        attributes: &Attributes,
        content: Content,
    ) -> Result<Stored, BucketError> {
        self.admit(key, length, attributes)?;
        let mut headers = metadata::headers(attributes)?;
        headers.insert("x-ms-blob-type", HeaderValue::from_static("BlockBlob"));
        let answer = self.upload(key, &[], headers, length, content).await?;
        Ok(Stored { etag: etag(&answer)? })
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Fetched, BucketError> {
        self.check_key(key)?;
        let mut headers = HeaderMap::new();
        let range = match range {
            // Azure cannot count from the end.
            Some(range @ ByteRange::Last(_)) => {
                let object = self.head_object(key).await?;
                let part = range.of(object.size)?;
                let same = HeaderValue::from_str(&format!("\"{}\"", object.etag));
                headers.extend(same.ok().map(|etag| (reqwest::header::IF_MATCH, etag)));
                Some(ByteRange::Span(part.start, part.end - 1))
            }
            range => range,
        };
        if let Some(range) = range {
            let text = range.header()?;
            headers.extend(HeaderValue::from_str(&text).ok().map(|text| (RANGE, text)));
        }
        let request = self.signed(Method::GET, self.blob(key), &[], headers)?;
        let response = self.line.fetch(request).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let attributes = metadata::read(response.headers());
        let (object, range) = object::described(response.headers(), attributes, range.is_some())?;
        Ok(Fetched { object, range, body: self.line.body(response) })
    }

    async fn head_object(&self, key: &str) -> Result<Object, BucketError> {
        self.check_key(key)?;
        let request = self.signed(Method::HEAD, self.blob(key), &[], HeaderMap::new())?;
        let response = self.line.fetch(request).await?;
        if !response.status().is_success() {
            return Err(match self.refusal(response).await {
                absent @ BucketError::NoSuchObject => absent,
                // The answer had no room for the whole reason; that about the container has.
                error => super::BucketDriver::head(self).await.err().unwrap_or(error),
            });
        }
        let attributes = metadata::read(response.headers());
        object::described(response.headers(), attributes, false).map(|(object, _)| object)
    }

    async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.check_key(key)?;
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-delete-snapshots", HeaderValue::from_static("include"));
        let request = self.signed(Method::DELETE, self.blob(key), &[], headers)?;
        match succeeded(self.line.send(request).await?) {
            Ok(_) | Err(BucketError::NoSuchObject) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Container {
    pub(super) fn blob(&self, key: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{}", url.path(), utf8_percent_encode(key, ESCAPED)));
        url
    }

    /// Puts a content under a key; with a `query`, something else than a blob of its own.
    pub(super) async fn upload(
        &self,
        key: &str,
        query: &[(&str, &str)],
        mut headers: HeaderMap,
        length: u64,
        content: Content,
    ) -> Result<Answer, BucketError> {
        headers.insert(CONTENT_LENGTH, length.into());
        let request: Request = self.signed(Method::PUT, self.blob(key), query, headers)?;
        succeeded(self.line.upload(request, length, content).await?)
    }

    async fn refusal(&self, response: Response) -> BucketError {
        match self.line.whole(response).await.and_then(succeeded) {
            Ok(answer) => BucketError::Unexpected(answer.status.to_string()),
            Err(error) => error,
        }
    }
}

pub(super) fn etag(answer: &Answer) -> Result<String, BucketError> {
    let etag = answer.header("etag").map(|etag| etag.trim_matches('"').to_owned());
    etag.ok_or_else(|| BucketError::Unexpected("a blob without an ETag".to_owned()))
}
