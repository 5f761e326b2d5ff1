//! Takes down what the generated client sends, and sends it again as somebody else: the client
//! itself never sends without a token.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use repoplane_client::Client;

use crate::operations::{Operation, Targets};
use crate::support::Server;

/// A server that remembers the last request and answers nothing of use.
pub struct Recorder {
    url: String,
    last: Arc<Mutex<Option<Recorded>>>,
}

#[derive(Clone)]
pub struct Recorded {
    method: Method,
    uri: Uri,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

/// An answer without what differs from one request to the next.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    headers: HeaderMap,
}

impl Recorder {
    pub async fn start() -> Self {
        let last = Arc::new(Mutex::new(None));
        let kept = last.clone();
        let remember = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let content_type = headers.get(CONTENT_TYPE).cloned();
            *kept.lock().expect("no panic") = Some(Recorded { method, uri, content_type, body });
            StatusCode::IM_A_TEAPOT
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let router = axum::Router::new().fallback(remember);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, last }
    }

    pub async fn record(&self, operation: &Operation, on: Targets) -> Recorded {
        let client = Client::connect(&self.url, "recorded").expect("the recorder's URL");
        (operation.send)(client, on).await.expect_err("the recorder answers nothing of use");
        self.last.lock().expect("no panic").take().expect("the client has sent a request")
    }
}

impl Recorded {
    pub fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    pub async fn send(&self, server: &Server, credential: Option<&str>) -> Answer {
        let url = format!("{}{}", server.url(), self.uri);
        let mut request =
            reqwest::Client::new().request(self.method.clone(), url).body(self.body.clone());
        if let Some(content_type) = &self.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(credential) = credential {
            request = request.header(AUTHORIZATION, credential);
        }
        let response = request.send().await.expect("an answer");
        let (status, mut headers) = (response.status().as_u16(), response.headers().clone());
        headers.remove("date");
        assert!(headers.remove("x-request-id").is_some(), "every answer has a request id");
        Answer { status, headers, body: response.text().await.expect("a body") }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header in ASCII"))
    }
}
