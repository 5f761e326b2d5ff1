//! Why a bucket could not be used, in words for the one who set it up. Of what a provider answers,
//! only its codes get in here: its prose may quote the request and with it the signature.

use quick_xml::de;
use reqwest::StatusCode;
use serde::Deserialize;

use super::object::{KeyError, METADATA_BYTES_MAX};
use crate::backend::egress::EgressError;

/// Longest error code or region of a provider that is passed on, in bytes: less than a signature.
const WORD_BYTES_MAX: usize = 48;
/// How Azure begins to say that a signature is wrong.
const UNAUTHENTICATED: &str = "Server failed to authenticate";

#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error("the bucket cannot be opened: {0}")]
    Place(String),
    #[error("the bucket's endpoint is refused: {0}")]
    Refused(EgressError),
    #[error("the bucket's endpoint cannot be reached: {0}; check the endpoint and the network")]
    Unreachable(String),
    #[error("the bucket's endpoint did not answer in time; check the endpoint, or try again later")]
    TimedOut,
    #[error("the key is unknown or the secret is wrong; enter both again")]
    Credential,
    #[error("the key may not list the bucket; allow it to list, read and write")]
    Forbidden,
    #[error("there is no such bucket; create it, or correct its name")]
    Missing,
    #[error("the bucket is in {}; set its own region", in_words(.0))]
    Region(Option<String>),
    #[error("there is no such object")]
    NoSuchObject,
    #[error("the object has no such bytes; ask for a range within its size")]
    Range,
    #[error("{0}; choose another key")]
    Key(#[from] KeyError),
    #[error(
        "the object's {0} cannot be kept as it is; use printable ASCII, and at most \
         {METADATA_BYTES_MAX} bytes of metadata"
    )]
    Attribute(String),
    #[error("the content is larger than the bucket's provider takes at once; send it in parts")]
    TooLarge,
    #[error("the content was not stored: {0}; send it again")]
    Content(String),
    #[error("parts have numbers from 1 to {0}")]
    PartNumber(u32),
    #[error("there is no such upload, or not with these parts in this order; begin it again")]
    NoSuchUpload,
    #[error("the bucket is full; free some space, or give it more")]
    Full,
    #[error("the endpoint answered {0}; check that it is an object store of the bucket's type")]
    Unexpected(String),
}

fn in_words(region: &Option<String>) -> String {
    region.as_ref().map_or_else(|| "another region".to_owned(), |name| format!("region {name}"))
}

impl From<EgressError> for BucketError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Malformed(_) => Self::Place(error.to_string()),
            EgressError::Unresolved(_) => Self::Unreachable(error.to_string()),
            refused => Self::Refused(refused),
        }
    }
}

/// What S3, GCS and Azure say alike when they refuse.
#[derive(Deserialize)]
enum Document {
    Error {
        #[serde(rename = "Code", default)]
        code: String,
        #[serde(rename = "Message", default)]
        message: String,
        #[serde(rename = "Region")]
        region: Option<String>,
    },
}

impl BucketError {
    /// The meaning of an answer that is not a success. `code` and `region` are what its headers say;
    /// its body says more, if it has one.
    pub(super) fn of_answer(
        status: StatusCode,
        code: Option<&str>,
        region: Option<&str>,
        body: &[u8],
    ) -> Self {
        let (said, message, place) = match de::from_reader(body) {
            Ok(Document::Error { code, message, region }) => (Some(code), message, region),
            Err(_) => (None, String::new(), None),
        };
        let code = code.or(said.as_deref()).and_then(word);
        let region = place.as_deref().or(region).and_then(word);
        match code {
            Some(
                // S3
                "InvalidAccessKeyId" | "SignatureDoesNotMatch"
                // GCS
                | "InvalidSecurity"
                // Azure
                | "AuthenticationFailed" | "InvalidAuthenticationInfo",
            ) => Self::Credential,
            // The emulator's word for it; to Azure itself the same word is about networks.
            Some("AuthorizationFailure") if message.starts_with(UNAUTHENTICATED) => Self::Credential,
            Some(
                "AccessDenied" | "AllAccessDisabled" | "AccountProblem"
                | "AuthorizationFailure" | "AuthorizationPermissionMismatch"
                | "InsufficientAccountPermissions" | "KeyBasedAuthenticationNotPermitted",
            ) => Self::Forbidden,
            Some("NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted") => Self::Missing,
            Some("NoSuchKey" | "BlobNotFound") => Self::NoSuchObject,
            Some("InvalidRange") => Self::Range,
            Some(
                "NoSuchUpload" | "InvalidPart" | "InvalidPartOrder"
                | "InvalidBlockList" | "InvalidBlobOrBlock",
            ) => Self::NoSuchUpload,
            Some("PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException") => {
                Self::Region(region.map(str::to_owned))
            }
            // AuthorizationHeaderMalformed, AuthorizationQueryParametersError, a bare redirect.
            _ if region.is_some() && (status.is_redirection() || status == 400) => {
                Self::Region(region.map(str::to_owned))
            }
            Some(code) => Self::Unexpected(format!("{} {code}", status.as_u16())),
            None => Self::Unexpected(status.to_string()),
        }
    }
}

/// A provider's code or region, if it is one.
pub(super) fn word(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let fits = !text.is_empty() && text.len() <= WORD_BYTES_MAX && text.bytes().all(plain);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> BucketError {
        let status = StatusCode::from_u16(status).expect("status");
        BucketError::of_answer(status, None, None, body.as_bytes())
    }

    fn refusal(code: &str) -> String {
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
    }

    /// No peer at hand restricts keys or knows regions.
    #[test]
    fn codes_mean_what_the_providers_say() {
        for code in ["AccessDenied", "AuthorizationPermissionMismatch"] {
            assert!(matches!(answer(403, &refusal(code)), BucketError::Forbidden), "{code}");
        }
        for code in ["InvalidAccessKeyId", "InvalidSecurity", "AuthenticationFailed"] {
            assert!(matches!(answer(403, &refusal(code)), BucketError::Credential), "{code}");
        }
        let malformed = "<Error><Code>AuthorizationQueryParametersError</Code>\
                         <Message>expecting</Message><Region>eu-west-1</Region></Error>";
        let error = answer(400, malformed);
        assert!(matches!(&error, BucketError::Region(Some(region)) if region == "eu-west-1"));
        assert_eq!(error.to_string(), "the bucket is in region eu-west-1; set its own region");
        assert!(matches!(answer(301, &refusal("PermanentRedirect")), BucketError::Region(None)));
        assert!(
            matches!(answer(503, &refusal("SlowDown")), BucketError::Unexpected(text) if text == "503 SlowDown")
        );
    }

    #[test]
    fn a_redirect_without_a_body_names_the_region_in_its_head() {
        let moved = StatusCode::MOVED_PERMANENTLY;
        let error = BucketError::of_answer(moved, None, Some("eu-west-1"), b"");
        assert!(matches!(error, BucketError::Region(Some(region)) if region == "eu-west-1"));
    }

    #[test]
    fn an_answer_of_something_else_is_not_quoted() {
        let signature = "a".repeat(64);
        let bodies =
            ["", "<html><h1>Code</h1></html>", "no", &refusal(&signature), &refusal("a b")];
        for body in bodies {
            let error = answer(403, body);
            assert!(
                matches!(&error, BucketError::Unexpected(text) if text == "403 Forbidden"),
                "{error}"
            );
        }
    }
}
