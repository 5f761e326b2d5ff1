//! Tables `storage_members` and `storage_ai_llms`: what storage repos hold, and what holds a bucket
//! or an AI LLM.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use uuid::Uuid;

use super::row::{flag, known, parsed, time};
use crate::model::bucket::StorageType;
use crate::model::id::{AiLlmId, BucketId, OrgId, StorageRepoId};
use crate::model::storage_repo::{Member, Mention, Mode};

/// A place in a bucket, with who uses it.
#[derive(Clone, Debug)]
pub struct Use {
    pub repo: StorageRepoId,
    pub mode: Mode,
    pub bucket: BucketId,
    pub folder: String,
}

pub async fn members(
    db: impl AnyExecutor<'_>,
    id: StorageRepoId,
) -> Result<Vec<Member>, sqlx::Error> {
    sqlx::query(
        "SELECT bucket_id, folder, is_primary FROM storage_members
         WHERE repo_id = $1 ORDER BY position",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Member {
            bucket: parsed(row, "bucket_id")?,
            folder: row.try_get("folder")?,
            primary: flag(row, "is_primary")?,
        })
    })
    .collect()
}

/// Replaces the whole list.
pub async fn set_members(
    tx: &mut AnyConnection,
    id: StorageRepoId,
    members: &[Member],
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM storage_members WHERE repo_id = $1")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    for (position, member) in (0_i64..).zip(members) {
        sqlx::query(
            "INSERT INTO storage_members (repo_id, position, bucket_id, folder, is_primary)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.to_string())
        .bind(position)
        .bind(member.bucket.to_string())
        .bind(&member.folder)
        .bind(i64::from(member.primary))
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Replaces the whole list.
pub async fn set_ai_llms(
    tx: &mut AnyConnection,
    id: StorageRepoId,
    llms: &[AiLlmId],
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM storage_ai_llms WHERE repo_id = $1")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    for (position, llm) in (0_i64..).zip(llms) {
        sqlx::query(
            "INSERT INTO storage_ai_llms (repo_id, position, ai_llm_id) VALUES ($1, $2, $3)",
        )
        .bind(id.to_string())
        .bind(position)
        .bind(llm.to_string())
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

pub async fn ai_llms(
    db: impl AnyExecutor<'_>,
    id: StorageRepoId,
) -> Result<Vec<AiLlmId>, sqlx::Error> {
    sqlx::query("SELECT ai_llm_id FROM storage_ai_llms WHERE repo_id = $1 ORDER BY position")
        .bind(id.to_string())
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| parsed(row, "ai_llm_id"))
        .collect()
}

/// What uses the bucket.
pub async fn uses(db: impl AnyExecutor<'_>, bucket: BucketId) -> Result<Vec<Use>, sqlx::Error> {
    sqlx::query(
        "SELECT s.repo_id, r.mode, s.bucket_id, s.folder
         FROM storage_members s JOIN storage_repos r ON r.id = s.repo_id
         WHERE s.bucket_id = $1 ORDER BY s.repo_id",
    )
    .bind(bucket.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Use {
            repo: parsed(row, "repo_id")?,
            mode: known(row, "mode", Mode::parse)?,
            bucket: parsed(row, "bucket_id")?,
            folder: row.try_get("folder")?,
        })
    })
    .collect()
}

/// Whether a NORMAL repo holds this bucket beside another one that its cloud calls `name`.
pub async fn has_namesake(
    db: impl AnyExecutor<'_>,
    bucket: BucketId,
    name: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "SELECT b.id FROM storage_members s
         JOIN storage_repos r ON r.id = s.repo_id AND r.mode = 'NORMAL'
         JOIN storage_members o ON o.repo_id = s.repo_id AND o.bucket_id <> s.bucket_id
         JOIN buckets b ON b.id = o.bucket_id AND b.bucket = $2
         WHERE s.bucket_id = $1 LIMIT 1",
    )
    .bind(bucket.to_string())
    .bind(name)
    .fetch_optional(db)
    .await
    .map(|row| row.is_some())
}

/// What a storage repo can hold.
#[derive(Clone, Copy, Debug)]
pub enum Held {
    Buckets,
    AiLlms,
}

/// The storage repos that hold anything from `first` to `last`, each with the id of what it holds.
pub async fn holders(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    held: Held,
    (first, last): (Uuid, Uuid),
) -> Result<Vec<(Uuid, Mention)>, sqlx::Error> {
    let (table, column) = match held {
        Held::Buckets => ("storage_members", "bucket_id"),
        Held::AiLlms => ("storage_ai_llms", "ai_llm_id"),
    };
    sqlx::query(AssertSqlSafe(format!(
        "SELECT s.{column} AS held, r.id, r.name, r.storage_type, r.created_at
         FROM {table} s JOIN storage_repos r ON r.id = s.repo_id
         WHERE r.org_id = $1 AND s.{column} >= $2 AND s.{column} <= $3 ORDER BY r.id"
    )))
    .bind(org.to_string())
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((parsed(row, "held")?, mention(row)?)))
    .collect()
}

fn mention(row: &AnyRow) -> Result<Mention, sqlx::Error> {
    Ok(Mention {
        id: parsed(row, "id")?,
        name: row.try_get("name")?,
        storage_type: known(row, "storage_type", StorageType::parse)?,
        created_at: time(row, "created_at")?,
    })
}
