//! A git server elsewhere, as far as anybody can tell: it hands out a source repo of a test server, to
//! whoever asks, and can be made to misbehave.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use super::OWNER_TOKEN;

pub struct Upstream {
    port: u16,
    visits: watch::Sender<usize>,
    silent: Arc<AtomicBool>,
    redirect: Arc<Mutex<Option<String>>>,
}

impl Upstream {
    /// In front of the server at `base`.
    pub async fn start(base: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let upstream = Self {
            port,
            visits: watch::Sender::new(0),
            silent: Arc::default(),
            redirect: Arc::default(),
        };
        let (visits, silent) = (upstream.visits.clone(), upstream.silent.clone());
        let (redirect, http) = (upstream.redirect.clone(), reqwest::Client::new());
        let answer = move |request: Request| async move {
            visits.send_modify(|visits| *visits += 1);
            if silent.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let elsewhere = redirect.lock().expect("no panic").clone();
            match elsewhere {
                Some(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
                None => forward(&http, &base, request).await,
            }
        };
        let router = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }

    /// Where repos are.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}/v1/repo", self.port)
    }

    /// Where a repo is.
    pub fn url(&self, repo: Uuid) -> String {
        format!("{}/{repo}.git", self.base())
    }

    pub fn visits(&self) -> usize {
        *self.visits.borrow()
    }

    /// Waits until somebody has come.
    pub async fn visited(&self) {
        let mut visits = self.visits.subscribe();
        visits.wait_for(|visits| *visits > 0).await.expect("an upstream that runs");
    }

    /// Takes requests and answers none.
    pub fn falls_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    pub fn leads_to(&self, elsewhere: &str) {
        *self.redirect.lock().expect("no panic") = Some(elsewhere.to_owned());
    }
}

async fn forward(http: &reqwest::Client, base: &str, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    let path = head.uri.path_and_query().expect("a path");
    let mut on = http.request(head.method, format!("{base}{path}"));
    for name in ["content-type", "content-encoding", "git-protocol", "accept"] {
        if let Some(value) = head.headers.get(name) {
            on = on.header(name, value);
        }
    }
    let answer = on.basic_auth("token", Some(OWNER_TOKEN)).body(body).send().await;
    let answer = answer.expect("the server behind");
    let (status, kind) = (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
    let content = Body::from_stream(answer.bytes_stream());
    let mut response = (status, content).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}
