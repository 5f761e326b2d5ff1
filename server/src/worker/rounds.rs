//! What this process does again and again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::model::time::Timestamp;
use crate::model::upload::ABANDONED_AFTER;
use crate::service::{Services, bucket_watch, objects, upkeep};
use crate::telemetry;

/// How often to look for copies to mend when there were none.
const MEND: Duration = Duration::from_millis(500);
/// How long what is being mended may take to be done when the server stops.
const MEND_LAST: Duration = Duration::from_secs(10);
/// How often to look for work that comes again and again.
const SCHEDULE: Duration = Duration::from_secs(60);
/// How often to tidy what is kept in memory.
const SWEEP: Duration = Duration::from_secs(5);
/// How often to write what was counted; a crash loses no more statistics than that.
const FLUSH: Duration = Duration::from_secs(5);
/// How often to add up what is old.
const ROLL: Duration = Duration::from_mins(10);
/// How often to look whether buckets answer.
const WATCH: Duration = Duration::from_mins(5);
/// How often to look whether caches take too much of the disk ...
const TRIM: Duration = Duration::from_mins(5);
/// ... and for objects that nothing names.
const STRAYS: Duration = Duration::from_hours(6);
/// How often to look for what crashes left on local disks, and how long nobody may have touched it.
const TIDY: Duration = Duration::from_hours(1);
const LEFT: Duration = Duration::from_hours(7 * 24);

/// Keeps the copies of objects alike. What takes too long when the server stops is begun anew later.
pub async fn mend(services: Arc<Services>, stop: CancellationToken) {
    // A round lasts as long as its largest object; the next one is for those who owe nothing in it.
    let mut rounds = JoinSet::new();
    let mending = async {
        loop {
            if let Err(error) = objects::roll_all(&services).await {
                tracing::warn!(%error, "what was begun cannot be ended, to be tried again");
            }
            let services = services.clone();
            rounds.spawn(async move { objects::healing::heal(&services).await });
            match tokio::time::timeout(MEND, rounds.join_next()).await {
                // There may be more.
                Ok(Some(Ok(Ok(1..)))) => continue,
                Ok(Some(Ok(Err(error)))) => {
                    tracing::warn!(%error, "copies cannot be mended, to be tried again");
                }
                _ => {}
            }
            tokio::time::sleep(MEND).await;
        }
    };
    let _: Option<Infallible> = stop.run_until_cancelled(mending).await;
    let all = async { while rounds.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(MEND_LAST, all).await;
}

/// Queues what is due now and then, and clears away what was left behind.
pub async fn schedule(services: Arc<Services>, stop: CancellationToken) {
    let mut tidied: Option<Instant> = None;
    loop {
        if let Err(error) = objects::jobs::schedule(&services, Timestamp::now()).await {
            tracing::warn!(%error, "surveys cannot be queued");
        }
        if tidied.is_none_or(|tidied| tidied.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            let abandoned = Timestamp::now().minus(ABANDONED_AFTER);
            match objects::uploads::expire(&services, abandoned).await {
                Ok(0) => {}
                Ok(aborted) => tracing::info!(aborted, "abandoned uploads aborted"),
                Err(error) => tracing::warn!(%error, "abandoned uploads cannot be aborted"),
            }
            match services.buckets.sweep_disks(SystemTime::now() - LEFT).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "unfinished files removed from local disks"),
                Err(error) => tracing::warn!(%error, "local disks cannot be swept"),
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(SCHEDULE)).await.is_none() {
            return;
        }
    }
}

/// Forgets what need not be kept in memory.
pub async fn sweep(services: Arc<Services>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
        services.rates.sweep();
        telemetry::upkeep();
    }
}

/// Writes what was counted and adds up what is old.
pub async fn measure(services: Arc<Services>, stop: CancellationToken) {
    let mut rolled = Instant::now();
    while stop.run_until_cancelled(tokio::time::sleep(FLUSH)).await.is_some() {
        if let Err(error) = services.meter.flush().await {
            tracing::warn!(%error, "statistics cannot be written, to be tried again");
        }
        if rolled.elapsed() >= ROLL {
            rolled = Instant::now();
            if let Err(error) = services.meter.roll(Timestamp::now()).await {
                tracing::warn!(%error, "old statistics cannot be added up, to be tried again");
            }
        }
    }
}

/// Keeps caches of source repos small, and objects that nothing names from staying.
pub async fn trim(services: Arc<Services>, stop: CancellationToken) {
    let mut looked = Instant::now();
    while stop.run_until_cancelled(tokio::time::sleep(TRIM)).await.is_some() {
        match services.editors.trim().await {
            Ok(trimmed) => telemetry::count_caches(trimmed.bytes, trimmed.removed),
            Err(error) => tracing::warn!(%error, "caches cannot be looked at, to be tried again"),
        }
        if looked.elapsed() < STRAYS {
            continue;
        }
        looked = Instant::now();
        let found = upkeep::mark_strays(&services, Timestamp::now());
        match stop.run_until_cancelled(found).await {
            None | Some(Ok(0)) => {}
            Some(Ok(found)) => tracing::info!(found, "objects that nothing names will be removed"),
            Some(Err(error)) => tracing::warn!(%error, "objects cannot be listed"),
        }
    }
}

/// Looks at buckets.
pub async fn watch(services: Arc<Services>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(WATCH)).await.is_some() {
        let looked = stop.run_until_cancelled(bucket_watch::look_at_all(&services)).await;
        if let Some(Err(error)) = looked {
            tracing::warn!(%error, "buckets cannot be looked at, to be tried again");
        }
    }
}
