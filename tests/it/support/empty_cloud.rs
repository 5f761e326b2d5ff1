//! Stands in for a cloud that speaks S3: every bucket is empty, but for `denied`, which lets nobody in.
//! Keeps what it was sent, and quotes it where it refuses.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};

pub struct EmptyCloud {
    pub url: String,
    sent: Arc<Mutex<String>>,
}

impl EmptyCloud {
    pub async fn start() -> Self {
        let sent = Arc::new(Mutex::new(String::new()));
        let kept = sent.clone();
        let handler = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let request = format!("{method} {uri} {headers:?} {body:?}\n");
            kept.lock().expect("no panic").push_str(&request);
            if uri.path().starts_with("/denied") {
                let said = format!("<Message>{}</Message>", request.replace('&', "&amp;"));
                let refusal = format!("<Error><Code>AccessDenied</Code>{said}</Error>");
                return (StatusCode::FORBIDDEN, refusal);
            }
            (StatusCode::OK, "<ListBucketResult></ListBucketResult>".to_owned())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
        Self { url, sent }
    }

    pub fn sent(&self) -> String {
        self.sent.lock().expect("no panic").clone()
    }
}
