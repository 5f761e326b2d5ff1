//! `repoplane source clone`: git, with the token where only git sees it. Must never put it into an
//! argument, nor into what git writes down.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use tokio::process::Command;

use super::repo;
use crate::cli::remote::Remote;

/// Clone a source repo with git
///
/// The token is not kept: later fetches and pushes ask for a password, which is a token of any user
/// name.
#[derive(clap::Args)]
pub struct Clone {
    /// Id or name of the source repo
    repo: String,
    /// Folder to make [default: the repo's name, or its id]
    folder: Option<PathBuf>,
    /// Branch to check out [default: main]
    #[arg(long)]
    branch: Option<String>,
    /// Fetch no more than so many commits
    #[arg(long, value_name = "COUNT")]
    depth: Option<u32>,
}

pub async fn run(remote: &Remote, clone: Clone) -> anyhow::Result<()> {
    let known = repo::get(remote, &clone.repo).await?;
    let folder = clone.folder.unwrap_or_else(|| folder(repo::name(&known), known.repo_id));
    let url = repo::git_url(remote, known.repo_id);
    let pair = format!("token:{}", remote.token.expose_secret());
    let header = format!("Authorization: Basic {}", STANDARD.encode(pair));
    let mut git = Command::new("git");
    git.arg("clone");
    if let Some(branch) = clone.branch {
        git.arg(format!("--branch={branch}"));
    }
    if let Some(depth) = clone.depth {
        git.arg(format!("--depth={depth}"));
    }
    git.arg("--").arg(&url).arg(&folder);
    // Everybody on the machine reads arguments; the environment only the same user.
    let settings = [
        (format!("http.{url}.extraHeader"), header),
        // A redirect would take the header along.
        (format!("http.{url}.followRedirects"), "false".to_owned()),
    ];
    git.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (number, (key, value)) in settings.into_iter().enumerate() {
        git.env(format!("GIT_CONFIG_KEY_{number}"), key);
        git.env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    let status = git.status().await;
    let status = status.context("git cannot be run; is it installed?")?;
    anyhow::ensure!(status.success(), "git ended with {status}");
    Ok(())
}

/// The name, if a folder may be called so.
fn folder(name: &str, id: uuid::Uuid) -> PathBuf {
    let plain = Path::new(name).file_name().is_some_and(|last| last == name);
    if plain && !name.contains(char::is_control) { name.into() } else { id.to_string().into() }
}
