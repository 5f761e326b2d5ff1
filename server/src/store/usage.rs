//! Tables `usage_minutes` and `usage_days`: adding what was counted, taking away what is old, and
//! totals. No time is counted twice: a row is in one of the two.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use uuid::Uuid;

use super::row::{decode, parsed, time};
use crate::model::access::Caller;
use crate::model::id::{AccessKeyId, BucketId};
use crate::model::time::Timestamp;
use crate::model::usage::{Grain, Metered, Usage, UsageRow};

/// Sums of all columns of `u`.
pub(super) const SUMS: &str =
    "CAST(SUM(u.up) AS BIGINT) AS up, CAST(SUM(u.down) AS BIGINT) AS down,
     CAST(SUM(u.size_change) AS BIGINT) AS size_change,
     CAST(SUM(u.requests) AS BIGINT) AS requests, CAST(SUM(u.failures) AS BIGINT) AS failures,
     CAST(SUM(u.latency) AS BIGINT) AS latency";

fn table(grain: Grain) -> &'static str {
    match grain {
        Grain::Minute => "usage_minutes",
        Grain::Day => "usage_days",
    }
}

/// Adds to what is there already.
pub async fn add(tx: &mut AnyConnection, grain: Grain, row: &UsageRow) -> Result<(), sqlx::Error> {
    let table = table(grain);
    let bucket = row.what.bucket.as_ref().map(BucketId::to_string);
    let key = row.what.key.as_ref().map(AccessKeyId::to_string);
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO {table} (at, repo_id, bucket_id, key_id, node, up, down, size_change, requests,
             failures, latency)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (repo_id, bucket_id, key_id, node, at) DO UPDATE SET
             up = {table}.up + excluded.up, down = {table}.down + excluded.down,
             size_change = {table}.size_change + excluded.size_change,
             requests = {table}.requests + excluded.requests,
             failures = {table}.failures + excluded.failures,
             latency = {table}.latency + excluded.latency"
    )))
    .bind(row.at.micros())
    .bind(row.what.repo.to_string())
    .bind(bucket.unwrap_or_default())
    .bind(key.unwrap_or_default())
    .bind(&row.node)
    .bind(row.usage.up)
    .bind(row.usage.down)
    .bind(row.usage.size_change)
    .bind(row.usage.requests)
    .bind(row.usage.failures)
    .bind(row.usage.latency)
    .execute(tx)
    .await
    .map(drop)
}

/// When the oldest row begins, but for the one at 0.
pub async fn oldest(
    db: impl AnyExecutor<'_>,
    grain: Grain,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let table = table(grain);
    let found: Option<i64> =
        sqlx::query(AssertSqlSafe(format!("SELECT MIN(at) AS at FROM {table} WHERE at > 0")))
            .fetch_one(db)
            .await?
            .try_get("at")?;
    Ok(found.map(Timestamp::from_micros))
}

/// Takes rows away. Whoever gets a row is the only one who does.
pub async fn take(
    tx: &mut AnyConnection,
    grain: Grain,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<UsageRow>, sqlx::Error> {
    let table = table(grain);
    sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM {table} WHERE at >= $1 AND at < $2
         RETURNING at, repo_id, bucket_id, key_id, node, up, down, size_change, requests, failures,
             latency"
    )))
    .bind(from.micros())
    .bind(until.micros())
    .fetch_all(tx)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Of what there are totals.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Repos,
    Buckets,
}

/// All usage of each that the caller can see, in order of ids; only of those named, if any are.
pub async fn totals(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    of: Of,
    only: Option<&[Uuid]>,
) -> Result<Vec<(Uuid, Usage)>, sqlx::Error> {
    let (owner, column, side) = match of {
        Of::Repos => ("storage_repos", "repo_id", "u.bucket_id = ''"),
        Of::Buckets => ("buckets", "bucket_id", "u.bucket_id <> ''"),
    };
    let visible = "o.org_id = $1 AND o.deleted_at IS NULL
        AND ($2 = 1 OR EXISTS (SELECT 1 FROM workspace_users m
             WHERE m.workspace_id = o.workspace_id AND m.user_id = $3))
        AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || o.id || ',%')";
    let columns = "u.up, u.down, u.size_change, u.requests, u.failures, u.latency";
    sqlx::query(AssertSqlSafe(format!(
        "SELECT u.id, {SUMS} FROM (
             SELECT o.id, {columns} FROM {owner} o
             JOIN usage_minutes u ON u.{column} = o.id AND {side} WHERE {visible}
             UNION ALL
             SELECT o.id, {columns} FROM {owner} o
             JOIN usage_days u ON u.{column} = o.id AND {side} WHERE {visible}
             UNION ALL
             SELECT o.id, 0, 0, 0, 0, 0, 0 FROM {owner} o WHERE {visible}
         ) u GROUP BY u.id ORDER BY u.id"
    )))
    .bind(caller.org.to_string())
    .bind(i64::from(caller.sees_all_workspaces()))
    .bind(caller.user.to_string())
    .bind(only.map(joined))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((parsed(row, "id")?, usage(row)?)))
    .collect()
}

/// One text that holds them all, to be searched with `LIKE`: lists are no parameters of SQL.
pub(super) fn joined<T: ToString>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(T::to_string).collect();
    format!(",{},", all.join(","))
}

pub(super) fn usage(row: &AnyRow) -> Result<Usage, sqlx::Error> {
    Ok(Usage {
        up: row.try_get("up")?,
        down: row.try_get("down")?,
        size_change: row.try_get("size_change")?,
        requests: row.try_get("requests")?,
        failures: row.try_get("failures")?,
        latency: row.try_get("latency")?,
    })
}

fn from_row(row: &AnyRow) -> Result<UsageRow, sqlx::Error> {
    let what = Metered {
        repo: parsed(row, "repo_id")?,
        bucket: id(row, "bucket_id")?.map(BucketId::from),
        key: id(row, "key_id")?.map(AccessKeyId::from),
    };
    let (at, node) = (time(row, "at")?, row.try_get("node")?);
    Ok(UsageRow { at, what, node, usage: usage(row)? })
}

/// An id, or an empty text for none.
fn id(row: &AnyRow, column: &str) -> Result<Option<Uuid>, sqlx::Error> {
    match row.try_get::<&str, _>(column)? {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|error: uuid::Error| decode(column, error)),
    }
}
