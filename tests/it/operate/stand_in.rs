//! Stands in for a server, where a test is about what a command asks for. A real one does not tell
//! what it was sent, and least of all a secret.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};

/// One request: `METHOD /path?query`, its bearer token, and its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub what: String,
    pub token: String,
    pub body: Value,
}

pub struct StandIn {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// Answers every request with what `answer` makes of its `METHOD /path?query`. A list `events` is
    /// sent as a stream of events.
    pub async fn start(
        answer: impl Fn(&str) -> (u16, Value) + Clone + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        let handler = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let what = format!("{method} {uri}");
            let (status, answer) = answer(&what);
            let token = headers["authorization"].to_str().expect("text").to_owned();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            kept.lock().expect("no panic").push(Asked { what, token, body });
            let status = StatusCode::from_u16(status).expect("a status");
            if let Some(jobs) = answer["events"].as_array() {
                let events: String = jobs.iter().map(|job| format!("data: {job}\n\n")).collect();
                return (status, [("content-type", "text/event-stream")], events).into_response();
            }
            (status, axum::Json(answer)).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
        Self { url, asked }
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

/// A bucket as the API answers it. Its id ends in `number`.
pub fn bucket(number: u8, name: &str) -> Value {
    json!({
        "id": id(number), "name": name, "bucket": "b", "storageType": "S3", "workspaceId": id(0),
        "status": "ONLINE", "lastStatusAt": "2026-01-15T10:30:00Z",
        "createdAt": "2026-01-15T10:30:00Z",
    })
}

pub fn id(number: u8) -> String {
    uuid::Uuid::from_u128(u128::from(number)).to_string()
}
