//! Objects of S3 in one request each. What has to be signed is; a content never is, so that it can
//! stream.

use async_trait::async_trait;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, RANGE};
use reqwest::{Method, Request, Response, StatusCode};
use rusty_s3::S3Action;

use super::{S3Bucket, SIGNATURE_TTL, refusal};
use crate::backend::buckets::dial::Answer;
use crate::backend::buckets::object::{self, Content, KEY_BYTES_MAX, Stored};
use crate::backend::buckets::{
    Attributes, BucketError, ByteRange, Fetched, KeyError, Limits, Object, Objects,
};
use crate::model::bucket::StorageType;

const MIB: u64 = 1024 * 1024;
const LIMITS: Limits = Limits {
    key_bytes: KEY_BYTES_MAX,
    put_bytes: 5 * 1024 * MIB,
    part_bytes_min: 5 * MIB,
    part_bytes_max: 5 * 1024 * MIB,
    part_number_max: 10_000,
};
/// What the name of a piece of metadata begins with.
pub(super) const METADATA: &str = "x-amz-meta-";

#[async_trait]
impl Objects for S3Bucket {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn check_key(&self, key: &str) -> Result<(), KeyError> {
        KeyError::check(key)?;
        KeyError::check_segments(key)?;
        if key.contains('\0') {
            return Err(KeyError::Character("NUL"));
        }
        if self.storage_type == StorageType::Gcs && key.contains(['\r', '\n']) {
            return Err(KeyError::Character("an end of line"));
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
        let action = self.bucket.put_object(Some(&self.credentials), key);
        let request = described(Method::PUT, action, attributes)?;
        let answer = succeeded(self.line.upload(request, length, content).await?)?;
        Ok(Stored { etag: etag(&answer)? })
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Fetched, BucketError> {
        self.check_key(key)?;
        let action = self.bucket.get_object(Some(&self.credentials), key);
        let mut request = Request::new(Method::GET, action.sign(SIGNATURE_TTL));
        self.as_stored(request.headers_mut());
        if let Some(range) = range {
            request.headers_mut().insert(RANGE, value(&range.header()?)?);
        }
        let response = self.line.fetch(request).await?;
        if !response.status().is_success() {
            return Err(refusal(&self.line.whole(response).await?));
        }
        let (object, range) = read(&response, range.is_some())?;
        Ok(Fetched { object, range, body: self.line.body(response) })
    }

    async fn head_object(&self, key: &str) -> Result<Object, BucketError> {
        self.check_key(key)?;
        let action = self.bucket.head_object(Some(&self.credentials), key);
        let mut request = Request::new(Method::HEAD, action.sign(SIGNATURE_TTL));
        self.as_stored(request.headers_mut());
        let response = self.line.fetch(request).await?;
        let status = response.status();
        if status.is_success() {
            return read(&response, false).map(|(object, _)| object);
        }
        // The answer has no room for a reason: without a bucket there is no object either.
        self.page("", None, 1).await?;
        Err(match status {
            StatusCode::NOT_FOUND => BucketError::NoSuchObject,
            status => BucketError::Unexpected(status.to_string()),
        })
    }

    async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.check_key(key)?;
        let action = self.bucket.delete_object(Some(&self.credentials), key);
        match succeeded(self.send(Method::DELETE, action).await?) {
            Ok(_) | Err(BucketError::NoSuchObject) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl S3Bucket {
    /// Asks for the bytes that were stored: GCS unpacks what is stored packed for those who cannot, and
    /// others may pack for those who can.
    fn as_stored(&self, headers: &mut HeaderMap) {
        let encoding = if self.storage_type == StorageType::Gcs { "gzip" } else { "identity" };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    }
}

/// A signed request that says what the object is to be.
pub(super) fn described<'a>(
    method: Method,
    mut action: impl S3Action<'a>,
    attributes: &'a Attributes,
) -> Result<Request, BucketError> {
    for (name, value) in &attributes.metadata {
        action.headers_mut().insert(format!("{METADATA}{name}"), value.as_str());
    }
    let mut request = Request::new(method, action.sign(SIGNATURE_TTL));
    let headers = request.headers_mut();
    for (name, text) in attributes.standard() {
        headers.insert(HeaderName::from_static(name), value(text)?);
    }
    for (name, text) in &attributes.metadata {
        let name = HeaderName::try_from(format!("{METADATA}{name}"));
        let name = name.map_err(|_| BucketError::Attribute("metadata".to_owned()))?;
        headers.insert(name, value(text)?);
    }
    Ok(request)
}

fn value(text: &str) -> Result<HeaderValue, BucketError> {
    HeaderValue::from_str(text).map_err(|_| BucketError::Attribute("header".to_owned()))
}

fn read(response: &Response, asked: bool) -> Result<(Object, std::ops::Range<u64>), BucketError> {
    let headers = response.headers();
    object::described(headers, Attributes::read(headers, METADATA), asked)
}

pub(super) fn succeeded(answer: Answer) -> Result<Answer, BucketError> {
    if answer.status.is_success() { Ok(answer) } else { Err(refusal(&answer)) }
}

pub(super) fn etag(answer: &Answer) -> Result<String, BucketError> {
    let etag = answer.header("etag").map(|etag| etag.trim_matches('"').to_owned());
    etag.ok_or_else(|| BucketError::Unexpected("an object without an ETag".to_owned()))
}
