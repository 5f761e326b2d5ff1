//! Ends uploads that become nothing, and has buckets forget what has ended. For clients an upload is gone
//! before the first bucket is told.

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;

use super::copies::discard;
use super::find;
use crate::model::access::Role;
use crate::model::id::UploadId;
use crate::model::time::Timestamp;
use crate::model::upload::{ABANDONED_AFTER, Upload};
use crate::model::usage::Counted;
use crate::service::Services;
use crate::service::objects::layout::Space;
use crate::service::objects::to_end::ToEnd;
use crate::service::objects::{Account, ObjectError, Result, Session, locks};
use crate::store::{intents, uploads};

/// Uploads that one round ends, and has forgotten.
const BATCH: i64 = 1_000;

/// Gives an upload up, with all parts that have come. Whoever did not begin it needs more of a key.
pub async fn abort(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    (key, id): (&str, UploadId),
) -> Result<()> {
    session.require(Role::Write)?;
    let begun = Instant::now();
    let work = async {
        let upload = find(services, space, key, id).await?;
        if upload.by != session.caller.key {
            session.require(Role::Admin)?;
        }
        let ending = {
            let (services, space) = (services.clone(), space.clone());
            async move { end(&services, &space, &upload).await }
        };
        // A client that goes away must not keep the key.
        let ended = ToEnd::new(&services.plane.writes, ending).await?;
        if ended { Ok(()) } else { Err(ObjectError::NoSuchUpload) }
    };
    let done = work.await;
    if done.is_ok() {
        let cleared = clear_later(services, id);
        // Nobody waits for a bucket that does not answer.
        let _ = tokio::time::timeout(services.plane.tuning.stall, cleared).await;
    }
    Account::of(services, session).request(begun, done, Counted::default())
}

/// Ends an upload that nobody completes at the same time; false if it had ended.
async fn end(services: &Services, space: &Space, upload: &Upload) -> Result<bool> {
    let taken = locks::take(services, space, &upload.key).await?;
    let (id, upload, intent) = (space.id, upload.clone(), taken.version);
    let lane = space.lane(&upload.key);
    let ended = services.plane.ledger.durably(&lane, move |tx| {
        let upload = upload.clone();
        Box::pin(async move {
            if !intents::release(tx, (id, &upload.key), intent).await? {
                return Ok(None);
            }
            uploads::end(tx, upload.id, Timestamp::now()).await.map(Some)
        })
    });
    ended.await?.ok_or(ObjectError::Busy)
}

/// Gives up what nothing has come to since then, and has buckets forget what they kept of uploads that
/// have ended; how many were given up.
pub async fn expire(services: &Arc<Services>, untouched_since: Timestamp) -> Result<usize> {
    let mut given_up = 0;
    for upload in uploads::untouched(services.store.read(), untouched_since, BATCH).await? {
        let Some(space) = services.plane.space(services, upload.space).await? else { continue };
        match end(services, &space, &upload).await {
            Ok(ended) => given_up += usize::from(ended),
            Err(error) => {
                tracing::info!(upload = %upload.id, %error, "an upload cannot be given up yet");
            }
        }
    }
    let give_up = Timestamp::now().minus(ABANDONED_AFTER);
    for (id, ended_at) in uploads::ended(services.store.read(), BATCH).await? {
        if !clear(services, id).await? && ended_at < give_up {
            tracing::warn!(upload = %id, "a bucket keeps parts of an upload that has ended");
            forget(services, id).await?;
        }
    }
    Ok(given_up)
}

/// Has buckets forget an upload, if it has ended, while nobody waits. Should that fail, [`expire`] tries
/// again.
pub fn clear_later(services: &Arc<Services>, id: UploadId) -> tokio::task::JoinHandle<()> {
    let work = {
        let services = services.clone();
        async move {
            if let Err(error) = clear(&services, id).await {
                tracing::info!(upload = %id, %error, "an upload cannot be cleared away yet");
            }
        }
    };
    services.plane.writes.spawn(work)
}

/// Whether nothing is left of an upload that has ended.
async fn clear(services: &Services, id: UploadId) -> Result<bool> {
    if uploads::get(services.store.read(), id).await?.is_some() {
        return Ok(false);
    }
    let copies = uploads::copies(services.store.read(), id).await?;
    let discarded = join_all(copies.iter().map(|copy| discard(services, copy))).await;
    let done = discarded.iter().all(|done| *done);
    if done {
        forget(services, id).await?;
    }
    Ok(done)
}

async fn forget(services: &Services, id: UploadId) -> Result<()> {
    let mut tx = services.store.begin().await?;
    uploads::forget(&mut tx, id).await?;
    Ok(tx.commit().await?)
}
