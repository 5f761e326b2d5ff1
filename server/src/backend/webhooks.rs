//! Posts to the URLs of webhooks. Reads nothing of an answer but its status and how long to wait; no
//! error holds a URL or a secret.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Url};

use super::egress::{Egress, EgressError, cause};

/// How long a receiver may take to answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

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

/// Opens lines to receivers that may be dialled.
#[derive(Clone, Debug)]
pub struct Posts {
    egress: Egress,
}

/// A line to one receiver, pinned to the addresses that were checked.
#[derive(Debug)]
pub struct Line {
    client: Client,
    url: Url,
}

impl Posts {
    pub fn new(egress: Egress) -> Self {
        Self { egress }
    }

    /// Whether the URL may be dialled as of now.
    pub async fn check(&self, url: &str) -> Result<(), EgressError> {
        self.egress.check(url).await.map(drop)
    }

    pub async fn open(&self, url: &str) -> Result<Line, PostError> {
        let resolved = tokio::time::timeout(ANSWER_TIMEOUT, self.egress.check(url)).await;
        let checked = resolved.map_err(|_| PostError::TimedOut)??;
        let agent = concat!("Repoplane/", env!("CARGO_PKG_VERSION"));
        let client = checked.client().user_agent(agent).timeout(ANSWER_TIMEOUT).build();
        let client = client.map_err(|error| PostError::Unreachable(cause(&error)))?;
        Ok(Line { client, url: checked.url })
    }
}

impl Line {
    /// Posts JSON.
    pub async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Answer, PostError> {
        let json = HeaderValue::from_static("application/json");
        let post = self.client.post(self.url.clone()).headers(headers).header(CONTENT_TYPE, json);
        let answer = post.body(body).send().await.map_err(|error| {
            if error.is_timeout() {
                PostError::TimedOut
            } else {
                PostError::Unreachable(cause(&error))
            }
        })?;
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        Ok(Answer { status: answer.status().as_u16(), retry_after })
    }
}
