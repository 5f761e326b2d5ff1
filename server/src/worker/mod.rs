//! Door opened by the clock: runs durable jobs, and small housekeeping of this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::model::job::{ATTEMPTS_MAX, Job, JobKind};
use crate::model::time::Timestamp;
use crate::service::{Result, Services, bucket_watch, jobs, objects, upkeep};
use crate::telemetry;

/// Jobs that one process runs at the same time.
pub const JOBS_AT_ONCE: usize = 4;
/// How often to look for due jobs when there were none.
const POLL: Duration = Duration::from_secs(1);
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

/// Runs until told to stop; a job that runs then is finished first.
pub async fn run(services: Arc<Services>, stop: CancellationToken) {
    let owner = Uuid::new_v4().to_string();
    while !stop.is_cancelled() {
        let found = run_one(&services, &owner).await.unwrap_or_else(|error| {
            tracing::error!(%error, "jobs cannot be claimed");
            false
        });
        if !found {
            let _ = stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
        }
    }
}

/// Keeps the copies of objects alike, until told to stop.
pub async fn mend(services: Arc<Services>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let rolled = objects::roll_all(&services).await;
        let healed = objects::healing::heal(&services).await;
        if let Err(error) = rolled.and(healed.as_ref().copied().or(Ok(0))) {
            tracing::warn!(%error, "what was begun cannot be ended");
        }
        match healed {
            Ok(tried) if tried > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "copies cannot be mended"),
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
    }
}

/// Queues what is to be done now and then, until told to stop.
pub async fn schedule(services: Arc<Services>, stop: CancellationToken) {
    loop {
        if let Err(error) = objects::jobs::schedule(&services, Timestamp::now()).await {
            tracing::warn!(%error, "surveys cannot be queued");
        }
        if stop.run_until_cancelled(tokio::time::sleep(SCHEDULE)).await.is_none() {
            return;
        }
    }
}

/// Calls `tidy` now and then, until told to stop.
pub async fn sweep(tidy: impl Fn() + Send, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
        tidy();
        telemetry::upkeep();
    }
}

/// Writes what was counted and adds up what is old, until told to stop.
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

/// Looks at buckets, until told to stop.
pub async fn watch(services: Arc<Services>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(WATCH)).await.is_some() {
        let looked = stop.run_until_cancelled(bucket_watch::look_at_all(&services)).await;
        if let Some(Err(error)) = looked {
            tracing::warn!(%error, "buckets cannot be looked at, to be tried again");
        }
    }
}

/// Runs the job that is most overdue; false when none is due.
pub async fn run_one(services: &Arc<Services>, owner: &str) -> Result<bool> {
    let now = Timestamp::now();
    let Some(job) = jobs::claim(services, owner, now).await? else {
        return Ok(false);
    };
    let kind = job.kind.as_str();
    match run_job(services, &job).await {
        Ok(()) => {
            jobs::finish(services, &job, owner).await?;
            telemetry::count_job(kind, "done");
        }
        Err(error) => {
            let (attempts, subject) = (job.attempts, &job.subject);
            if attempts >= ATTEMPTS_MAX {
                tracing::error!(kind, subject, attempts, %error, "job given up");
            } else {
                tracing::warn!(kind, subject, attempts, %error, "job failed, to be tried again");
            }
            jobs::retry(services, &job, owner, &error).await?;
            telemetry::count_job(kind, "failed");
        }
    }
    Ok(true)
}

async fn run_job(services: &Arc<Services>, job: &Job) -> Result<()> {
    match job.kind {
        JobKind::CompactSourceRepo => upkeep::compact(services, &job.subject).await,
        JobKind::PurgeSourceRepo => upkeep::purge(services, &job.subject).await,
        JobKind::DropObject => upkeep::drop_object(services, &job.subject).await,
        JobKind::StorageJob => objects::jobs::run(services, &job.subject).await,
        JobKind::ClearSpace => objects::jobs::clear(services, &job.subject).await,
        JobKind::DiscardBucket => objects::managed::discard(services, &job.subject).await,
    }
}
