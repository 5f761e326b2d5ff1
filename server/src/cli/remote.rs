//! The server that the commands are for: reaches it, says what it refused, and prints what it
//! answered. Knows no single command.

use std::path::PathBuf;

use futures::{Stream, TryStreamExt};
use repoplane_client::types::{SourceError, StorageError};
use repoplane_client::{Client, Error, ResponseValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::secret;
use crate::config::Config;

/// Which server, as whom, and how to print.
#[derive(clap::Args)]
#[command(next_help_heading = "Connection and output")]
pub struct Options {
    /// Server to work on [default: the configured address]
    #[arg(long, value_name = "URL", global = true, env = "REPOPLANE_URL")]
    url: Option<String>,
    /// File that holds the token, - for standard input [default: the variable REPOPLANE_TOKEN]
    #[arg(long, value_name = "FILE", global = true, env = "REPOPLANE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Print what the server answers, as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

pub struct Remote {
    pub client: Client,
    pub url: String,
    pub token: SecretString,
    pub json: bool,
}

/// What a server says instead of an answer, in the words of its half.
pub trait Refusal {
    fn said(self) -> String;
}

impl Refusal for StorageError {
    fn said(self) -> String {
        match self.error_code {
            Some(code) => format!("{} ({code})", self.message),
            None => self.message,
        }
    }
}

impl Refusal for SourceError {
    fn said(self) -> String {
        match self.current_head {
            Some(head) => format!("{} ({}: {head})", self.message, self.code),
            None => format!("{} ({})", self.message, self.code),
        }
    }
}

impl Remote {
    pub fn connect(
        options: Options,
        config: impl FnOnce() -> anyhow::Result<Config>,
    ) -> anyhow::Result<Self> {
        let url = match options.url {
            Some(url) => url,
            None => Config::local_url(config()?.listen),
        };
        let token = match options.token_file {
            Some(path) => Some(secret::from_file("--token-file", &path)?),
            None => secret::from_variable("REPOPLANE_TOKEN")?,
        };
        let Some(token) = token else {
            anyhow::bail!(
                "no token; set REPOPLANE_TOKEN, or name a file that holds one with --token-file \
                 (`repoplane token create` makes one)"
            );
        };
        let client = Client::connect(&url, token.expose_secret())?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client, url, token, json: options.json })
    }

    /// What the server answers to a request.
    pub async fn call<T, E: Refusal>(
        &self,
        sent: impl Future<Output = Result<ResponseValue<T>, Error<E>>>,
    ) -> anyhow::Result<T> {
        sent.await.map(ResponseValue::into_inner).map_err(|error| self.explained(error))
    }

    /// A list, to its end.
    pub async fn all<T, E: Refusal>(
        &self,
        items: impl Stream<Item = Result<T, Error<E>>>,
    ) -> anyhow::Result<Vec<T>> {
        items.try_collect().await.map_err(|error| self.explained(error))
    }

    /// Prints an answer: as `text`, which ends its own lines, or as JSON if that was asked for.
    pub fn print(&self, answer: &impl Serialize, text: &str) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(answer)?);
        } else {
            print!("{text}");
        }
        Ok(())
    }

    pub fn explained<E: Refusal>(&self, error: Error<E>) -> anyhow::Error {
        let url = &self.url;
        match error {
            Error::ErrorResponse(answer) => anyhow::anyhow!(answer.into_inner().said()),
            Error::InvalidRequest(why) => anyhow::anyhow!(why),
            Error::CommunicationError(cause) | Error::ResponseBodyError(cause) => {
                anyhow::Error::new(cause).context(format!(
                    "no answer from {url}; start the server there, or name another one with --url \
                     or REPOPLANE_URL"
                ))
            }
            other => {
                let status = other.status().map(|status| format!(" (status {status})"));
                anyhow::anyhow!(
                    "what {url} answered is not the API of this version{}; check --url \
                     and the version of the server",
                    status.unwrap_or_default()
                )
            }
        }
    }
}
