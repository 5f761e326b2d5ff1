//! Door opened by the clock: runs durable jobs, and small housekeeping of this process.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::model::job::{ATTEMPTS_MAX, Job, JobKind};
use crate::model::time::Timestamp;
use crate::service::{Result, Services, jobs, upkeep};
use crate::telemetry;

/// How often to look for due jobs when there were none.
const POLL: Duration = Duration::from_secs(1);
/// How often to tidy what is kept in memory.
const SWEEP: Duration = Duration::from_secs(5);

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

/// Calls `tidy` now and then, until told to stop.
pub async fn sweep(tidy: impl Fn() + Send, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
        tidy();
        telemetry::upkeep();
    }
}

/// Runs the job that is most overdue; false when none is due.
pub async fn run_one(services: &Services, owner: &str) -> Result<bool> {
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

async fn run_job(services: &Services, job: &Job) -> Result<()> {
    match job.kind {
        JobKind::CompactSourceRepo => upkeep::compact(services, &job.subject).await,
        JobKind::PurgeSourceRepo => upkeep::purge(services, &job.subject).await,
        JobKind::DropObject => upkeep::drop_object(services, &job.subject).await,
    }
}
