//! Durable jobs as the worker sees them: claimed with a lease, then finished or given back. They
//! act for nobody in particular, so there is no caller; what a job does is up to its own rules.

use std::time::Duration;

use crate::model::job::{BACKOFF_FIRST, Job};
use crate::model::time::Timestamp;
use crate::service::{Error, Result, Services};
use crate::store::jobs;

/// Longest wait before a failed job is tried again.
const BACKOFF_MAX: Duration = Duration::from_secs(600);

/// The job that is most overdue, if one is due; `owner` holds it until the lease ends.
pub async fn claim(services: &Services, owner: &str, now: Timestamp) -> Result<Option<Job>> {
    Ok(jobs::claim(services.store.write_now(), owner, now).await?)
}

/// Removes a job that is done, unless it was queued again since it was claimed.
pub async fn finish(services: &Services, job: &Job, owner: &str) -> Result<()> {
    let mut tx = services.store.begin().await?;
    jobs::finish(&mut tx, job.id, owner).await?;
    Ok(tx.commit().await?)
}

/// Gives a failed job back, to be tried again after a while that doubles with each attempt.
pub async fn retry(services: &Services, job: &Job, owner: &str, error: &Error) -> Result<()> {
    let due = Timestamp::now().plus(backoff(job.attempts));
    let text = error.to_string();
    let mut tx = services.store.begin().await?;
    jobs::retry(&mut tx, job.id, owner, due, &text).await?;
    Ok(tx.commit().await?)
}

fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    BACKOFF_FIRST.saturating_mul(1 << doublings).min(BACKOFF_MAX)
}
