//! Table `access_keys`.

use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};

use super::row::{known, parsed, time};
use crate::model::access::Role;
use crate::model::access_key::AccessKey;
use crate::model::id::{AccessKeyId, StorageRepoId};

pub async fn insert(db: impl AnyExecutor<'_>, key: &AccessKey) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO access_keys (id, repo_id, name, access, access_key, sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(key.id.to_string())
    .bind(key.repo.to_string())
    .bind(&key.name)
    .bind(key.access.as_str())
    .bind(&key.key)
    .bind(&key.sealed)
    .bind(key.created_at.micros())
    .execute(db)
    .await
    .map(drop)
}

/// Oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
) -> Result<Vec<AccessKey>, sqlx::Error> {
    sqlx::query(
        "SELECT id, repo_id, name, access, access_key, sealed, created_at FROM access_keys
         WHERE repo_id = $1 ORDER BY id",
    )
    .bind(repo.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

pub async fn get(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
    id: AccessKeyId,
) -> Result<Option<AccessKey>, sqlx::Error> {
    sqlx::query(
        "SELECT id, repo_id, name, access, access_key, sealed, created_at FROM access_keys
         WHERE repo_id = $1 AND id = $2",
    )
    .bind(repo.to_string())
    .bind(id.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| from_row(&row))
    .transpose()
}

pub async fn update(
    db: impl AnyExecutor<'_>,
    id: AccessKeyId,
    name: &str,
    access: Role,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE access_keys SET name = $2, access = $3 WHERE id = $1")
        .bind(id.to_string())
        .bind(name)
        .bind(access.as_str())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

pub async fn delete(db: impl AnyExecutor<'_>, id: AccessKeyId) -> Result<bool, sqlx::Error> {
    sqlx::query("DELETE FROM access_keys WHERE id = $1")
        .bind(id.to_string())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

pub async fn count(db: impl AnyExecutor<'_>, repo: StorageRepoId) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) AS n FROM access_keys WHERE repo_id = $1")
        .bind(repo.to_string())
        .fetch_one(db)
        .await?
        .try_get("n")
}

fn from_row(row: &AnyRow) -> Result<AccessKey, sqlx::Error> {
    Ok(AccessKey {
        id: parsed(row, "id")?,
        repo: parsed(row, "repo_id")?,
        name: row.try_get("name")?,
        access: known(row, "access", Role::parse)?,
        key: row.try_get("access_key")?,
        sealed: row.try_get("sealed")?,
        created_at: time(row, "created_at")?,
    })
}
