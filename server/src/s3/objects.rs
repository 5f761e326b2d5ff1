//! Objects, one at a time: written, read, and looked at.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::dto::{
    self, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, PutObjectInput,
    PutObjectOutput, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode as Code, S3Response, S3Result};

use super::errors::{custom, refused, render};
use super::operations::{Asked, Gateway, check_version};
use super::said::CHECKSUMS;
use super::{conditions, content, tags};
use crate::model::access::Role;
use crate::model::object::{Algorithm, Checksum, Object};
use crate::model::time::Timestamp;
use crate::service::objects::reading::{self, Wanted};
use crate::service::objects::writing::{self, NewObject};
use crate::service::objects::{ObjectError, Space};

/// What an object is of which nobody said what it is.
const CONTENT_TYPE_UNKNOWN: &str = "binary/octet-stream";

/// Headers of the answer that the query sets. s3s has read them.
macro_rules! override_headers {
    ($headers:ident, $input:ident) => {
        for (name, value) in [
            (CACHE_CONTROL, $input.response_cache_control),
            (CONTENT_DISPOSITION, $input.response_content_disposition),
            (CONTENT_ENCODING, $input.response_content_encoding),
            (CONTENT_LANGUAGE, $input.response_content_language),
            (CONTENT_TYPE, $input.response_content_type),
            (EXPIRES, $input.response_expires.map(|time| http_date_of(&time))),
        ] {
            if let Some(value) = value {
                insert(&mut $headers, name, &value);
            }
        }
    };
}

pub async fn put(
    gateway: &Gateway,
    asked: Asked,
    input: PutObjectInput,
) -> S3Result<S3Response<PutObjectOutput>> {
    let said = &asked.said;
    let space = asked.space(&input.bucket, Role::Write)?;
    let new = NewObject {
        key: input.key,
        length: said.length()?,
        attributes: said.attributes(),
        tags: tags::of_header(said.get("x-amz-tagging"))?,
        conditions: conditions::of_write(&said.headers)?,
        promised: said.promised()?,
    };
    let body = input.body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let body = content::take(body, said);
    let written = writing::put(&gateway.services, &asked.session, &space, new, body).await;
    let object = written.map_err(|error| content::render(error, said))?;
    let mut headers = HeaderMap::new();
    insert(&mut headers, ETAG, &quoted(&object.etag));
    insert_checksum(&mut headers, object.about.checksum.as_ref());
    Ok(S3Response::with_headers(PutObjectOutput::default(), headers))
}

pub async fn get(
    gateway: &Gateway,
    asked: Asked,
    input: GetObjectInput,
) -> S3Result<S3Response<GetObjectOutput>> {
    check_version(input.version_id.as_ref())?;
    let space = asked.space(&input.bucket, Role::Read)?;
    let wanted = wanted(gateway, &asked, (&space, &input.key), input.part_number).await?;
    let (partial, part) = (wanted.range.is_some() || wanted.part.is_some(), wanted.part);
    let read = reading::get(&gateway.services, &asked.session, &space, &input.key, wanted).await;
    let read = read.map_err(|error| unread(error, part))?;
    let mut headers = headers(&asked, &read.object, part, partial);
    override_headers!(headers, input);
    let length = read.range.end - read.range.start;
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let body = s3s::Body::http_body_unsync(Body::from_stream(read.body));
    let output = GetObjectOutput {
        body: Some(StreamingBlob::from(body)),
        content_range: content_range(partial, &read.range, read.object.size),
        ..GetObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

pub async fn head(
    gateway: &Gateway,
    asked: Asked,
    input: HeadObjectInput,
) -> S3Result<S3Response<HeadObjectOutput>> {
    check_version(input.version_id.as_ref())?;
    let space = asked.space(&input.bucket, Role::Read)?;
    let wanted = wanted(gateway, &asked, (&space, &input.key), input.part_number).await?;
    let (partial, part) = (wanted.range.is_some() || wanted.part.is_some(), wanted.part);
    let conditions = &wanted.conditions;
    let found =
        reading::head(&gateway.services, &asked.session, &space, &input.key, conditions).await;
    let object = found.map_err(render)?;
    let range = reading::range(&object, &wanted).map_err(|error| unread(error, part))?;
    let mut headers = headers(&asked, &object, part, partial);
    override_headers!(headers, input);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let content_range = content_range(partial, &range, object.size);
    let output = HeadObjectOutput { content_range, ..HeadObjectOutput::default() };
    Ok(S3Response::with_headers(output, headers))
}

/// What of the object is asked for.
async fn wanted(
    gateway: &Gateway,
    asked: &Asked,
    (space, key): (&Space, &str),
    part: Option<i32>,
) -> S3Result<Wanted> {
    let headers = &asked.said.headers;
    let mut range = conditions::range(headers);
    if range.is_some() && part.is_some() {
        let message = "Cannot specify both Range header and partNumber query parameter";
        return Err(refused(Code::InvalidRequest, message));
    }
    if range.is_some()
        && let Some(known) = asked.said.get("if-range")
    {
        // The part of another state of the object would be no use.
        let none = Default::default();
        let now = reading::head(&gateway.services, &asked.session, space, key, &none).await;
        let now = now.map_err(render)?;
        let same = conditions::bare(known) == now.etag
            || conditions::date(known).is_some_and(|at| at.seconds() == now.modified_at.seconds());
        range = range.filter(|_| same);
    }
    let invalid =
        || refused(Code::InvalidArgument, "Part number must be an integer from 1 to 10000");
    let part = part.map(|part| u32::try_from(part).ok().filter(|part| *part > 0));
    let part = part.map(|part| part.ok_or_else(invalid)).transpose()?;
    Ok(Wanted { range, part, conditions: conditions::read(headers, "") })
}

/// Why there is nothing to read.
fn unread(error: ObjectError, part: Option<u32>) -> S3Error {
    match (error, part) {
        (ObjectError::InvalidPart(_), Some(_)) => custom(
            "InvalidPartNumber",
            StatusCode::RANGE_NOT_SATISFIABLE,
            "The requested partnumber is not satisfiable",
        ),
        (error, _) => render(error),
    }
}

fn content_range(partial: bool, range: &std::ops::Range<u64>, size: u64) -> Option<String> {
    // There is no way to say that a part is empty.
    (partial && !range.is_empty())
        .then(|| format!("bytes {}-{}/{size}", range.start, range.end - 1))
}

/// What is said about an object that is read.
fn headers(asked: &Asked, object: &Object, part: Option<u32>, partial: bool) -> HeaderMap {
    let mut headers = of_state(object);
    let said = &object.about.attributes;
    let content_type = said.content_type.as_deref().unwrap_or(CONTENT_TYPE_UNKNOWN);
    insert(&mut headers, CONTENT_TYPE, content_type);
    for (name, value) in [
        (CONTENT_DISPOSITION, &said.content_disposition),
        (CONTENT_ENCODING, &said.content_encoding),
        (CONTENT_LANGUAGE, &said.content_language),
    ] {
        if let Some(value) = value {
            insert(&mut headers, name, value);
        }
    }
    for (name, value) in &said.metadata {
        if let Ok(name) = HeaderName::try_from(format!("x-amz-meta-{name}")) {
            insert(&mut headers, name, value);
        }
    }
    insert(&mut headers, ACCEPT_RANGES, "bytes");
    let count = |count: usize| count.to_string();
    if !object.about.tags.is_empty() {
        let name = HeaderName::from_static("x-amz-tagging-count");
        insert(&mut headers, name, &count(object.about.tags.len()));
    }
    let parts = &object.about.parts;
    if part.is_some() && !parts.is_empty() {
        let name = HeaderName::from_static("x-amz-mp-parts-count");
        insert(&mut headers, name, &count(parts.len()));
    }
    let wanted = asked.said.get("x-amz-checksum-mode");
    if wanted.is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")) {
        let of_part = part.and_then(|number| parts.iter().find(|part| part.number == number));
        match of_part {
            Some(part) => {
                // Which type there is, only the whole says.
                let whole = object.about.checksum.as_ref();
                let composite = whole.is_some_and(|whole| whole.composite);
                let own = part.checksum.clone().map(|own| Checksum { composite, ..own });
                insert_checksum(&mut headers, own.as_ref());
            }
            // The digest of the whole says nothing of a part.
            None if partial && part.is_none() => {}
            None => insert_checksum(&mut headers, object.about.checksum.as_ref()),
        }
    }
    headers
}

/// Which state of an object this is, and for how long: also said to who has that state already.
pub fn of_state(object: &Object) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let said = &object.about.attributes;
    for (name, value) in [(CACHE_CONTROL, &said.cache_control), (EXPIRES, &said.expires)] {
        if let Some(value) = value {
            insert(&mut headers, name, value);
        }
    }
    insert(&mut headers, ETAG, &quoted(&object.etag));
    insert(&mut headers, LAST_MODIFIED, &http_date(object.modified_at));
    headers
}

/// What the catalog holds went into a header before, so it fits into one.
pub fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

pub fn insert_checksum(headers: &mut HeaderMap, checksum: Option<&Checksum>) {
    let Some(checksum) = checksum else { return };
    insert(headers, HeaderName::from_static(header_of(checksum.algorithm)), &checksum.value);
    insert(headers, HeaderName::from_static("x-amz-checksum-type"), kind(checksum));
}

fn header_of(algorithm: Algorithm) -> &'static str {
    let found = CHECKSUMS.iter().find(|(_, known)| *known == algorithm);
    found.map_or("x-amz-checksum-crc64nvme", |(name, _)| name)
}

pub fn kind(checksum: &Checksum) -> &'static str {
    if checksum.composite { dto::ChecksumType::COMPOSITE } else { dto::ChecksumType::FULL_OBJECT }
}

pub fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// Whole seconds, as in the header that says it, so that nobody sees two times of one object.
pub fn moment(time: Timestamp) -> dto::Timestamp {
    let seconds = u64::try_from(time.seconds()).unwrap_or_default();
    (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into()
}

pub fn http_date(time: Timestamp) -> String {
    let time: chrono::DateTime<chrono::Utc> = time.into();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub fn http_date_of(time: &dto::Timestamp) -> String {
    let mut text = vec![];
    // Into memory, nothing fails.
    let _ = time.format(dto::TimestampFormat::HttpDate, &mut text);
    String::from_utf8(text).unwrap_or_default()
}
