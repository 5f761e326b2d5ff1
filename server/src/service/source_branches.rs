//! Branches of source repos: listing, making, deleting and joining them, and taking back what
//! was done on them.

use serde_json::json;

use crate::model::access::{Caller, Role};
use crate::model::audit::Action;
use crate::model::edit::{Change, CommitId, Edit, Identity};
use crate::model::id::SourceRepoId;
use crate::model::source_ref::{BranchName, Revision};
use crate::model::source_repo::{DEFAULT_BRANCH, SourceRepo};
use crate::model::time::Timestamp;
use crate::model::webhook::Happening;
use crate::service::edits::Edited;
use crate::service::edits::push::check_room;
use crate::service::source_history::Page;
use crate::service::source_reading::read;
use crate::service::source_repos::{self, line, require};
use crate::service::{Error, Result, Services, webhooks};
use crate::store::{audit, source_refs};

/// A branch and the commit it points to.
#[derive(Clone, Debug)]
pub struct Branch {
    pub name: BranchName,
    pub head: String,
    /// Whether it is the one that edits go to unless they say otherwise.
    pub is_default: bool,
}

impl Branch {
    fn new(name: BranchName, head: String) -> Self {
        let is_default = name.full() == DEFAULT_BRANCH;
        Self { name, head, is_default }
    }
}

/// The branches in the order of their names, after `after`.
pub async fn list(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    after: Option<BranchName>,
    limit: usize,
) -> Result<Page<Branch>> {
    require(services, caller, id, Role::Read).await?;
    let (after, prefix) = (after.map(|after| after.full()), BranchName::prefix());
    let more = i64::try_from(limit + 1).map_err(Error::internal)?;
    let found =
        source_refs::list(services.store.read(), id, prefix, after.as_deref(), more).await?;
    let has_more = found.len() > limit;
    let named = |found: source_refs::Ref| {
        BranchName::of(&found.name).map(|name| Branch::new(name, found.oid))
    };
    let items: Vec<Branch> = found.into_iter().take(limit).filter_map(named).collect();
    let next = items.last().filter(|_| has_more).map(|last| last.name.to_string());
    Ok(Page { items, next })
}

pub async fn get(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    name: BranchName,
) -> Result<Branch> {
    require(services, caller, id, Role::Read).await?;
    let head = source_refs::get(services.store.read(), id, &name.full()).await?;
    head.map(|head| Branch::new(name, head)).ok_or_else(no_branch)
}

/// Makes a branch that points to a commit, the head of the default branch if none is named.
pub async fn create(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    name: BranchName,
    from: Option<Revision>,
) -> Result<Branch> {
    let repo = require(services, caller, id, Role::Write).await?;
    let head = commit_of(services, &repo, from).await?;
    let full = name.full();
    let mut tx = services.store.begin().await?;
    let (_, refs) = source_refs::hold(&mut tx, id).await?.ok_or_else(no_repo)?;
    if refs.contains_key(&full) {
        return Err(conflict(format!("There is a branch `{name}` already.")));
    }
    if let Err(reason) = check_room(&refs, &full) {
        return Err(conflict(format!("No branch can have this name: {reason}.")));
    }
    source_refs::advance(&mut tx, id, None, Timestamp::now()).await?;
    source_refs::set(&mut tx, id, &full, Some(head)).await?;
    let data = json!({ "branch": full, "created": head.to_string() }).to_string();
    audit::insert(&mut *tx, &line(caller, &repo, Action::Updated).with(data)).await?;
    webhooks::announce(&mut tx, id, [Happening::moved(&full, None, Some(head))]).await?;
    tx.commit().await?;
    Ok(Branch::new(name, head.to_string()))
}

/// Deletes a branch, if it still points to `expected`.
pub async fn delete(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    name: BranchName,
    expected: Option<CommitId>,
) -> Result<()> {
    let repo = require(services, caller, id, Role::Write).await?;
    let full = name.full();
    if full == DEFAULT_BRANCH {
        return Err(conflict("The default branch cannot be deleted.".to_owned()));
    }
    let mut tx = services.store.begin().await?;
    let (_, refs) = source_refs::hold(&mut tx, id).await?.ok_or_else(no_repo)?;
    let head = *refs.get(&full).ok_or_else(no_branch)?;
    if let Some(expected) = expected.filter(|expected| *expected != head) {
        let message = format!("The branch is at {head}, not at the expected {expected}.");
        return Err(Error::Conflict { message, current_head: Some(head.to_string()) });
    }
    source_refs::advance(&mut tx, id, None, Timestamp::now()).await?;
    source_refs::set(&mut tx, id, &full, None).await?;
    let data = json!({ "branch": full, "deleted": head.to_string() }).to_string();
    audit::insert(&mut *tx, &line(caller, &repo, Action::Updated).with(data)).await?;
    webhooks::announce(&mut tx, id, [Happening::moved(&full, Some(head), None)]).await?;
    Ok(tx.commit().await?)
}

/// What to do to a whole branch.
pub enum Whole {
    /// Bring in what this commit has and the branch has not.
    Merge(Revision),
    /// Take back what this commit changed.
    Revert(CommitId),
    /// Make the files what they were at this commit.
    Reset(CommitId),
}

/// How to commit it.
pub struct Terms {
    /// The default branch if absent.
    pub branch: Option<BranchName>,
    pub message: Option<String>,
    pub author: Option<Identity>,
    pub expected_head: Option<CommitId>,
}

/// Makes one commit on a branch out of what other commits hold.
pub async fn apply(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    whole: Whole,
    terms: Terms,
) -> Result<Edited> {
    let repo = require(services, caller, id, Role::Write).await?;
    let change = match whole {
        Whole::Merge(revision) => {
            let name = revision.to_string();
            let commit = commit_of(services, &repo, Some(revision)).await?;
            Change::Merge { commit, name }
        }
        Whole::Revert(commit) => {
            Change::Revert(commit_of(services, &repo, Some(Revision::Id(commit))).await?)
        }
        Whole::Reset(commit) => {
            Change::Reset(commit_of(services, &repo, Some(Revision::Id(commit))).await?)
        }
    };
    let Terms { branch, message, author, expected_head } = terms;
    let edit = Edit { source: Some(change), message, author, expected_head };
    source_repos::edit(services, caller, id, source_repos::Change { branch, edit, metadata: None })
        .await
}

async fn commit_of(
    services: &Services,
    repo: &SourceRepo,
    at: Option<Revision>,
) -> Result<CommitId> {
    read(services, repo, at, |_, commit| Ok(Ok(commit))).await
}

fn conflict(message: String) -> Error {
    Error::Conflict { message, current_head: None }
}

fn no_branch() -> Error {
    Error::NotFound("The repo has no such branch.".to_owned())
}

fn no_repo() -> Error {
    Error::not_found("Source repo")
}
