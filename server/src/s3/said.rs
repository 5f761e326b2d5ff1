//! What the headers of a request say, read here rather than by s3s, which would refuse some of what
//! clients send, and pass over some of what must not be ignored.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::{S3Error, S3ErrorCode as Code, TrailingHeaders};

use super::errors::{refused, unsupported};
use super::frames::Fault;
use super::signature::{length, only};
use crate::model::object::{Algorithm, Attributes};
use crate::service::objects::{Given, Promised};

const METADATA: &str = "x-amz-meta-";
/// Headers that ask for what is not there, by what they begin with. To ignore one would be to say that
/// it was done.
const UNSUPPORTED: [(&str, &str); 9] = [
    ("x-amz-server-side-encryption", "Encryption by the server"),
    ("x-amz-copy-source-server-side-encryption", "Encryption by the server"),
    ("x-amz-object-lock-", "An object lock"),
    ("x-amz-bucket-object-lock-enabled", "An object lock"),
    ("x-amz-grant-", "A grant"),
    ("x-amz-website-redirect-location", "A redirect"),
    ("x-amz-write-offset-bytes", "A write into an object"),
    ("x-amz-rename-source", "A rename"),
    ("x-amz-if-match-initiated-time", "A condition on when an upload began"),
];
/// Values with which even these ask for nothing.
const ASKING_NOTHING: [&[u8]; 2] = [b"false", b"OFF"];
pub const CHECKSUMS: [(&str, Algorithm); 5] = [
    ("x-amz-checksum-crc32", Algorithm::Crc32),
    ("x-amz-checksum-crc32c", Algorithm::Crc32c),
    ("x-amz-checksum-crc64nvme", Algorithm::Crc64Nvme),
    ("x-amz-checksum-sha1", Algorithm::Sha1),
    ("x-amz-checksum-sha256", Algorithm::Sha256),
];
/// Headers that begin like checksums and are none.
const NO_CHECKSUMS: [&str; 3] =
    ["x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-checksum-algorithm"];

#[derive(Clone)]
pub struct Said {
    pub headers: HeaderMap,
    pub presigned: bool,
    pub trailers: Option<TrailingHeaders>,
    pub fault: Arc<OnceLock<Fault>>,
}

impl Said {
    pub fn get(&self, name: &str) -> Option<&str> {
        only(&self.headers, name).filter(|value| !value.is_empty())
    }

    /// Refuses what would have to be done and cannot.
    pub fn check(&self) -> Result<(), S3Error> {
        let asks = |value: &HeaderValue| !ASKING_NOTHING.contains(&value.as_bytes());
        for (name, _) in self.headers.iter().filter(|(_, value)| asks(value)) {
            let begins = |(front, _): &&(&str, &str)| name.as_str().starts_with(front);
            if let Some((_, what)) = UNSUPPORTED.iter().find(begins) {
                return Err(unsupported(what));
            }
        }
        if let Some(acl) = self.get("x-amz-acl")
            && !["private", "bucket-owner-full-control"].contains(&acl)
        {
            let message = "Objects have no access lists here; access keys say who may do what.";
            return Err(super::errors::custom(
                "AccessControlListNotSupported",
                axum::http::StatusCode::BAD_REQUEST,
                message,
            ));
        }
        if self.get("x-amz-storage-class").is_some_and(|class| class != "STANDARD") {
            return Err(refused(Code::InvalidStorageClass, "There is only STANDARD here."));
        }
        Ok(())
    }

    /// How long the content is said to be.
    pub fn length(&self) -> Result<u64, S3Error> {
        let name = match self.trailers {
            Some(_) => "x-amz-decoded-content-length",
            None => "content-length",
        };
        self.get(name).and_then(length).ok_or_else(|| {
            refused(Code::MissingContentLength, "You must provide the Content-Length HTTP header.")
        })
    }

    pub fn attributes(&self) -> Attributes {
        let text = |name: &str| self.get(name).map(plain);
        let metadata = self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(METADATA)?;
            let value = std::str::from_utf8(value.as_bytes()).ok()?;
            Some((name.to_owned(), plain(value)))
        });
        Attributes {
            cache_control: text("cache-control"),
            content_disposition: text("content-disposition"),
            content_encoding: self.get("content-encoding").and_then(encoding),
            content_language: text("content-language"),
            content_type: text("content-type"),
            expires: text("expires"),
            metadata: metadata.collect::<BTreeMap<_, _>>(),
        }
    }

    /// What the client says of the content's digests.
    pub fn promised(&self) -> Result<Promised, S3Error> {
        Ok(Promised { md5: self.md5()?, checksum: self.checksum()? })
    }

    pub fn md5(&self) -> Result<Option<[u8; 16]>, S3Error> {
        const NAME: &str = "content-md5";
        if !self.headers.contains_key(NAME) {
            return Ok(None);
        }
        // An empty one is not left out, nor one that is there twice: it is wrong.
        let bytes = only(&self.headers, NAME).and_then(|text| STANDARD.decode(text).ok());
        let md5 = bytes.and_then(|bytes| bytes.try_into().ok());
        let message = "The Content-MD5 you specified is not valid.";
        md5.map(Some).ok_or_else(|| refused(Code::InvalidDigest, message))
    }

    fn checksum(&self) -> Result<Option<(Algorithm, Given)>, S3Error> {
        let invalid = |message: String| Err(refused(Code::InvalidRequest, message));
        let unknown = self.headers.keys().map(axum::http::HeaderName::as_str).find(|name| {
            name.starts_with("x-amz-checksum-")
                && !NO_CHECKSUMS.contains(name)
                && CHECKSUMS.iter().all(|(known, _)| known != name)
        });
        if let Some(unknown) = unknown {
            return Err(unsupported(&format!("The header {unknown}")));
        }
        // One that is empty is not left out either.
        let given = |name| only(&self.headers, name);
        let mut given = CHECKSUMS
            .iter()
            .filter_map(|(name, algorithm)| Some((*name, *algorithm, given(name)?)));
        let value = given.next();
        let trailer = self
            .get("x-amz-trailer")
            .and_then(|name| CHECKSUMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)));
        if given.next().is_some() || value.is_some() && trailer.is_some() {
            return invalid("Expecting a single x-amz-checksum- header.".to_owned());
        }
        let named = self.algorithm()?;
        let found = match (value, trailer) {
            (Some((name, algorithm, value)), _) => {
                if !is_digest(value, algorithm) {
                    return invalid(format!("Value for {name} header is invalid."));
                }
                Some((algorithm, Given::Value(value.to_owned())))
            }
            (None, Some((name, algorithm))) => Some((*algorithm, self.later(name))),
            // What a presigned URL was made with is not the body's.
            (None, None) if self.presigned => named.map(|algorithm| (algorithm, Given::Compute)),
            (None, None) if named.is_some() => {
                return invalid(
                    "x-amz-sdk-checksum-algorithm specified, but no corresponding \
                     x-amz-checksum-* or x-amz-trailer headers were found."
                        .to_owned(),
                );
            }
            (None, None) => None,
        };
        match (&found, named) {
            (Some((algorithm, _)), Some(named)) if *algorithm != named => {
                invalid("Value for x-amz-sdk-checksum-algorithm header is invalid.".to_owned())
            }
            _ => Ok(found),
        }
    }

    /// The algorithm that a client's library names beside the digest.
    fn algorithm(&self) -> Result<Option<Algorithm>, S3Error> {
        self.get("x-amz-sdk-checksum-algorithm").map(algorithm).transpose()
    }

    fn later(&self, name: &'static str) -> Given {
        let trailers = self.trailers.clone();
        Given::Later(Box::new(move || {
            let trailers = trailers?.take()?;
            // Whatever else comes was not announced.
            let value = only(&trailers, name)?;
            (trailers.len() == 1).then(|| value.to_owned())
        }))
    }
}

/// An algorithm as S3 writes it.
pub fn algorithm(name: &str) -> Result<Algorithm, S3Error> {
    let found = CHECKSUMS.iter().find(|(known, _)| {
        known.rsplit('-').next().is_some_and(|known| known.eq_ignore_ascii_case(name))
    });
    found.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
        let message = "Checksum algorithm provided is unsupported. Please try again with any of \
                       the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]";
        refused(Code::InvalidRequest, message)
    })
}

fn is_digest(value: &str, algorithm: Algorithm) -> bool {
    let bytes = match algorithm {
        Algorithm::Crc32 | Algorithm::Crc32c => 4,
        Algorithm::Crc64Nvme => 8,
        Algorithm::Sha1 => 20,
        Algorithm::Sha256 => 32,
    };
    STANDARD.decode(value).is_ok_and(|digest| digest.len() == bytes)
}

/// Whether this is the digest of no content at all, as a URL may have got that was presigned before
/// there was one.
pub fn is_of_nothing(name: &str, value: &str) -> bool {
    const NOTHING: [(&str, &str); 5] = [
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-crc32c", "AAAAAA=="),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
        ("x-amz-checksum-sha1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
        ("x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    ];
    NOTHING.contains(&(name, value))
}

/// Text that headers carry: what is not ASCII is in the words of RFC 2047, as S3 gives it back.
fn plain(text: &str) -> String {
    const WORD_BYTES_MAX: usize = 45;
    if text.is_ascii() {
        return text.trim().to_owned();
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in text.trim().chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > WORD_BYTES_MAX) {
            words.push(String::new());
        }
        words.last_mut().expect("never empty").push(c);
    }
    let words: Vec<_> =
        words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join(" ")
}

/// The encoding of the content itself. How it came is nobody's business later.
fn encoding(text: &str) -> Option<String> {
    let kept: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.is_empty()).then(|| plain(&kept.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_ascii_becomes_words_that_are() {
        assert_eq!(plain(" a b "), "a b");
        assert_eq!(plain("ü"), "=?UTF-8?B?w7w=?=");
        let long = plain(&"ü".repeat(100));
        assert!(long.is_ascii() && long.split(' ').all(|word| word.len() <= 75), "{long}");
    }

    #[test]
    fn how_a_content_came_is_not_its_encoding() {
        for (text, kept) in [
            ("aws-chunked", None),
            ("gzip", Some("gzip")),
            ("gzip,aws-chunked", Some("gzip")),
            ("AWS-Chunked, gzip, br", Some("gzip, br")),
            (" , ", None),
        ] {
            assert_eq!(encoding(text).as_deref(), kept, "{text}");
        }
    }
}
