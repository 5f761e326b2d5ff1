//! `repoplane config` and `repoplane healthcheck`: what is in force, and is it up.

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use repoplane_client::{Client, Error};

use crate::config::Config;

/// How long `repoplane healthcheck` waits for the answer.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print what is in force, secrets masked, as JSON
    Show,
    /// Print a JSON Schema of the configuration file
    Schema,
}

pub fn config(
    command: &ConfigCommand,
    load: impl FnOnce() -> anyhow::Result<Config>,
) -> anyhow::Result<()> {
    let shown = match command {
        ConfigCommand::Show => serde_json::to_string_pretty(&load()?.masked())?,
        ConfigCommand::Schema => serde_json::to_string_pretty(&schemars::schema_for!(Config))?,
    };
    println!("{shown}");
    Ok(())
}

pub async fn healthcheck(url: Option<String>, config: &Config) -> anyhow::Result<ExitCode> {
    let url = url.unwrap_or_else(|| Config::local_url(config.listen));
    // The endpoint needs no token, and none is sent to whoever answers there.
    let client = Client::connect(&url, "none")?;
    let failure =
        match tokio::time::timeout(HEALTHCHECK_TIMEOUT, client.check_readiness().send()).await {
            Ok(Ok(_)) => {
                println!("{url} is ready");
                return Ok(ExitCode::SUCCESS);
            }
            Ok(Err(Error::ErrorResponse(answer))) => {
                let checks = &answer.checks;
                format!("database {}, storage {}", checks.database, checks.storage)
            }
            Ok(Err(error)) => format!("{:#}", anyhow::Error::from(error)),
            Err(_) => format!("no answer in {} s", HEALTHCHECK_TIMEOUT.as_secs()),
        };
    eprintln!("error: {url} is not ready: {failure}");
    Ok(ExitCode::FAILURE)
}
