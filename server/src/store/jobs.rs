//! Table `jobs`: background work that survives a crash. A job is claimed with a lease,
//! so that a second process neither loses nor doubles it.

use sqlx::Row;
use sqlx::any::AnyExecutor;

use super::row::{known, parsed};
use crate::model::id::JobId;
use crate::model::job::{ATTEMPTS_MAX, Job, JobKind, LEASE};
use crate::model::time::Timestamp;

/// Queues a job. A live one of that kind and subject is made due again instead; it gets a new
/// id, so that whoever runs the old one does not remove it.
pub async fn enqueue(
    db: impl AnyExecutor<'_>,
    kind: JobKind,
    subject: &str,
    due: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO jobs (id, kind, subject, due_at, lease_until, attempts, created_at)
         VALUES ($1, $2, $3, $4, 0, 0, $5)
         ON CONFLICT (kind, subject) DO UPDATE SET id = $1, due_at = $4, attempts = 0",
    )
    .bind(JobId::new().to_string())
    .bind(kind.as_str())
    .bind(subject)
    .bind(due.micros())
    .bind(Timestamp::now().micros())
    .execute(db)
    .await
    .map(drop)
}

/// Gives jobs of a kind that were given up another chance.
pub async fn revive(
    db: impl AnyExecutor<'_>,
    kind: JobKind,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE jobs SET attempts = 0, due_at = $2
         WHERE kind = $1 AND attempts >= $3 AND lease_until <= $2",
    )
    .bind(kind.as_str())
    .bind(now.micros())
    .bind(ATTEMPTS_MAX)
    .execute(db)
    .await
    .map(drop)
}

/// Claims the job that has been due longest, for [`LEASE`].
pub async fn claim(
    db: impl AnyExecutor<'_>,
    owner: &str,
    now: Timestamp,
) -> Result<Option<Job>, sqlx::Error> {
    sqlx::query(
        "UPDATE jobs SET lease_owner = $1, lease_until = $2, attempts = attempts + 1
         WHERE lease_until <= $3 AND id = (
             SELECT id FROM jobs WHERE due_at <= $3 AND lease_until <= $3 AND attempts < $4
             ORDER BY due_at LIMIT 1)
         RETURNING id, kind, subject, attempts",
    )
    .bind(owner)
    .bind(now.plus(LEASE).micros())
    .bind(now.micros())
    .bind(ATTEMPTS_MAX)
    .fetch_optional(db)
    .await?
    .map(|row| {
        Ok(Job {
            id: parsed(&row, "id")?,
            kind: known(&row, "kind", JobKind::parse)?,
            subject: row.try_get("subject")?,
            attempts: row.try_get("attempts")?,
        })
    })
    .transpose()
}

/// Removes a job that was done, unless it was queued again since it was claimed.
pub async fn finish(
    db: &mut sqlx::AnyConnection,
    id: JobId,
    owner: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM jobs WHERE id = $1 AND lease_owner = $2")
        .bind(id.to_string())
        .bind(owner)
        .execute(&mut *db)
        .await?;
    release(db, owner).await
}

/// Frees what `owner` still holds: a job that was queued again while it ran. An owner runs one
/// job at a time.
async fn release(db: impl AnyExecutor<'_>, owner: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE jobs SET lease_until = 0, lease_owner = NULL WHERE lease_owner = $1")
        .bind(owner)
        .execute(db)
        .await
        .map(drop)
}

/// Gives a job back, to be tried again at `due`.
pub async fn retry(
    db: &mut sqlx::AnyConnection,
    id: JobId,
    owner: &str,
    due: Timestamp,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE jobs SET lease_until = 0, due_at = $3, last_error = $4
         WHERE id = $1 AND lease_owner = $2",
    )
    .bind(id.to_string())
    .bind(owner)
    .bind(due.micros())
    .bind(error)
    .execute(&mut *db)
    .await?;
    release(db, owner).await
}
