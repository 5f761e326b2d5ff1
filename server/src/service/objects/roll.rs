//! Ends what somebody began and did not end. It only ever rolls forward: a version that a bucket holds
//! whole becomes the current one, since whoever wrote it never heard that it did not; if there is none,
//! nothing has changed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt as _, stream};

use super::Result;
use super::intake::Crc64;
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
const AT_ONCE: usize = 16;
/// How long to wait with an intent that cannot be ended before buckets answer.
const LATER: Duration = Duration::from_secs(5);

/// Ends all intents that have run out; how many.
pub async fn roll_all(services: &Arc<Services>) -> Result<usize> {
    let found = intents::run_out(services.store.read(), Timestamp::now(), BATCH).await?;
    let mut rolled = 0;
    let ends = stream::iter(found).map(|(space, key)| async move {
        let _lock = services.plane.locks.of(space, &key).lock_owned().await;
        roll(services, space, &key).await
    });
    let mut ends = ends.buffer_unordered(AT_ONCE);
    while let Some(ended) = ends.next().await {
        rolled += usize::from(ended?);
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
    let taken = Taken::over(&intent, known);
    match plane.space(services, id).await? {
        Some(space) => {
            if let Err(error) = resolve(services, &space, &taken, intent.object).await {
                // If even this fails, its lease runs out again.
                let _ = put_off(services, id, &taken).await;
                return Err(error);
            }
        }
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
    let before = taken.known.as_ref().filter(|known| !known.object.deleted);
    let (mut holding, mut unknown) = (vec![], vec![]);
    // Nobody has been told of it, and what was is not at stake.
    let mut is_safe = !taken.told && before.is_none();
    for (member, sight) in join_all(looks).await {
        match sight {
            Sight::Right(stored) => {
                if object.etag.is_empty() && member.tells_md5() && is_md5(&stored.etag) {
                    object.etag = stored.etag;
                }
                holding.push(member.bucket.id);
            }
            Sight::Other(stored) => {
                let is_before = |known: &objects::Known| {
                    is_copy(&known.object, &stored) && !known.owing.contains(&member.bucket.id)
                };
                is_safe |= !taken.told && before.is_some_and(is_before);
            }
            Sight::Absent => {}
            Sight::Unknown => unknown.push(member.bucket.id),
        }
    }
    if holding.is_empty() && !unknown.is_empty() && !is_safe {
        // Those who do not answer hold the last copies there are: of what was, or of what is to be.
        put_off(services, space.id, taken).await?;
        return Ok(None);
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

async fn put_off(services: &Services, space: SpaceId, taken: &Taken) -> Result<()> {
    let (place, until) = ((space, taken.key.as_str()), Timestamp::now().plus(LATER));
    intents::renew(services.store.write_now(), place, taken.version, until).await?;
    Ok(())
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

/// Whether the content of a member's copy is what it was when it was written. One that cannot be read
/// to its end is not.
pub(super) async fn is_sound(
    services: &Services,
    member: &Arc<Member>,
    object: &Object,
) -> Result<bool, BucketError> {
    let fetched = member.driver(services).await?.get(&member.key(&object.key), None).await;
    member.note(&fetched);
    let mut body = match fetched {
        Ok(fetched) => fetched.body,
        Err(BucketError::NoSuchObject) => return Ok(false),
        Err(error) => return Err(error),
    };
    let (mut crc, mut size) = (Crc64::new(), 0);
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else { return Ok(false) };
        size += piece.len() as u64;
        crc.update(&piece);
    }
    Ok(size == object.size && object.about.crc64.is_none_or(|known| known == crc.value()))
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
