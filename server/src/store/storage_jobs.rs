//! Table `storage_jobs`: long work on storage repos and how far it has come. Who does it when is in
//! table `jobs`.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::jobs;
use super::row::{decode, known, parsed, parsed_option, time, time_option};
use crate::model::id::{JobId, SpaceId, StorageRepoId};
use crate::model::job::JobKind;
use crate::model::storage_job::{JobState, StorageJob, StorageJobKind};
use crate::model::time::Timestamp;

macro_rules! columns {
    () => {
        "id, repo_id, space_id, bucket_id, kind, state, asked, cursor, total, done, found, failed,
         message, created_at, updated_at, finished_at"
    };
}

/// Adds a job, due at once.
pub async fn add(tx: &mut AnyConnection, job: &StorageJob) -> Result<(), sqlx::Error> {
    let asked = serde_json::to_string(&job.asked).map_err(|error| decode("asked", error))?;
    sqlx::query(concat!(
        "INSERT INTO storage_jobs (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    ))
    .bind(job.id.to_string())
    .bind(job.repo.to_string())
    .bind(job.space.to_string())
    .bind(job.bucket.map(|id| id.to_string()))
    .bind(job.kind.as_str())
    .bind(job.state.as_str())
    .bind(asked)
    .bind(&job.cursor)
    .bind(job.total)
    .bind(job.done)
    .bind(job.found)
    .bind(job.failed)
    .bind(&job.message)
    .bind(job.created_at.micros())
    .bind(job.updated_at.micros())
    .bind(job.finished_at.map(Timestamp::micros))
    .execute(&mut *tx)
    .await?;
    jobs::enqueue(tx, JobKind::StorageJob, &job.id.to_string(), Timestamp::now()).await
}

pub async fn get(db: impl AnyExecutor<'_>, id: JobId) -> Result<Option<StorageJob>, sqlx::Error> {
    sqlx::query(concat!("SELECT ", columns!(), " FROM storage_jobs WHERE id = $1"))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// The jobs of a storage repo, newest first, up to `limit`; those before `cursor`, if there is one.
pub async fn list(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
    cursor: Option<JobId>,
    limit: i64,
) -> Result<Vec<StorageJob>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM storage_jobs WHERE repo_id = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3"
    ))
    .bind(repo.to_string())
    .bind(cursor.map(|id| id.to_string()))
    .bind(limit)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// The jobs of a space that are not finished.
pub async fn unfinished(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
) -> Result<Vec<StorageJob>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM storage_jobs WHERE space_id = $1 AND finished_at IS NULL ORDER BY id"
    ))
    .bind(space.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// The jobs of a storage repo that are not finished.
pub async fn unfinished_of_repo(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
) -> Result<Vec<StorageJob>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM storage_jobs WHERE repo_id = $1 AND finished_at IS NULL ORDER BY id"
    ))
    .bind(repo.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Writes how far a job has come.
pub async fn update(db: impl AnyExecutor<'_>, job: &StorageJob) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE storage_jobs SET state = $2, cursor = $3, total = $4, done = $5, found = $6,
             failed = $7, message = $8, updated_at = $9, finished_at = $10 WHERE id = $1",
    )
    .bind(job.id.to_string())
    .bind(job.state.as_str())
    .bind(&job.cursor)
    .bind(job.total)
    .bind(job.done)
    .bind(job.found)
    .bind(job.failed)
    .bind(&job.message)
    .bind(job.updated_at.micros())
    .bind(job.finished_at.map(Timestamp::micros))
    .execute(db)
    .await
    .map(drop)
}

/// Removes what was finished before a time.
pub async fn forget(db: impl AnyExecutor<'_>, before: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM storage_jobs WHERE finished_at < $1")
        .bind(before.micros())
        .execute(db)
        .await
        .map(drop)
}

fn from_row(row: &AnyRow) -> Result<StorageJob, sqlx::Error> {
    let asked: &str = row.try_get("asked")?;
    Ok(StorageJob {
        id: parsed(row, "id")?,
        repo: parsed(row, "repo_id")?,
        space: parsed(row, "space_id")?,
        bucket: parsed_option(row, "bucket_id")?,
        kind: known(row, "kind", StorageJobKind::parse)?,
        state: known(row, "state", JobState::parse)?,
        asked: serde_json::from_str(asked).map_err(|error| decode("asked", error))?,
        cursor: row.try_get("cursor")?,
        total: row.try_get("total")?,
        done: row.try_get("done")?,
        found: row.try_get("found")?,
        failed: row.try_get("failed")?,
        message: row.try_get("message")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        finished_at: time_option(row, "finished_at")?,
    })
}
