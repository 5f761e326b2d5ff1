//! A body on its way to the service, and what is wrong with it in the words of S3.

use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt as _};
use s3s::{S3Error, S3ErrorCode as Code, StdError};

use super::errors::{self, custom, refused};
use super::frames::Fault;
use super::said::Said;
use crate::service::objects::ObjectError;

/// The body as a stream that remembers why it broke off.
pub fn take(
    body: impl Stream<Item = Result<Bytes, StdError>> + Send + 'static,
    said: &Said,
) -> BoxStream<'static, std::io::Result<Bytes>> {
    let fault = said.fault.clone();
    let pieces = body.map(move |piece| {
        piece.map_err(|error| {
            let fault = fault.get_or_init(|| fault_of(&error.to_string()));
            std::io::Error::from(*fault)
        })
    });
    pieces.boxed()
}

/// s3s tells its errors apart in their texts only.
fn fault_of(text: &str) -> Fault {
    let is = |words: &str| text.contains(words);
    if is("Sha256Mismatch") {
        Fault::Hash
    } else if is("SignatureMismatch") {
        Fault::Signature
    } else if is("FormatError") || is("TooLarge") || is("TooMany") {
        Fault::Malformed
    } else {
        Fault::Cut
    }
}

/// What a write came to that had this body.
pub fn render(error: ObjectError, said: &Said) -> S3Error {
    match (error, said.fault.get()) {
        (ObjectError::BadContent(_), Some(fault)) => of_fault(*fault),
        (error, _) => errors::render(error),
    }
}

fn of_fault(fault: Fault) -> S3Error {
    match fault {
        Fault::Stalled => refused(
            Code::RequestTimeout,
            "Your socket connection to the server was not read from or written to within the \
             timeout period.",
        ),
        Fault::Cut => refused(Code::IncompleteBody, "The body ended before its end."),
        Fault::Malformed => {
            refused(Code::InvalidRequest, "The body is not in chunks as announced.")
        }
        Fault::ChunkTooLong => custom(
            "InvalidChunkSizeError",
            axum::http::StatusCode::BAD_REQUEST,
            "A chunk with a signature may have 1 MiB at most.",
        ),
        Fault::Hash => custom(
            "XAmzContentSHA256Mismatch",
            axum::http::StatusCode::BAD_REQUEST,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        Fault::Signature => refused(
            Code::SignatureDoesNotMatch,
            "The signature of a chunk, or of what comes behind the content, does not match.",
        ),
    }
}
