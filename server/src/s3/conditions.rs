//! Conditions and ranges of a request. What cannot be read is as if it were not there, where HTTP wants
//! it so; of what is S3's own it is refused, since nothing may be deleted under a condition unread.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use s3s::{S3ErrorCode as Code, S3Result};

use super::errors::refused;
use super::signature::{length, only};
use crate::model::time::Timestamp;
use crate::service::objects::{ByteRange, Conditions, Matching};

/// The conditions in headers that begin with `prefix`.
pub fn read(headers: &HeaderMap, prefix: &str) -> Conditions {
    let matching = |name: &str| matching(headers, &format!("{prefix}{name}"));
    let time = |name: &str| only(headers, &format!("{prefix}{name}")).and_then(date);
    Conditions {
        if_match: matching("if-match"),
        if_none_match: matching("if-none-match"),
        if_modified_since: time("if-modified-since"),
        if_unmodified_since: time("if-unmodified-since"),
        ..Conditions::default()
    }
}

/// The conditions on what is written over, or deleted.
pub fn of_write(headers: &HeaderMap) -> S3Result<Conditions> {
    Ok(Conditions {
        if_size: own(headers, "x-amz-if-match-size", length)?,
        if_modified_at: own(headers, "x-amz-if-match-last-modified-time", date)?,
        ..read(headers, "")
    })
}

/// The conditions on what is copied.
pub fn of_source(headers: &HeaderMap) -> S3Result<Conditions> {
    Ok(Conditions {
        if_modified_since: own(headers, "x-amz-copy-source-if-modified-since", date)?,
        if_unmodified_since: own(headers, "x-amz-copy-source-if-unmodified-since", date)?,
        ..read(headers, "x-amz-copy-source-")
    })
}

/// What a header of S3's own says.
pub fn own<T>(
    headers: &HeaderMap,
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> S3Result<Option<T>> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    let value = only(headers, name).and_then(read);
    let message = || format!("Value for {name} header is invalid.");
    value.map(Some).ok_or_else(|| refused(Code::InvalidArgument, message()))
}

fn matching(headers: &HeaderMap, name: &str) -> Option<Matching> {
    // What is no text is no ETag either, but a condition all the same.
    let values =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let values: Vec<_> = values.collect();
    let all: Vec<_> = values.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    if all.is_empty() {
        return None;
    }
    if all.contains(&"*") {
        return Some(Matching::Any);
    }
    Some(Matching::Etags(all.into_iter().map(|etag| bare(etag).to_owned()).collect()))
}

/// An ETag without its quotes.
pub fn bare(etag: &str) -> &str {
    let etag = etag.strip_prefix("W/").unwrap_or(etag);
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}

pub fn date(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc2822(text).ok()?;
    Some(time.with_timezone(&Utc).into())
}

/// The one range that is asked for. Of several, the whole is sent, which is right and simple.
pub fn range(headers: &HeaderMap) -> Option<ByteRange> {
    let value = only(headers, "range")?.strip_prefix("bytes=")?;
    let (first, last) = value.split_once('-')?;
    match (first, last) {
        ("", last) => length(last).map(ByteRange::Last),
        (first, "") => length(first).map(ByteRange::From),
        (first, last) => {
            let (first, last) = (length(first)?, length(last)?);
            (first <= last).then_some(ByteRange::Span(first, last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().expect("a name"), value.parse().expect("a value"))])
    }

    #[test]
    fn ranges_are_read_as_http_says() {
        for (text, expected) in [
            ("bytes=0-0", Some(ByteRange::Span(0, 0))),
            ("bytes=5-", Some(ByteRange::From(5))),
            ("bytes=-5", Some(ByteRange::Last(5))),
            ("bytes=-0", Some(ByteRange::Last(0))),
            ("bytes=5-2", None),
            ("bytes=0-1,3-4", None),
            ("bytes=a-b", None),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("bytes=99999999999999999999-", None),
            ("chars=0-1", None),
        ] {
            assert_eq!(range(&headers("range", text)), expected, "{text}");
        }
    }

    #[test]
    fn etags_come_with_quotes_and_without_and_in_lists() {
        for (text, expected) in [
            ("*", Matching::Any),
            ("\"a\"", Matching::Etags(vec!["a".to_owned()])),
            ("a", Matching::Etags(vec!["a".to_owned()])),
            ("W/\"a\", \"b-2\"", Matching::Etags(vec!["a".to_owned(), "b-2".to_owned()])),
        ] {
            let read = read(&headers("if-match", text), "");
            assert_eq!(read.if_match, Some(expected), "{text}");
        }
    }

    #[test]
    fn a_date_that_is_none_is_no_condition() {
        let since = |text| read(&headers("if-modified-since", text), "").if_modified_since;
        assert_eq!(
            since("Fri, 01 Jan 2100 00:00:00 GMT"),
            Some(Timestamp::from_micros(4_102_444_800_000_000))
        );
        assert_eq!(since("yesterday"), None);
    }
}
