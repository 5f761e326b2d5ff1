//! Buckets: registering, checking, changing and forgetting them. What a bucket is called and where
//! it is comes from clients; that it can be reached with its credential is seen, never believed.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::backend::buckets::Target;
use crate::model::access::{Caller, Role};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::bucket::{
    Bucket, BucketStatus, CREDENTIAL_CHARS_MAX, Place, REGION_CHARS_MAX, StorageType,
};
use crate::model::id::{BucketId, IdOrName, OrgId};
use crate::model::storage_repo::{ListFilter, ListPage, Mention, Rule};
use crate::model::time::Timestamp;
use crate::service::bucket_reach::{apply, check_place, sealed_for, target};
use crate::service::objects::spaces::bucket_moved;
use crate::service::storage_holders::{self, require_free};
use crate::service::storage_repos::{hold, hold_to_add};
use crate::service::text::{self, check_name};
use crate::service::{Error, Result, Services, access};
use crate::store::storage_links::{self as links, Held};
use crate::store::{self, Tx, audit, buckets};

/// What a new bucket is to be. An empty text counts as none.
pub struct NewBucket {
    pub workspace: Option<IdOrName>,
    pub name: String,
    pub place: Place,
    pub secret: Option<SecretString>,
    pub project: Option<String>,
    pub wallet: Option<String>,
}

/// What to change of a bucket: `None` leaves, an empty text removes.
#[derive(Default)]
pub struct BucketChange {
    pub workspace: Option<IdOrName>,
    pub name: Option<String>,
    pub storage_type: Option<StorageType>,
    pub bucket: Option<String>,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub key: Option<String>,
    pub secret: Option<SecretString>,
    pub project: Option<String>,
    pub wallet: Option<String>,
}

/// A bucket that was written; how long it took to reach it, where that was needed.
pub struct Written {
    pub id: BucketId,
    pub latency: Option<Duration>,
}

/// A bucket with the storage repos that hold it.
pub type WithHolders = (Bucket, Vec<Mention>);

pub async fn create(services: &Services, caller: &Caller, new: NewBucket) -> Result<Written> {
    let which = new.workspace.as_ref();
    let workspace =
        access::require_workspace_named(&services.store, caller, which, Role::Write).await?;
    check_name(&new.name)?;
    let secret = text::secret("secret", new.secret, CREDENTIAL_CHARS_MAX)?;
    let id = BucketId::new();
    let now = Timestamp::now();
    let bucket = Bucket {
        id,
        org: caller.org,
        workspace: workspace.id,
        name: new.name,
        place: check_place(new.place)?,
        sealed: seal(services, id, secret.as_ref())?,
        project: text::optional("projectId", new.project, REGION_CHARS_MAX)?,
        wallet: text::optional("walletAddress", new.wallet, REGION_CHARS_MAX)?,
        status: BucketStatus::Online,
        status_at: now,
        created_at: now,
        version: 1,
    };
    let target = Target { workspace: bucket.workspace, place: bucket.place.clone(), secret };
    let latency = services.buckets.probe(&target).await?;
    let mut tx = services.store.begin().await?;
    hold_to_add(&mut tx, caller.org, workspace.id).await?;
    let most = services.quota.buckets;
    if buckets::count(&mut *tx, caller.org).await? >= most {
        let message =
            format!("The organisation has {most} buckets, which is the most. Delete one first.");
        return Err(Error::rule(Rule::QuotaExceeded, message));
    }
    check_free(&mut tx, &bucket).await?;
    buckets::insert(&mut *tx, &bucket).await.map_err(|error| taken(error, &bucket.name))?;
    audit::insert(&mut *tx, &line(caller, &bucket, Action::Created)).await?;
    tx.commit().await?;
    Ok(Written { id, latency: Some(latency) })
}

pub async fn get(services: &Services, caller: &Caller, id: BucketId) -> Result<WithHolders> {
    let bucket = require(services, caller, id, Role::Read).await?;
    let mut found = with_holders(services, caller.org, vec![bucket]).await?;
    found.pop().ok_or_else(|| Error::not_found("Bucket"))
}

pub async fn list(
    services: &Services,
    caller: &Caller,
    filter: ListFilter<IdOrName>,
) -> Result<ListPage<WithHolders>> {
    let filter = access::list_filter(&services.store, caller, filter).await?;
    let found = buckets::list(services.store.read(), caller, &filter).await?;
    let ListPage { items, more } = ListPage::new(found, filter.limit);
    Ok(ListPage { items: with_holders(services, caller.org, items).await?, more })
}

/// Those that a new storage repo could mirror.
pub async fn list_available(
    services: &Services,
    caller: &Caller,
    filter: ListFilter<IdOrName>,
) -> Result<Vec<WithHolders>> {
    let filter = access::list_filter(&services.store, caller, filter).await?;
    let found = buckets::list_available(services.store.read(), caller, &filter).await?;
    let found = ListPage::new(found, filter.limit).items;
    with_holders(services, caller.org, found).await
}

pub async fn update(
    services: &Services,
    caller: &Caller,
    id: BucketId,
    change: BucketChange,
) -> Result<Written> {
    let old = require(services, caller, id, Role::Write).await?;
    let mut new = old.clone();
    if let Some(workspace) = &change.workspace {
        let which = Some(workspace);
        let workspace =
            access::require_workspace_named(&services.store, caller, which, Role::Write).await?;
        new.workspace = workspace.id;
    }
    if new.workspace != old.workspace && old.place.is_on_disk() {
        let message = "workspaceId: a bucket on the server's disk stays in its workspace.";
        return Err(Error::invalid("workspaceId", message));
    }
    let secret = apply(&mut new, change)?;
    let secret = secret.filter(|secret| !is_stored(services, &old, secret));
    let moved = new.place != old.place || secret.is_some();
    let mut latency = None;
    if moved {
        if secret.is_some() {
            new.sealed = seal(services, id, secret.as_ref())?;
        }
        let target = target(services, &new)?;
        latency = Some(services.buckets.probe(&target).await?);
        (new.status, new.status_at) = (BucketStatus::Online, Timestamp::now());
    }
    let mut tx = services.store.begin().await?;
    hold(&mut tx, &[old.workspace, new.workspace]).await?;
    save(&mut tx, caller, &old, &new, moved).await?;
    tx.commit().await?;
    Ok(Written { id, latency })
}

/// Writes a changed bucket, and tells every storage repo that holds it.
async fn save(tx: &mut Tx, caller: &Caller, old: &Bucket, new: &Bucket, moved: bool) -> Result<()> {
    let uses = links::uses(&mut **tx, new.id).await?;
    if old.workspace != new.workspace && !uses.is_empty() {
        let message = "workspaceId: storage repos hold the bucket. Take it out of them first.";
        return Err(Error::invalid("workspaceId", message));
    }
    let name = &new.place.bucket;
    if old.place.bucket != *name && links::has_namesake(&mut **tx, new.id, name).await? {
        let message = format!(
            "A storage repo of mode NORMAL holds another bucket that its cloud calls `{name}`, and \
             could not tell them apart."
        );
        return Err(Error::rule(Rule::FolderUsed, message));
    }
    if old.name != new.name {
        check_free(tx, new).await?;
    }
    if !buckets::update(&mut **tx, new).await.map_err(|error| taken(error, &new.name))? {
        let message = "The bucket was changed meanwhile. Read it again and redo the change.";
        return Err(Error::Conflict { message: message.to_owned(), current_head: None });
    }
    audit::insert(&mut **tx, &line(caller, new, Action::Updated)).await?;
    let place = |bucket: &Bucket| {
        let place = &bucket.place;
        (place.storage_type, place.bucket.clone(), place.endpoint.clone())
    };
    let is_elsewhere = place(old) != place(new);
    if moved {
        for repo in uses.iter().map(|used| used.repo).collect::<BTreeSet<_>>() {
            let line = NewEvent::by(caller, Context::Repo, repo, Action::Updated, new.workspace);
            let data = json!({ "cause": "bucket", "bucketId": new.id });
            audit::insert(&mut **tx, &line.with(data)).await?;
            if is_elsewhere {
                bucket_moved(tx, repo, new.id).await?;
            }
        }
    }
    Ok(())
}

pub async fn delete(services: &Services, caller: &Caller, id: BucketId) -> Result<()> {
    let seen = require(services, caller, id, Role::Write).await?;
    let mut tx = services.store.begin().await?;
    hold(&mut tx, &[seen.workspace]).await?;
    let bucket = again(&mut tx, caller, &seen).await?;
    require_free(&mut tx, caller.org, Held::Buckets, id.uuid(), "bucket").await?;
    if !buckets::delete(&mut *tx, id, Timestamp::now()).await? {
        return Err(Error::not_found("Bucket"));
    }
    audit::insert(&mut *tx, &line(caller, &bucket, Action::Deleted)).await?;
    Ok(tx.commit().await?)
}

/// The bucket, if the caller can see it and holds `needed` in its workspace.
pub async fn require(
    services: &Services,
    caller: &Caller,
    id: BucketId,
    needed: Role,
) -> Result<Bucket> {
    access::require_account(caller)?;
    let found = buckets::get(services.store.read(), caller, id).await?;
    let (bucket, role) = found.ok_or_else(|| Error::not_found("Bucket"))?;
    access::require(caller, role, needed, "Bucket")?;
    Ok(bucket)
}

/// A bucket that was looked at before its workspace was held, as it is now.
async fn again(tx: &mut Tx, caller: &Caller, seen: &Bucket) -> Result<Bucket> {
    let found = buckets::get(&mut **tx, caller, seen.id).await?;
    let (bucket, _) = found.ok_or_else(|| Error::not_found("Bucket"))?;
    if bucket.workspace != seen.workspace {
        let message = "The bucket was moved meanwhile. Read it again and redo the change.";
        return Err(Error::Conflict { message: message.to_owned(), current_head: None });
    }
    Ok(bucket)
}

async fn with_holders(
    services: &Services,
    org: OrgId,
    found: Vec<Bucket>,
) -> Result<Vec<WithHolders>> {
    let id = |bucket: &Bucket| bucket.id.uuid();
    storage_holders::with_holders(&services.store, org, Held::Buckets, found, id).await
}

fn seal(
    services: &Services,
    id: BucketId,
    secret: Option<&SecretString>,
) -> Result<Option<Vec<u8>>> {
    let sealed = secret.map(|secret| services.vault.seal(&sealed_for(id), secret));
    Ok(sealed.transpose()?)
}

/// Whether the bucket has that secret already. What cannot be opened is another one.
fn is_stored(services: &Services, bucket: &Bucket, secret: &SecretString) -> bool {
    let stored = target(services, bucket).ok().and_then(|target| target.secret);
    stored.is_some_and(|stored| stored.expose_secret() == secret.expose_secret())
}

/// The index says so too, but a transaction on PostgreSQL ends with what it refuses.
async fn check_free(tx: &mut Tx, bucket: &Bucket) -> Result<()> {
    let called = IdOrName::Name(bucket.name.clone());
    match buckets::find(&mut **tx, bucket.org, &called).await? {
        Some(other) if other.id != bucket.id => Err(name_taken(&bucket.name)),
        _ => Ok(()),
    }
}

fn taken(error: sqlx::Error, name: &str) -> Error {
    if store::is_unique_violation(&error) { name_taken(name) } else { error.into() }
}

fn name_taken(name: &str) -> Error {
    let message =
        format!("name: another bucket of the organisation is called `{name}`. Choose another.");
    Error::rule(Rule::NameAlreadyUsed, message)
}

fn line(caller: &Caller, bucket: &Bucket, action: Action) -> NewEvent {
    NewEvent::by(caller, Context::Bucket, bucket.id, action, bucket.workspace)
        .with(json!({ "name": bucket.name }))
}
