//! From what went wrong to status, headers and words. The two halves of the API wrap it in
//! their own envelopes, see `half`.

use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use serde_path_to_error::{Error as PathError, Segment};
use std::error::Error as StdError;
use std::iter::successors;

use super::observe;
use crate::model::storage_repo::Rule;
use crate::service::Error;

/// An answer that is not a success, before it has an envelope.
#[derive(Debug)]
pub struct Problem {
    pub status: StatusCode,
    /// Cause for programs.
    pub code: &'static str,
    pub message: String,
    /// The rule of storage repos that was broken.
    pub rule: Option<Rule>,
    /// Where in the request, when it is the request.
    pub place: Option<Vec<String>>,
    pub current_head: Option<String>,
    /// Whether the same request may succeed later, where that is not plain from the status.
    pub retry: Option<bool>,
}

/// What temporary failures suggest to wait, in seconds.
pub const RETRY_AFTER_SECONDS: u32 = 1;

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, code, message, rule: None, place: None, current_head: None, retry: None }
    }

    /// The request cannot be understood or asks for what cannot be. The halves differ in
    /// the status, so that it is only settled when the answer is written.
    fn invalid(place: Vec<String>, message: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_error", message);
        problem.place = Some(place);
        problem
    }

    /// The part of the request called `part` does not read as what it should be; `E` is what its
    /// format fails with. Says at which key, when that is known.
    fn unreadable<E: StdError + 'static>(part: &str, rejection: &(dyn StdError + 'static)) -> Self {
        let mut place = vec![part.to_owned()];
        let mut causes = successors(Some(rejection), |&cause| cause.source());
        let Some(found) = causes.find_map(|cause| cause.downcast_ref::<PathError<E>>()) else {
            return Self::invalid(place, rejection.to_string());
        };
        place.extend(found.path().iter().filter_map(|step| match step {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        }));
        Self::invalid(place, found.to_string())
    }

    pub fn no_such_path() -> Self {
        let message = "No such path. The API is described at /docs.";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub fn beyond(length: usize) -> Self {
        let message = format!("The file has {length} bytes. Ask for less.");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", message)
    }

    pub fn method_not_allowed() -> Self {
        let message = "This path does not take this method. The header Allow lists those it takes.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    pub fn no_token() -> Self {
        let message = "No bearer token was sent. Send one as `Authorization: Bearer <token>`.";
        Self::new(StatusCode::UNAUTHORIZED, "missing_api_key", message)
    }

    pub fn too_many_requests() -> Self {
        let message = format!("Too many requests. Try again in {RETRY_AFTER_SECONDS} s.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message)
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", message)
    }

    pub fn body_too_large() -> Self {
        let limit = super::BODY_BYTES_MAX;
        let message = format!("The body is larger than {limit} bytes. Send less at once.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
    }

    pub fn unsupported_media_type(expected: &str) -> Self {
        let message = format!("Send the body with Content-Type: {expected}.");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    /// Nothing of the cause leaves the server but the id to find it by.
    pub fn internal() -> Self {
        let message = format!(
            "Internal error. The server's log has the cause under request id {}.",
            observe::request_id()
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_server_error", message)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Unauthenticated(_) => {
                Self::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
            }
            Error::Forbidden(_) => {
                Self::new(StatusCode::FORBIDDEN, "insufficient_permissions", message)
            }
            Error::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", message),
            Error::Invalid { place, .. } => Self::invalid(place, message),
            Error::Conflict { current_head, .. } => {
                let code = if current_head.is_some() { "head_mismatch" } else { "conflict" };
                let problem = Self::new(StatusCode::CONFLICT, code, message);
                Self { current_head, retry: Some(false), ..problem }
            }
            Error::Source(_) => Self::new(StatusCode::BAD_REQUEST, "source_failed", message),
            Error::TooLarge(_) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
            }
            Error::Locked(_) => {
                let problem = Self::new(StatusCode::LOCKED, "resource_locked", message);
                Self { retry: Some(true), ..problem }
            }
            Error::Rule { rule, .. } => {
                let status = match rule {
                    Rule::NotFound => StatusCode::NOT_FOUND,
                    Rule::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
                    _ => StatusCode::BAD_REQUEST,
                };
                Self { rule: Some(rule), ..Self::new(status, "validation_error", message) }
            }
            Error::LimitReached(_) => Self::invalid(vec!["body".to_owned()], message),
            Error::Unavailable(_) => Self::unavailable(message),
            Error::Unreachable(source) => {
                tracing::error!(error = chain(source.as_ref()), "the database does not answer");
                Self::unavailable(message)
            }
            Error::Internal(source) => {
                tracing::error!(error = chain(source.as_ref()), "request failed");
                Self::internal()
            }
        }
    }
}

/// An error with what caused it, on one line.
fn chain(error: &dyn StdError) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::MissingJsonContentType(_) => {
                Self::unsupported_media_type("application/json")
            }
            JsonRejection::BytesRejection(rejection) => rejection.into(),
            other => Self::unreadable::<serde_json::Error>("body", &other),
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::body_too_large();
        }
        Self::invalid(vec!["body".to_owned()], "The body could not be read to its end.")
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::unreadable::<serde::de::value::Error>("query", &rejection)
    }
}

/// A path that does not parse names nothing that exists.
impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        let message = "Not found. The path holds an id that is not one; check it.";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }
}
