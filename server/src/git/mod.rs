//! Door: git's smart HTTP of source repos, for any git client. Knows the protocol's frames and
//! nothing of what is in them; no rules in here.

mod access;
mod body;
mod fetch;
mod pkt;
mod push;
mod refusal;
mod report;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::model::id::SourceRepoId;
use crate::service::Services;
use crate::service::source_git::Patience;
use refusal::Refusal;

/// Clients say here which version of the protocol they speak.
const GIT_PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");
/// Longest such word that is passed on to git, in bytes.
const PROTOCOL_BYTES_MAX: usize = 128;

/// What the operator sets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Clones, fetches and pushes under way at the same time.
    pub concurrent: usize,
    /// How long one more waits for its turn.
    pub wait: Duration,
    pub push_mib: u32,
    pub idle: Duration,
    /// How long the client of a push waits for a word.
    pub keep_alive: Duration,
    pub total: Duration,
}

impl Limits {
    pub fn of(config: &Config) -> Self {
        Self {
            concurrent: config.git.concurrent,
            wait: Duration::from_secs(config.git.wait_seconds),
            push_mib: config.git.push_mib,
            idle: Duration::from_secs(config.git.idle_seconds),
            keep_alive: Duration::from_secs(config.git.keep_alive_seconds.max(1)),
            total: Duration::from_secs(config.git.total_seconds),
        }
    }
}

struct Door {
    services: Arc<Services>,
    slots: Arc<Semaphore>,
    limits: Limits,
}

/// The whole door. Whatever else git may ask for, as it does of a plain folder of files, is no path.
pub fn router(services: &Arc<Services>, limits: Limits) -> Router {
    let slots = Arc::new(Semaphore::new(limits.concurrent));
    let door = Door { services: services.clone(), slots, limits };
    // The name ends in `.git`, which a route cannot say.
    Router::new()
        .route("/v1/repo/{repo_id}/info/refs", get(advertise))
        .route("/v1/repo/{repo_id}/git-upload-pack", post(fetch::fetch))
        .route("/v1/repo/{repo_id}/git-receive-pack", post(push::push))
        .with_state(Arc::new(door))
}

#[derive(Deserialize)]
struct Asked {
    service: Option<String>,
}

async fn advertise(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let answered = async {
        let repo = named(&name)?;
        match asked.service.as_deref() {
            Some("git-upload-pack") => fetch::advertise(&door, repo, &headers).await,
            Some("git-receive-pack") => push::advertise(&door, repo, &headers).await,
            _ => Err(Refusal::not_found()),
        }
    };
    answered.await.unwrap_or_else(IntoResponse::into_response)
}

/// The repo of a path, which is called by its id.
fn named(name: &str) -> Result<SourceRepoId, Refusal> {
    let id = name.strip_suffix(".git").and_then(|id| id.parse().ok());
    id.ok_or_else(Refusal::not_found)
}

/// Which version of the protocol to speak; what is not a plain word is not for git to see.
fn protocol(headers: &HeaderMap) -> Option<&str> {
    let word = headers.get(GIT_PROTOCOL)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"=:.-_".contains(&byte);
    (word.len() <= PROTOCOL_BYTES_MAX && word.bytes().all(plain)).then_some(word)
}

/// Refuses what no git client sends, a form of some web page for instance.
fn expect(headers: &HeaderMap, content_type: &str) -> Result<(), Refusal> {
    match headers.get(CONTENT_TYPE).is_some_and(|found| found == content_type) {
        true => Ok(()),
        false => Err(Refusal::unsupported(content_type)),
    }
}

/// An answer that is true for the moment.
fn fresh(content_type: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0, must-revalidate")),
    ];
    (headers, body).into_response()
}

impl Door {
    fn patience(&self) -> Patience {
        Patience { idle: self.limits.idle, total: self.limits.total }
    }

    /// Waits for its turn, but not for ever.
    async fn slot(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let waited = tokio::time::timeout(self.limits.wait, self.slots.clone().acquire_owned());
        match waited.await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(Refusal::busy()),
        }
    }
}
