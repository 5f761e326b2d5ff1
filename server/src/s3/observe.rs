//! Wraps every request: gives it an id and a slot, turns a panic into a 500, logs one line and counts.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use s3s::S3ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::{errors, guard};
use crate::service::Services;
use crate::telemetry;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// Which operation a request turned out to be.
#[derive(Clone, Default)]
pub struct Operation(Arc<OnceLock<String>>);

impl Operation {
    pub fn is(&self, name: String) {
        self.0.get_or_init(|| name);
    }
}

#[derive(Clone)]
pub struct Slots {
    pub services: Arc<Services>,
    pub free: Arc<Semaphore>,
}

pub async fn observe(State(slots): State<Slots>, request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let value = HeaderValue::try_from(&id).ok();
    let span = tracing::info_span!("request", id);
    let mut response = answer(&slots, request, next, &id).instrument(span).await;
    if let Some(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn answer(slots: &Slots, mut request: Request, next: Next, id: &str) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let waits = waits_for_nothing(&request);
    let operation = Operation::default();
    request.extensions_mut().insert(operation.clone());
    let whole = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let request = request.map(|body| Body::new(Watched { body, whole: whole.clone() }));
    let (response, slot) = match admit(slots) {
        Ok(slot) => {
            let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            // The panic hook has written where and why.
            (answered.unwrap_or_else(|_| guard::answer(errors::internal())), Some(slot))
        }
        Err(error) => (guard::answer(error), None),
    };
    let mut response = hold(errors::told(bare(response), id, &path).await, slot);
    // What has not been read of a content would be taken for the next request.
    if waits || !whole.load(Ordering::Relaxed) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let status = response.status();
    let elapsed = started.elapsed();
    let name = operation.0.get().map_or("none", String::as_str);
    telemetry::count_request(&method, format!("S3 {name}"), status, elapsed);
    let duration_ms = elapsed.as_secs_f64() * 1e3;
    let status = status.as_u16();
    if response.status().is_server_error() {
        tracing::warn!(%method, path, operation = name, status, duration_ms, "request answered");
    } else {
        tracing::info!(%method, path, operation = name, status, duration_ms, "request answered");
    }
    response
}

fn admit(slots: &Slots) -> Result<OwnedSemaphorePermit, s3s::S3Error> {
    if slots.services.is_stopping() {
        let message = "The server is shutting down. Try again in 1 s.";
        return Err(errors::later(S3ErrorCode::ServiceUnavailable, message));
    }
    slots.free.clone().try_acquire_owned().map_err(|_| {
        let message = "The server is handling all the requests it can. Try again in 1 s.";
        errors::later(S3ErrorCode::SlowDown, message)
    })
}

/// Whether a client wants to be told to send a content that is empty. HTTP need not tell it; but the
/// AWS CLI, which goes on with the next request, then waits for an answer that it has had. With another
/// connection it does not.
fn waits_for_nothing(request: &Request) -> bool {
    let headers = request.headers();
    let empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
    empty && headers.contains_key(EXPECT)
}

/// What is as the client knows it comes without a word.
fn bare(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// A request is under way until the last byte of its answer is out.
fn hold(response: Response, slot: Option<OwnedSemaphorePermit>) -> Response {
    response.map(|body| Body::new(Held { body, _slot: slot }))
}

struct Held {
    body: Body,
    _slot: Option<OwnedSemaphorePermit>,
}

/// A request's body that tells whether all of it was read.
struct Watched {
    body: Body,
    whole: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.whole.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
