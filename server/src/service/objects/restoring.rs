//! Brings deleted objects back that a backup still holds, in the very version that was deleted. Nothing
//! is copied here: once an object is there again, the healer brings it to the primary.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::future::join_all;
use futures::{StreamExt as _, stream};
use tokio::time::Instant;

use super::layout::Space;
use super::listing::successor;
use super::locks::{self, Taken};
use super::roll::{self, Sight};
use super::{ObjectError, Result};
use crate::model::id::{BucketId, SpaceId};
use crate::model::object::Object;
use crate::model::storage_job::{Asked, StorageJob};
use crate::model::storage_repo::Mode;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::store::debts::{self, Note};
use crate::store::objects::{self, Deleted, Known};
use crate::store::{Tx, intents};

/// Deleted objects that are read at once, and looked at at the same time.
const PAGE: usize = 200;
const AT_ONCE: usize = 16;

/// What became of a deleted object.
enum Outcome {
    Restored,
    /// No backup holds it any more.
    Gone,
    /// Nobody knows, or somebody else has it.
    Failed,
}

/// Whether a space has buckets that keep what was deleted.
pub fn has_backups(space: &Space) -> bool {
    space.mode == Mode::Backup
}

/// How many deleted objects there are to look at.
pub async fn total(tx: &mut Tx, space: SpaceId, asked: &Asked) -> crate::service::Result<i64> {
    let until = successor(&asked.prefix);
    let which = which(asked, until.as_deref(), "");
    Ok(objects::count_deleted(&mut **tx, space, &which).await?)
}

/// Goes on until all was looked at, or for as long as `until`.
pub async fn restore(
    services: &Arc<Services>,
    space: &Arc<Space>,
    job: &mut StorageJob,
    until: Instant,
) -> crate::service::Result<ControlFlow<()>> {
    let end = successor(&job.asked.prefix);
    let dry_run = job.asked.dry_run;
    loop {
        let after = job.cursor.clone().unwrap_or_default();
        let which = which(&job.asked, end.as_deref(), &after);
        let page = objects::deleted(services.store.read(), space.id, &which, PAGE).await?;
        let last = page.last().map(|object| object.key.clone());
        let full = page.len() == PAGE;
        let outcomes = stream::iter(page).map(async |object| {
            let one = if dry_run {
                is_held(services, space, &object).await
            } else {
                restore_one(services, space, &object).await
            };
            one.unwrap_or_else(|error| {
                tracing::info!(%error, "an object was not brought back");
                Outcome::Failed
            })
        });
        let outcomes: Vec<_> = outcomes.buffer_unordered(AT_ONCE).collect().await;
        for outcome in outcomes {
            job.done += 1;
            match outcome {
                Outcome::Restored => job.found += 1,
                Outcome::Gone => {}
                Outcome::Failed => job.failed += 1,
            }
        }
        job.cursor = last.or(job.cursor.take());
        if !full {
            return Ok(ControlFlow::Break(()));
        }
        if Instant::now() >= until {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

fn which<'a>(asked: &'a Asked, until: Option<&'a str>, after: &'a str) -> Deleted<'a> {
    let since = asked.deleted_since.map(Timestamp::from_micros);
    Deleted { after, from: &asked.prefix, until, since }
}

async fn restore_one(
    services: &Arc<Services>,
    space: &Arc<Space>,
    seen: &Object,
) -> Result<Outcome> {
    let taken = locks::take(services, space, &seen.key).await?;
    let still = |known: &&Known| known.object.deleted && known.object.version == seen.version;
    let Some(known) = taken.known.as_ref().filter(still) else {
        // It was written anew, or its last copy is gone.
        locks::release(services, space, &taken).await?;
        return Ok(Outcome::Gone);
    };
    match holders(services, space, &known.object).await {
        Ok(found) if !found.holding.is_empty() => {
            bring_back(services, space, &taken, &known.object, found.holding).await?;
            Ok(Outcome::Restored)
        }
        other => {
            locks::release(services, space, &taken).await?;
            other.map(|found| found.none())
        }
    }
}

async fn is_held(services: &Services, space: &Space, object: &Object) -> Result<Outcome> {
    let found = holders(services, space, object).await?;
    Ok(if found.holding.is_empty() { found.none() } else { Outcome::Restored })
}

/// Who has a copy of what was deleted.
#[derive(Default)]
struct Holders {
    holding: Vec<BucketId>,
    unknown: bool,
}

impl Holders {
    fn none(&self) -> Outcome {
        if self.unknown { Outcome::Failed } else { Outcome::Gone }
    }
}

/// Asks the backups that were not told to remove it yet. Others may do so at any moment.
async fn holders(services: &Services, space: &Space, object: &Object) -> Result<Holders> {
    let keeping =
        debts::held(services.store.read(), (space.id, &object.key), Timestamp::now()).await?;
    let keeping = keeping.iter().filter_map(|bucket| space.member(*bucket));
    let looks = keeping
        .filter(|member| !member.primary)
        .map(async |member| (member.bucket.id, roll::look(services, member, object).await));
    let mut found = Holders::default();
    for (bucket, sight) in join_all(looks).await {
        match sight {
            Sight::Right(_) => found.holding.push(bucket),
            Sight::Unknown => found.unknown = true,
            Sight::Absent | Sight::Other(_) => {}
        }
    }
    Ok(found)
}

/// Commits that an object is there again, that the backups in `holding` have it, and that every other
/// bucket owes it.
async fn bring_back(
    services: &Services,
    space: &Space,
    taken: &Taken,
    seen: &Object,
    holding: Vec<BucketId>,
) -> Result<()> {
    let now = Timestamp::now();
    let object = Object { deleted: false, modified_at: now, ..seen.clone() };
    let members: Vec<_> = space.members.iter().map(|member| member.bucket.id).collect();
    let (id, intent, lane) = (space.id, taken.version, space.lane(&taken.key));
    let back = services.plane.ledger.durably(&lane, move |tx| {
        let (object, members, holding) = (object.clone(), members.clone(), holding.clone());
        Box::pin(async move {
            if !intents::release(tx, (id, &object.key), intent).await? {
                return Ok(false);
            }
            objects::put(tx, id, &object).await?;
            for bucket in members {
                if holding.contains(&bucket) {
                    debts::clear(tx, (id, &object.key), bucket).await?;
                } else {
                    debts::set(tx, (id, &object.key), bucket, Note::Due(now)).await?;
                }
            }
            Ok(true)
        })
    });
    if back.await? { Ok(()) } else { Err(ObjectError::Busy) }
}
