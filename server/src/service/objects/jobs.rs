//! Long work on storage repos, a slice at a time, so that a crash loses at most the last slice.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::layout::Space;
use super::survey::survey;
use super::{repairing, restoring};
use crate::model::id::{JobId, SpaceId};
use crate::model::job::JobKind;
use crate::model::storage_job::{Asked, JobState, KEPT_DAYS, StorageJob, StorageJobKind};
use crate::model::time::Timestamp;
use crate::service::{Error, Result, Services};
use crate::store::{jobs, objects, spaces, storage_jobs};

/// How long work goes on before its progress is written.
const SLICE: Duration = Duration::from_secs(5);
/// Wait after a bucket did not answer.
const PAUSE: Duration = Duration::from_secs(5);
/// How often a bucket is listed, and how often all of it is read.
const LISTED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
const READ_EVERY: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long jobs can be looked at after their end.
const KEPT: Duration = Duration::from_secs(KEPT_DAYS as u64 * 24 * 60 * 60);
/// Rows of a space that are cleared away at once.
const CLEARED: i64 = 5_000;

/// Goes on with a job for a while.
pub async fn run(services: &Arc<Services>, subject: &str) -> Result<()> {
    let id: JobId = subject.parse().map_err(Error::internal)?;
    let Some(mut job) = storage_jobs::get(services.store.read(), id).await? else {
        return Ok(());
    };
    if job.state.is_finished() {
        return Ok(());
    }
    let before = job.clone();
    job.state = JobState::Running;
    let space = services.plane.space(services, job.space).await.map_err(Error::internal)?;
    let next = match (job.kind, space) {
        (StorageJobKind::Repair, _) => repairing::repair(services, &mut job).await?,
        (_, None) => finish(
            &mut job,
            JobState::Failed,
            "The storage repo does not hold its objects so any more.",
        ),
        (StorageJobKind::Survey, Some(space)) => run_survey(services, &space, &mut job).await,
        (StorageJobKind::Restore, Some(space)) => run_restore(services, &space, &mut job).await?,
    };
    let now = Timestamp::now();
    if job.is_news(&before) {
        job.updated_at = now;
    }
    let mut tx = services.store.begin().await?;
    storage_jobs::update(&mut *tx, &job).await?;
    if let Some(wait) = next {
        let due = now.plus(wait);
        jobs::enqueue(&mut *tx, JobKind::StorageJob, subject, due).await?;
    }
    Ok(tx.commit().await?)
}

/// When to go on; nothing, if the job is finished.
async fn run_survey(
    services: &Arc<Services>,
    space: &Arc<Space>,
    job: &mut StorageJob,
) -> Option<Duration> {
    let Some(member) = job.bucket.and_then(|bucket| space.member(bucket)) else {
        return finish(job, JobState::Failed, "The bucket was taken out of the storage repo.");
    };
    // What the primary held comes first: of two objects with one key, its own is the one.
    let is_first = space.members.first().is_some_and(|first| Arc::ptr_eq(first, member));
    if !is_first && !space.is_imported() {
        job.message = Some("Waiting for the primary bucket to be imported.".to_owned());
        return Some(Duration::from_millis(200));
    }
    if member.surveyed_at.is_some() && job.cursor.is_none() && job.total == 0 {
        // Of a bucket that is imported nobody knows how much it holds.
        job.total = objects::count(services.store.read(), space.id).await.unwrap_or(0);
    }
    match survey(services, space, member, job, Instant::now() + SLICE).await {
        Ok(ControlFlow::Break(())) => finish(job, JobState::Done, ""),
        Ok(ControlFlow::Continue(())) => {
            job.message = None;
            Some(Duration::ZERO)
        }
        Err(error) => {
            job.message = Some(format!("The bucket does not answer: {error}"));
            Some(PAUSE)
        }
    }
}

async fn run_restore(
    services: &Arc<Services>,
    space: &Arc<Space>,
    job: &mut StorageJob,
) -> Result<Option<Duration>> {
    if !restoring::has_backups(space) {
        let message =
            "The storage repo keeps no deleted objects: it is not of mode BACKUP any more.";
        return Ok(finish(job, JobState::Failed, message));
    }
    if restoring::restore(services, space, job, Instant::now() + SLICE).await?.is_continue() {
        return Ok(Some(Duration::ZERO));
    }
    if job.failed == 0 {
        return Ok(finish(job, JobState::Done, ""));
    }
    let message = format!(
        "{} objects were not brought back, since a backup does not answer or somebody else is \
         changing them. Restore again once it answers.",
        job.failed
    );
    Ok(finish(job, JobState::Failed, &message))
}

pub(super) fn finish(job: &mut StorageJob, state: JobState, message: &str) -> Option<Duration> {
    job.state = state;
    job.message = Some(message.to_owned()).filter(|message| !message.is_empty());
    job.finished_at = Some(Timestamp::now());
    None
}

/// Queues the surveys that are due, gives another chance to what was given up, and forgets what was
/// finished long ago.
pub async fn schedule(services: &Services, now: Timestamp) -> Result<()> {
    storage_jobs::forget(services.store.write_now(), now.minus(KEPT)).await?;
    jobs::revive(services.store.write_now(), JobKind::StorageJob, now).await?;
    for due in spaces::due(services.store.read(), now.minus(LISTED_EVERY)).await? {
        let unfinished = storage_jobs::unfinished(services.store.read(), due.space).await?;
        if unfinished.iter().any(|job| job.bucket == Some(due.bucket)) {
            continue;
        }
        let read = due.read_at.unwrap_or(due.created_at) <= now.minus(READ_EVERY);
        let asked = Asked { read, ..Asked::default() };
        let (space, bucket) = (due.space, Some(due.bucket));
        let job = StorageJob::new(due.repo, space, bucket, StorageJobKind::Survey, asked);
        let mut tx = services.store.begin().await?;
        storage_jobs::add(&mut tx, &job).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Forgets what is known of a space that was set aside, a part at a time.
pub async fn clear(services: &Services, subject: &str) -> Result<()> {
    let space: SpaceId = subject.parse().map_err(Error::internal)?;
    loop {
        let mut tx = services.store.begin().await?;
        let more = spaces::clear(&mut tx, space, CLEARED).await?;
        tx.commit().await?;
        if !more {
            return Ok(());
        }
    }
}
