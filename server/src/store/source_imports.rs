//! Table `source_imports`: source repos that are being made from repositories elsewhere.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{known, parsed, parsed_option, time, time_option};
use crate::model::git_source::{Phase, Progress};
use crate::model::id::{ImportId, OrgId};
use crate::model::source_import::SourceImport;
use crate::model::source_repo::SourceRepo;
use crate::model::storage_job::JobState;
use crate::model::time::Timestamp;

pub async fn insert(db: impl AnyExecutor<'_>, import: &SourceImport) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO source_imports (id, org_id, workspace_id, state, phase, objects,
                                     objects_total, bytes, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6, $7)",
    )
    .bind(import.id.to_string())
    .bind(import.org.to_string())
    .bind(import.workspace.to_string())
    .bind(import.state.as_str())
    .bind(import.progress.phase.as_str())
    .bind(import.created_at.micros())
    .bind(import.updated_at.micros())
    .execute(db)
    .await
    .map(drop)
}

pub async fn get(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    id: ImportId,
) -> Result<Option<SourceImport>, sqlx::Error> {
    sqlx::query(
        "SELECT id, org_id, workspace_id, state, phase, objects, objects_total, bytes, repo_id, head,
                message, created_at, updated_at, finished_at
         FROM source_imports WHERE id = $1 AND org_id = $2",
    )
    .bind(id.to_string())
    .bind(org.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| from_row(&row))
    .transpose()
}

/// Says that somebody works on it, and how far they have come; whether there is still something to
/// work on.
pub async fn advance(
    db: impl AnyExecutor<'_>,
    id: ImportId,
    progress: Progress,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE source_imports SET phase = $2, objects = $3, objects_total = $4, bytes = $5,
                updated_at = $6
         WHERE id = $1 AND finished_at IS NULL",
    )
    .bind(id.to_string())
    .bind(progress.phase.as_str())
    .bind(whole(progress.objects))
    .bind(whole(progress.total))
    .bind(whole(progress.bytes))
    .bind(now.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() > 0)
}

/// Whether nobody has ended it.
pub async fn is_under_way(db: impl AnyExecutor<'_>, id: ImportId) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT 1 FROM source_imports WHERE id = $1 AND finished_at IS NULL")
        .bind(id.to_string());
    Ok(row.fetch_optional(db).await?.is_some())
}

/// Ends it with the repo, in the transaction that makes that; whether it had not ended before.
pub async fn complete(
    tx: &mut AnyConnection,
    id: ImportId,
    repo: &SourceRepo,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE source_imports SET state = $2, repo_id = $3, head = $4, updated_at = $5,
                finished_at = $5
         WHERE id = $1 AND finished_at IS NULL",
    )
    .bind(id.to_string())
    .bind(JobState::Done.as_str())
    .bind(repo.id.to_string())
    .bind(&repo.head)
    .bind(now.micros())
    .execute(tx)
    .await
    .map(|done| done.rows_affected() > 0)
}

/// Ends it without a repo, unless it has ended before.
pub async fn end(
    db: impl AnyExecutor<'_>,
    id: ImportId,
    state: JobState,
    message: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE source_imports SET state = $2, message = $3, updated_at = $4, finished_at = $4
         WHERE id = $1 AND finished_at IS NULL",
    )
    .bind(id.to_string())
    .bind(state.as_str())
    .bind(message)
    .bind(now.micros())
    .execute(db)
    .await
    .map(drop)
}

/// Removes what began before a time.
pub async fn forget(db: impl AnyExecutor<'_>, before: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM source_imports WHERE created_at < $1")
        .bind(before.micros())
        .execute(db)
        .await
        .map(drop)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from_row(row: &AnyRow) -> Result<SourceImport, sqlx::Error> {
    let count = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    let head: Option<String> = row.try_get("head")?;
    Ok(SourceImport {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        workspace: parsed(row, "workspace_id")?,
        state: known(row, "state", JobState::parse)?,
        progress: Progress {
            phase: known(row, "phase", Phase::parse)?,
            objects: count("objects")?,
            total: count("objects_total")?,
            bytes: count("bytes")?,
        },
        made: parsed_option(row, "repo_id")?.zip(head),
        message: row.try_get("message")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        finished_at: time_option(row, "finished_at")?,
    })
}
