//! Table `bucket_sights`: how buckets answered each server, by the day.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{known, parsed, time};
use super::usage::joined;
use crate::model::access::Caller;
use crate::model::bucket::StorageType;
use crate::model::id::BucketId;
use crate::model::stats::ROWS_MAX;
use crate::model::time::Timestamp;
use crate::model::usage::SightDay;

/// A day of a bucket, with what the bucket is.
pub struct Seen {
    pub day: SightDay,
    pub storage_type: StorageType,
    pub endpoint: Option<String>,
}

/// Adds to what is there already of that day; what is last replaces what was.
pub async fn add(tx: &mut AnyConnection, seen: &SightDay) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO bucket_sights (bucket_id, node, at, region, version, checks, answered, latency,
             last_at, last_latency)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (bucket_id, node, at) DO UPDATE SET
             region = excluded.region, version = excluded.version,
             checks = bucket_sights.checks + excluded.checks,
             answered = bucket_sights.answered + excluded.answered,
             latency = bucket_sights.latency + excluded.latency,
             last_at = excluded.last_at, last_latency = excluded.last_latency",
    )
    .bind(seen.bucket.to_string())
    .bind(&seen.node)
    .bind(seen.day.micros())
    .bind(&seen.region)
    .bind(&seen.version)
    .bind(seen.checks)
    .bind(seen.answered)
    .bind(seen.latency)
    .bind(seen.last_at.micros())
    .bind(seen.last_latency)
    .execute(tx)
    .await
    .map(drop)
}

/// Days of the buckets that the caller can see, or of those named, in order of days, buckets and
/// nodes; one more than [`ROWS_MAX`], if there is one.
pub async fn list(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    only: Option<&[BucketId]>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Seen>, sqlx::Error> {
    sqlx::query(
        "SELECT s.bucket_id, s.node, s.at, s.region, s.version, s.checks, s.answered, s.latency,
                s.last_at, s.last_latency, b.storage_type, b.endpoint
         FROM bucket_sights s JOIN buckets b ON b.id = s.bucket_id
         WHERE b.org_id = $1 AND b.deleted_at IS NULL
           AND ($2 = 1 OR EXISTS (SELECT 1 FROM workspace_users m
                WHERE m.workspace_id = b.workspace_id AND m.user_id = $3))
           AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || b.id || ',%')
           AND s.at >= $5 AND s.at < $6
         ORDER BY s.at, s.bucket_id, s.node LIMIT $7",
    )
    .bind(caller.org.to_string())
    .bind(i64::from(caller.sees_all_workspaces()))
    .bind(caller.user.to_string())
    .bind(only.map(joined))
    .bind(from.micros())
    .bind(until.micros())
    .bind(i64::from(ROWS_MAX) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Removes days before `day`.
pub async fn forget(db: impl AnyExecutor<'_>, day: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM bucket_sights WHERE at < $1")
        .bind(day.micros())
        .execute(db)
        .await
        .map(drop)
}

fn from_row(row: &AnyRow) -> Result<Seen, sqlx::Error> {
    let day = SightDay {
        bucket: parsed(row, "bucket_id")?,
        node: row.try_get("node")?,
        region: row.try_get("region")?,
        version: row.try_get("version")?,
        day: time(row, "at")?,
        checks: row.try_get("checks")?,
        answered: row.try_get("answered")?,
        latency: row.try_get("latency")?,
        last_at: time(row, "last_at")?,
        last_latency: row.try_get("last_latency")?,
    };
    let storage_type = known(row, "storage_type", StorageType::parse)?;
    Ok(Seen { day, storage_type, endpoint: row.try_get("endpoint")? })
}
