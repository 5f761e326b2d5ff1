//! Ends what somebody began and did not end. It only ever rolls forward: a version that a bucket holds
//! whole becomes the current one, since whoever wrote it never heard that it did not; if there is none,
//! nothing has changed.

use std::sync::Arc;

use futures::future::join_all;

use super::Result;
use super::layout::{Member, Space};
use super::locks::Taken;
use super::writing::{MARK, commit, is_md5, own_etag};
use crate::backend::buckets::{BucketError, Object as Stored};
use crate::model::id::{BucketId, SpaceId, Version};
use crate::model::object::Object;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::store::debts::{self, Note};
use crate::store::{intents, objects};

/// Intents that are looked at in one go.
const BATCH: i64 = 100;

/// Ends all intents that have run out; how many.
pub async fn roll_all(services: &Arc<Services>) -> Result<usize> {
    let found = intents::run_out(services.store.read(), Timestamp::now(), BATCH).await?;
    let mut rolled = 0;
    for (space, key) in &found {
        let _lock = services.plane.locks.of(*space, key).lock_owned().await;
        rolled += usize::from(roll(services, *space, key).await?);
    }
    Ok(rolled)
}

/// Ends the intent of a key, if it has run out. For whoever has the key's lock.
pub(super) async fn roll(services: &Services, id: SpaceId, key: &str) -> Result<bool> {
    let plane = &services.plane;
    let now = Timestamp::now();
    let taken = intents::take_over(services.store.write_now(), (id, key), &plane.node, now).await?;
    let Some(intent) = taken else { return Ok(false) };
    let known = objects::get(services.store.read(), id, key).await?;
    let taken = Taken::over(key, intent.version, known);
    match plane.space(services, id).await? {
        Some(space) => resolve(services, &space, &taken, intent.object).await.map(drop)?,
        // Nobody asks for it any more.
        None => {
            let mut tx = services.store.begin().await?;
            intents::release(&mut tx, (id, key), intent.version).await?;
            tx.commit().await?;
        }
    }
    Ok(true)
}

/// Finds out what became of a key that was to hold `object`, and gives the key back. The object, if it
/// is the current version now.
pub(super) async fn resolve(
    services: &Services,
    space: &Space,
    taken: &Taken,
    object: Option<Object>,
) -> Result<Option<Object>> {
    let Some(mut object) = object else {
        return drop_intent(services, space, taken, vec![]).await.map(|()| None);
    };
    let looks =
        space.members.iter().map(async |member| (member, look(services, member, &object).await));
    let (mut holding, mut unknown) = (vec![], vec![]);
    for (member, sight) in join_all(looks).await {
        match sight {
            Sight::Right(stored) => {
                if object.etag.is_empty() && member.tells_md5() && is_md5(&stored.etag) {
                    object.etag = stored.etag;
                }
                holding.push(member.bucket.id);
            }
            Sight::Absent | Sight::Other(_) => {}
            Sight::Unknown => unknown.push(member.bucket.id),
        }
    }
    if holding.is_empty() {
        drop_intent(services, space, taken, unknown).await?;
        return Ok(None);
    }
    if object.etag.is_empty() {
        object.etag = own_etag(&object);
    }
    commit(services, space, &object, taken, &holding).await?;
    Ok(Some(object))
}

/// Gives a key back that holds what it held. Of those in `unsure` nobody knows whether they do.
async fn drop_intent(
    services: &Services,
    space: &Space,
    taken: &Taken,
    unsure: Vec<BucketId>,
) -> Result<()> {
    let (id, key, version) = (space.id, taken.key.clone(), taken.version);
    let lane = space.lane(&key);
    let dropped = services.plane.ledger.durably(&lane, move |tx| {
        let (key, unsure) = (key.clone(), unsure.clone());
        Box::pin(async move {
            if intents::release(tx, (id, &key), version).await? {
                for bucket in unsure {
                    debts::set(tx, (id, &key), bucket, Note::Due(Timestamp::now())).await?;
                }
            }
            Ok(())
        })
    });
    Ok(dropped.await?)
}

/// What a bucket has under a key.
pub(super) enum Sight {
    /// A copy of the version that was asked for.
    Right(Stored),
    Other(Stored),
    Absent,
    Unknown,
}

/// Looks whether a member holds this version of an object.
pub(super) async fn look(services: &Services, member: &Arc<Member>, object: &Object) -> Sight {
    let asked =
        async { member.driver(services).await?.head_object(&member.key(&object.key)).await };
    let asked = tokio::time::timeout(services.plane.tuning.patience, asked).await;
    let asked = asked.unwrap_or(Err(BucketError::TimedOut));
    member.note(&asked);
    match asked {
        Ok(stored) if is_copy(object, &stored) => Sight::Right(stored),
        Ok(stored) => Sight::Other(stored),
        Err(BucketError::NoSuchObject) => Sight::Absent,
        Err(_) => Sight::Unknown,
    }
}

/// Whether what a bucket has is a copy of this version. What was there before bears no mark; it is
/// known by its ETag.
pub(super) fn is_copy(object: &Object, stored: &Stored) -> bool {
    let same = match mark(stored) {
        Some(version) => version == object.version,
        None => object.about.native.as_ref().is_some_and(|native| {
            *native == stored.etag || (is_md5(native) && object.etag == stored.etag)
        }),
    };
    same && stored.size == object.size
}

/// The version that a copy says it is of.
pub(super) fn mark(stored: &Stored) -> Option<Version> {
    stored.attributes.metadata.get(MARK)?.parse().ok()
}
