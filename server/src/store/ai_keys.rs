//! Table `ai_keys`.

use sqlx::Row;
use sqlx::any::AnyExecutor;

use super::row::{known, parsed, time};
use crate::model::ai::{AiKey, AiType};
use crate::model::id::{AiKeyId, StorageRepoId};

pub async fn insert(db: impl AnyExecutor<'_>, key: &AiKey, hash: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ai_keys (id, repo_id, name, ai_type, api_key, hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(key.id.to_string())
    .bind(key.repo.to_string())
    .bind(&key.name)
    .bind(key.ai_type.as_str())
    .bind(&key.key)
    .bind(hash)
    .bind(key.created_at.micros())
    .execute(db)
    .await
    .map(drop)
}

/// Newest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
) -> Result<Vec<AiKey>, sqlx::Error> {
    sqlx::query(
        "SELECT id, repo_id, name, ai_type, api_key, created_at FROM ai_keys
         WHERE repo_id = $1 ORDER BY id DESC",
    )
    .bind(repo.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(AiKey {
            id: parsed(row, "id")?,
            repo: parsed(row, "repo_id")?,
            name: row.try_get("name")?,
            ai_type: known(row, "ai_type", AiType::parse)?,
            key: row.try_get("api_key")?,
            created_at: time(row, "created_at")?,
        })
    })
    .collect()
}

/// Without a new name, only tells whether there is such a key.
pub async fn rename(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
    id: AiKeyId,
    name: Option<&str>,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE ai_keys SET name = COALESCE($3, name) WHERE repo_id = $1 AND id = $2")
        .bind(repo.to_string())
        .bind(id.to_string())
        .bind(name)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

pub async fn delete(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
    id: AiKeyId,
) -> Result<bool, sqlx::Error> {
    sqlx::query("DELETE FROM ai_keys WHERE repo_id = $1 AND id = $2")
        .bind(repo.to_string())
        .bind(id.to_string())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

pub async fn count(db: impl AnyExecutor<'_>, repo: StorageRepoId) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) AS n FROM ai_keys WHERE repo_id = $1")
        .bind(repo.to_string())
        .fetch_one(db)
        .await?
        .try_get("n")
}
