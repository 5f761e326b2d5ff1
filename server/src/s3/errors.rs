//! What went wrong, as S3 says it. Never says what is nobody's business: that goes to the log.

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use quick_xml::escape::escape;
use s3s::{S3Error, S3ErrorCode};

use super::objects;
use crate::service::Error;
use crate::service::objects::ObjectError;

/// Seconds after which to try again what failed for the moment.
const RETRY_SECONDS: u32 = 1;
/// Longest body of an error, in bytes.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// How every error ends.
const END: &[u8] = b"</Error>";

pub fn refused(code: S3ErrorCode, message: impl Into<String>) -> S3Error {
    S3Error::with_message(code, message.into())
}

/// An error that s3s has no code for.
pub fn custom(code: &'static str, status: StatusCode, message: impl Into<String>) -> S3Error {
    let mut error = refused(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// What may work in a moment.
pub fn later(code: S3ErrorCode, message: impl Into<String>) -> S3Error {
    let mut error = refused(code, message);
    error.set_status_code(StatusCode::SERVICE_UNAVAILABLE);
    let seconds = HeaderValue::from(RETRY_SECONDS);
    add_headers(&mut error, HeaderMap::from_iter([(RETRY_AFTER, seconds)]));
    error
}

fn add_headers(error: &mut S3Error, mut headers: HeaderMap) {
    // An error's headers replace those it would have by itself.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    error.set_headers(headers);
}

pub fn unsupported(what: &str) -> S3Error {
    let message = format!("{what} is not supported here; leave it out.");
    refused(S3ErrorCode::NotImplemented, message)
}

pub fn render(error: ObjectError) -> S3Error {
    use S3ErrorCode as Code;
    let said = error.to_string();
    match error {
        ObjectError::NoSuchBucket => refused(Code::NoSuchBucket, said),
        ObjectError::NoSuchKey => refused(Code::NoSuchKey, said),
        ObjectError::NoSuchUpload => refused(Code::NoSuchUpload, said),
        ObjectError::Denied(_) => refused(Code::AccessDenied, said),
        ObjectError::PreconditionFailed(_) => refused(Code::PreconditionFailed, said),
        ObjectError::NotModified(object) => {
            let mut error = refused(Code::NotModified, said);
            add_headers(&mut error, objects::of_state(&object));
            error
        }
        ObjectError::Range { .. } => refused(Code::InvalidRange, said),
        ObjectError::BadDigest(_) => refused(Code::BadDigest, said),
        ObjectError::BadContent(_) => refused(Code::IncompleteBody, said),
        ObjectError::Invalid(_) => refused(Code::InvalidRequest, said),
        ObjectError::KeyTooLong(_) => refused(Code::KeyTooLongError, said),
        ObjectError::MetadataTooLarge(_) => refused(Code::MetadataTooLarge, said),
        ObjectError::Tag(_) => refused(Code::InvalidTag, said),
        ObjectError::TooLarge(_) => refused(Code::EntityTooLarge, said),
        ObjectError::TooSmall(..) => refused(Code::EntityTooSmall, said),
        ObjectError::InvalidPart(_) => refused(Code::InvalidPart, said),
        ObjectError::PartOrder => refused(Code::InvalidPartOrder, said),
        ObjectError::Busy => refused(Code::OperationAborted, said),
        ObjectError::Importing | ObjectError::Unavailable(_) => {
            later(Code::ServiceUnavailable, said)
        }
        ObjectError::NotEmpty => refused(Code::BucketNotEmpty, said),
        ObjectError::BucketName(_) => refused(Code::InvalidBucketName, said),
        ObjectError::TooMany => refused(Code::TooManyBuckets, said),
        ObjectError::Exists => refused(Code::BucketAlreadyOwnedByYou, said),
        ObjectError::Other(error) => other(&error),
    }
}

fn other(error: &Error) -> S3Error {
    use S3ErrorCode as Code;
    let said = error.to_string();
    match error {
        Error::Unauthenticated(_) | Error::Forbidden(_) => refused(Code::AccessDenied, said),
        Error::NotFound(_) => refused(Code::NoSuchBucket, said),
        Error::Conflict { .. } | Error::Locked(_) => refused(Code::OperationAborted, said),
        Error::TooLarge(_) => refused(Code::EntityTooLarge, said),
        Error::Invalid { .. } | Error::Rule { .. } | Error::Source(_) | Error::LimitReached(_) => {
            refused(Code::InvalidRequest, said)
        }
        Error::Unavailable(_) => later(Code::ServiceUnavailable, said),
        Error::Unreachable(cause) => {
            tracing::error!(error = %cause, "the database does not answer");
            later(Code::ServiceUnavailable, said)
        }
        Error::Internal(cause) => {
            tracing::error!(error = %cause, "internal error");
            internal()
        }
    }
}

pub fn internal() -> S3Error {
    refused(
        S3ErrorCode::InternalError,
        "The server failed. Its log says why, under the id of this request.",
    )
}

/// Says in the body of an error what it is about, and the id of the request. s3s knows neither, and whoever
/// made the error need not know that it is said.
pub async fn told(response: Response, id: &str, path: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let mut body = to_bytes(body, ERROR_BYTES_MAX).await.unwrap_or_default();
    if let Some(said) = body.strip_suffix(END) {
        let about = format!("<Resource>{}</Resource><RequestId>{id}</RequestId>", escape(path));
        body = [said, about.as_bytes(), END].concat().into();
    }
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}
