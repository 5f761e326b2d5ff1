//! `repoplane source edit`: files written, removed and moved in one commit, all or nothing.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use repoplane_client::types::{
    BranchName, CommitId, CommitMessage, EditOperation, EditSource, EditSourceRepoRequest,
    FilePath, FileWrite, Metadata,
};

use super::repo::NAME;
use super::{create, folder, repo};
use crate::cli::remote::Remote;

const STDIN: &str = "-";

/// Change files in one commit, all or nothing
///
/// Files are removed first, then written, then moved.
#[derive(clap::Args)]
pub struct Edit {
    /// Id or name of the source repo
    repo: String,
    /// Write a file of this machine, - for standard input [default of FILE: PATH]
    #[arg(long = "write", value_name = "PATH[=FILE]", conflicts_with = "patch")]
    writes: Vec<Write>,
    /// Remove a file, or a directory with all in it
    #[arg(long = "rm", value_name = "PATH", conflicts_with = "patch")]
    removes: Vec<RepoPath>,
    /// Move a file
    #[arg(long = "mv", value_name = "OLD=NEW", conflicts_with = "patch")]
    moves: Vec<Move>,
    /// Apply a unified diff instead, - for standard input
    #[arg(long, value_name = "FILE")]
    patch: Option<PathBuf>,
    /// What to call the source repo from now on
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    terms: Terms,
}

/// Where and how to make a commit.
#[derive(clap::Args)]
pub struct Terms {
    /// Message of the commit [default: a line that names the change]
    #[arg(short, long)]
    pub message: Option<CommitMessage>,
    /// Branch to make it on [default: main]
    #[arg(long)]
    pub branch: Option<BranchName>,
    /// Make it only if this still is the branch's head
    #[arg(long, value_name = "COMMIT")]
    pub expected_head: Option<CommitId>,
}

/// A path in a source repo.
#[derive(Clone)]
pub struct RepoPath(pub FilePath);

impl FromStr for RepoPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.parse().map_err(|_| format!("{text:?} is no path of a file"))?;
        Ok(Self(path))
    }
}

#[derive(Clone)]
struct Write {
    path: FilePath,
    file: PathBuf,
}

impl FromStr for Write {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, file) = text.split_once('=').unwrap_or((text, text));
        Ok(Self { path: path.parse::<RepoPath>()?.0, file: file.into() })
    }
}

#[derive(Clone)]
struct Move {
    from: FilePath,
    to: FilePath,
}

impl FromStr for Move {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('=').ok_or("both names are needed, as in OLD=NEW")?;
        Ok(Self { from: from.parse::<RepoPath>()?.0, to: to.parse::<RepoPath>()?.0 })
    }
}

pub async fn run(remote: &Remote, edit: Edit) -> anyhow::Result<()> {
    let source = source(&edit)?;
    anyhow::ensure!(
        source.is_some() || edit.name.is_some(),
        "nothing to change was named; see `repoplane source edit --help`"
    );
    let known = repo::get(remote, &edit.repo).await?;
    let mut metadata = None;
    if let Some(name) = edit.name {
        // The whole of it is replaced.
        let mut all = known.metadata.map_or_else(BTreeMap::new, |metadata| metadata.0);
        all.insert(NAME.to_owned(), name);
        metadata = Some(Metadata(all));
    }
    let Terms { message, branch, expected_head } = edit.terms;
    let body =
        EditSourceRepoRequest { source, metadata, message, branch, expected_head, author: None };
    let sent = remote.client.edit_source_repo().repo_id(known.repo_id).body(body).send();
    let edited = remote.call(sent).await?;
    for path in edited.changed_files.iter().flatten() {
        eprintln!("{}", path.escape_debug());
    }
    remote.print(&edited, &format!("{}\n", edited.repo_head))
}

fn source(edit: &Edit) -> anyhow::Result<Option<EditSource>> {
    let inputs = edit.writes.iter().map(|write| &write.file).chain(&edit.patch);
    let inputs = inputs.filter(|file| *file == Path::new(STDIN)).count();
    anyhow::ensure!(inputs <= 1, "standard input can be read once");
    if let Some(file) = &edit.patch {
        let patch = String::from_utf8(content(file)?);
        let patch = patch.with_context(|| format!("{} is not UTF-8", file.display()))?;
        return Ok(Some(EditSource::Patch { patch: patch.parse()? }));
    }
    let mut operations = Vec::new();
    for RepoPath(filename) in edit.removes.clone() {
        operations.push(EditOperation::Delete { filename });
    }
    for Write { path, file } in &edit.writes {
        let about = file.metadata().ok().filter(|about| about.is_file());
        let mode = about.as_ref().and_then(folder::mode_of);
        let (content, encoding) = folder::encode(content(file)?);
        let filename = path.clone();
        operations.push(create::write(FileWrite { filename, content, encoding, mode }));
    }
    for Move { from, to } in edit.moves.clone() {
        operations.push(EditOperation::Rename { old_filename: from, new_filename: to });
    }
    Ok((!operations.is_empty()).then_some(EditSource::Diff { operations }))
}

fn content(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file != Path::new(STDIN) {
        return folder::read(file);
    }
    let mut content = Vec::new();
    std::io::stdin().read_to_end(&mut content).context("cannot read standard input")?;
    Ok(content)
}
