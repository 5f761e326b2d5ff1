//! Tag `jobs`: long work on storage repos, and how far it has come.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{StoragePath, StorageQuery};
use super::half::StorageFault;
use super::responses::{StorageAbsent, StorageAlways, StorageInvalid};
use super::storage_repos::StorageRepoPath;
use super::{By, Shared};
use crate::model::storage_job::{JobState, StorageJob};
use crate::model::storage_repo::LIST_MAX;
use crate::service::storage_jobs;

/// How long a stream of events may be silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

type Answer<T> = Result<Json<T>, StorageFault>;

/// List the jobs of a storage repo
///
/// Newest first. Jobs are forgotten 30 days after their end. Without `limit` the answer holds up to 1,000;
/// where there are more, `nextCursor` leads to the next page. Needs READ in the workspace.
#[utoipa::path(get, path = "/repo/{repoId}/jobs", tag = "jobs", params(StorageRepoPath, JobQuery),
    responses(
        (status = 200, description = "The jobs.", body = JobListResponse),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn list_jobs(
    services: Shared,
    caller: By,
    path: StoragePath<StorageRepoPath>,
    query: StorageQuery<JobQuery>,
) -> Answer<JobListResponse> {
    let JobQuery { limit, cursor } = query.0;
    let (repo, cursor) = (path.0.repo_id.into(), cursor.map(Into::into));
    let limit = limit.unwrap_or(LIST_MAX);
    let page = storage_jobs::list(&services, &caller, repo, cursor, limit).await?;
    let next_cursor = page.items.last().filter(|_| page.more).map(|last| last.id.to_string());
    let jobs = page.items.into_iter().map(Job::from).collect();
    Ok(Json(JobListResponse { success: true, jobs, next_cursor }))
}

/// Read a job
///
/// Needs READ in the workspace of its storage repo.
#[utoipa::path(get, path = "/job/{id}", tag = "jobs", params(JobPath),
    responses(
        (status = 200, description = "The job.", body = JobResponse),
        StorageAlways, StorageAbsent,
    ))]
pub async fn get_job(
    services: Shared,
    caller: By,
    path: StoragePath<JobPath>,
) -> Answer<JobResponse> {
    let job = storage_jobs::get(&services, &caller, path.0.id.into()).await?;
    Ok(Json(JobResponse { success: true, job: job.into() }))
}

/// Follow a job
///
/// A stream of server-sent events: the job as it is now, then again whenever it has come further. The last
/// event is `done` or `failed`. A stream that ends without one was cut off, since the server stops or the caller may
/// not look any more; the job goes on. Needs READ in the workspace of its storage repo. A user may follow
/// 16 jobs at the same time.
#[utoipa::path(get, path = "/job/{id}/events", tag = "jobs", params(JobPath),
    responses(
        (status = 200, description = "The events.", body = JobEvent, content_type = "text/event-stream"),
        StorageAlways, StorageAbsent,
    ))]
pub async fn follow_job(
    services: Shared,
    caller: By,
    path: StoragePath<JobPath>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StorageFault> {
    let jobs = storage_jobs::follow(&services, &caller, path.0.id.into()).await?;
    let events = jobs.map(|job| {
        let event = JobEvent::from(job);
        Ok(Event::default().event(event.event).data(event.data))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JobPath {
    /// Id of the job.
    #[param(example = "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35")]
    id: Uuid,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobQuery {
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 1000, default = 1000, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `nextCursor` of the page before.
    #[param(example = "550e8400-e29b-41d4-a716-446655440000", nullable = false)]
    cursor: Option<Uuid>,
}

/// Long work on a storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35", "kind": "repair", "state": "running", "repoId": "550e8400-e29b-41d4-a716-446655440000", "total": 40, "done": 10, "found": 0, "failed": 0, "percent": 25, "createdAt": "2026-01-15T10:30:00Z", "updatedAt": "2026-01-15T10:30:05Z"}))]
pub struct Job {
    /// Id of the job.
    id: Uuid,
    /// What it does: `survey` (compares a bucket with the catalog; the first time it imports the bucket),
    /// `repair` (waits until what was owed is paid), `restore` (brings deleted objects back).
    kind: String,
    /// `queued`, `running`, `done` or `failed`.
    state: String,
    /// Id of the storage repo.
    repo_id: Uuid,
    /// Id of the bucket; left out if it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bucket_id: Option<Uuid>,
    /// Objects to look at; left out as long as it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<u64>,
    /// Objects that were looked at; of a repair, those that were paid.
    done: u64,
    /// Of a survey, objects that were not as they should be, or were imported; of a restore, objects that were
    /// brought back or, if it only counts, could be.
    found: u64,
    /// Objects that nothing could be done about.
    failed: u64,
    /// How much is done; left out if `total` is. 100 only once the job is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 100, nullable = false)]
    percent: Option<u32>,
    /// What it waits for or why it failed; left out if there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it last came further.
    updated_at: DateTime<Utc>,
    /// When it was finished; left out if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<DateTime<Utc>>,
}

/// A job.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct JobResponse {
    /// Always `true`.
    success: bool,
    job: Job,
}

/// One page of jobs.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobListResponse {
    /// Always `true`.
    success: bool,
    /// The jobs, newest first.
    jobs: Vec<Job>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// An event of the stream that follows a job.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"event": "job", "data": "{\"id\":\"01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35\",\"state\":\"running\"}"}))]
pub struct JobEvent {
    /// `job`; of the last event `done` or `failed`.
    event: String,
    /// A `Job`, as JSON.
    data: String,
}

impl From<StorageJob> for Job {
    fn from(job: StorageJob) -> Self {
        Self {
            percent: job.percent().map(u32::from),
            id: job.id.uuid(),
            kind: job.kind.as_str().to_owned(),
            state: job.state.as_str().to_owned(),
            repo_id: job.repo.uuid(),
            bucket_id: job.bucket.map(|id| id.uuid()),
            total: (job.total > 0).then_some(job.total.unsigned_abs()),
            done: job.done.unsigned_abs(),
            found: job.found.unsigned_abs(),
            failed: job.failed.unsigned_abs(),
            message: job.message,
            created_at: job.created_at.into(),
            updated_at: job.updated_at.into(),
            finished_at: job.finished_at.map(DateTime::from),
        }
    }
}

impl From<StorageJob> for JobEvent {
    fn from(job: StorageJob) -> Self {
        let event = match job.state {
            JobState::Queued | JobState::Running => "job",
            finished => finished.as_str(),
        };
        let data = serde_json::to_string(&Job::from(job)).expect("a job is made of JSON's types");
        Self { event: event.to_owned(), data }
    }
}
