//! The wire as it is: raw requests, and answers to the byte where it matters.

mod bodies;
mod envelopes;
mod limits;
mod observed;
mod paths;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::support::{OWNER_TOKEN, Server};

/// A request by the owner.
fn request(server: &Server, method: &str, path: &str) -> RequestBuilder {
    anonymous(server, method, path).bearer_auth(OWNER_TOKEN)
}

fn anonymous(server: &Server, method: &str, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    reqwest::Client::new().request(method, format!("{}{path}", server.url()))
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

/// Status and body.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = send(request).await;
    let (status, text) = (response.status().as_u16(), response.text().await.expect("text"));
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
}

/// Sends bytes as they are, and reads until the server has nothing more to say.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.expect("connected");
    stream.write_all(bytes).await.expect("sent");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.expect("an answer, and the end");
    String::from_utf8(said).expect("text")
}
