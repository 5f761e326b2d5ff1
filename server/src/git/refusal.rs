//! What goes wrong before git can say it: a status, and words that git shows to whoever runs it.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::service::Error;

/// What temporary failures suggest to wait, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Source repo not found. Check the URL.")
    }

    pub fn unsupported(expected: &str) -> Self {
        let message = format!("Send the body with Content-Type: {expected}.");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    pub fn busy() -> Self {
        let message = "The server runs as many clones and pushes as it can. Try again in 1 s.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    pub fn too_many() -> Self {
        let message = "Too many requests. Try again in 1 s.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, message)
    }

    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let status = match &error {
            Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Source(_) => StatusCode::BAD_REQUEST,
            Error::Invalid { .. } | Error::Rule { .. } | Error::LimitReached(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::Conflict { .. } => StatusCode::CONFLICT,
            Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Locked(_) => StatusCode::LOCKED,
            Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Unreachable(source) => {
                tracing::error!(error = %source, "the database does not answer");
                StatusCode::SERVICE_UNAVAILABLE
            }
            Error::Internal(source) => {
                tracing::error!(error = %source, "a request of git failed");
                let message = "Internal error. The server's log has the cause.";
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, message);
            }
        };
        Self { status, message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: HeaderValue| drop(headers.insert(name, value));
        // Git shows plain text, and nothing else.
        set(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        match self.status {
            StatusCode::UNAUTHORIZED => {
                set(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Repoplane\""));
            }
            StatusCode::LOCKED
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE => {
                set(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
            }
            _ => {}
        }
        (self.status, headers, format!("{}\n", self.message)).into_response()
    }
}
