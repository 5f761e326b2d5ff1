//! Deletes objects: for clients at once and for good, and then from bucket to bucket. What cannot be
//! reached now owes the delete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::layout::{Member, Space};
use super::locks::{self, Taken};
use super::to_end::ToEnd;
use super::writing::{grown, refuse_early};
use super::{Account, Conditions, Result, Session};
use crate::backend::buckets::BucketError;
use crate::model::access::Role;
use crate::model::id::{BucketId, Version};
use crate::model::object::{About, Object};
use crate::model::storage_repo::Mode;
use crate::model::time::Timestamp;
use crate::model::usage::Counted;
use crate::service::Services;
use crate::store::debts::{self, Note};
use crate::store::{intents, objects};

/// How long a bucket may be at a write after nobody waits for it any more.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// Deletes an object, if there is one: what was there.
pub async fn delete(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    key: &str,
    conditions: &Conditions,
) -> Result<Option<Object>> {
    session.require(Role::Write)?;
    super::writing::check(key, &Default::default(), &[])?;
    let (begun, account) = (Instant::now(), Account::of(services, session));
    let work = {
        let (services, space, account) = (services.clone(), space.clone(), account.clone());
        let (key, conditions) = (key.to_owned(), conditions.clone());
        async move { delete_now(&services, &account, &space, &key, &conditions).await }
    };
    let deleted = ToEnd::new(&services.plane.writes, work).await;
    let size = deleted.as_ref().ok().and_then(|gone| gone.as_ref().map(|object| object.size));
    let size_change = grown(size.unwrap_or_default(), 0);
    account.request(begun, deleted, Counted { size_change, ..Counted::default() })
}

async fn delete_now(
    services: &Arc<Services>,
    account: &Account,
    space: &Arc<Space>,
    key: &str,
    conditions: &Conditions,
) -> Result<Option<Object>> {
    refuse_early(services, space, key, conditions).await?;
    let taken = locks::take(services, space, key).await?;
    let live = taken.live().cloned();
    let checked = conditions.check_write(live.as_ref());
    // Of what has not been imported yet nobody knows that it is not there.
    let nothing = live.is_none() && space.is_imported();
    if checked.is_err() || nothing {
        locks::release(services, space, &taken).await?;
        return checked.map(|()| None);
    }
    let now = Timestamp::now();
    let stone = match &live {
        Some(object) => Object { deleted: true, modified_at: now, ..object.clone() },
        None => stone(key, taken.version, now),
    };
    let unsure = taken.known.as_ref().map(|known| known.owing.clone()).unwrap_or_default();
    bury(services, space, &stone, &unsure).await?;
    let reached = space.written().iter().filter(|member| member.health.admits());
    let size = live.as_ref().map_or(0, |object| object.size);
    let removed = join_all(reached.map(async |member| {
        (member.bucket.id, remove(services, account, member, key, size).await)
    }))
    .await;
    let paid = removed.into_iter().filter(|(_, done)| done.is_ok()).map(|(bucket, _)| bucket);
    let paid = paid.filter(|bucket| !unsure.contains(bucket));
    settle(services, space, &taken, paid.collect()).await?;
    Ok(live)
}

/// What stands for an object that nobody knew.
fn stone(key: &str, version: Version, now: Timestamp) -> Object {
    Object {
        key: key.to_owned(),
        version,
        deleted: true,
        size: 0,
        etag: String::new(),
        about: About::default(),
        modified_at: now,
    }
}

/// Commits that an object is gone, and that every bucket owes its removal. Backups do so only after a
/// while; those in `unsure` may still be at a write that was given up, and do so once more after it.
async fn bury(
    services: &Services,
    space: &Space,
    stone: &Object,
    unsure: &[BucketId],
) -> Result<()> {
    let now = stone.modified_at;
    let due = |member: &Arc<Member>| match space.mode {
        Mode::Backup if !member.primary => now.plus(space.retention),
        _ if unsure.contains(&member.bucket.id) => now.plus(GIVEN_UP),
        _ => now,
    };
    let debts: Vec<_> =
        space.members.iter().map(|member| (member.bucket.id, due(member))).collect();
    let (id, stone) = (space.id, stone.clone());
    let lane = space.lane(&stone.key);
    let buried = services.plane.ledger.durably(&lane, move |tx| {
        let (stone, debts) = (stone.clone(), debts.clone());
        Box::pin(async move {
            objects::put(tx, id, &stone).await?;
            for (bucket, due) in debts {
                debts::set(tx, (id, &stone.key), bucket, Note::Due(due)).await?;
            }
            Ok(())
        })
    });
    Ok(buried.await?)
}

/// Removes whatever a bucket has under a key.
pub(super) async fn remove(
    services: &Services,
    account: &Account,
    member: &Arc<Member>,
    key: &str,
    size: u64,
) -> Result<(), BucketError> {
    let begun = Instant::now();
    let asked = async { member.driver(services).await?.delete(&member.key(key)).await };
    let asked = tokio::time::timeout(services.plane.tuning.stall, asked).await;
    let asked = asked.unwrap_or(Err(BucketError::TimedOut));
    member.note(&asked);
    let size_change = if asked.is_ok() { grown(size, 0) } else { 0 };
    account.exchange(
        member.bucket.id,
        begun,
        &asked,
        Counted { size_change, ..Counted::default() },
    );
    asked
}

/// Gives the key back, and notes who has removed the object. Should this be forgotten, they remove it
/// once more.
pub(super) async fn settle(
    services: &Services,
    space: &Space,
    taken: &Taken,
    paid: Vec<BucketId>,
) -> Result<()> {
    let (id, key, version) = (space.id, taken.key.clone(), taken.version);
    let lane = space.lane(&key);
    let settled = services.plane.ledger.lightly(&lane, move |tx| {
        let (key, paid) = (key.clone(), paid.clone());
        Box::pin(async move {
            if !intents::release(tx, (id, &key), version).await? {
                return Ok(());
            }
            for bucket in paid {
                debts::clear(tx, (id, &key), bucket).await?;
            }
            objects::forget(tx, id, &key).await
        })
    });
    Ok(settled.await?)
}
