//! Wraps every request: gives it an id, turns a panic into a 500, logs one line and counts.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;
use tracing::Instrument;

use super::half;
use super::problem::Problem;
use crate::telemetry;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken over from the sender, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request being answered; empty outside of one.
pub fn request_id() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

pub async fn observe(request: Request, next: Next) -> Response {
    let id = usable_id(&request).unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let value = HeaderValue::try_from(&id).ok();
    let span = tracing::info_span!("request", id);
    let mut response = CURRENT.scope(id, answer(request, next).instrument(span)).await;
    if let Some(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn answer(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // What stands there is a secret.
    let path =
        if route.contains("{token}") { route.as_str() } else { request.uri().path() }.to_owned();
    let response = AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        // The panic hook has written where and why.
        half::answer(&path, Problem::internal())
    });
    let status = response.status();
    let elapsed = started.elapsed();
    telemetry::count_request(&method, route, status, elapsed);
    let duration_ms = elapsed.as_secs_f64() * 1e3;
    if status.is_server_error() {
        tracing::warn!(%method, path, status = status.as_u16(), duration_ms, "request answered");
    } else {
        tracing::info!(%method, path, status = status.as_u16(), duration_ms, "request answered");
    }
    response
}

fn usable_id(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let usable = (1..=REQUEST_ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_graphic());
    usable.then(|| id.to_owned())
}
