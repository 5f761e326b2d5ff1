//! Source repos: making, listing, reading, editing and deleting them.

use bytes::Bytes;
use gix::bstr::ByteSlice;

use crate::backend::git::objects::ObjectSource;
use crate::backend::git::walk;
use crate::model::access::{Caller, Role};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::file_path::FilePath;
use crate::model::id::SourceRepoId;
use crate::model::job::JobKind;
use crate::model::page::{Page, PageRequest};
use crate::model::source_ref::{BranchName, Revision};
use crate::model::source_repo::{
    CLONE_BYTES_MAX, DEFAULT_BRANCH, Metadata, SourceRepo, SourceRepoFilter,
};
use crate::model::time::Timestamp;
use crate::model::webhook::Happening;
use crate::service::edits::{Edited, Order};
use crate::service::source_reading::read;
use crate::service::{Error, Result, Services, access, webhooks};
use crate::store::{audit, jobs, source_repos};

/// A file as it is handed out: path and content.
pub type TextFile = (String, String);

pub async fn get(services: &Services, caller: &Caller, id: SourceRepoId) -> Result<SourceRepo> {
    require(services, caller, id, Role::Read).await
}

pub async fn list(
    services: &Services,
    caller: &Caller,
    filter: &SourceRepoFilter,
    page: PageRequest,
) -> Result<Page<SourceRepo>> {
    access::require_account(caller)?;
    check_metadata(&filter.metadata, &["query", "filter_metadata"])?;
    if let Some(workspace) = filter.workspace {
        access::require_workspace(&services.store, caller, workspace, Role::Read).await?;
    }
    Ok(source_repos::list(services.store.read(), caller, filter, page).await?)
}

/// Makes one edit, and the metadata with it.
pub async fn edit(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    order: Change,
) -> Result<Edited> {
    let repo = require(services, caller, id, Role::Write).await?;
    if order.edit.source.is_none() && order.metadata.is_none() {
        let message = "Neither `source` nor `metadata` was given. Give at least one of them.";
        return Err(Error::invalid("source", message));
    }
    if let Some(metadata) = &order.metadata {
        check_metadata(metadata, &["body", "metadata"])?;
    }
    let order = Order {
        branch: order.branch.map_or_else(|| DEFAULT_BRANCH.to_owned(), |branch| branch.full()),
        edit: order.edit,
        metadata: order.metadata,
        caller: caller.clone(),
        workspace: repo.workspace,
        auto_index: repo.auto_index,
    };
    services.editors.edit(id, order).await
}

/// What [`edit`] is asked to do.
pub struct Change {
    /// The default branch if absent.
    pub branch: Option<BranchName>,
    pub edit: crate::model::edit::Edit,
    pub metadata: Option<Metadata>,
}

/// Every readable text file at a commit, in path order.
pub async fn text_files(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    at: Option<Revision>,
) -> Result<Vec<TextFile>> {
    let repo = require(services, caller, id, Role::Read).await?;
    read(services, &repo, at, |cache, commit| {
        let (mut files, mut bytes) = (Vec::new(), 0);
        for file in walk::files_at(&**cache, commit)? {
            let file = file?;
            let (Ok(path), Ok(content)) = (file.path.to_str(), str::from_utf8(&file.content))
            else {
                continue;
            };
            bytes += content.len();
            if bytes > CLONE_BYTES_MAX {
                let message = format!(
                    "The files are larger than {CLONE_BYTES_MAX} bytes together. Read them one by \
                     one, or clone the repo with git."
                );
                return Ok(Err(Error::invalid_at(&["path", "repo_id"], message)));
            }
            files.push((path.to_owned(), content.to_owned()));
        }
        Ok(Ok(files))
    })
    .await
}

/// The content of one plain file.
pub async fn file(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    path: FilePath,
    at: Option<Revision>,
    known: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Result<File> {
    let repo = require(services, caller, id, Role::Read).await?;
    read(services, &repo, at, move |cache, commit| {
        let root = cache.read(&commit.into())?.root_tree()?;
        let entry = walk::find_at(&**cache, root, path.as_str().into())?;
        let Some(entry) = entry.filter(|entry| entry.file_mode().is_some()) else {
            return Ok(Err(Error::NotFound(format!("No file `{path}` at this commit."))));
        };
        let id = entry.id.to_string();
        let content = if known(&id) { None } else { Some(cache.read(&entry.id)?.data) };
        Ok(Ok(File { id, content }))
    })
    .await
}

/// A file as it is at a commit.
pub struct File {
    /// Git's id of the content.
    pub id: String,
    /// None where the caller knows it.
    pub content: Option<Bytes>,
}

pub async fn delete(services: &Services, caller: &Caller, id: SourceRepoId) -> Result<()> {
    let repo = require(services, caller, id, Role::Write).await?;
    let now = Timestamp::now();
    let mut tx = services.store.begin().await?;
    if !source_repos::delete(&mut tx, id, now).await? {
        return Err(Error::not_found("Source repo"));
    }
    jobs::enqueue(&mut *tx, JobKind::PurgeSourceRepo, &id.to_string(), now).await?;
    webhooks::announce(&mut tx, id, [Happening::Deleted]).await?;
    audit::insert(&mut *tx, &line(caller, &repo, Action::Deleted)).await?;
    Ok(tx.commit().await?)
}

/// The repo, if the caller may do with it what `needed` stands for. A repo token that names
/// the repo reads and writes it as far as its user may.
pub async fn require(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    needed: Role,
) -> Result<SourceRepo> {
    let memos = services.store.memos();
    let read = source_repos::get(services.store.read(), caller, id);
    let found = memos
        .get(&memos.source_repos, (caller.token, id), read)
        .await?
        .ok_or_else(|| Error::not_found("Source repo"))?;
    let membership = access::repo_role(caller, found.role, found.named);
    access::require(caller, membership, needed, "Source repo")?;
    Ok(found.repo)
}

pub fn check_metadata(metadata: &Metadata, place: &[&str]) -> Result<()> {
    use crate::model::source_repo::{
        METADATA_KEY_BYTES_MAX, METADATA_KEYS_MAX, METADATA_VALUE_BYTES_MAX,
    };
    let refuse = |message: String| {
        let place = place.iter().map(|part| (*part).to_owned()).collect();
        Err(Error::Invalid { place, message: format!("metadata: {message}") })
    };
    if metadata.len() > METADATA_KEYS_MAX {
        return refuse(format!("has more than {METADATA_KEYS_MAX} keys"));
    }
    for (key, value) in metadata {
        if !(1..=METADATA_KEY_BYTES_MAX).contains(&key.len()) {
            return refuse(format!("a key must have 1 to {METADATA_KEY_BYTES_MAX} bytes"));
        }
        if value.len() > METADATA_VALUE_BYTES_MAX {
            return refuse(format!("a value may have at most {METADATA_VALUE_BYTES_MAX} bytes"));
        }
    }
    Ok(())
}

pub fn line(caller: &Caller, repo: &SourceRepo, action: Action) -> NewEvent {
    NewEvent::by(caller, Context::Repo, repo.id, action, repo.workspace)
}
