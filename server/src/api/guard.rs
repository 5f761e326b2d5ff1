//! What stands before every route that needs a token: who is asking, how often, for how long.

use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::Semaphore;

use super::half::Half;
use super::problem::Problem;
use crate::service::{Services, tokens};

/// Limits that the operator sets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub concurrent: usize,
    pub body_mib: u32,
    pub request: Duration,
}

pub struct Guard {
    services: Arc<Services>,
    slots: Semaphore,
    /// One permit per KiB of a body that is in memory.
    bodies: Semaphore,
    bodies_kib_max: u32,
    request: Duration,
}

impl Guard {
    pub fn new(services: Arc<Services>, limits: Limits) -> Self {
        let bodies_kib_max = limits.body_mib.saturating_mul(1_024);
        Self {
            services,
            slots: Semaphore::new(limits.concurrent),
            bodies: Semaphore::new(bodies_kib_max as usize),
            bodies_kib_max,
            request: limits.request,
        }
    }

    /// What the body may take, in KiB; one of unknown length may be as long as is allowed.
    fn body_kib(&self, request: &Request) -> u32 {
        let allowed = super::BODY_BYTES_MAX as u64;
        let bytes = request.body().size_hint().upper().unwrap_or(allowed).min(allowed);
        let kib = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX);
        kib.min(self.bodies_kib_max)
    }
}

/// Lets a request through with its `Caller`, or answers in its half's envelope.
pub async fn admit<H: Half>(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match pass(&guard, request, next).await {
        Ok(response) => response,
        Err(problem) => H::from(problem).into_response(),
    }
}

async fn pass(guard: &Guard, mut request: Request, next: Next) -> Result<Response, Problem> {
    if guard.services.is_stopping() {
        return Err(Problem::unavailable("The server is shutting down. Try again in 1 s."));
    }
    let _slot = guard.slots.try_acquire().map_err(|_| {
        Problem::unavailable("The server is handling all the requests it can. Try again in 1 s.")
    })?;
    let answered = async {
        let token = bearer(&request).ok_or_else(Problem::no_token)?;
        let caller = tokens::authenticate(&guard.services.store, token).await?;
        if !guard.services.rates.admits(&caller) {
            return Err(Problem::too_many_requests());
        }
        // Waits rather than refuses: the others' bodies are gone soon, or time out.
        let _body = guard.bodies.acquire_many(guard.body_kib(&request)).await;
        request.extensions_mut().insert(caller);
        Ok(next.run(request).await)
    };
    tokio::time::timeout(guard.request, answered).await.unwrap_or_else(|_| {
        let seconds = guard.request.as_secs();
        Err(Problem::unavailable(format!(
            "The request took longer than {seconds} s and was given up. Ask for less at once, or \
             try again later."
        )))
    })
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
