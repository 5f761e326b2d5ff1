//! Objects of Google in one request each; to read one takes two, at once, since what is said about an
//! object does not come with its content.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use reqwest::header::{HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::resource::{Description, Resource};
use super::{GcsBucket, PARTS};
use crate::backend::buckets::content::exactly;
use crate::backend::buckets::object::KEY_BYTES_MAX;
use crate::backend::buckets::{
    Attributes, BucketError, ByteRange, Content, Fetched, KeyError, Limits, Object, Objects, Stored,
};

const TIB: u64 = 1024 * 1024 * 1024 * 1024;
const LIMITS: Limits = Limits {
    key_bytes: KEY_BYTES_MAX,
    put_bytes: 5 * TIB,
    part_bytes_min: 1,
    part_bytes_max: 5 * TIB,
    part_number_max: 10_000,
};
/// What Google keeps for itself.
const CHALLENGES: &str = ".well-known/acme-challenge/";
/// How often an object may be replaced between the two requests that read it.
const READ_ATTEMPTS: usize = 8;
/// The type of an object that nobody gave one.
pub(super) const TYPE: &str = "application/octet-stream";

#[async_trait]
impl Objects for GcsBucket {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn check_key(&self, key: &str) -> Result<(), KeyError> {
        KeyError::check(key)?;
        if matches!(key, "." | "..") {
            return Err(KeyError::Dots);
        }
        if key.contains('\0') {
            return Err(KeyError::Character("NUL"));
        }
        if key.contains(['\r', '\n']) {
            return Err(KeyError::Character("an end of line"));
        }
        match [PARTS, CHALLENGES].into_iter().find(|reserved| key.starts_with(reserved)) {
            Some(reserved) => Err(KeyError::Reserved(reserved)),
            None => Ok(()),
        }
    }

    async fn put(
        &self,
        key: &str,
        length: u64,
        attributes: &Attributes,
        content: Content,
    ) -> Result<Stored, BucketError> {
        self.admit(key, length, attributes)?;
        self.insert(key, length, attributes, content).await.map(|resource| resource.stored())
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Fetched, BucketError> {
        self.check_key(key)?;
        let asked = range.map(ByteRange::header).transpose()?;
        for _ in 0..READ_ATTEMPTS {
            let (resource, response) =
                tokio::join!(self.resource(key), self.media(key, asked.as_deref()));
            let (resource, response) = (resource?, response?);
            let generation = response.headers().get("x-goog-generation");
            let same = generation.is_some_and(|found| *found == *resource.generation);
            match response.status() {
                status if status.is_success() && same => {
                    return self.fetched(resource, range, response);
                }
                // Replaced or deleted in between.
                status if status.is_success() && generation.is_some() => {}
                StatusCode::NOT_FOUND => {}
                status => return Err(self.refusal(status, b"").await),
            }
        }
        Err(BucketError::Unexpected("another object each time".to_owned()))
    }

    async fn head_object(&self, key: &str) -> Result<Object, BucketError> {
        self.check_key(key)?;
        self.resource(key).await.map(Resource::into_object)
    }

    async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.check_key(key)?;
        match self.remove(key).await {
            Err(absence @ BucketError::NoSuchObject) => match self.absent(absence).await {
                BucketError::NoSuchObject => Ok(()),
                error => Err(error),
            },
            done => done,
        }
    }
}

/// What goes before a content.
#[derive(Serialize)]
struct Insertion<'a> {
    name: &'a str,
    #[serde(flatten)]
    said: Description,
}

impl GcsBucket {
    /// Puts a content under a name, with all that is said about it in one request.
    pub(super) async fn insert(
        &self,
        name: &str,
        length: u64,
        attributes: &Attributes,
        content: Content,
    ) -> Result<Resource, BucketError> {
        let said = serde_json::to_string(&Insertion { name, said: attributes.into() })
            .map_err(|_| BucketError::Attribute("description".to_owned()))?;
        // Nobody can know it, so that no content has it.
        let boundary = Uuid::new_v4().simple().to_string();
        let content_type = attributes.content_type.as_deref().unwrap_or(TYPE);
        let before = format!(
            "--{boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n{said}\r\n\
             --{boundary}\r\ncontent-type: {content_type}\r\n\r\n"
        );
        let behind = format!("\r\n--{boundary}--\r\n");
        let total = (before.len() + behind.len()) as u64 + length;
        let chunk = |text: String| stream::iter([Ok(Bytes::from(text))]);
        // The content is counted by itself, too: more or less of it would be another object.
        let content = chunk(before).chain(exactly(content, length)).chain(chunk(behind)).boxed();

        let url = self.url("upload/", None, &[("uploadType", "multipart")]);
        let mut request = self.request(Method::POST, url).await?;
        let form = HeaderValue::from_str(&format!("multipart/related; boundary={boundary}"));
        request.headers_mut().extend(form.ok().map(|form| (CONTENT_TYPE, form)));
        let answer = self.line.upload(request, total, content).await?;
        match self.succeeded(answer).await {
            Ok(answer) => Resource::parse(&answer.body),
            Err(BucketError::NoSuchObject) => Err(BucketError::Missing),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), BucketError> {
        let request = self.request(Method::DELETE, self.url("", Some(name), &[])).await?;
        self.send(request).await.map(drop)
    }

    async fn resource(&self, key: &str) -> Result<Resource, BucketError> {
        let request = self.request(Method::GET, self.url("", Some(key), &[])).await?;
        match self.send(request).await {
            Ok(answer) => Resource::parse(&answer.body),
            Err(absence @ BucketError::NoSuchObject) => Err(self.absent(absence).await),
            Err(error) => Err(error),
        }
    }

    async fn media(&self, key: &str, range: Option<&str>) -> Result<Response, BucketError> {
        let url = self.url("", Some(key), &[("alt", "media")]);
        let mut request = self.request(Method::GET, url).await?;
        let headers = request.headers_mut();
        // What is stored packed is unpacked for those who cannot.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let range = range.and_then(|range| HeaderValue::from_str(range).ok());
        headers.extend(range.map(|range| (RANGE, range)));
        self.line.fetch(request).await
    }

    fn fetched(
        &self,
        resource: Resource,
        range: Option<ByteRange>,
        response: Response,
    ) -> Result<Fetched, BucketError> {
        let object = resource.into_object();
        let size = object.size;
        let part = range.map_or(Ok(0..size), |range| range.of(size))?;
        let has = |name, value: String| {
            response.headers().get(name).is_some_and(|found| *found == *value)
        };
        let placed = range.is_none()
            || has(CONTENT_RANGE, format!("bytes {}-{}/{size}", part.start, part.end - 1));
        if !placed || !has(CONTENT_LENGTH, (part.end - part.start).to_string()) {
            return Err(BucketError::Unexpected("other bytes than were asked for".to_owned()));
        }
        Ok(Fetched { object, range: part, body: self.line.body(response) })
    }
}
