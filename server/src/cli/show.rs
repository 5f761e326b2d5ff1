//! `repoplane config` and `repoplane healthcheck`: what is in force, and is it up.

use std::process::ExitCode;

use clap::Subcommand;
use repoplane_client::Client;

use crate::config::Config;

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
    let url = url.unwrap_or_else(|| format!("http://{}", config.listen));
    // The endpoint needs no token, and none is sent to whoever answers there.
    match Client::connect(&url, "none")?.check_readiness().send().await {
        Ok(_) => {
            println!("{url} is ready");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("error: {url} is not ready: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}
