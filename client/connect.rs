//! Making a client from a URL and a token. Checks both, and must never touch the network.

use std::{str::FromStr, time::Duration};

use reqwest::{Url, redirect};

use crate::{Auth, Client};

/// How long to try to reach the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may send nothing. There is no limit on a whole call: downloads are long.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Why no client could be made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    #[error("the server's URL is not valid; write it like https://repoplane.example.com")]
    Url(#[source] <Url as FromStr>::Err),
    #[error("the server's URL starts with `{0}://`; only http:// and https:// are possible")]
    Scheme(String),
    #[error("https:// needs this crate's feature `rustls`, which is switched off")]
    TlsMissing,
    #[error("the server's URL has a user name or password; pass the token as the token instead")]
    Credentials,
    #[error("the server's URL has a query or fragment; leave out everything from `?` or `#` on")]
    QueryOrFragment,
    #[error("the token is empty or holds a character other than visible ASCII")]
    Token,
    #[error("the HTTP client could not be set up")]
    Http(#[source] reqwest::Error),
}

impl Client {
    /// A client of the server at `url` that acts with `token`, an account or a repo token.
    ///
    /// `url` may have a path, for a server behind a proxy: operations are appended to it. Neither
    /// the server nor the token is tried out. Redirects are not followed, so that the token goes
    /// nowhere else.
    pub fn connect(url: &str, token: &str) -> Result<Self, ConnectError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .user_agent(USER_AGENT)
            .build()
            .map_err(ConnectError::Http)?;
        Self::connect_with(url, token, http)
    }

    /// Like [`Client::connect`], with timeouts, proxies, certificates and so on as set on `http`.
    pub fn connect_with(
        url: &str,
        token: &str,
        http: reqwest::Client,
    ) -> Result<Self, ConnectError> {
        let auth = Auth::bearer(token)?;
        Ok(Self::new_with_client(&base_url(url)?, http, auth))
    }
}

/// `url` without trailing slashes, since every operation's path starts with one.
fn base_url(url: &str) -> Result<String, ConnectError> {
    let url = Url::parse(url).map_err(ConnectError::Url)?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "rustls") => {}
        "https" => return Err(ConnectError::TlsMissing),
        other => return Err(ConnectError::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConnectError::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ConnectError::QueryOrFragment);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
