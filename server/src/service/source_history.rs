//! A source repo's past: its commits, how they differ, and what was where.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::tree::EntryKind;

use crate::backend::git::objects::{ObjectError, ObjectSource};
use crate::backend::git::tree::Entry;
use crate::backend::git::walk::{Walk, find_at, read_tree};
use crate::backend::git::{diff, log};
use crate::model::access::{Caller, Role};
use crate::model::edit::CommitId;
use crate::model::file_path::FilePath;
use crate::model::history::{Commit, EntryType, GitMode, TreeDiff, TreeEntry};
use crate::model::id::SourceRepoId;
use crate::model::source_ref::Revision;
use crate::service::source_reading::{read, read_all};
use crate::service::source_repos::require;
use crate::service::{Error, Result, Services};

/// Most commits that one request looks at, for a path that was changed rarely.
const STEPS_MAX: usize = 10_000;
/// Most lines of development that a cursor can hold; the rest is for git.
const CURSOR_COMMITS_MAX: usize = 500;

/// A page, and where the next one begins.
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// Commits from `at` backwards, newest first; with a path, those that changed it.
pub async fn log(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    at: Option<Revision>,
    path: Option<FilePath>,
    cursor: Option<String>,
    limit: usize,
) -> Result<Page<Commit>> {
    let repo = require(services, caller, id, Role::Read).await?;
    let begin = cursor.map(|cursor| commits_of(&cursor)).transpose()?;
    let at = begin.as_ref().map(|begin| Revision::Id(begin[0])).or(at);
    read(services, &repo, at, move |cache, commit| {
        let begin = begin.clone().unwrap_or_else(|| vec![commit]);
        for id in &begin {
            if !cache.has(&(*id).into())? {
                return Ok(Err(bad_cursor()));
            }
        }
        let path = path.as_ref().map(|path| BStr::new(path.as_str()));
        let mut log = log::Log::new(&**cache, &begin, path)?;
        let mut items = Vec::new();
        for _ in 0..STEPS_MAX {
            if items.len() == limit {
                break;
            }
            match log.step()? {
                Some(told) => items.extend(told),
                None => break,
            }
        }
        Ok(cursor_of(&log.rest()).map(|next| Page { items, next }))
    })
    .await
}

/// A commit, and how it differs from its first parent.
pub async fn commit(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    commit: CommitId,
) -> Result<(Commit, TreeDiff)> {
    let repo = require(services, caller, id, Role::Read).await?;
    read(services, &repo, Some(Revision::Id(commit)), |cache, commit| {
        let found = log::read(&**cache, commit)?;
        let root = |id: CommitId| cache.read(&id.into())?.root_tree();
        let old = found.parents.first().map(|parent| root(*parent)).transpose()?;
        let diff = diff::between(&**cache, old, root(commit)?, None)?;
        Ok(Ok((found, diff)))
    })
    .await
}

/// How two commits differ.
pub struct Compared {
    pub base: CommitId,
    pub head: CommitId,
    pub diff: TreeDiff,
}

/// From the files of one commit to those of another, whatever lies between them.
pub async fn compare(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    revisions: [Option<Revision>; 2],
    path: Option<FilePath>,
) -> Result<Compared> {
    let repo = require(services, caller, id, Role::Read).await?;
    read_all(services, &repo, revisions, move |cache, [base, head]| {
        let root = |id: CommitId| cache.read(&id.into())?.root_tree();
        let path = path.as_ref().map(|path| BStr::new(path.as_str()));
        let diff = diff::between(&**cache, Some(root(base)?), root(head)?, path)?;
        Ok(Ok(Compared { base, head, diff }))
    })
    .await
}

/// What to list of a tree.
pub struct Listing {
    pub at: Option<Revision>,
    /// A directory; the whole tree if absent.
    pub path: Option<FilePath>,
    /// All files below it, instead of what is directly in it.
    pub recursive: bool,
    pub cursor: Option<String>,
    pub limit: usize,
}

/// Paths at a commit without their contents, in git's order, and the commit.
pub async fn tree(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    asked: Listing,
) -> Result<(CommitId, Page<TreeEntry>)> {
    let repo = require(services, caller, id, Role::Read).await?;
    let Listing { at, path, recursive, cursor, limit } = asked;
    let begin = cursor.map(|cursor| place_of(&cursor)).transpose()?;
    let at = begin.as_ref().map(|(commit, _)| Revision::Id(*commit)).or(at);
    let after = begin.map(|(_, after)| after);
    read(services, &repo, at, move |cache, commit| {
        let source: &dyn ObjectSource = &**cache;
        let mut tree = source.read(&commit.into())?.root_tree()?;
        let mut prefix = BString::default();
        if let Some(path) = &path {
            match find_at(source, tree, path.as_str().into())? {
                Some(entry) if entry.mode.is_tree() => tree = entry.id,
                _ => return Ok(Err(no_directory(path))),
            }
            prefix = format!("{path}/").into();
        }
        let mut entries: Box<dyn Iterator<Item = _>> = match recursive {
            true => Box::new(Walk::new(source, tree, prefix)?.after(after.clone())),
            false => {
                Box::new(level(source, tree, prefix.as_ref(), after.as_ref())?.into_iter().map(Ok))
            }
        };
        let mut items = Vec::new();
        let mut last = None;
        for entry in entries.by_ref().take(limit) {
            let (path, entry): (BString, Entry) = entry?;
            items.push(describe(source, path.as_ref(), entry)?);
            last = Some(path);
        }
        let more = entries.next().transpose()?.is_some();
        let next = last.filter(|_| more).map(|last| format!("{commit}.{}", encode(&last)));
        Ok(Ok((commit, Page { items, next })))
    })
    .await
}

/// What is directly in a directory, after an entry of it.
fn level(
    source: &dyn ObjectSource,
    tree: gix::ObjectId,
    prefix: &BStr,
    after: Option<&BString>,
) -> Result<Vec<(BString, Entry)>, ObjectError> {
    let path = |name: &[u8]| BString::from([prefix.as_bytes(), name].concat());
    let mut entries = read_tree(source, tree)?
        .into_iter()
        .map(|(name, entry)| (path(&name), entry))
        .collect::<Vec<_>>();
    if let Some(after) = after {
        let passed = entries.iter().position(|(path, _)| path == after);
        entries.drain(..passed.map_or(entries.len(), |passed| passed + 1));
    }
    Ok(entries)
}

fn describe(
    source: &dyn ObjectSource,
    path: &BStr,
    entry: Entry,
) -> Result<TreeEntry, ObjectError> {
    let kind = match entry.mode.kind() {
        EntryKind::Blob | EntryKind::BlobExecutable => EntryType::File,
        EntryKind::Tree => EntryType::Directory,
        EntryKind::Link => EntryType::Symlink,
        EntryKind::Commit => EntryType::Submodule,
    };
    let mode = GitMode(entry.mode.value());
    let size = match kind {
        EntryType::File | EntryType::Symlink => source.size(&entry.id)?,
        EntryType::Directory | EntryType::Submodule => None,
    };
    Ok(TreeEntry { path: path.to_string(), kind, mode, oid: entry.id.to_string(), size })
}

fn no_directory(path: &FilePath) -> Error {
    Error::NotFound(format!("No directory `{path}` at this commit."))
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| bad_cursor())
}

fn cursor_of(commits: &[CommitId]) -> Result<Option<String>> {
    if commits.len() > CURSOR_COMMITS_MAX {
        let message = format!(
            "More than {CURSOR_COMMITS_MAX} lines of development run side by side here. Read this \
             part of the history with git."
        );
        return Err(Error::invalid_at(&["query", "cursor"], message));
    }
    let bytes: Vec<u8> = commits.iter().flat_map(|id| *id.as_bytes()).collect();
    Ok((!bytes.is_empty()).then(|| encode(&bytes)))
}

/// At least one.
fn commits_of(cursor: &str) -> Result<Vec<CommitId>> {
    let bytes = decode(cursor)?;
    let (ids, rest) = bytes.as_chunks::<{ CommitId::BYTES }>();
    match !ids.is_empty() && rest.is_empty() && ids.len() <= CURSOR_COMMITS_MAX {
        true => Ok(ids.iter().map(|id| CommitId::from_bytes(*id)).collect()),
        false => Err(bad_cursor()),
    }
}

fn place_of(cursor: &str) -> Result<(CommitId, BString)> {
    let (commit, path) = cursor.split_once('.').ok_or_else(bad_cursor)?;
    Ok((commit.parse().map_err(|_| bad_cursor())?, decode(path)?.into()))
}

pub fn bad_cursor() -> Error {
    Error::invalid_at(&["query", "cursor"], "cursor: was not answered by this operation")
}
