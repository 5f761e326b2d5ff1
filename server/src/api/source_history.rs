//! Tag `source_history`: the commits of a source repo, how they differ, and the files they hold.

use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{SourcePath, SourceQuery};
use super::half::SourceFault;
use super::responses::{SourceAbsent, SourceAlways, SourceInvalid};
use super::source_repos::RepoPath;
use super::strict::words;
use super::wire::{BinaryBody, CommitId, FilePath, Revision};
use super::{By, Shared};
use crate::model::history::{self, COMMITS_PAGE, COMMITS_PAGE_MAX, PATHS_PAGE, PATHS_PAGE_MAX};
use crate::model::{file_path, source_ref};
use crate::service::source_archive;
use crate::service::source_history::{self, Listing};
use crate::service::{Error, Result};

type Answer<T> = Result<Json<T>, SourceFault>;

/// List commits
///
/// The commits that lead to a branch, tag or commit, newest first, as `git log` lists them. With `path`,
/// only those that changed this file or something in this directory. A search for a path that rarely changed may
/// answer fewer commits than asked for, even none; it is not at its end while there is a `next_cursor`.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/commits", tag = "source_history", params(RepoPath, LogQuery),
    responses(
        (status = 200, description = "One page of commits.", body = CommitPage),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn list_commits(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<LogQuery>,
) -> Answer<CommitPage> {
    let LogQuery { revision, path: file, limit, cursor } = query.0;
    let id = path.0.repo_id.into();
    let limit = within(limit, COMMITS_PAGE, COMMITS_PAGE_MAX)?;
    let (at, file) = (revision_of(revision, "ref")?, file_of(file)?);
    let page = source_history::log(&services, &caller, id, at, file, cursor, limit).await?;
    let items = page.items.into_iter().map(Commit::from).collect();
    Ok(Json(CommitPage { items, next_cursor: page.next }))
}

/// Read one commit with its changes
///
/// `diff` is what the commit changed against its first parent; of a commit without one, all its files.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/commits/{commit_id}", tag = "source_history", params(CommitPath),
    responses(
        (status = 200, description = "The commit.", body = CommitDetail),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn get_commit(
    services: Shared,
    caller: By,
    path: SourcePath<CommitPath>,
) -> Answer<CommitDetail> {
    let id = path.0.repo_id.into();
    let commit = path.0.commit_id.into_id(&["path", "commit_id"])?;
    let (commit, diff) = source_history::commit(&services, &caller, id, commit).await?;
    Ok(Json(CommitDetail { commit: commit.into(), diff: diff.into() }))
}

/// Compare two commits
///
/// What turns the files of `base` into those of `head`, whatever lies between the two; like
/// `git diff base head`. Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/diff", tag = "source_history", params(RepoPath, DiffQuery),
    responses(
        (status = 200, description = "How the two differ.", body = CommitComparison),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn diff_commits(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<DiffQuery>,
) -> Answer<CommitComparison> {
    let DiffQuery { base, head, path: file } = query.0;
    let revisions = [Some(base.into_revision(&["query", "base"])?), revision_of(head, "head")?];
    let (id, file) = (path.0.repo_id.into(), file_of(file)?);
    let found = source_history::compare(&services, &caller, id, revisions, file).await?;
    let (base, head) = (found.base.to_string(), found.head.to_string());
    Ok(Json(CommitComparison { base, head, diff: found.diff.into() }))
}

/// List paths
///
/// The paths at a branch, tag or commit, without their contents: what is directly in a directory; or with
/// `recursive` all files in it and below it, but then not the directories themselves. Ordered as git
/// orders them, a directory as if its name ended in a slash. Symlinks and submodules are listed and not
/// followed. Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/tree", tag = "source_history", params(RepoPath, TreeQuery),
    responses(
        (status = 200, description = "One page of paths.", body = TreePage),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn list_tree(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<TreeQuery>,
) -> Answer<TreePage> {
    let TreeQuery { revision, path: directory, recursive, limit, cursor } = query.0;
    let asked = Listing {
        at: revision_of(revision, "ref")?,
        path: file_of(directory)?,
        recursive: recursive.unwrap_or(false),
        cursor,
        limit: within(limit, PATHS_PAGE, PATHS_PAGE_MAX)?,
    };
    let (commit, page) =
        source_history::tree(&services, &caller, path.0.repo_id.into(), asked).await?;
    let items = page.items.into_iter().map(TreeEntry::from).collect();
    Ok(Json(TreePage { commit: commit.to_string(), items, next_cursor: page.next }))
}

/// Download all files
///
/// The files at a branch, tag or commit as one archive, sent while it is made. Symlinks are stored as symlinks,
/// submodules as empty directories. A path that could lead out of the folder it is unpacked in is left out. Every
/// time is that of the commit, so that two archives of one commit are equal. An archive that breaks off was not
/// complete. Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/archive", tag = "source_history", params(RepoPath, ArchiveQuery),
    responses(
        (status = 200, description = "The archive.", body = inline(BinaryBody), content_type = "application/octet-stream"),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn archive_source_repo(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<ArchiveQuery>,
) -> Result<impl IntoResponse, SourceFault> {
    let ArchiveQuery { revision, format } = query.0;
    let (id, at) = (path.0.repo_id.into(), revision_of(revision, "ref")?);
    let format = format.unwrap_or(ArchiveFormat::TarGz).into();
    let (name, bytes) = source_archive::write(&services, &caller, id, at, format).await?;
    let named = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ];
    Ok((headers, Body::from_stream(bytes)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ArchiveQuery {
    /// Branch, tag or commit to look at. Default is the head.
    #[serde(rename = "ref")]
    #[param(nullable = false)]
    revision: Option<Revision>,
    /// Kind of archive. Default is `tar.gz`.
    #[param(nullable = false)]
    format: Option<ArchiveFormat>,
}

words! {
    /// A kind of archive.
    #[schema(example = json!("tar.gz"))]
    ArchiveFormat: history::ArchiveFormat {
        Tar = "tar",
        TarGz = "tar.gz",
        Zip = "zip",
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CommitPath {
    /// Id of the source repo.
    #[param(example = "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50")]
    pub repo_id: Uuid,
    /// Id of the commit.
    pub commit_id: CommitId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Branch, tag or commit to look at. Default is the head.
    #[serde(rename = "ref")]
    #[param(nullable = false)]
    revision: Option<Revision>,
    /// Only this file or directory.
    #[param(nullable = false)]
    path: Option<FilePath>,
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 100, default = 50, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `next_cursor` of the page before. Its commits count, not `ref`.
    #[param(max_length = 16384, nullable = false)]
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DiffQuery {
    /// Branch, tag or commit to start from.
    base: Revision,
    /// Branch, tag or commit to come to. Default is the head.
    #[param(nullable = false)]
    head: Option<Revision>,
    /// Only this file or directory.
    #[param(nullable = false)]
    path: Option<FilePath>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TreeQuery {
    /// Branch, tag or commit to look at. Default is the head.
    #[serde(rename = "ref")]
    #[param(nullable = false)]
    revision: Option<Revision>,
    /// The directory. Default is the root. One that is absent, or is no directory, is 404.
    #[param(nullable = false)]
    path: Option<FilePath>,
    /// List all files below the directory.
    #[param(default = false, nullable = false)]
    recursive: Option<bool>,
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 10000, default = 1000, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `next_cursor` of the page before. Its commit counts, not `ref`.
    #[param(max_length = 16384, nullable = false)]
    cursor: Option<String>,
}

/// One page of commits.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct CommitPage {
    /// The commits, newest first.
    items: Vec<Commit>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A commit without its files.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"id": "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a", "parents": ["4b825dc642cb6eb9a060e54bf8d69288fbee4904"], "author": {"name": "Ada Example", "email": "ada@example.com", "date": "2026-01-15T10:30:00Z"}, "committer": {"name": "Repoplane", "email": "repoplane@localhost", "date": "2026-01-15T10:30:00Z"}, "message": "Add search\n"}))]
pub struct Commit {
    /// Id of the commit, 40 hexadecimal digits.
    id: String,
    /// Ids of the commits it was made on. Several for a merge, none for a first commit, or for one where an
    /// import has left out what was before.
    parents: Vec<String>,
    /// Who wrote it.
    author: CommitPerson,
    /// Who made the commit of it.
    committer: CommitPerson,
    /// The whole message, as it is stored.
    message: String,
}

/// Somebody who took part in a commit.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"name": "Ada Example", "email": "ada@example.com", "date": "2026-01-15T10:30:00Z"}))]
pub struct CommitPerson {
    /// Name.
    name: String,
    /// E-mail address.
    email: String,
    /// When it was.
    date: DateTime<Utc>,
}

/// A commit with what it changed.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct CommitDetail {
    /// The commit.
    commit: Commit,
    /// What it changed.
    diff: SourceDiff,
}

/// What turns the files of one commit into those of another.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct CommitComparison {
    /// Id of the commit that was started from.
    base: String,
    /// Id of the commit that was come to.
    head: String,
    /// How the two differ.
    diff: SourceDiff,
}

/// The files that differ. The patches of all of them together hold at most 4 MiB.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct SourceDiff {
    /// The files, in path order, at most 1,000.
    files: Vec<FileDiff>,
    /// Whether more files differ than are listed.
    truncated: bool,
}

/// How one file differs.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"status": "modified", "path": "src/search.ts", "old_mode": "100644", "new_mode": "100644", "additions": 1, "deletions": 1, "binary": false, "truncated": false, "patch": "diff --git a/src/search.ts b/src/search.ts\n--- a/src/search.ts\n+++ b/src/search.ts\n@@ -1 +1 @@\n-old\n+new\n"}))]
pub struct FileDiff {
    status: FileStatus,
    /// The new path; of a deleted file, the one it had.
    path: String,
    /// Where a renamed file was; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    old_path: Option<String>,
    /// The mode it had, six octal digits; left out for a file that is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    old_mode: Option<String>,
    /// The mode it has, six octal digits; left out for a file that is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    new_mode: Option<String>,
    /// Lines that came.
    additions: u32,
    /// Lines that went.
    deletions: u32,
    /// Not text in UTF-8. Lines are not counted then, and there is no patch.
    binary: bool,
    /// Too large a file to be compared, or too long a patch: over 4 MiB and 1 MiB.
    truncated: bool,
    /// Unified diff with three lines of context and git's own header, for `git apply`; left out where
    /// there is none, as for a submodule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    patch: Option<String>,
}

words! {
    /// What happened to a file. A file that was moved and changed a little is `renamed`.
    #[schema(example = json!("modified"))]
    FileStatus: history::ChangeKind {
        Added = "added",
        Modified = "modified",
        Deleted = "deleted",
        Renamed = "renamed",
    }
}

words! {
    /// What a path stands for.
    #[schema(example = json!("file"))]
    EntryType: history::EntryType {
        File = "file",
        Directory = "directory",
        Symlink = "symlink",
        Submodule = "submodule",
    }
}

/// One page of paths.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct TreePage {
    /// Id of the commit they are listed at.
    commit: String,
    /// The paths.
    items: Vec<TreeEntry>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A path without its content.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"path": "src/main.py", "type": "file", "mode": "100644", "oid": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "size": 0}))]
pub struct TreeEntry {
    /// Path in the repo.
    path: String,
    #[serde(rename = "type")]
    kind: EntryType,
    /// Mode in git, six octal digits.
    mode: String,
    /// Git's id of the content: equal contents have equal ids.
    oid: String,
    /// Bytes of a file, or of what a symlink holds; left out for directories and submodules.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    size: Option<u64>,
}

pub fn within(limit: Option<u32>, default: usize, max: usize) -> Result<usize> {
    let limit = limit.map_or(default, |limit| limit as usize);
    match (1..=max).contains(&limit) {
        true => Ok(limit),
        false => Err(Error::invalid_at(&["query", "limit"], format!("limit: must be 1 to {max}"))),
    }
}

pub fn revision_of(
    revision: Option<Revision>,
    field: &str,
) -> Result<Option<source_ref::Revision>> {
    revision.map(|revision| revision.into_revision(&["query", field])).transpose()
}

fn file_of(path: Option<FilePath>) -> Result<Option<file_path::FilePath>> {
    path.map(|path| path.into_path(&["query", "path"])).transpose()
}

impl From<history::Commit> for Commit {
    fn from(commit: history::Commit) -> Self {
        Self {
            id: commit.id.to_string(),
            parents: commit.parents.iter().map(ToString::to_string).collect(),
            author: commit.author.into(),
            committer: commit.committer.into(),
            message: commit.message,
        }
    }
}

impl From<history::Signed> for CommitPerson {
    fn from(signed: history::Signed) -> Self {
        // Git can hold times that no calendar has.
        let date = DateTime::from_timestamp(signed.seconds.max(0), 0);
        let date = date.unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { name: signed.name, email: signed.email, date }
    }
}

impl From<history::TreeDiff> for SourceDiff {
    fn from(diff: history::TreeDiff) -> Self {
        let files = diff.files.into_iter().map(FileDiff::from).collect();
        Self { files, truncated: diff.truncated }
    }
}

impl From<history::FileDiff> for FileDiff {
    fn from(diff: history::FileDiff) -> Self {
        let mode = |mode: Option<history::GitMode>| mode.map(|mode| mode.to_string());
        Self {
            status: diff.kind.into(),
            path: diff.path,
            old_path: diff.old_path,
            old_mode: mode(diff.old_mode),
            new_mode: mode(diff.new_mode),
            additions: diff.additions,
            deletions: diff.deletions,
            binary: diff.binary,
            truncated: diff.truncated,
            patch: diff.patch,
        }
    }
}

impl From<history::TreeEntry> for TreeEntry {
    fn from(entry: history::TreeEntry) -> Self {
        let (kind, mode) = (entry.kind.into(), entry.mode.to_string());
        Self { path: entry.path, kind, mode, oid: entry.oid, size: entry.size }
    }
}
