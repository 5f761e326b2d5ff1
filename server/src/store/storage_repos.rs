//! Table `storage_repos`.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{flag, known, parsed, time};
use crate::model::access::{Caller, Role};
use crate::model::bucket::StorageType;
use crate::model::id::{OrgId, StorageRepoId, WorkspaceId};
use crate::model::storage_repo::{Mode, StorageRepo};
use crate::model::time::Timestamp;

pub async fn insert(db: impl AnyExecutor<'_>, repo: &StorageRepo) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO storage_repos (id, org_id, workspace_id, name, storage_type, mode, disabled,
             wallet, version, created_at, updated_at, min_ack, retention_days)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(repo.id.to_string())
    .bind(repo.org.to_string())
    .bind(repo.workspace.to_string())
    .bind(&repo.name)
    .bind(repo.storage_type.as_str())
    .bind(repo.mode.as_str())
    .bind(i64::from(repo.disabled))
    .bind(&repo.wallet)
    .bind(repo.version)
    .bind(repo.created_at.micros())
    .bind(repo.updated_at.micros())
    .bind(repo.min_ack.map(i64::from))
    .bind(repo.retention_days.map(i64::from))
    .execute(db)
    .await
    .map(drop)
}

/// The storage repo, and the caller's role in its workspace, when they are a member.
pub async fn get(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    id: StorageRepoId,
) -> Result<Option<(StorageRepo, Option<Role>)>, sqlx::Error> {
    sqlx::query(
        "SELECT r.id, r.org_id, r.workspace_id, r.name, r.storage_type, r.mode, r.disabled,
                r.wallet, r.min_ack, r.retention_days, r.version, r.created_at, r.updated_at,
                COALESCE(m.role, '') AS role
         FROM storage_repos r
         LEFT JOIN workspace_users m ON m.workspace_id = r.workspace_id AND m.user_id = $3
         WHERE r.id = $1 AND r.org_id = $2 AND r.deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(caller.org.to_string())
    .bind(caller.user.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| Ok((from_row(&row)?, known(&row, "role", |text| Some(Role::parse(text)))?)))
    .transpose()
}

/// Whether another live storage repo of the workspace has the name.
pub async fn has_name(
    db: impl AnyExecutor<'_>,
    workspace: WorkspaceId,
    name: &str,
    but: StorageRepoId,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "SELECT id FROM storage_repos
         WHERE workspace_id = $1 AND name = $2 AND id <> $3 AND deleted_at IS NULL",
    )
    .bind(workspace.to_string())
    .bind(name)
    .bind(but.to_string())
    .fetch_optional(db)
    .await
    .map(|row| row.is_some())
}

/// Writes all that can change; false when the repo is gone.
pub async fn update(db: impl AnyExecutor<'_>, repo: &StorageRepo) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE storage_repos SET workspace_id = $2, name = $3, storage_type = $4, mode = $5,
             disabled = $6, wallet = $7, updated_at = $8, min_ack = $9, retention_days = $10,
             version = version + 1
         WHERE id = $1 AND deleted_at IS NULL",
    )
    .bind(repo.id.to_string())
    .bind(repo.workspace.to_string())
    .bind(&repo.name)
    .bind(repo.storage_type.as_str())
    .bind(repo.mode.as_str())
    .bind(i64::from(repo.disabled))
    .bind(&repo.wallet)
    .bind(repo.updated_at.micros())
    .bind(repo.min_ack.map(i64::from))
    .bind(repo.retention_days.map(i64::from))
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// The mode of a storage repo that is not deleted.
pub async fn mode(tx: &mut AnyConnection, id: StorageRepoId) -> Result<Option<Mode>, sqlx::Error> {
    sqlx::query("SELECT mode FROM storage_repos WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .fetch_optional(tx)
        .await?
        .map(|row| known(&row, "mode", Mode::parse))
        .transpose()
}

/// Notes that what it holds has changed.
pub async fn touch(
    db: impl AnyExecutor<'_>,
    id: StorageRepoId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE storage_repos SET updated_at = $2, version = version + 1 WHERE id = $1")
        .bind(id.to_string())
        .bind(now.micros())
        .execute(db)
        .await
        .map(drop)
}

/// Removes it and what is its alone; false when it was gone already.
pub async fn delete(
    tx: &mut AnyConnection,
    id: StorageRepoId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query(
        "UPDATE storage_repos SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now.micros())
    .execute(&mut *tx)
    .await?
    .rows_affected()
        == 1;
    for statement in [
        "DELETE FROM storage_members WHERE repo_id = $1",
        "DELETE FROM storage_ai_llms WHERE repo_id = $1",
        "DELETE FROM access_keys WHERE repo_id = $1",
        "DELETE FROM ai_keys WHERE repo_id = $1",
    ] {
        sqlx::query(statement).bind(id.to_string()).execute(&mut *tx).await?;
    }
    Ok(gone)
}

pub async fn count(db: impl AnyExecutor<'_>, org: OrgId) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) AS n FROM storage_repos WHERE org_id = $1 AND deleted_at IS NULL")
        .bind(org.to_string())
        .fetch_one(db)
        .await?
        .try_get("n")
}

/// The storage repos with buckets and no space: those that are older than spaces.
pub async fn without_space(db: impl AnyExecutor<'_>) -> Result<Vec<StorageRepo>, sqlx::Error> {
    sqlx::query(
        "SELECT r.id, r.org_id, r.workspace_id, r.name, r.storage_type, r.mode, r.disabled,
                r.wallet, r.min_ack, r.retention_days, r.version, r.created_at, r.updated_at
         FROM storage_repos r WHERE r.deleted_at IS NULL
             AND EXISTS (SELECT 1 FROM storage_members m WHERE m.repo_id = r.id)
             AND NOT EXISTS (SELECT 1 FROM spaces s WHERE s.repo_id = r.id AND s.gone_at IS NULL)
         ORDER BY r.id",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

fn from_row(row: &AnyRow) -> Result<StorageRepo, sqlx::Error> {
    let number = |column: &str| row.try_get::<Option<i64>, _>(column);
    Ok(StorageRepo {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        workspace: parsed(row, "workspace_id")?,
        name: row.try_get("name")?,
        storage_type: known(row, "storage_type", StorageType::parse)?,
        mode: known(row, "mode", Mode::parse)?,
        disabled: flag(row, "disabled")?,
        wallet: row.try_get("wallet")?,
        min_ack: number("min_ack")?.and_then(|number| number.try_into().ok()),
        retention_days: number("retention_days")?.and_then(|number| number.try_into().ok()),
        version: row.try_get("version")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
