//! `repoplane source log` and `diff`: what happened to a source repo.

use std::io::Write as _;
use std::num::NonZeroU32;

use futures::StreamExt as _;
use repoplane_client::types::{CommitPage, Revision};

use super::edit::RepoPath;
use super::repo;
use crate::cli::remote::Remote;
use crate::cli::table::{shown_time, table};

/// Commits that one request asks for.
const PAGE: u32 = 100;

/// List commits, newest first
#[derive(clap::Args)]
pub struct Log {
    /// Id or name of the source repo
    repo: String,
    /// Branch, tag or commit to start at [default: the head]
    #[arg(long = "ref", value_name = "REF")]
    revision: Option<Revision>,
    /// Only commits that changed this file or directory
    #[arg(long)]
    path: Option<RepoPath>,
    /// How many to list at most
    #[arg(short = 'n', long, value_name = "COUNT", default_value = "20")]
    limit: NonZeroU32,
}

/// Show how two commits differ, as a patch
#[derive(clap::Args)]
pub struct Diff {
    /// Id or name of the source repo
    repo: String,
    /// Branch, tag or commit to start from
    base: Revision,
    /// Branch, tag or commit to come to [default: the head]
    head: Option<Revision>,
    /// Only this file or directory
    #[arg(long)]
    path: Option<RepoPath>,
}

pub async fn log(remote: &Remote, log: Log) -> anyhow::Result<()> {
    let id = repo::find(remote, &log.repo).await?;
    let mut request = remote.client.list_commits().repo_id(id);
    request = request.limit(log.limit.min(NonZeroU32::new(PAGE).expect("not zero")));
    if let Some(revision) = log.revision {
        request = request.ref_(revision);
    }
    if let Some(RepoPath(path)) = log.path {
        request = request.path(path);
    }
    let commits = request.stream().take(log.limit.get() as usize);
    let items = remote.all(commits).await?;
    let rows = items.iter().map(|commit| {
        let subject = commit.message.lines().next().unwrap_or_default().to_owned();
        let time = shown_time(commit.committer.date);
        [commit.id.clone(), time, commit.author.name.clone(), subject]
    });
    let text = table(["COMMIT", "TIME", "AUTHOR", "MESSAGE"], rows);
    remote.print(&CommitPage { items, next_cursor: None }, &text)
}

pub async fn diff(remote: &Remote, diff: Diff) -> anyhow::Result<()> {
    let id = repo::find(remote, &diff.repo).await?;
    let mut request = remote.client.diff_commits().repo_id(id).base(diff.base);
    if let Some(head) = diff.head {
        request = request.head(head);
    }
    if let Some(RepoPath(path)) = diff.path {
        request = request.path(path);
    }
    let answer = remote.call(request.send()).await?;
    let mut patch = String::new();
    for file in &answer.diff.files {
        match &file.patch {
            Some(text) => patch += text,
            None => {
                let why = if file.binary { "binary" } else { "no patch" };
                eprintln!("{}: {} ({why})", file.path.escape_debug(), file.status);
            }
        }
    }
    if answer.diff.truncated {
        eprintln!("More files differ than the server lists; git shows them all.");
    }
    remote.print(&answer, &patch)?;
    Ok(std::io::stdout().flush()?)
}
