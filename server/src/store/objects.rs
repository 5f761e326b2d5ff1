//! Table `objects`: the catalog of what storage repos hold.

use sqlx::any::{AnyArguments, AnyExecutor};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection};

use super::row::{Columns, decode, flag, number, parsed, parsed_option, text, time};
use crate::model::id::{BucketId, SpaceId, Version};
use crate::model::object::{About, Object, PartOf};
use crate::model::time::Timestamp;

macro_rules! spanned {
    ($from:literal, $until:literal) => {
        concat!(
            "SELECT key, version, deleted, size, etag, about, modified_at FROM objects
             WHERE space_id = $1 AND key ",
            $from,
            " $2 AND deleted <= $3 ",
            $until,
            " ORDER BY key LIMIT $4"
        )
    };
}

/// Writes an object's row from what `$source` selects, after another statement.
macro_rules! written {
    ($before:literal, $source:literal) => {
        concat!(
            $before,
            "INSERT INTO objects
             (space_id, key, version, deleted, size, etag, about, modified_at, parts) ",
            $source,
            " ON CONFLICT (space_id, key) DO UPDATE
             SET version = $3, deleted = $4, size = $5, etag = $6, about = $7, modified_at = $8,
                 parts = $9"
        )
    };
}

/// What is known of a key: an object, and the buckets that owe something.
pub(super) const KNOWN: &str =
    "SELECT o.key, o.version, o.deleted, o.size, o.etag, o.about, o.modified_at, o.parts, d.bucket_id
     FROM (SELECT 1) AS one LEFT JOIN objects o ON o.space_id = $1 AND o.key = $2
     LEFT JOIN debts d ON d.space_id = $1 AND d.key = $2";

pub(super) const PUT: &str = written!("", "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");

/// What is known of a key, see [`get_owing`].
pub type Owing = (Option<Object>, Vec<BucketId>);

/// An object, and the buckets that do not surely hold it.
#[derive(Clone, Debug)]
pub struct Known {
    pub object: Object,
    pub owing: Vec<BucketId>,
}

pub async fn get(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    key: &str,
) -> Result<Option<Known>, sqlx::Error> {
    let (object, owing) = get_owing(db, space, key).await?;
    Ok(object.map(|object| Known { object, owing }))
}

/// As [`get`], with the buckets that owe something although there is no object.
pub async fn get_owing(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    key: &str,
) -> Result<Owing, sqlx::Error> {
    let rows = sqlx::query(KNOWN).bind(space.to_string()).bind(key).fetch_all(db).await?;
    let mut found = Owing::default();
    rows.iter().try_for_each(|row| note(&mut found, row))?;
    Ok(found)
}

/// Notes what a row says that was selected by [`KNOWN`].
pub(super) fn note((object, owing): &mut Owing, row: &impl Columns) -> Result<(), sqlx::Error> {
    if object.is_none() && row.text("key")?.is_some() {
        *object = Some(whole(row)?);
    }
    owing.extend(parsed_option::<BucketId>(row, "bucket_id")?);
    Ok(())
}

/// Writes an object's row, in place of the one that has the key.
pub async fn put(
    tx: &mut AnyConnection,
    space: SpaceId,
    object: &Object,
) -> Result<(), sqlx::Error> {
    bound(sqlx::query(PUT), space, object)?.execute(tx).await.map(drop)
}

/// As [`put`], for whoever has taken the key, which is given back: all in one go, on PostgreSQL. False if
/// somebody else has the key by now.
pub async fn put_taken(
    connection: &mut AnyConnection,
    space: SpaceId,
    object: &Object,
    intent: Version,
) -> Result<bool, sqlx::Error> {
    const SQL: &str = written!(
        "WITH taken AS (
             DELETE FROM intents WHERE space_id = $1 AND key = $2 AND version = $10 RETURNING 1) ",
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM taken"
    );
    let put = bound(sqlx::query(SQL), space, object)?.bind(intent.to_string());
    put.execute(connection).await.map(|done| done.rows_affected() == 1)
}

fn bound<'q>(
    query: Query<'q, Any, AnyArguments>,
    space: SpaceId,
    object: &Object,
) -> Result<Query<'q, Any, AnyArguments>, sqlx::Error> {
    Ok(query
        .bind(space.to_string())
        .bind(object.key.clone())
        .bind(object.version.to_string())
        .bind(i64::from(object.deleted))
        .bind(i64::try_from(object.size).map_err(|error| decode("size", error))?)
        .bind(object.etag.clone())
        .bind(about(object)?)
        .bind(object.modified_at.micros())
        .bind(parts(&object.about.parts)?))
}

/// Writes the row of an object that nobody knew; false if somebody did.
pub async fn adopt(
    tx: &mut AnyConnection,
    space: SpaceId,
    object: &Object,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "INSERT INTO objects (space_id, key, version, deleted, size, etag, about, modified_at)
         VALUES ($1, $2, $3, 0, $4, $5, $6, $7) ON CONFLICT (space_id, key) DO NOTHING",
    )
    .bind(space.to_string())
    .bind(&object.key)
    .bind(object.version.to_string())
    .bind(i64::try_from(object.size).map_err(|error| decode("size", error))?)
    .bind(&object.etag)
    .bind(about(object)?)
    .bind(object.modified_at.micros())
    .execute(tx)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Removes what is known of a deleted object of which no copy is left.
pub async fn forget(tx: &mut AnyConnection, space: SpaceId, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM objects WHERE space_id = $1 AND key = $2 AND deleted = 1
         AND NOT EXISTS (SELECT 1 FROM debts d WHERE d.space_id = $1 AND d.key = $2)",
    )
    .bind(space.to_string())
    .bind(key)
    .execute(tx)
    .await
    .map(drop)
}

/// Which objects of a space to read, in byte order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Span<'a> {
    /// From this key on.
    pub from: &'a str,
    /// Whether `from` itself is left out.
    pub after: bool,
    /// Up to this key, which is left out.
    pub until: Option<&'a str>,
    pub with_deleted: bool,
    pub limit: usize,
}

/// Without the parts they came in.
pub async fn list(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    span: &Span<'_>,
) -> Result<Vec<Object>, sqlx::Error> {
    // Each of these has an index scan of its own.
    let sql = match (span.after, span.until.is_some()) {
        (false, false) => spanned!(">=", ""),
        (true, false) => spanned!(">", ""),
        (false, true) => spanned!(">=", "AND key < $5"),
        (true, true) => spanned!(">", "AND key < $5"),
    };
    let query = sqlx::query(sql)
        .bind(space.to_string())
        .bind(span.from)
        .bind(i64::from(span.with_deleted))
        .bind(i64::try_from(span.limit).map_err(|error| decode("limit", error))?);
    let query = match span.until {
        Some(until) => query.bind(until),
        None => query,
    };
    query.fetch_all(db).await?.iter().map(from_row).collect()
}

/// The deleted objects of a space, of which copies may be left.
#[derive(Clone, Debug)]
pub struct Deleted<'a> {
    pub after: &'a str,
    pub from: &'a str,
    /// Up to this key, which is left out.
    pub until: Option<&'a str>,
    /// Only those that were deleted since then.
    pub since: Option<Timestamp>,
}

macro_rules! deleted {
    () => {
        "FROM objects WHERE space_id = $1 AND key > $2 AND key >= $3
         AND (CAST($4 AS TEXT) IS NULL OR key < $4) AND deleted = 1 AND modified_at >= $5"
    };
}

/// Without the parts they came in.
pub async fn deleted(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    which: &Deleted<'_>,
    limit: usize,
) -> Result<Vec<Object>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT key, version, deleted, size, etag, about, modified_at ",
        deleted!(),
        " ORDER BY key LIMIT $6"
    ))
    .bind(space.to_string())
    .bind(which.after)
    .bind(which.from)
    .bind(which.until)
    .bind(which.since.map_or(i64::MIN, Timestamp::micros))
    .bind(i64::try_from(limit).map_err(|error| decode("limit", error))?)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

pub async fn count_deleted(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    which: &Deleted<'_>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(concat!("SELECT COUNT(*) ", deleted!()))
        .bind(space.to_string())
        .bind(which.after)
        .bind(which.from)
        .bind(which.until)
        .bind(which.since.map_or(i64::MIN, Timestamp::micros))
        .fetch_one(db)
        .await
}

/// How many objects a space has rows of.
pub async fn count(db: impl AnyExecutor<'_>, space: SpaceId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT COUNT(*) FROM objects WHERE space_id = $1")
        .bind(space.to_string())
        .fetch_one(db)
        .await
}

/// Whether a space holds anything that is not deleted.
pub async fn any(db: impl AnyExecutor<'_>, space: SpaceId) -> Result<bool, sqlx::Error> {
    let found =
        sqlx::query("SELECT 1 AS one FROM objects WHERE space_id = $1 AND deleted = 0 LIMIT 1")
            .bind(space.to_string())
            .fetch_optional(db)
            .await?;
    Ok(found.is_some())
}

fn whole(row: &impl Columns) -> Result<Object, sqlx::Error> {
    let (mut object, parts) = (from_row(row)?, text(row, "parts")?);
    if !parts.is_empty() {
        object.about.parts = serde_json::from_str(parts).map_err(|error| decode("parts", error))?;
    }
    Ok(object)
}

/// An object without the parts it came in.
fn from_row(row: &impl Columns) -> Result<Object, sqlx::Error> {
    let about = serde_json::from_str(text(row, "about")?);
    Ok(Object {
        key: text(row, "key")?.to_owned(),
        version: parsed(row, "version")?,
        deleted: flag(row, "deleted")?,
        size: number(row, "size")?.try_into().map_err(|error| decode("size", error))?,
        etag: text(row, "etag")?.to_owned(),
        about: about.map_err(|error| decode("about", error))?,
        modified_at: time(row, "modified_at")?,
    })
}

/// What is kept in the column of this name: all but the parts.
pub(super) fn about(object: &Object) -> Result<String, sqlx::Error> {
    let about = &object.about;
    let text = if about.parts.is_empty() {
        serde_json::to_string(about)
    } else {
        serde_json::to_string(&About { parts: vec![], ..about.clone() })
    };
    text.map_err(|error| decode("about", error))
}

pub(super) fn parts(parts: &[PartOf]) -> Result<String, sqlx::Error> {
    if parts.is_empty() {
        return Ok(String::new());
    }
    serde_json::to_string(parts).map_err(|error| decode("parts", error))
}
