//! Conditions and ranges of a request, as HTTP says them. What cannot be read is as if it were not
//! there, where HTTP wants it so.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};

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
    }
}

fn matching(headers: &HeaderMap, name: &str) -> Option<Matching> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let all: Vec<_> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    if all.is_empty() {
        return None;
    }
    if all == ["*"] {
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
