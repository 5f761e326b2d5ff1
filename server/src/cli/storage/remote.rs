//! The server that the commands are for: reaches it, says what it refused, and prints what it
//! answered. Knows no single command.

use std::path::PathBuf;

use futures::{Stream, TryStreamExt};
use repoplane_client::types::StorageError;
use repoplane_client::{Client, Error, ResponseValue};
use secrecy::ExposeSecret;
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
    url: String,
    json: bool,
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
        Ok(Self { client, url, json: options.json })
    }

    /// What the server answers to a request.
    pub async fn call<T>(
        &self,
        sent: impl Future<Output = Result<ResponseValue<T>, Error<StorageError>>>,
    ) -> anyhow::Result<T> {
        sent.await.map(ResponseValue::into_inner).map_err(|error| self.explained(error))
    }

    /// A list, to its end.
    pub async fn all<T>(
        &self,
        items: impl Stream<Item = Result<T, Error<StorageError>>>,
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

    pub fn explained(&self, error: Error<StorageError>) -> anyhow::Error {
        let url = &self.url;
        match error {
            Error::ErrorResponse(answer) => {
                let StorageError { message, error_code, .. } = answer.into_inner();
                match error_code {
                    Some(code) => anyhow::anyhow!("{message} ({code})"),
                    None => anyhow::anyhow!(message),
                }
            }
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
                    "what {url} answered is not the storage API of this version{}; check --url \
                     and the version of the server",
                    status.unwrap_or_default()
                )
            }
        }
    }
}
