//! Posts to the URLs of webhooks. Reads nothing of an answer but its status and how long to wait; no
//! error holds a URL or a secret.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, redirect};

use super::egress::{Egress, EgressError};

/// How long a receiver may take to answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next event.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("not sent: {0}")]
    Refused(#[from] EgressError),
    #[error("no answer within {} s", ANSWER_TIMEOUT.as_secs())]
    TimedOut,
    #[error("no answer: {0}")]
    Unreachable(String),
}

/// What a receiver said.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// Dials what the egress guard lets through and nothing else: redirects are not followed, proxies
/// not used.
#[derive(Clone, Debug)]
pub struct Posts {
    egress: Egress,
    client: Client,
}

/// Resolves names to addresses that were checked; those are the ones that are dialled.
struct Guarded(Egress);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.0.clone();
        Box::pin(async move {
            // With port 0, that of the URL is dialled.
            let addresses = egress.resolve(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl Posts {
    pub fn new(egress: Egress) -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("Repoplane/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Guarded(egress.clone())))
            .timeout(ANSWER_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { egress, client })
    }

    /// Whether the URL may be dialled as of now.
    pub async fn check(&self, url: &str) -> Result<(), EgressError> {
        self.egress.check(url).await.map(drop)
    }

    /// Posts JSON.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, PostError> {
        let json = HeaderValue::from_static("application/json");
        // An address is not resolved, so it is checked here.
        let post = self.client.post(self.egress.check_url(url)?).headers(headers);
        let answer = post.header(CONTENT_TYPE, json).body(body).send().await.map_err(failed)?;
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        Ok(Answer { status: answer.status().as_u16(), retry_after })
    }
}

/// What is at the bottom of an error. The error itself would print the URL.
fn failed(error: reqwest::Error) -> PostError {
    if error.is_timeout() {
        return PostError::TimedOut;
    }
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<EgressError>() {
        Some(refused) => PostError::Refused(refused.clone()),
        None if cause.is::<reqwest::Error>() => {
            PostError::Unreachable("the request failed".to_owned())
        }
        None => PostError::Unreachable(cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that leads inside is refused when it is resolved, before anybody is dialled.
    #[tokio::test]
    async fn a_name_is_checked_where_it_is_resolved() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let posts = Posts::new(Egress::new(vec![])).expect("a client");
        for scheme in ["https", "HTTPS"] {
            let url = format!("{scheme}://localhost:{port}/");
            let refused = posts.post(&url, HeaderMap::new(), Bytes::new()).await;
            let refused = refused.expect_err("refused");
            assert!(matches!(refused, PostError::Refused(EgressError::Internal(_))), "{refused}");
        }
        let none = futures::FutureExt::now_or_never(listener.accept());
        assert!(none.is_none(), "somebody came");
    }
}
