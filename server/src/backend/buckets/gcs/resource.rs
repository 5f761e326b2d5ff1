//! What Google says of objects, and what it is told. What is no list must not pass for an empty one.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use crate::backend::buckets::error::word;
use crate::backend::buckets::{Attributes, BucketError, ListedObject, Object, Stored};

/// Google has no such header, so it is kept in the metadata. A name there that ends like this gets
/// [`ESCAPE`] in front, so that it does not pass for the header.
const EXPIRES: &str = "http-expires";
const ESCAPE: &str = "http-";

/// What is said about an object, in Google's spelling.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

impl From<&Attributes> for Description {
    fn from(attributes: &Attributes) -> Self {
        let attributes = attributes.clone();
        let escaped = |(name, value): (String, String)| match name.ends_with(EXPIRES) {
            true => (format!("{ESCAPE}{name}"), value),
            false => (name, value),
        };
        let expires = attributes.expires.map(|expires| (EXPIRES.to_owned(), expires));
        Self {
            cache_control: attributes.cache_control,
            content_disposition: attributes.content_disposition,
            content_encoding: attributes.content_encoding,
            content_language: attributes.content_language,
            content_type: attributes.content_type,
            metadata: attributes.metadata.into_iter().map(escaped).chain(expires).collect(),
        }
    }
}

impl From<Description> for Attributes {
    fn from(mut said: Description) -> Self {
        let expires = said.metadata.remove(EXPIRES);
        let unescaped = |(name, value): (String, String)| match name.strip_prefix(ESCAPE) {
            Some(escaped) if escaped.ends_with(EXPIRES) => (escaped.to_owned(), value),
            _ => (name, value),
        };
        Self {
            cache_control: said.cache_control,
            content_disposition: said.content_disposition,
            content_encoding: said.content_encoding,
            content_language: said.content_language,
            content_type: said.content_type,
            expires,
            metadata: said.metadata.into_iter().map(unescaped).collect(),
        }
    }
}

/// An object, without its content.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    name: String,
    #[serde(deserialize_with = "number")]
    pub size: u64,
    /// Another one with each content that the name gets.
    pub generation: String,
    /// Not known of an object that was put together from others.
    md5_hash: Option<String>,
    #[serde(flatten)]
    said: Description,
}

impl Resource {
    pub fn parse(body: &[u8]) -> Result<Self, BucketError> {
        let unreadable = |_| BucketError::Unexpected("no object of Google".to_owned());
        serde_json::from_slice(body).map_err(unreadable)
    }

    /// The one that S3 has, where there is one.
    fn etag(&self) -> String {
        let md5 = self.md5_hash.as_ref().and_then(|md5| STANDARD.decode(md5).ok());
        match md5 {
            Some(md5) => md5.iter().map(|byte| format!("{byte:02x}")).collect(),
            None => self.generation.clone(),
        }
    }

    pub fn stored(&self) -> Stored {
        Stored { etag: self.etag() }
    }

    pub fn listed(self) -> ListedObject {
        let etag = Some(self.etag());
        ListedObject { key: self.name, size: self.size, etag }
    }

    pub fn into_object(self) -> Object {
        let etag = self.etag();
        Object { attributes: self.said.into(), size: self.size, etag }
    }
}

/// Google writes numbers as text.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    String::deserialize(from)?.parse().map_err(Error::custom)
}

/// An empty list may be an empty document, so it must not hold anything else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Page {
    #[serde(default)]
    pub items: Vec<Resource>,
    pub next_page_token: Option<String>,
    #[serde(rename = "kind")]
    _kind: Option<IgnoredAny>,
    #[serde(rename = "prefixes")]
    _prefixes: Option<IgnoredAny>,
}

impl Page {
    pub fn parse(body: &[u8]) -> Result<Self, BucketError> {
        let unreadable = |_| BucketError::Unexpected("no list of Google".to_owned());
        serde_json::from_slice(body).map_err(unreadable)
    }
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalReasons,
}

#[derive(Deserialize)]
struct RefusalReasons {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

/// The meaning of an answer that is not a success; of an absence only that it is one.
pub fn refusal(status: StatusCode, body: &[u8]) -> BucketError {
    let said: Option<Refusal> = serde_json::from_slice(body).ok();
    let reason = said.as_ref().and_then(|said| word(&said.error.errors.first()?.reason));
    let by_pace = ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"];
    match (status, reason) {
        (StatusCode::UNAUTHORIZED, _) => BucketError::Credential,
        (StatusCode::FORBIDDEN, reason)
            if reason.is_none_or(|reason| !by_pace.contains(&reason)) =>
        {
            BucketError::Forbidden
        }
        (StatusCode::NOT_FOUND, _) => BucketError::NoSuchObject,
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => BucketError::Range,
        (status, Some(reason)) => BucketError::Unexpected(format!("{} {reason}", status.as_u16())),
        (status, None) => BucketError::Unexpected(status.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_passes_for_a_header() {
        let names = ["http-expires", "http-http-expires", "a-http-expires", "http-a", "expires"];
        let metadata: BTreeMap<_, _> =
            names.map(|name| (name.to_owned(), format!("of {name}"))).into();
        for expires in [None, Some("never".to_owned())] {
            let attributes =
                Attributes { expires, metadata: metadata.clone(), ..Attributes::default() };
            let said = Description::from(&attributes);
            assert_eq!(Attributes::from(said), attributes);
        }
    }

    /// The peer refuses nobody, and knows the MD5 of everything.
    #[test]
    fn answers_mean_what_google_says() {
        let refused = |status: u16, reason: &str| {
            let body = format!("{{\"error\":{{\"errors\":[{{\"reason\":\"{reason}\"}}]}}}}");
            refusal(StatusCode::from_u16(status).expect("status"), body.as_bytes())
        };
        assert!(matches!(refused(401, "authError"), BucketError::Credential));
        for reason in ["forbidden", "insufficientPermissions", "accountDisabled"] {
            assert!(matches!(refused(403, reason), BucketError::Forbidden), "{reason}");
        }
        for (status, reason, said) in [
            (403, "rateLimitExceeded", "403 rateLimitExceeded"),
            (503, "backendError", "503 backendError"),
            (503, "one two", "503 Service Unavailable"),
        ] {
            let error = refused(status, reason);
            assert!(matches!(&error, BucketError::Unexpected(text) if text == said), "{error}");
        }
        let composed = br#"{"name": "a", "size": "7", "generation": "12"}"#;
        let composed = Resource::parse(composed).expect("an object");
        assert_eq!((composed.size, composed.stored().etag.as_str()), (7, "12"));
    }

    #[test]
    fn only_a_list_is_one() {
        assert!(Page::parse(b"{}").expect("an empty list").items.is_empty());
        assert!(Page::parse(br#"{"kind": "storage#objects"}"#).is_ok());
        for other in ["", "[]", "<html/>", r#"{"access": "denied"}"#, r#"{"items": 1}"#] {
            assert!(Page::parse(other.as_bytes()).is_err(), "{other}");
        }
    }
}
