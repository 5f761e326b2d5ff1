//! A receiver of webhooks on loopback, which checks signatures by code of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use repoplane_client::types::WebhookEvent;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long a test waits for an event that has to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

pub struct Receiver {
    url: String,
    answers: Answers,
    received: mpsc::UnboundedReceiver<Received>,
}

/// What to answer next; 204 when there is nothing. Redirects lead to this URL, and `0` is silence.
type Answers = Arc<Mutex<VecDeque<(u16, Option<String>)>>>;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::on(TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port"))
    }

    pub fn on(listener: TcpListener) -> Self {
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let answers = Answers::default();
        let (sender, received) = mpsc::unbounded_channel();
        let next = answers.clone();
        let receive = async move |headers: HeaderMap, body: Bytes| {
            let answer = next.lock().expect("no panic").pop_front();
            // Nobody listens any more once the test has ended.
            let _ = sender.send(Received { headers, body });
            respond(answer).await
        };
        let router = axum::Router::new().fallback(receive);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, answers, received }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn port(&self) -> u16 {
        let url: url::Url = self.url.parse().expect("a URL");
        url.port().expect("a port")
    }

    /// What to answer to the next requests, instead of 204.
    pub fn will_answer(&self, statuses: &[u16]) {
        let answers = statuses.iter().map(|status| (*status, None));
        self.answers.lock().expect("no panic").extend(answers);
    }

    /// Leads the next request elsewhere.
    pub fn will_redirect(&self, to: &str) {
        self.answers.lock().expect("no panic").push_back((307, Some(to.to_owned())));
    }

    /// The next request, which has to come.
    pub async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(PATIENCE, self.received.recv()).await;
        next.expect("an event within a minute").expect("a receiver that runs")
    }

    /// The next event of any of these types.
    pub async fn next_event(&mut self) -> WebhookEvent {
        self.next().await.event()
    }

    /// What has come and nobody has looked at.
    pub fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn respond(answer: Option<(u16, Option<String>)>) -> Response {
    let Some((status, location)) = answer else { return StatusCode::NO_CONTENT.into_response() };
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let status = StatusCode::from_u16(status).expect("a status");
    match location {
        Some(location) => (status, [(header::LOCATION, location)]).into_response(),
        None => (status, "no body that anybody reads").into_response(),
    }
}

impl Received {
    pub fn event(&self) -> WebhookEvent {
        serde_json::from_slice(&self.body).expect("an event as the contract has it")
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("a header {name}"));
        value.to_str().expect("text")
    }

    pub fn id(&self) -> uuid::Uuid {
        self.header("webhook-id").parse().expect("an id")
    }

    /// Whether one of its signatures is made with the secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").expect("the form of a signing secret");
        let key = BASE64_STANDARD.decode(key).expect("base64");
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signed = [id.as_bytes(), b".", time.as_bytes(), b".", &self.body].concat();
        let expected = format!("v1,{}", BASE64_STANDARD.encode(hmac(&key, &signed)));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// HMAC-SHA256 as RFC 2104 writes it down.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= BLOCK);
    let padded = |with: u8| -> Vec<u8> {
        (0..BLOCK).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect()
    };
    let inner = digest(&SHA256, &[&padded(0x36), message].concat());
    digest(&SHA256, &[&padded(0x5c)[..], inner.as_ref()].concat()).as_ref().to_vec()
}
