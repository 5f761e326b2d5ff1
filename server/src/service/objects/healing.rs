//! Pays debts: brings a bucket what it lacks, from one that has it, or removes what is gone. Whatever
//! happened meanwhile, the current version is what counts.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};

use super::deleting::{self, remove};
use super::fan::Fan;
use super::layout::{Member, Space};
use super::locks::{self, Taken};
use super::roll::{self, Sight};
use super::writing::{grown, marked};
use super::{Account, ObjectError, Result, reading, survey};
use crate::backend::buckets::{BucketError, Part};
use crate::model::id::BucketId;
use crate::model::object::Object;
use crate::model::storage_repo::Mode;
use crate::model::time::Timestamp;
use crate::model::usage::Counted;
use crate::service::Services;
use crate::store::debts::{self, Debt};
use crate::store::intents;
use crate::store::objects::{self, Known};

/// Debts of one bucket that are claimed at once, and paid at the same time.
const CLAIMED: i64 = 32;
const AT_ONCE: usize = 8;
/// How long one bucket's debts are paid before it is seen who else owes any.
const ROUND: Duration = Duration::from_secs(10);
/// Size of the parts in which very large objects are copied, in bytes.
const PART_BYTES: u64 = 256 * 1024 * 1024;

/// Pays some of what is due, to all buckets that answer and that nobody else here is paying; how many
/// debts it tried.
pub async fn heal(services: &Arc<Services>) -> Result<usize> {
    let debtors = debts::debtors(services.store.read(), Timestamp::now()).await?;
    let healed = stream::iter(debtors).map(|bucket| heal_bucket(services, bucket));
    let healed: Vec<_> = healed.buffer_unordered(AT_ONCE).collect().await;
    healed.into_iter().sum()
}

async fn heal_bucket(services: &Arc<Services>, bucket: BucketId) -> Result<usize> {
    let turn = services.plane.turn(bucket);
    let Ok(_turn) = turn.try_lock() else { return Ok(0) };
    if !services.plane.admits(bucket) {
        return Ok(0);
    }
    let (begun, mut tried) = (Instant::now(), 0);
    // Others may take long: whoever pays well goes on meanwhile.
    loop {
        let is_probe = services.plane.is_paused(bucket);
        let limit = if is_probe { 1 } else { CLAIMED };
        let now = Timestamp::now();
        let claimed = debts::claim(services.store.write_now(), bucket, now, limit).await?;
        tried += claimed.len();
        let none = claimed.is_empty();
        stream::iter(claimed)
            .for_each_concurrent(AT_ONCE, async |debt| {
                let paid = if services.plane.is_paused(bucket) && !is_probe {
                    Err(unreachable())
                } else {
                    tokio::select! {
                        paid = pay(services, &debt) => paid,
                        never = keep(services, &debt) => match never {},
                    }
                };
                if let Err(error) = paid {
                    put_off(services, &debt, &error).await;
                }
            })
            .await;
        if none || services.plane.is_paused(bucket) || begun.elapsed() >= ROUND {
            return Ok(tried);
        }
    }
}

/// Keeps a debt for as long as this is waited for.
async fn keep(services: &Services, debt: &Debt) -> Infallible {
    loop {
        tokio::time::sleep(debts::LEASE / 3).await;
        let kept = debts::keep(services.store.write_now(), debt, Timestamp::now()).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a debt cannot be kept, to be tried again");
        }
    }
}

async fn put_off(services: &Services, debt: &Debt, error: &ObjectError) {
    tracing::info!(bucket = %debt.bucket, %error, "a debt could not be paid");
    let (now, text) = (Timestamp::now(), error.to_string());
    let put_off = debts::put_off(services.store.write_now(), debt, now, &text).await;
    if let Err(error) = put_off {
        tracing::warn!(%error, "a debt could not be put off");
    }
}

async fn pay(services: &Arc<Services>, debt: &Debt) -> Result<()> {
    let space = services.plane.space(services, debt.space).await?;
    let Some((space, member)) =
        space.as_ref().and_then(|space| Some((space, space.member(debt.bucket)?)))
    else {
        return forgive(services, debt).await;
    };
    match objects::get(services.store.read(), debt.space, &debt.key).await? {
        Some(known) if !known.object.deleted => bring(services, space, member, debt, known).await,
        _ => take_away(services, space, member, debt).await,
    }
}

/// The space, or the bucket's place in it, is gone.
async fn forgive(services: &Services, debt: &Debt) -> Result<()> {
    let mut tx = services.store.begin().await?;
    debts::clear(&mut tx, (debt.space, &debt.key), debt.bucket).await?;
    Ok(tx.commit().await?)
}

/// Brings a bucket the current version of an object.
async fn bring(
    services: &Arc<Services>,
    space: &Arc<Space>,
    member: &Arc<Member>,
    debt: &Debt,
    known: Known,
) -> Result<()> {
    let object = known.object.clone();
    let sight = roll::look(services, member, &object).await;
    match sight {
        Sight::Right(_) if !debt.damaged => return paid(services, space, member, &object).await,
        // It may have been damaged on its way to whoever read it.
        Sight::Right(_) if roll::is_sound(services, member, &object).await.unwrap_or(false) => {
            return paid(services, space, member, &object).await;
        }
        Sight::Unknown => return Err(unreachable()),
        _ => {}
    }
    let copied = copy(services, space, member, known).await;
    if !matches!(copied, Err(ObjectError::Unavailable(_))) || space.mode != Mode::Normal {
        return copied;
    }
    // Nobody else has it: what the bucket holds is all there is.
    let stored = match sight {
        Sight::Other(stored) => Some(stored),
        _ => None,
    };
    if debt.damaged && stored.is_none() {
        return copied;
    }
    survey::follow(services, space, &object, stored).await?;
    Ok(())
}

/// Copies from whoever has it. The end of the content waits until it is sure that it is still wanted.
async fn copy(
    services: &Arc<Services>,
    space: &Arc<Space>,
    member: &Arc<Member>,
    known: Known,
) -> Result<()> {
    let object = known.object.clone();
    let driver = member.driver(services).await.map_err(|_| unreachable())?;
    if object.size > driver.limits().put_bytes {
        return copy_in_parts(services, space, member, known).await;
    }
    let account = Account::own(services, space);
    let mut reading = reading::read(services, &account, space, known, 0..object.size).await?;
    let attributes = Arc::new(marked(&object.about.attributes, object.version));
    let (key, length) = (member.key(&object.key), object.size);
    let (begun, tuning) = (Instant::now(), services.plane.tuning);
    let mut fan = Fan::open(std::slice::from_ref(member), tuning.stall, None, |_, content| {
        let (driver, key, attributes) = (driver.clone(), key.clone(), attributes.clone());
        Box::pin(async move { driver.put(&key, length, &attributes, content).await })
    });
    while let Some(piece) = reading.body.next().await {
        if !fan.send(piece?).await {
            break;
        }
    }
    let taken = retake(services, space, &object).await?;
    let mut good = true;
    for (member, done) in fan.finish(1).await {
        member.note(&done);
        count(&account, &member, begun, &done, length);
        good &= done.is_ok();
    }
    settle(services, space, member, taken, good).await
}

/// What a bucket was brought is stored there now; whether it stored something else before, nobody
/// knows.
fn count<T>(
    account: &Account,
    member: &Member,
    begun: Instant,
    done: &Result<T, BucketError>,
    size: u64,
) {
    let counted = match done {
        Ok(_) => Counted { up: size, size_change: grown(0, size), ..Counted::default() },
        Err(_) => Counted::default(),
    };
    account.exchange(member.bucket.id, begun, done, counted);
}

/// As [`copy`], for what is larger than the bucket takes at once.
async fn copy_in_parts(
    services: &Arc<Services>,
    space: &Arc<Space>,
    member: &Arc<Member>,
    known: Known,
) -> Result<()> {
    let object = known.object.clone();
    let driver = member.driver(services).await.map_err(|_| unreachable())?;
    let attributes = marked(&object.about.attributes, object.version);
    let failed = |error: BucketError| ObjectError::Unavailable(error.to_string());
    let upload =
        driver.create_multipart(&member.key(&object.key), &attributes).await.map_err(failed)?;
    let account = Account::own(services, space);
    let (begun, mut parts): (_, Vec<Part>) = (Instant::now(), vec![]);
    let sent = async {
        let mut begin = 0;
        for number in 1.. {
            let end = object.size.min(begin + PART_BYTES);
            let reading =
                reading::read(services, &account, space, known.clone(), begin..end).await?;
            let content = reading.body.map(|piece| piece.map_err(std::io::Error::other)).boxed();
            let part = driver.upload_part(&upload, number, end - begin, content).await;
            parts.push(part.map_err(failed)?);
            begin = end;
            if begin == object.size {
                break;
            }
        }
        retake(services, space, &object).await
    };
    let taken = match sent.await {
        Ok(taken) => taken,
        Err(error) => {
            let _ = driver.abort_multipart(&upload).await;
            return Err(error);
        }
    };
    let done = driver.complete_multipart(&upload, &parts).await;
    member.note(&done);
    count(&account, member, begun, &done, object.size);
    settle(services, space, member, taken, done.is_ok()).await
}

/// Takes the key, if the version is still the current one.
async fn retake(services: &Services, space: &Space, object: &Object) -> Result<Taken> {
    let taken = locks::take(services, space, &object.key).await?;
    if taken.live().is_some_and(|live| live.version == object.version) {
        return Ok(taken);
    }
    locks::release(services, space, &taken).await?;
    Err(ObjectError::Busy)
}

async fn settle(
    services: &Services,
    space: &Space,
    member: &Member,
    taken: Taken,
    good: bool,
) -> Result<()> {
    if !good {
        locks::release(services, space, &taken).await?;
        return Err(unreachable());
    }
    deleting::settle(services, space, &taken, vec![member.bucket.id]).await
}

/// Removes what a bucket has of an object that is gone.
async fn take_away(
    services: &Arc<Services>,
    space: &Arc<Space>,
    member: &Arc<Member>,
    debt: &Debt,
) -> Result<()> {
    let taken = locks::take(services, space, &debt.key).await?;
    // It may have been deleted only now, and be kept for a while.
    let is_due = debts::is_due(services.store.read(), debt, Timestamp::now()).await?;
    if taken.live().is_some() || !is_due {
        locks::release(services, space, &taken).await?;
        return Err(ObjectError::Busy);
    }
    let size = taken.known.as_ref().map_or(0, |known| known.object.size);
    let account = Account::own(services, space);
    let removed = remove(services, &account, member, &debt.key, size).await;
    settle(services, space, member, taken, removed.is_ok()).await
}

/// The bucket holds what it should already, unless that is another version by now.
async fn paid(services: &Services, space: &Space, member: &Member, object: &Object) -> Result<()> {
    let (id, key, version) = (space.id, object.key.clone(), object.version);
    let (bucket, lane) = (member.bucket.id, space.lane(&object.key));
    let cleared = services.plane.ledger.durably(&lane, move |tx| {
        let key = key.clone();
        Box::pin(async move {
            let known = objects::get(&mut *tx, id, &key).await?;
            let busy = intents::any(&mut *tx, (id, &key)).await?;
            let is_current = !busy && known.is_some_and(|known| known.object.version == version);
            if is_current {
                debts::clear(tx, (id, &key), bucket).await?;
            }
            Ok(is_current)
        })
    });
    if cleared.await? { Ok(()) } else { Err(ObjectError::Busy) }
}

fn unreachable() -> ObjectError {
    ObjectError::Unavailable("The bucket does not answer.".to_owned())
}
