//! Buckets that S3 clients make for themselves in a NORMAL storage repo: folders on the server's disk,
//! registered and linked like any other bucket.

use serde_json::json;

use super::{ObjectError, Result, Session, recovering};
use crate::backend::buckets::Target;
use crate::model::access::Role;
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::bucket::{Bucket, BucketStatus, DISK_SCHEME, Place, StorageType};
use crate::model::id::{BucketId, IdOrName, SpaceId};
use crate::model::job::JobKind;
use crate::model::storage_repo::{MEMBERS_MAX, Member, Mode};
use crate::model::time::Timestamp;
use crate::service::storage_repos::hold_to_add;
use crate::service::{Error, Services};
use crate::store::spaces::{self, SpaceRow};
use crate::store::{Tx, audit, buckets, jobs, objects, storage_links as links, storage_repos};

/// Names as S3 takes them, in characters.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=63;

/// Makes a bucket that is empty.
pub async fn create(services: &Services, session: &Session, name: &str) -> Result<()> {
    // Many clients create the bucket before they write into it, and go on if it is there.
    if session.space(name, Role::Read).is_ok() {
        return Err(ObjectError::Exists);
    }
    require_admin(session)?;
    if !is_valid(name) {
        return Err(ObjectError::BucketName(
            "A bucket's name has 3 to 63 of a-z, 0-9, . and -, each part of it between dots begins \
             and ends with a letter or digit, and it is no IP address."
                .to_owned(),
        ));
    }
    let plan = &session.layout.plan;
    let (id, now) = (BucketId::new(), Timestamp::now());
    let mut bucket = Bucket {
        id,
        org: plan.org,
        workspace: plan.workspace,
        name: name.to_owned(),
        place: Place {
            storage_type: StorageType::S3,
            bucket: name.to_owned(),
            endpoint: Some(endpoint(id)),
            region: None,
            key: None,
        },
        sealed: None,
        project: None,
        wallet: None,
        status: BucketStatus::Online,
        status_at: now,
        created_at: now,
        version: 1,
    };
    let target = Target { workspace: plan.workspace, place: bucket.place.clone(), secret: None };
    services.buckets.probe(&target).await.map_err(|error| ObjectError::Other(error.into()))?;
    let mut tx = services.store.begin().await?;
    hold_to_add(&mut tx, plan.org, plan.workspace).await?;
    if storage_repos::mode(&mut tx, plan.repo).await? != Some(Mode::Normal) {
        return Err(ObjectError::Busy);
    }
    let mut members = links::members(&mut *tx, plan.repo).await?;
    for member in &members {
        let held = buckets::any(&mut *tx, member.bucket).await?;
        if held.is_some_and(|held| held.place.bucket == name) {
            return Err(ObjectError::Exists);
        }
    }
    let most = services.quota.buckets;
    if members.len() >= MEMBERS_MAX || buckets::count(&mut *tx, plan.org).await? >= most {
        return Err(ObjectError::TooMany);
    }
    let called = IdOrName::Name(name.to_owned());
    if buckets::find(&mut *tx, plan.org, &called).await?.is_some() {
        bucket.name = format!("{name} ({id})");
    }
    buckets::insert(&mut *tx, &bucket).await?;
    members.push(Member { bucket: id, folder: String::new(), primary: false });
    links::set_members(&mut tx, plan.repo, &members).await?;
    let space = SpaceRow { id: SpaceId::new(), only: Some(id), created_at: now };
    spaces::add(&mut tx, plan.repo, &space).await?;
    spaces::add_copy(&mut tx, space.id, id, Some(now)).await?;
    finish(tx, session, &bucket, Action::Created).await
}

/// Removes a bucket that [`create`] made, if it is empty.
pub async fn delete(services: &Services, session: &Session, name: &str) -> Result<()> {
    require_admin(session)?;
    let space = session.space(name, Role::Admin)?;
    let bucket = space.members.first().map(|member| &member.bucket);
    let managed =
        bucket.filter(|bucket| bucket.place.endpoint.as_deref() == Some(&endpoint(bucket.id)));
    let Some(bucket) = managed else {
        let message = "Only buckets that were made by CreateBucket are removed by DeleteBucket. \
                       Take others out of the storage repo by the JSON API.";
        return Err(ObjectError::Denied(message.to_owned()));
    };
    recovering::settle(services, &space, |_| true).await?;
    let plan = &session.layout.plan;
    let mut tx = services.store.begin().await?;
    hold_to_add(&mut tx, plan.org, plan.workspace).await?;
    if objects::any(&mut *tx, space.id).await? {
        return Err(ObjectError::NotEmpty);
    }
    let mut members = links::members(&mut *tx, plan.repo).await?;
    members.retain(|member| member.bucket != bucket.id);
    links::set_members(&mut tx, plan.repo, &members).await?;
    let now = Timestamp::now();
    spaces::set_aside(&mut tx, space.id, now).await?;
    jobs::enqueue(&mut *tx, JobKind::ClearSpace, &space.id.to_string(), now).await?;
    buckets::delete(&mut *tx, bucket.id, now).await?;
    jobs::enqueue(&mut *tx, JobKind::DiscardBucket, &bucket.id.to_string(), now).await?;
    finish(tx, session, bucket, Action::Deleted).await
}

/// Removes what a bucket of ours that is deleted left on the disk.
pub async fn discard(services: &Services, subject: &str) -> crate::service::Result<()> {
    let id: BucketId = subject.parse().map_err(Error::internal)?;
    let Some(bucket) = buckets::any(services.store.read(), id).await? else { return Ok(()) };
    if bucket.place.endpoint.as_deref() != Some(&endpoint(id)) {
        return Ok(());
    }
    let target = Target { workspace: bucket.workspace, place: bucket.place, secret: None };
    services.buckets.discard(&target).await.map_err(Error::internal)
}

async fn finish(mut tx: Tx, session: &Session, bucket: &Bucket, action: Action) -> Result<()> {
    let (plan, key) = (&session.layout.plan, session.caller.key);
    storage_repos::touch(&mut *tx, plan.repo, Timestamp::now()).await?;
    for (context, id) in
        [(Context::Bucket, bucket.id.to_string()), (Context::Repo, plan.repo.to_string())]
    {
        let action = if context == Context::Repo { Action::Updated } else { action };
        let line = NewEvent {
            org: plan.org,
            user: None,
            context,
            context_id: id,
            action,
            workspace: Some(plan.workspace),
            data: None,
        };
        let data = json!({ "name": bucket.name, "accessKeyId": key, "cause": "gateway" });
        audit::insert(&mut *tx, &line.with(data)).await?;
    }
    Ok(tx.commit().await?)
}

fn require_admin(session: &Session) -> Result<()> {
    session.require(Role::Admin)?;
    if session.layout.plan.mode == Mode::Normal {
        return Ok(());
    }
    let message = "Only in a NORMAL storage repo can buckets be created and deleted; here all are \
                   one. Change its buckets by the JSON API.";
    Err(ObjectError::Denied(message.to_owned()))
}

/// The bucket's own disk, so that another one of its name never finds what it left.
fn endpoint(id: BucketId) -> String {
    format!("{DISK_SCHEME}{id}")
}

fn is_valid(name: &str) -> bool {
    let inside =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let at_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    NAME_CHARS.contains(&name.len())
        && name.bytes().all(inside)
        && name.split('.').all(|label| at_end(label.bytes().next()) && at_end(label.bytes().last()))
        && name.parse::<std::net::Ipv4Addr>().is_err()
}
