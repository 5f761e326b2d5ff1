//! Storage repos: making, listing, changing and deleting them. A change holds the workspace while
//! it looks and writes, so that two of them can never each be right and be wrong together.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::json;

use crate::model::access::{Caller, Role};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::bucket::{REGION_CHARS_MAX, StorageType};
use crate::model::id::{IdOrName, OrgId, StorageRepoId, WorkspaceId};
use crate::model::storage_repo::{
    ListFilter, ListPage, Mode, RETENTION_DAYS_MAX, Rule, StorageRepo, Whole,
};
use crate::model::time::Timestamp;
use crate::service::objects::spaces::{self, Change};
use crate::service::storage_links::{self, Holder, Link};
use crate::service::text::{self, check_name};
use crate::service::{Error, Result, Services, access};
use crate::store::{
    Tx, audit, buckets, orgs, storage_links as links, storage_repos, storage_wholes, workspaces,
};

/// What a storage repo is to be. `None` leaves what is there.
pub struct Wanted {
    pub name: String,
    pub storage_type: StorageType,
    pub mode: Mode,
    pub workspace: Option<IdOrName>,
    pub links: Option<Vec<Link>>,
    pub ai_llms: Option<Vec<IdOrName>>,
    pub wallet: Option<String>,
    pub disabled: Option<bool>,
    /// 0 goes back to the default.
    pub min_ack: Option<u32>,
    pub retention_days: Option<u32>,
}

pub async fn create(services: &Services, caller: &Caller, wanted: Wanted) -> Result<StorageRepoId> {
    let which = wanted.workspace.as_ref();
    let workspace =
        access::require_workspace_named(&services.store, caller, which, Role::Write).await?;
    check_name(&wanted.name)?;
    let now = Timestamp::now();
    let repo = StorageRepo {
        id: StorageRepoId::new(),
        org: caller.org,
        workspace: workspace.id,
        name: wanted.name,
        storage_type: wanted.storage_type,
        mode: wanted.mode,
        disabled: wanted.disabled.unwrap_or(false),
        min_ack: wanted.min_ack,
        retention_days: retention(wanted.retention_days)?,
        wallet: text::optional("walletAddress", wanted.wallet, REGION_CHARS_MAX)?,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let mut tx = services.store.begin().await?;
    hold_to_add(&mut tx, caller.org, workspace.id).await?;
    let most = services.quota.storage_repos;
    if storage_repos::count(&mut *tx, caller.org).await? >= most {
        let message = format!(
            "The organisation has {most} storage repos, which is the most. Delete one first."
        );
        return Err(Error::rule(Rule::QuotaExceeded, message));
    }
    check_free(&mut tx, &repo).await?;
    let links = wanted.links.unwrap_or_default();
    let members = storage_links::check(&mut tx, holder(&repo, None), links).await?;
    check_min_ack(wanted.min_ack, members.len())?;
    let named = wanted.ai_llms.unwrap_or_default();
    let llms = storage_links::check_ai_llms(&mut tx, repo.workspace, named).await?;
    storage_repos::insert(&mut *tx, &repo).await?;
    links::set_members(&mut tx, repo.id, &members).await?;
    let change = Change { was: repo.mode, before: &[], after: &members };
    spaces::arrange(&mut tx, &repo, change).await?;
    links::set_ai_llms(&mut tx, repo.id, &llms).await?;
    audit::insert(&mut *tx, &line(caller, &repo, Action::Created)).await?;
    tx.commit().await?;
    Ok(repo.id)
}

pub async fn get(services: &Services, caller: &Caller, id: StorageRepoId) -> Result<Whole> {
    require(services, caller, id, Role::Read).await?;
    let filter =
        ListFilter { workspace: None, only: Some(id.uuid()), wallet: None, after: None, limit: 1 };
    let found = storage_wholes::list(services.store.read(), caller, &filter).await?;
    found.into_iter().next().ok_or_else(absent)
}

/// One page as `render` writes it. Nothing is read or written again before something changes.
pub async fn list(
    services: &Services,
    caller: &Caller,
    filter: ListFilter<IdOrName>,
    render: impl FnOnce(ListPage<Whole>) -> Result<Bytes>,
) -> Result<Bytes> {
    access::require_account(caller)?;
    let memos = services.store.memos();
    let key = (caller.token, filter.clone());
    let read = async {
        let filter = access::list_filter(&services.store, caller, filter).await?;
        let found = storage_wholes::list(services.store.read(), caller, &filter).await?;
        render(ListPage::new(found, filter.limit)).map(Some)
    };
    let page = memos.get(&memos.storage_repos, key, read).await?;
    page.ok_or_else(|| Error::internal("a page is always found"))
}

pub async fn update(
    services: &Services,
    caller: &Caller,
    id: StorageRepoId,
    wanted: Wanted,
) -> Result<StorageRepo> {
    let seen = require(services, caller, id, Role::Write).await?;
    check_name(&wanted.name)?;
    let workspace = match &wanted.workspace {
        None => seen.workspace,
        named => {
            let (store, named) = (&services.store, named.as_ref());
            access::require_workspace_named(store, caller, named, Role::Write).await?.id
        }
    };
    let mut tx = services.store.begin().await?;
    hold(&mut tx, &[seen.workspace, workspace]).await?;
    let old = again(&mut tx, caller, &seen).await?;
    let mut new = StorageRepo {
        workspace,
        name: wanted.name,
        storage_type: wanted.storage_type,
        mode: wanted.mode,
        disabled: wanted.disabled.unwrap_or(old.disabled),
        min_ack: wanted.min_ack.or(old.min_ack).filter(|copies| *copies > 0),
        retention_days: retention(wanted.retention_days)?.or(old.retention_days),
        updated_at: Timestamp::now(),
        ..old.clone()
    };
    text::change("walletAddress", &mut new.wallet, wanted.wallet, REGION_CHARS_MAX)?;
    check_free(&mut tx, &new).await?;
    let links = match wanted.links {
        Some(links) => links,
        None => kept(&mut tx, id).await?,
    };
    let members = storage_links::check(&mut tx, holder(&new, Some(&old)), links).await?;
    check_min_ack(new.min_ack.and(wanted.min_ack), members.len())?;
    let named = match wanted.ai_llms {
        Some(named) => named,
        None => {
            let named = links::ai_llms(&mut *tx, id).await?;
            named.into_iter().map(|llm| IdOrName::Id(llm.uuid())).collect()
        }
    };
    let llms = storage_links::check_ai_llms(&mut tx, workspace, named).await?;
    if !storage_repos::update(&mut *tx, &new).await? {
        return Err(absent());
    }
    let before = links::members(&mut *tx, id).await?;
    links::set_members(&mut tx, id, &members).await?;
    let change = Change { was: old.mode, before: &before, after: &members };
    spaces::arrange(&mut tx, &new, change).await?;
    links::set_ai_llms(&mut tx, id, &llms).await?;
    audit::insert(&mut *tx, &line(caller, &new, Action::Updated)).await?;
    tx.commit().await?;
    Ok(new)
}

pub async fn delete(services: &Services, caller: &Caller, id: StorageRepoId) -> Result<()> {
    let seen = require(services, caller, id, Role::Write).await?;
    let mut tx = services.store.begin().await?;
    hold(&mut tx, &[seen.workspace]).await?;
    let repo = again(&mut tx, caller, &seen).await?;
    spaces::set_all_aside(&mut tx, &repo).await?;
    if !storage_repos::delete(&mut tx, id, Timestamp::now()).await? {
        return Err(absent());
    }
    audit::insert(&mut *tx, &line(caller, &repo, Action::Deleted)).await?;
    Ok(tx.commit().await?)
}

/// Whether a storage repo could be made with these buckets. The first of them says in which
/// workspace.
pub async fn validate_new(
    services: &Services,
    caller: &Caller,
    mode: Mode,
    links: Vec<Link>,
) -> Result<()> {
    access::require_account(caller)?;
    let Some(first) = links.first() else { return Ok(()) };
    let mut tx = services.store.begin().await?;
    let absent = || {
        let message = format!("Bucket `{}` not found. Check its id or name.", first.bucket);
        Error::rule(Rule::NotFound, message)
    };
    let bucket = buckets::find(&mut *tx, caller.org, &first.bucket).await?.ok_or_else(absent)?;
    let role = workspaces::role_of(&mut *tx, bucket.workspace, caller.user).await?;
    access::require(caller, role, Role::Read, "Bucket").map_err(|_| absent())?;
    let (org, workspace) = (caller.org, bucket.workspace);
    let holder = Holder { org, workspace, id: None, was: mode, mode };
    storage_links::check(&mut tx, holder, links).await.map(drop)
}

/// Whether the storage repo could be changed so.
pub async fn validate(
    services: &Services,
    caller: &Caller,
    id: StorageRepoId,
    mode: Mode,
    links: Option<Vec<Link>>,
) -> Result<()> {
    let old = require(services, caller, id, Role::Read).await?;
    let mut tx = services.store.begin().await?;
    let links = match links {
        Some(links) => links,
        None => kept(&mut tx, id).await?,
    };
    let new = StorageRepo { mode, ..old.clone() };
    storage_links::check(&mut tx, holder(&new, Some(&old)), links).await.map(drop)
}

/// The storage repo, if the caller can see it and holds `needed` in its workspace.
pub async fn require(
    services: &Services,
    caller: &Caller,
    id: StorageRepoId,
    needed: Role,
) -> Result<StorageRepo> {
    access::require_account(caller)?;
    let found = storage_repos::get(services.store.read(), caller, id).await?;
    let (repo, role) = found.ok_or_else(absent)?;
    access::require(caller, role, needed, "Storage repo").map_err(|error| match error {
        Error::NotFound(_) => absent(),
        other => other,
    })?;
    Ok(repo)
}

/// A storage repo that was looked at before its workspace was held, as it is now.
pub async fn again(tx: &mut Tx, caller: &Caller, seen: &StorageRepo) -> Result<StorageRepo> {
    let found = storage_repos::get(&mut **tx, caller, seen.id).await?;
    let (repo, _) = found.ok_or_else(absent)?;
    if repo.workspace != seen.workspace {
        let message = "The storage repo was moved meanwhile. Read it again and redo the change.";
        return Err(Error::Conflict { message: message.to_owned(), current_head: None });
    }
    Ok(repo)
}

/// Keeps the workspaces from being deleted, and others from changing what storage is in them.
pub async fn hold(tx: &mut Tx, workspaces: &[WorkspaceId]) -> Result<()> {
    // In one order for all, so that no two wait for each other.
    for workspace in workspaces.iter().collect::<BTreeSet<_>>() {
        if !workspaces::hold(&mut **tx, *workspace).await? {
            return Err(Error::not_found("Workspace"));
        }
    }
    Ok(())
}

/// As [`hold`], for what is to be one more. Quotas are of the organisation, so only one of all its
/// workspaces may count and add at a time.
pub async fn hold_to_add(tx: &mut Tx, org: OrgId, workspace: WorkspaceId) -> Result<()> {
    hold(tx, &[workspace]).await?;
    Ok(orgs::hold(&mut **tx, org).await?)
}

async fn kept(tx: &mut Tx, id: StorageRepoId) -> Result<Vec<Link>> {
    Ok(links::members(&mut **tx, id).await?.into_iter().map(Link::from).collect())
}

fn holder(new: &StorageRepo, old: Option<&StorageRepo>) -> Holder {
    Holder {
        org: new.org,
        workspace: new.workspace,
        id: old.map(|old| old.id),
        was: old.map_or(new.mode, |old| old.mode),
        mode: new.mode,
    }
}

async fn check_free(tx: &mut Tx, repo: &StorageRepo) -> Result<()> {
    if !storage_repos::has_name(&mut **tx, repo.workspace, &repo.name, repo.id).await? {
        return Ok(());
    }
    let message = format!(
        "name: another storage repo of the workspace is called `{}`. Choose another.",
        repo.name
    );
    Err(Error::rule(Rule::NameAlreadyUsed, message))
}

/// More copies than there are buckets can never be acknowledged.
fn check_min_ack(copies: Option<u32>, members: usize) -> Result<()> {
    match copies {
        Some(copies) if copies == 0 || copies as usize > members => {
            let message = format!(
                "minAck: must be 1 to the number of buckets of the storage repo, which is {members}"
            );
            Err(Error::invalid("minAck", message))
        }
        _ => Ok(()),
    }
}

fn retention(days: Option<u32>) -> Result<Option<u32>> {
    if days.is_none_or(|days| (1..=RETENTION_DAYS_MAX).contains(&days)) {
        return Ok(days);
    }
    let message = format!("retentionDays: must be 1 to {RETENTION_DAYS_MAX}");
    Err(Error::invalid("retentionDays", message))
}

fn absent() -> Error {
    let message = "Storage repo not found. Check the id; it may have been deleted.";
    Error::rule(Rule::NotFound, message)
}

fn line(caller: &Caller, repo: &StorageRepo, action: Action) -> NewEvent {
    NewEvent::by(caller, Context::Repo, repo.id, action, repo.workspace)
        .with(json!({ "name": repo.name, "mode": repo.mode.as_str() }))
}
