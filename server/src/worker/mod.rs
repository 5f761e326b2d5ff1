//! Door opened by the clock: runs durable jobs. What comes again and again is in `rounds`.

mod deliveries;
mod rounds;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::model::job::{ATTEMPTS_MAX, Job, JobKind};
use crate::model::time::Timestamp;
use crate::service::{Result, Services, jobs, objects, source_index, upkeep};
use crate::telemetry;
pub use deliveries::{RECEIVERS_AT_ONCE, deliver};
pub use rounds::{measure, mend, schedule, sweep, trim, watch};

/// Jobs that one process runs at the same time.
pub const JOBS_AT_ONCE: usize = 4;
/// How often to look for due jobs when there were none.
const POLL: Duration = Duration::from_secs(1);

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
        JobKind::IndexSourceRepo => source_index::index(services, &job.subject).await,
        JobKind::PurgeSourceRepo => upkeep::purge(services, &job.subject).await,
        JobKind::DropObject => upkeep::drop_object(services, &job.subject).await,
        JobKind::StorageJob => objects::jobs::run(services, &job.subject).await,
        JobKind::ClearSpace => objects::jobs::clear(services, &job.subject).await,
        JobKind::DiscardBucket => objects::managed::discard(services, &job.subject).await,
    }
}
