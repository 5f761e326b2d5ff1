//! `repoplane source tree`, `cat`, `grep` and `archive`: what is in a source repo.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use futures::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use repoplane_client::ByteStream;
use repoplane_client::types::{ArchiveFormat, GrepSourceRepoPath, GrepSourceRepoPattern, Revision};
use serde_json::json;

use super::edit::RepoPath;
use super::repo;
use crate::cli::remote::Remote;
use crate::cli::save::{STDOUT, save};
use crate::cli::table::table;

const SPINNER: &str = "{spinner} {bytes}";

/// List the files of a source repo
#[derive(clap::Args)]
pub struct Tree {
    /// Id or name of the source repo
    repo: String,
    /// Directory to list [default: all of it]
    path: Option<RepoPath>,
    /// Branch, tag or commit to look at [default: the head]
    #[arg(long = "ref", value_name = "REF")]
    revision: Option<Revision>,
}

/// Print a file
#[derive(clap::Args)]
pub struct Cat {
    /// Id or name of the source repo
    repo: String,
    /// Path of the file
    path: RepoPath,
    /// Branch, tag or commit to look at [default: the head]
    #[arg(long = "ref", value_name = "REF")]
    revision: Option<Revision>,
}

/// Search the files for a text or a regular expression
#[derive(clap::Args)]
pub struct Grep {
    /// Id or name of the source repo
    repo: String,
    /// What to look for
    pattern: GrepSourceRepoPattern,
    /// The pattern is a regular expression
    #[arg(short = 'E', long)]
    regex: bool,
    /// Capitals and small letters are the same
    #[arg(short, long)]
    ignore_case: bool,
    /// Only files that match this glob, as in *.rs
    #[arg(long, value_name = "GLOB")]
    path: Option<GrepSourceRepoPath>,
    /// Branch, tag or commit to look at [default: the head]
    #[arg(long = "ref", value_name = "REF")]
    revision: Option<Revision>,
}

/// Download all files as one archive
#[derive(clap::Args)]
pub struct Archive {
    /// Id or name of the source repo
    repo: String,
    /// File to write, - for standard output
    file: PathBuf,
    /// Kind of archive: tar, tar.gz or zip [default: what FILE ends in, else tar.gz]
    #[arg(long)]
    format: Option<ArchiveFormat>,
    /// Branch, tag or commit to look at [default: the head]
    #[arg(long = "ref", value_name = "REF")]
    revision: Option<Revision>,
}

pub async fn tree(remote: &Remote, tree: Tree) -> anyhow::Result<()> {
    let id = repo::find(remote, &tree.repo).await?;
    let mut request = remote.client.list_tree().repo_id(id).recursive(true);
    if let Some(RepoPath(path)) = tree.path {
        request = request.path(path);
    }
    if let Some(revision) = tree.revision {
        request = request.ref_(revision);
    }
    let items = remote.all(request.stream()).await?;
    let rows =
        items.iter().map(|entry| [entry.mode.clone(), entry.oid.clone(), entry.path.clone()]);
    let text = table(["MODE", "CONTENT", "PATH"], rows);
    remote.print(&json!({ "items": items }), &text)
}

pub async fn cat(remote: &Remote, cat: Cat) -> anyhow::Result<()> {
    let id = repo::find(remote, &cat.repo).await?;
    let mut request = remote.client.get_source_file().repo_id(id).file_path(cat.path.0);
    if let Some(revision) = cat.revision {
        request = request.ref_(revision);
    }
    let content = remote.call(request.send()).await?;
    save(STDOUT.as_ref(), content.into_inner().map_err(anyhow::Error::from)).await
}

pub async fn grep(remote: &Remote, grep: Grep) -> anyhow::Result<()> {
    let id = repo::find(remote, &grep.repo).await?;
    let request = remote.client.grep_source_repo().repo_id(id).pattern(grep.pattern);
    let mut request = request.regex(grep.regex).ignore_case(grep.ignore_case);
    if let Some(path) = grep.path {
        request = request.path(path);
    }
    if let Some(revision) = grep.revision {
        request = request.ref_(revision);
    }
    let mut found = std::pin::pin!(request.stream());
    let mut out = std::io::stdout().lock();
    let (mut items, terminal) = (vec![], out.is_terminal());
    while let Some(found) = found.try_next().await.map_err(|error| remote.explained(error))? {
        if remote.json {
            items.push(found);
            continue;
        }
        let text = if terminal { harmless(&found.text) } else { found.text };
        writeln!(out, "{}:{}:{text}", harmless(&found.path), found.line)?;
    }
    drop(out);
    remote.print(&json!({ "items": items }), "")
}

/// What a terminal would obey is spelt out.
fn harmless(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        if c.is_control() && c != '\t' { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

pub async fn archive(remote: &Remote, archive: Archive) -> anyhow::Result<()> {
    let Archive { repo, file, format, revision } = archive;
    let id = repo::find(remote, &repo).await?;
    let name = file.to_string_lossy();
    let by_name = [("zip", ArchiveFormat::Zip), ("tar", ArchiveFormat::Tar)];
    let by_name = by_name.into_iter().find(|(end, _)| name.ends_with(&format!(".{end}")));
    let format = format.or(by_name.map(|(_, format)| format)).unwrap_or(ArchiveFormat::TarGz);
    let mut request = remote.client.archive_source_repo().repo_id(id).format(format);
    if let Some(revision) = revision {
        request = request.ref_(revision);
    }
    let content: ByteStream = remote.call(request.send()).await?;
    let style = ProgressStyle::with_template(SPINNER).expect("a template that is right");
    let bar = ProgressBar::new_spinner().with_style(style);
    let content = content.into_inner().inspect_ok(|piece| bar.inc(piece.len() as u64));
    let saved = save(&file, content.map_err(anyhow::Error::from)).await;
    bar.finish_and_clear();
    saved?;
    if file.as_os_str() != STDOUT {
        eprintln!("Wrote {} bytes to {name}.", bar.position());
    }
    Ok(())
}
