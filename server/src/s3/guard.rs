//! In front of s3s: refuses what it lets through, looks the access key up, once, and bounds what a body
//! can take of memory and time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3Service;
use s3s::{S3Error, S3ErrorCode, S3Result};
use secrecy::ExposeSecret as _;

use super::errors::{internal, refused, render};
use super::frames::{self, Fault};
use super::signature::{self, Signature};
use crate::service::Services;
use crate::service::objects::Session;

/// Longest answer of s3s to a signature that it refuses, in bytes.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

pub struct Guard {
    pub services: Arc<Services>,
    /// Checks signatures, and goes on from there.
    pub signatures: S3Service,
    pub stall: Duration,
}

/// Whose request it is, and what the guard has read of it.
#[derive(Clone)]
pub struct Admitted {
    pub session: Arc<Session>,
    pub signature: Signature,
    pub fault: Arc<OnceLock<Fault>>,
    /// Set once the signature is known to be right.
    pub verified: Arc<OnceLock<()>>,
}

tokio::task_local! {
    static CURRENT: Admitted;
}

pub async fn admit(State(guard): State<Arc<Guard>>, request: Request) -> Response {
    match pass(&guard, request).await {
        Ok(response) => response,
        Err(error) => answer(error),
    }
}

async fn pass(guard: &Guard, request: Request) -> Result<Response, S3Error> {
    let (mut parts, body) = request.into_parts();
    let signature = signature::read(&parts)?;
    let session = Session::open(&guard.services, &signature.access_key).await.map_err(render)?;
    let session = session.ok_or_else(unknown_key)?;
    if let Some(time) = &signature.signed_at {
        parts.headers.insert(signature::SIGNED_AT, time.clone());
    }
    let fault = Arc::new(OnceLock::new());
    let body = if body.is_end_stream() {
        s3s::Body::empty()
    } else {
        let pieces = frames::bounded(body, signature.framing, guard.stall, fault.clone());
        s3s::Body::http_body_unsync(pieces)
    };
    let verified = Arc::new(OnceLock::new());
    let session = Arc::new(session);
    let admitted = Admitted { session, signature, fault, verified: verified.clone() };
    parts.extensions.insert(admitted.clone());
    let request = axum::http::Request::from_parts(parts, body);
    let answered = CURRENT.scope(admitted, guard.signatures.call(request)).await;
    let response = answered.map_err(|_| internal())?.map(Body::new);
    if verified.get().is_some() || response.status() != StatusCode::FORBIDDEN {
        return Ok(response);
    }
    explained(response).await
}

/// s3s does not say what is wrong with a signature that is wrong, and it is the first thing to go wrong.
async fn explained(response: Response) -> Result<Response, S3Error> {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, REFUSAL_BYTES_MAX).await.map_err(|_| internal())?;
    if std::str::from_utf8(&body)
        .is_ok_and(|text| text.contains("<Code>SignatureDoesNotMatch</Code></"))
    {
        let message = "The request signature we calculated does not match the signature you \
                       provided. Check your key and signing method.";
        return Err(refused(S3ErrorCode::SignatureDoesNotMatch, message));
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

pub fn answer(error: S3Error) -> Response {
    match error.to_http_response() {
        Ok(response) => response.map(Body::new),
        Err(_) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn unknown_key() -> S3Error {
    refused(S3ErrorCode::InvalidAccessKeyId, "There is no such access key; it may be deleted.")
}

/// The secret of the one access key that the request in hand is about.
pub struct Secrets;

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let secret = CURRENT.try_with(|admitted| {
            // Were it read in two ways, one of them could be somebody else's.
            let same = admitted.signature.access_key == access_key;
            same.then(|| SecretKey::from(admitted.session.secret.expose_secret()))
        });
        secret.ok().flatten().ok_or_else(unknown_key)
    }
}
