//! Table `buckets`.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use uuid::Uuid;

use super::row::{known, parsed, time};
use crate::model::access::{Caller, Role};
use crate::model::bucket::{Bucket, BucketStatus, Place, StorageType};
use crate::model::id::{BucketId, IdOrName, OrgId, WorkspaceId};
use crate::model::storage_repo::ListFilter;
use crate::model::time::Timestamp;

/// The columns of a bucket; `b` is the table.
macro_rules! columns {
    () => {
        "b.id, b.org_id, b.workspace_id, b.name, b.storage_type, b.bucket, b.endpoint, b.region,
         b.access_key, b.sealed, b.project, b.wallet, b.status, b.status_at, b.version, b.created_at"
    };
}

/// The same, for a query with more than that.
pub(super) const COLUMNS: &str = columns!();

pub async fn insert(db: impl AnyExecutor<'_>, bucket: &Bucket) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO buckets (id, org_id, workspace_id, name, storage_type, bucket, endpoint,
             region, access_key, sealed, project, wallet, status, status_at, version, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(bucket.id.to_string())
    .bind(bucket.org.to_string())
    .bind(bucket.workspace.to_string())
    .bind(&bucket.name)
    .bind(bucket.place.storage_type.as_str())
    .bind(&bucket.place.bucket)
    .bind(&bucket.place.endpoint)
    .bind(&bucket.place.region)
    .bind(&bucket.place.key)
    .bind(&bucket.sealed)
    .bind(&bucket.project)
    .bind(&bucket.wallet)
    .bind(bucket.status.as_str())
    .bind(bucket.status_at.micros())
    .bind(bucket.version)
    .bind(bucket.created_at.micros())
    .execute(db)
    .await
    .map(drop)
}

/// The bucket, and the caller's role in its workspace, when they are a member.
pub async fn get(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    id: BucketId,
) -> Result<Option<(Bucket, Option<Role>)>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", COALESCE(m.role, '') AS role
         FROM buckets b
         LEFT JOIN workspace_users m ON m.workspace_id = b.workspace_id AND m.user_id = $3
         WHERE b.id = $1 AND b.org_id = $2 AND b.deleted_at IS NULL"
    ))
    .bind(id.to_string())
    .bind(caller.org.to_string())
    .bind(caller.user.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| Ok((from_row(&row)?, known(&row, "role", |text| Some(Role::parse(text)))?)))
    .transpose()
}

/// The bucket, even if it is deleted.
pub async fn any(db: impl AnyExecutor<'_>, id: BucketId) -> Result<Option<Bucket>, sqlx::Error> {
    sqlx::query(concat!("SELECT ", columns!(), " FROM buckets b WHERE b.id = $1"))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// The bucket of the organisation that is called so.
pub async fn find(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    which: &IdOrName,
) -> Result<Option<Bucket>, sqlx::Error> {
    let (by, value) = which.column();
    sqlx::query(AssertSqlSafe(format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM buckets b WHERE b.org_id = $1 AND b.{} = $2 AND b.deleted_at IS NULL"
        ),
        by
    )))
    .bind(org.to_string())
    .bind(value)
    .fetch_optional(db)
    .await?
    .map(|row| from_row(&row))
    .transpose()
}

/// What the caller can see, in order of ids; one more than `limit`, if there is one.
pub async fn list(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    filter: &ListFilter,
) -> Result<Vec<Bucket>, sqlx::Error> {
    select(db, caller, filter, "").await
}

/// Those of them that no MIRROR or BACKUP repo holds.
pub async fn list_available(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    filter: &ListFilter,
) -> Result<Vec<Bucket>, sqlx::Error> {
    const UNSHARED: &str = "AND NOT EXISTS (SELECT 1 FROM storage_members s
         JOIN storage_repos r ON r.id = s.repo_id
         WHERE s.bucket_id = b.id AND r.mode <> 'NORMAL')";
    select(db, caller, filter, UNSHARED).await
}

/// Buckets of any organisation that storage repos hold, in order of ids.
pub async fn list_held(
    db: impl AnyExecutor<'_>,
    after: Option<BucketId>,
    limit: u32,
) -> Result<Vec<Bucket>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM buckets b
         WHERE b.deleted_at IS NULL AND b.id > $1
           AND EXISTS (SELECT 1 FROM storage_members s WHERE s.bucket_id = b.id)
         ORDER BY b.id LIMIT $2"
    ))
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

async fn select(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    filter: &ListFilter,
    condition: &str,
) -> Result<Vec<Bucket>, sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM buckets b
             WHERE b.org_id = $1 AND b.deleted_at IS NULL
               AND ($2 = 1 OR EXISTS (SELECT 1 FROM workspace_users m
                    WHERE m.workspace_id = b.workspace_id AND m.user_id = $3))
               AND (CAST($4 AS TEXT) IS NULL OR b.workspace_id = $4)
               AND (CAST($5 AS TEXT) IS NULL OR b.wallet = $5)
               AND (CAST($6 AS TEXT) IS NULL OR b.id > $6)
               {} ORDER BY b.id LIMIT $7"
        ),
        condition
    )))
    .bind(caller.org.to_string())
    .bind(i64::from(caller.sees_all_workspaces()))
    .bind(caller.user.to_string())
    .bind(filter.workspace.map(|id| id.to_string()))
    .bind(&filter.wallet)
    .bind(filter.after.as_ref().map(Uuid::to_string))
    .bind(i64::from(filter.limit) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Writes all that can change; false when somebody was faster, or the bucket is gone.
pub async fn update(db: impl AnyExecutor<'_>, bucket: &Bucket) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE buckets SET workspace_id = $3, name = $4, storage_type = $5, bucket = $6,
             endpoint = $7, region = $8, access_key = $9, sealed = $10, project = $11,
             wallet = $12, status = $13, status_at = $14, version = version + 1
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
    )
    .bind(bucket.id.to_string())
    .bind(bucket.version)
    .bind(bucket.workspace.to_string())
    .bind(&bucket.name)
    .bind(bucket.place.storage_type.as_str())
    .bind(&bucket.place.bucket)
    .bind(&bucket.place.endpoint)
    .bind(&bucket.place.region)
    .bind(&bucket.place.key)
    .bind(&bucket.sealed)
    .bind(&bucket.project)
    .bind(&bucket.wallet)
    .bind(bucket.status.as_str())
    .bind(bucket.status_at.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Notes how the bucket answered, unless it has changed since.
pub async fn set_status(
    db: impl AnyExecutor<'_>,
    bucket: &Bucket,
    status: BucketStatus,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE buckets SET status = $3, status_at = $4
         WHERE id = $1 AND version = $2 AND status_at < $4",
    )
    .bind(bucket.id.to_string())
    .bind(bucket.version)
    .bind(status.as_str())
    .bind(at.micros())
    .execute(db)
    .await
    .map(drop)
}

/// Keeps the row for the audit log, and none of its credential.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    id: BucketId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE buckets SET deleted_at = $2, access_key = NULL, sealed = NULL
         WHERE id = $1 AND deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

pub async fn count(db: impl AnyExecutor<'_>, org: OrgId) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) AS n FROM buckets WHERE org_id = $1 AND deleted_at IS NULL")
        .bind(org.to_string())
        .fetch_one(db)
        .await?
        .try_get("n")
}

/// How many buckets, storage repos and AI LLMs the workspace holds.
pub async fn count_in(db: &mut AnyConnection, id: WorkspaceId) -> Result<i64, sqlx::Error> {
    sqlx::query(
        "SELECT (SELECT COUNT(*) FROM buckets WHERE workspace_id = $1 AND deleted_at IS NULL)
              + (SELECT COUNT(*) FROM storage_repos WHERE workspace_id = $1 AND deleted_at IS NULL)
              + (SELECT COUNT(*) FROM ai_llms WHERE workspace_id = $1) AS n",
    )
    .bind(id.to_string())
    .fetch_one(db)
    .await?
    .try_get("n")
}

pub(super) fn from_row(row: &AnyRow) -> Result<Bucket, sqlx::Error> {
    Ok(Bucket {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        workspace: parsed(row, "workspace_id")?,
        name: row.try_get("name")?,
        place: Place {
            storage_type: known(row, "storage_type", StorageType::parse)?,
            bucket: row.try_get("bucket")?,
            endpoint: row.try_get("endpoint")?,
            region: row.try_get("region")?,
            key: row.try_get("access_key")?,
        },
        sealed: row.try_get("sealed")?,
        project: row.try_get("project")?,
        wallet: row.try_get("wallet")?,
        status: known(row, "status", BucketStatus::parse)?,
        status_at: time(row, "status_at")?,
        created_at: time(row, "created_at")?,
        version: row.try_get("version")?,
    })
}
