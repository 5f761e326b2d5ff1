//! Tables `storage_repos`, `storage_members` and `storage_ai_llms`.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{flag, known, parsed, time};
use crate::model::access::{Caller, Role};
use crate::model::bucket::StorageType;
use crate::model::id::{AiLlmId, BucketId, OrgId, StorageRepoId, WorkspaceId};
use crate::model::storage_repo::{Member, Mention, Mode, StorageRepo};
use crate::model::time::Timestamp;

/// A place in a bucket, with who uses it.
#[derive(Clone, Debug)]
pub struct Use {
    pub repo: StorageRepoId,
    pub mode: Mode,
    pub bucket: BucketId,
    pub folder: String,
}

pub async fn insert(db: impl AnyExecutor<'_>, repo: &StorageRepo) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO storage_repos (id, org_id, workspace_id, name, storage_type, mode, disabled,
             wallet, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
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
                r.wallet, r.version, r.created_at, r.updated_at, COALESCE(m.role, '') AS role
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
             disabled = $6, wallet = $7, updated_at = $8, version = version + 1
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
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
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

/// The storage repos that hold any bucket from `first` to `last`, each with the bucket's id.
pub async fn holders_of_buckets(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    first: BucketId,
    last: BucketId,
) -> Result<Vec<(BucketId, Mention)>, sqlx::Error> {
    sqlx::query(
        "SELECT s.bucket_id AS held, r.id, r.name, r.storage_type, r.created_at
         FROM storage_members s JOIN storage_repos r ON r.id = s.repo_id
         WHERE r.org_id = $1 AND s.bucket_id >= $2 AND s.bucket_id <= $3 ORDER BY r.id",
    )
    .bind(org.to_string())
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((parsed(row, "held")?, mention(row)?)))
    .collect()
}

/// The storage repos that name any AI LLM from `first` to `last`, each with the AI LLM's id.
pub async fn holders_of_ai_llms(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    first: AiLlmId,
    last: AiLlmId,
) -> Result<Vec<(AiLlmId, Mention)>, sqlx::Error> {
    sqlx::query(
        "SELECT s.ai_llm_id AS held, r.id, r.name, r.storage_type, r.created_at
         FROM storage_ai_llms s JOIN storage_repos r ON r.id = s.repo_id
         WHERE r.org_id = $1 AND s.ai_llm_id >= $2 AND s.ai_llm_id <= $3 ORDER BY r.id",
    )
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

fn from_row(row: &AnyRow) -> Result<StorageRepo, sqlx::Error> {
    Ok(StorageRepo {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        workspace: parsed(row, "workspace_id")?,
        name: row.try_get("name")?,
        storage_type: known(row, "storage_type", StorageType::parse)?,
        mode: known(row, "mode", Mode::parse)?,
        disabled: flag(row, "disabled")?,
        wallet: row.try_get("wallet")?,
        version: row.try_get("version")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
