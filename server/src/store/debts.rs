//! Table `debts`: which buckets do not surely hold the current version of a key. A debt says nothing
//! of what happened, so it does not matter how often something did.

use std::time::Duration;

use sqlx::any::AnyExecutor;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::row::{flag, parsed, time_option};
use crate::model::id::{BucketId, SpaceId};
use crate::model::time::Timestamp;

/// How long whoever claimed a debt has to pay it.
pub const LEASE: Duration = Duration::from_secs(120);
/// Wait after the first failure to pay; doubles with every further one, up to the longest.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);

macro_rules! insert {
    () => {
        "INSERT INTO debts (space_id, key, bucket_id, since, due_at, lease_until, attempts, damaged)
         VALUES ($1, $2, $3, $4, $5, 0, 0, $6) ON CONFLICT (space_id, key, bucket_id) "
    };
}

/// 1 for what a bucket may keep until a time, `$3`, that has not come; else 0. An `o` is not deleted.
macro_rules! held {
    () => {
        "(CASE WHEN o.key IS NULL AND d.due_at > $3 AND d.attempts = 0 THEN 1 ELSE 0 END)"
    };
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    pub space: SpaceId,
    pub key: String,
    pub bucket: BucketId,
    /// What the bucket has there looks right and is not.
    pub damaged: bool,
}

/// How a debt is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// From this time on.
    Due(Timestamp),
    /// Now, and what is there looks right.
    Damaged,
    /// Now, unless there is one already.
    IfNone,
}

/// What a bucket owes to a space.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owed {
    pub debts: u64,
    pub bytes: u64,
    pub oldest: Option<Timestamp>,
    /// What it may keep for a while, which is no debt yet.
    pub held: u64,
}

/// Says that a bucket owes a key.
pub async fn set(
    tx: &mut AnyConnection,
    (space, key): (SpaceId, &str),
    bucket: BucketId,
    note: Note,
) -> Result<(), sqlx::Error> {
    let (now, due) = match note {
        Note::Due(due) => (Timestamp::now(), due),
        Note::Damaged | Note::IfNone => (Timestamp::now(), Timestamp::now()),
    };
    let sql = match note {
        Note::IfNone => concat!(insert!(), "DO NOTHING"),
        Note::Due(_) | Note::Damaged => {
            // What is to wait has not failed yet, whatever was owed before.
            concat!(
                insert!(),
                "DO UPDATE SET due_at = $5, lease_until = 0,
                 damaged = CASE WHEN debts.damaged > $6 THEN debts.damaged ELSE $6 END,
                 attempts = CASE WHEN $5 > $4 THEN 0 ELSE debts.attempts END"
            )
        }
    };
    sqlx::query(sql)
        .bind(space.to_string())
        .bind(key)
        .bind(bucket.to_string())
        .bind(now.micros())
        .bind(due.micros())
        .bind(i64::from(note == Note::Damaged))
        .execute(tx)
        .await
        .map(drop)
}

/// Takes back what was said by [`set`].
pub async fn clear(
    tx: &mut AnyConnection,
    (space, key): (SpaceId, &str),
    bucket: BucketId,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM debts WHERE space_id = $1 AND key = $2 AND bucket_id = $3")
        .bind(space.to_string())
        .bind(key)
        .bind(bucket.to_string())
        .execute(tx)
        .await
        .map(drop)
}

/// The buckets that owe anything that is due and that nobody is paying.
pub async fn debtors(
    db: impl AnyExecutor<'_>,
    now: Timestamp,
) -> Result<Vec<BucketId>, sqlx::Error> {
    sqlx::query("SELECT DISTINCT bucket_id FROM debts WHERE due_at <= $1 AND lease_until <= $1")
        .bind(now.micros())
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| parsed(row, "bucket_id"))
        .collect()
}

/// Claims up to `limit` debts of a bucket that are due, for [`LEASE`].
pub async fn claim(
    db: impl AnyExecutor<'_>,
    bucket: BucketId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Debt>, sqlx::Error> {
    sqlx::query(
        "UPDATE debts SET lease_until = $1, attempts = attempts + 1
         WHERE lease_until <= $2 AND (space_id, key, bucket_id) IN (
             SELECT space_id, key, bucket_id FROM debts
             WHERE bucket_id = $3 AND due_at <= $2 AND lease_until <= $2 ORDER BY due_at LIMIT $4)
         RETURNING space_id, key, bucket_id, damaged",
    )
    .bind(now.plus(LEASE).micros())
    .bind(now.micros())
    .bind(bucket.to_string())
    .bind(limit)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Debt {
            space: parsed(row, "space_id")?,
            key: row.try_get("key")?,
            bucket: parsed(row, "bucket_id")?,
            damaged: flag(row, "damaged")?,
        })
    })
    .collect()
}

/// Keeps a claimed debt for another [`LEASE`].
pub async fn keep(
    db: impl AnyExecutor<'_>,
    debt: &Debt,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE debts SET lease_until = $4
         WHERE space_id = $1 AND key = $2 AND bucket_id = $3 AND lease_until <> 0",
    )
    .bind(debt.space.to_string())
    .bind(&debt.key)
    .bind(debt.bucket.to_string())
    .bind(now.plus(LEASE).micros())
    .execute(db)
    .await
    .map(drop)
}

/// Whether a debt is still to be paid, and now.
pub async fn is_due(
    db: impl AnyExecutor<'_>,
    debt: &Debt,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query(
        "SELECT 1 AS one FROM debts
         WHERE space_id = $1 AND key = $2 AND bucket_id = $3 AND due_at <= $4",
    )
    .bind(debt.space.to_string())
    .bind(&debt.key)
    .bind(debt.bucket.to_string())
    .bind(now.micros())
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Puts off a debt that could not be paid, unless it was noted anew meanwhile. The wait grows with
/// the attempts.
pub async fn put_off(
    db: impl AnyExecutor<'_>,
    debt: &Debt,
    now: Timestamp,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE debts SET lease_until = 0, last_error = $4,
             due_at = $5 + CASE WHEN attempts > 5 THEN $6
                 ELSE $7 * (CASE attempts WHEN 0 THEN 1 WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 3 THEN 4
                     WHEN 4 THEN 8 ELSE 16 END) END
         WHERE space_id = $1 AND key = $2 AND bucket_id = $3 AND lease_until <> 0",
    )
    .bind(debt.space.to_string())
    .bind(&debt.key)
    .bind(debt.bucket.to_string())
    .bind(error)
    .bind(now.micros())
    .bind(micros(BACKOFF_MAX))
    .bind(micros(BACKOFF_FIRST))
    .execute(db)
    .await
    .map(drop)
}

/// Makes all that a space's buckets owe due now, but for deletes that are held back for a while.
pub async fn hasten(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "UPDATE debts SET due_at = $2, attempts = 1
         WHERE space_id = $1 AND due_at > $2 AND (attempts > 0 OR EXISTS (SELECT 1 FROM objects o
             WHERE o.space_id = $1 AND o.key = debts.key AND o.deleted = 0))",
    )
    .bind(space.to_string())
    .bind(now.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected())
}

/// What a bucket owes to a space.
pub async fn owed(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    bucket: BucketId,
    now: Timestamp,
) -> Result<Owed, sqlx::Error> {
    let row = sqlx::query(concat!(
        "SELECT COUNT(*) - COALESCE(SUM(",
        held!(),
        "), 0) AS debts, CAST(COALESCE(SUM(",
        held!(),
        "), 0) AS BIGINT) AS held, CAST(COALESCE(SUM(o.size), 0) AS BIGINT) AS bytes,
             MIN(CASE WHEN ",
        held!(),
        " = 0 THEN d.since END) AS oldest
         FROM debts d LEFT JOIN objects o
             ON o.space_id = d.space_id AND o.key = d.key AND o.deleted = 0
         WHERE d.space_id = $1 AND d.bucket_id = $2"
    ))
    .bind(space.to_string())
    .bind(bucket.to_string())
    .bind(now.micros())
    .fetch_one(db)
    .await?;
    Ok(Owed {
        debts: row.try_get::<i64, _>("debts")?.unsigned_abs(),
        bytes: row.try_get::<i64, _>("bytes")?.unsigned_abs(),
        oldest: time_option(&row, "oldest")?,
        held: row.try_get::<i64, _>("held")?.unsigned_abs(),
    })
}

/// What a bucket owed at a time and still does.
pub struct Left {
    pub bucket: BucketId,
    pub debts: i64,
    /// Of these, what somebody is paying now.
    pub under_way: i64,
}

/// What the buckets of a space owed at a time and still do, the most first.
pub async fn left(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Left>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT d.bucket_id, COUNT(*) AS debts,
             CAST(SUM(CASE WHEN d.lease_until > $3 THEN 1 ELSE 0 END) AS BIGINT) AS under_way
         FROM debts d LEFT JOIN objects o
             ON o.space_id = d.space_id AND o.key = d.key AND o.deleted = 0
         WHERE d.space_id = $1 AND d.since <= $2 AND ",
        held!(),
        " = 0 GROUP BY d.bucket_id ORDER BY 2 DESC, 1"
    ))
    .bind(space.to_string())
    .bind(since.micros())
    .bind(now.micros())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Left {
            bucket: parsed(row, "bucket_id")?,
            debts: row.try_get("debts")?,
            under_way: row.try_get("under_way")?,
        })
    })
    .collect()
}

/// The buckets that may keep a deleted object for a while, and were not asked to remove it yet.
pub async fn held(
    db: impl AnyExecutor<'_>,
    (space, key): (SpaceId, &str),
    now: Timestamp,
) -> Result<Vec<BucketId>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT d.bucket_id FROM debts d LEFT JOIN objects o
             ON o.space_id = d.space_id AND o.key = d.key AND o.deleted = 0
         WHERE d.space_id = $1 AND d.key = $2 AND ",
        held!(),
        " = 1 ORDER BY d.bucket_id"
    ))
    .bind(space.to_string())
    .bind(key)
    .bind(now.micros())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| parsed(row, "bucket_id"))
    .collect()
}

/// A key of which none of these buckets surely holds the current version, if there is one.
pub async fn sole(
    tx: &mut AnyConnection,
    space: SpaceId,
    buckets: &[BucketId],
) -> Result<Option<String>, sqlx::Error> {
    let quoted: Vec<_> = buckets.iter().map(|bucket| format!("'{bucket}'")).collect();
    sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT d.key FROM debts d
         JOIN objects o ON o.space_id = d.space_id AND o.key = d.key AND o.deleted = 0
         WHERE d.space_id = $1 AND d.bucket_id IN ({})
         GROUP BY d.key HAVING COUNT(*) = $2 LIMIT 1",
        quoted.join(", ")
    )))
    .bind(space.to_string())
    .bind(i64::try_from(buckets.len()).unwrap_or(i64::MAX))
    .fetch_optional(tx)
    .await
}

/// Makes due now what was held back for a while.
pub async fn release_held(
    tx: &mut AnyConnection,
    space: SpaceId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE debts SET due_at = $2 WHERE space_id = $1 AND due_at > $2")
        .bind(space.to_string())
        .bind(now.micros())
        .execute(tx)
        .await
        .map(drop)
}

/// Forgets all that a bucket owes to a space.
pub async fn forgive(
    tx: &mut AnyConnection,
    space: SpaceId,
    bucket: BucketId,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM debts WHERE space_id = $1 AND bucket_id = $2")
        .bind(space.to_string())
        .bind(bucket.to_string())
        .execute(tx)
        .await
        .map(drop)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
