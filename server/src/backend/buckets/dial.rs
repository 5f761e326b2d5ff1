//! Speaks HTTP to the addresses that were checked for a URL, and to no other: names are not resolved
//! again, redirects not followed, proxies not used.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use reqwest::{Client, Request, Response, StatusCode, redirect};

use super::BucketError;
use super::content::{Paced, exactly};
use super::object::{Body, Content};
use crate::backend::egress::Checked;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one exchange without an object's content may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer that is read whole, in bytes: a thousand of the longest keys, escaped, fit.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A client that is pinned to one host.
#[derive(Debug)]
pub struct Line {
    client: Client,
    /// How long the other side may do nothing while an object goes over.
    patience: Duration,
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Line {
    pub fn to(checked: &Checked, patience: Duration) -> Result<Self, BucketError> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true);
        // A host that is an address is dialled as it is.
        if let Some(name) = checked.url.domain() {
            builder = builder.resolve_to_addrs(name, &checked.addresses);
        }
        let client = builder.build().map_err(|error| BucketError::Unreachable(cause(&error)))?;
        Ok(Self { client, patience })
    }

    pub async fn send(&self, mut request: Request) -> Result<Answer, BucketError> {
        *request.timeout_mut() = Some(EXCHANGE_TIMEOUT);
        self.whole(self.execute(request).await.map_err(failed)?).await
    }

    /// Sends a request. A connection that was kept may turn out to be gone, which is no answer; so what
    /// may be said twice is, once.
    async fn execute(&self, request: Request) -> reqwest::Result<Response> {
        let again = request.try_clone().filter(|request| request.method().is_idempotent());
        match (self.client.execute(request).await, again) {
            (Err(error), Some(again)) if error.is_request() && !error.is_timeout() => {
                self.client.execute(again).await
            }
            (answer, _) => answer,
        }
    }

    /// Sends a request whose answer may be long, or long in coming once it has begun.
    pub async fn fetch(&self, request: Request) -> Result<Response, BucketError> {
        let response = tokio::time::timeout(self.patience, self.execute(request)).await;
        response.map_err(|_| BucketError::TimedOut)?.map_err(failed)
    }

    /// Sends a request with a content. A content that is bad, or has another length, is broken off
    /// before its last chunk.
    pub async fn upload(
        &self,
        mut request: Request,
        length: u64,
        content: Content,
    ) -> Result<Answer, BucketError> {
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
        let mut content = exactly(content, length);
        if length == 0 {
            // Nobody asks for the chunks of an empty body.
            let bad = |error: std::io::Error| BucketError::Content(error.to_string());
            content.try_next().await.map_err(bad)?;
        }
        let (content, pace) = Paced::new(content);
        *request.body_mut() = Some(reqwest::Body::wrap_stream(content));
        let exchange =
            async { self.whole(self.client.execute(request).await.map_err(failed)?).await };
        let answer = tokio::select! {
            answer = exchange => answer,
            () = pace.stalled(self.patience) => Err(BucketError::TimedOut),
        };
        match pace.fault() {
            Some(fault) => Err(BucketError::Content(fault)),
            None => answer,
        }
    }

    /// An answer's content, as it comes.
    pub fn body(&self, response: Response) -> Body {
        let patience = self.patience;
        let next = move |mut response: Response| async move {
            let chunk = tokio::time::timeout(patience, response.chunk()).await;
            let chunk = chunk.map_err(|_| BucketError::TimedOut)?.map_err(failed)?;
            Ok(chunk.map(|chunk| (chunk, response)))
        };
        stream::try_unfold(response, next).boxed()
    }

    /// Reads an answer to its end, if that is not far.
    pub async fn whole(&self, mut response: Response) -> Result<Answer, BucketError> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut chunks = self.body(response);
        let mut body = BytesMut::new();
        while let Some(chunk) = chunks.try_next().await? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(BucketError::Unexpected(format!("more than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }
}

impl Answer {
    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn failed(error: reqwest::Error) -> BucketError {
    if error.is_timeout() {
        return BucketError::TimedOut;
    }
    BucketError::Unreachable(cause(&error))
}

/// What is at the bottom of an error. The error itself would print the URL, which is signed.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = match error.source() {
        Some(source) => source,
        None => return "the request failed".to_owned(),
    };
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, Url};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::*;

    /// The method of the next request on a connection.
    async fn asked(stream: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut head).await.expect("a request"), 0);
        }
        let head = String::from_utf8(head).expect("text");
        head.split(' ').next().expect("a method").to_owned()
    }

    /// The server answers once on each connection, takes another request, and is gone.
    #[tokio::test]
    async fn what_may_be_said_twice_outlives_a_kept_connection() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (heard, mut all_heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let heard = heard.clone();
                tokio::spawn(async move {
                    heard.send(asked(&mut stream).await).expect("listened to");
                    stream.write_all(b"HTTP/1.1 204 Gone next\r\n\r\n").await.expect("an answer");
                    heard.send(asked(&mut stream).await).expect("listened to");
                });
            }
        });
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        let checked = Checked { url: url.clone(), addresses: vec![address] };
        let line = Line::to(&checked, EXCHANGE_TIMEOUT).expect("a client");
        let said = async |method: Method| line.send(Request::new(method, url.clone())).await;
        for method in [Method::GET, Method::DELETE, Method::HEAD, Method::PUT] {
            assert_eq!(said(method).await.expect("an answer").status, StatusCode::NO_CONTENT);
        }
        // Answered or lost: it may not be said twice.
        let lost = said(Method::POST).await.is_err();
        let all: Vec<String> = std::iter::from_fn(|| all_heard.try_recv().ok()).collect();
        assert_eq!(all.iter().filter(|method| *method == "POST").count(), 1, "{all:?} {lost}");
    }

    #[tokio::test]
    async fn a_name_is_dialled_where_it_was_checked() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let url = format!("http://never.resolved.invalid:{}/", address.port());
        let url = Url::parse(&url).expect("a URL");
        let checked = Checked { url: url.clone(), addresses: vec![address] };
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 1];
            stream.read_exact(&mut request).await.expect("a request");
            stream.write_all(b"HTTP/1.1 204 Gone here\r\n\r\n").await.expect("an answer");
        });
        let line = Line::to(&checked, EXCHANGE_TIMEOUT).expect("a client");
        let answer = line.send(Request::new(Method::GET, url)).await;
        assert_eq!(answer.expect("an answer").status, StatusCode::NO_CONTENT);
    }
}
