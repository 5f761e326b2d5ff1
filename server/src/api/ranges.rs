//! Parts of a file, and files that the client has already: what `Range`, `If-Range` and
//! `If-None-Match` ask for. What is not understood is passed over, as HTTP has it.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, header};

/// What to send of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    Some(Range<usize>),
    /// It begins behind the end.
    Beyond,
}

/// The part that is asked for of `length` bytes. Several at once are answered with all of them.
pub fn part(headers: &HeaderMap, etag: &str, length: usize) -> Part {
    let wanted = text(headers, header::RANGE).and_then(|text| text.strip_prefix("bytes="));
    let other = text(headers, header::IF_RANGE).is_some_and(|known| known != etag);
    let Some((first, last)) = wanted.filter(|_| !other).and_then(|text| text.split_once('-'))
    else {
        return Part::Whole;
    };
    let number = |text: &str| -> Option<Option<usize>> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        // One that is too large for this machine is beyond every end.
        plain.then(|| (!text.is_empty()).then(|| text.parse().unwrap_or(usize::MAX)))
    };
    match (number(first.trim()), number(last.trim())) {
        (Some(Some(first)), Some(last)) if last.is_none_or(|last| first <= last) => {
            let end = last.map_or(length, |last| last.saturating_add(1).min(length));
            if first < length { Part::Some(first..end) } else { Part::Beyond }
        }
        (Some(None), Some(Some(last))) => match last.min(length) {
            0 => Part::Beyond,
            last => Part::Some(length - last..length),
        },
        _ => Part::Whole,
    }
}

/// Whether the client has it already.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(range: &str) -> Part {
        let headers = HeaderMap::from_iter([(header::RANGE, range.parse().expect("a header"))]);
        part(&headers, "\"a\"", 10)
    }

    #[test]
    fn a_part_lies_within_the_file() {
        for (range, expected) in [
            ("bytes=0-0", Part::Some(0..1)),
            ("bytes=2-4", Part::Some(2..5)),
            ("bytes=2-", Part::Some(2..10)),
            ("bytes=9-99999999999999999999999", Part::Some(9..10)),
            ("bytes=-3", Part::Some(7..10)),
            ("bytes=-99", Part::Some(0..10)),
            ("bytes=10-", Part::Beyond),
            ("bytes=99999999999999999999999-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=4-2", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("lines=0-1", Part::Whole),
            ("0-1", Part::Whole),
        ] {
            assert_eq!(asked(range), expected, "{range}");
        }
    }

    #[test]
    fn a_part_of_another_content_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=1-"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"a\""));
        assert_eq!(part(&headers, "\"a\"", 3), Part::Some(1..3));
        assert_eq!(part(&headers, "\"b\"", 3), Part::Whole);
        assert_eq!(part(&headers, "\"a\"", 0), Part::Beyond);
    }

    #[test]
    fn what_is_known_is_recognised() {
        for (known, expected) in [
            ("*", true),
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("a", false),
            ("\"b\"", false),
        ] {
            let value = known.parse().expect("a header");
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]);
            assert_eq!(is_known(&headers, "\"a\""), expected, "{known}");
        }
    }
}
