//! Tables `uploads` and `upload_copies`: objects that come in parts, and what buckets know them by. What
//! has ended is there for nobody but whoever clears it away.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{decode, flag, parsed, time};
use crate::model::id::{BucketId, SpaceId, UploadId};
use crate::model::time::Timestamp;
use crate::model::upload::Upload;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, space_id, key, key_id, about, changes, sealed, created_at FROM uploads
             WHERE ended_at IS NULL AND ",
            $rest
        )
    };
}

/// What sorts behind all ids.
const BEHIND_IDS: &str = "g";

/// A bucket's part in an upload.
#[derive(Clone, Debug)]
pub struct CopyRow {
    pub bucket: BucketId,
    /// What its driver knows it by, as JSON.
    pub upload: String,
    /// Whether it lacks a part, and with it the object.
    pub lost: bool,
}

pub async fn add(
    tx: &mut AnyConnection,
    upload: &Upload,
    copies: &[CopyRow],
) -> Result<(), sqlx::Error> {
    let about = serde_json::to_string(&upload.announced).map_err(|error| decode("about", error))?;
    sqlx::query(
        "INSERT INTO uploads (id, space_id, key, key_id, about, changes, created_at, touched_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $6)",
    )
    .bind(upload.id.to_string())
    .bind(upload.space.to_string())
    .bind(&upload.key)
    .bind(upload.by.to_string())
    .bind(about)
    .bind(upload.created_at.micros())
    .execute(&mut *tx)
    .await?;
    for copy in copies {
        sqlx::query(
            "INSERT INTO upload_copies (upload_id, bucket_id, upload, lost) VALUES ($1, $2, $3, 0)",
        )
        .bind(upload.id.to_string())
        .bind(copy.bucket.to_string())
        .bind(&copy.upload)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

pub async fn get(db: impl AnyExecutor<'_>, id: UploadId) -> Result<Option<Upload>, sqlx::Error> {
    let row = sqlx::query(select!("id = $1")).bind(id.to_string()).fetch_optional(db).await?;
    row.as_ref().map(from_row).transpose()
}

/// Says that a part comes now, and keeps others from it until the transaction ends. Nothing, if the
/// upload has ended; else whether it is sealed.
pub async fn touch(
    tx: &mut AnyConnection,
    id: UploadId,
    now: Timestamp,
) -> Result<Option<bool>, sqlx::Error> {
    let row = sqlx::query(
        "UPDATE uploads SET changes = changes + 1, touched_at = $2
         WHERE id = $1 AND ended_at IS NULL RETURNING sealed",
    )
    .bind(id.to_string())
    .bind(now.micros())
    .fetch_optional(tx)
    .await?;
    row.map(|row| Ok(row.try_get::<Option<&str>, _>("sealed")?.is_some())).transpose()
}

/// Says what an upload becomes, if it is open and nothing has come since it had seen so many changes,
/// or if that was said before.
pub async fn seal(
    tx: &mut AnyConnection,
    id: UploadId,
    etag: &str,
    changes: i64,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE uploads SET sealed = $2 WHERE id = $1 AND ended_at IS NULL
         AND (sealed = $2 OR (sealed IS NULL AND changes = $3))",
    )
    .bind(id.to_string())
    .bind(etag)
    .bind(changes)
    .execute(tx)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Ends an upload; false if it had ended.
pub async fn end(
    tx: &mut AnyConnection,
    id: UploadId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query("UPDATE uploads SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
        .bind(id.to_string())
        .bind(now.micros())
        .execute(&mut *tx)
        .await?;
    super::upload_parts::remove(tx, id).await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends an upload that these buckets have made an object of.
pub async fn complete(
    tx: &mut AnyConnection,
    id: UploadId,
    holding: &[BucketId],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    end(tx, id, now).await?;
    for bucket in holding {
        remove_copy(&mut *tx, id, *bucket).await?;
    }
    if copies(&mut *tx, id).await?.is_empty() { forget(tx, id).await } else { Ok(()) }
}

/// Ends all uploads of a space.
pub async fn end_all(
    tx: &mut AnyConnection,
    space: SpaceId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM upload_parts WHERE upload_id IN (SELECT id FROM uploads WHERE space_id = $1)",
    )
    .bind(space.to_string())
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE uploads SET ended_at = $2 WHERE space_id = $1 AND ended_at IS NULL")
        .bind(space.to_string())
        .bind(now.micros())
        .execute(tx)
        .await
        .map(drop)
}

/// Removes what is left of an upload that has ended.
pub async fn forget(tx: &mut AnyConnection, id: UploadId) -> Result<(), sqlx::Error> {
    for statement in [
        "DELETE FROM upload_copies WHERE upload_id IN
             (SELECT id FROM uploads WHERE id = $1 AND ended_at IS NOT NULL)",
        "DELETE FROM uploads WHERE id = $1 AND ended_at IS NOT NULL",
    ] {
        sqlx::query(statement).bind(id.to_string()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Which uploads of a space to read, in order of their keys, and of their beginning.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// From this key on; only from behind it, if `after` is set.
    pub from: &'a str,
    pub after: After,
    /// Up to this key, which is left out.
    pub until: Option<&'a str>,
    pub limit: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum After {
    Nothing,
    /// This upload of the first key.
    Upload(UploadId),
    /// The first key, with all its uploads.
    Key,
}

pub async fn list(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    span: &Span<'_>,
) -> Result<Vec<Upload>, sqlx::Error> {
    let sql = match span.until {
        None => select!("space_id = $1 AND (key, id) > ($2, $3) ORDER BY key, id LIMIT $4"),
        Some(_) => {
            select!("space_id = $1 AND (key, id) > ($2, $3) AND key < $5 ORDER BY key, id LIMIT $4")
        }
    };
    let after = match span.after {
        After::Nothing => String::new(),
        After::Upload(id) => id.to_string(),
        After::Key => BEHIND_IDS.to_owned(),
    };
    let query = sqlx::query(sql)
        .bind(space.to_string())
        .bind(span.from)
        .bind(after)
        .bind(i64::try_from(span.limit).map_err(|error| decode("limit", error))?);
    let query = match span.until {
        Some(until) => query.bind(until),
        None => query,
    };
    query.fetch_all(db).await?.iter().map(from_row).collect()
}

/// Whether a space has at least so many open uploads.
pub async fn has_many(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
    count: usize,
) -> Result<bool, sqlx::Error> {
    let last = sqlx::query(
        "SELECT 1 AS one FROM uploads WHERE space_id = $1 AND ended_at IS NULL LIMIT 1 OFFSET $2",
    )
    .bind(space.to_string())
    .bind(i64::try_from(count).map_err(|error| decode("count", error))? - 1)
    .fetch_optional(db)
    .await?;
    Ok(last.is_some())
}

/// Open uploads that nothing has come to since then.
pub async fn untouched(
    db: impl AnyExecutor<'_>,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Upload>, sqlx::Error> {
    sqlx::query(select!("touched_at < $1 ORDER BY touched_at LIMIT $2"))
        .bind(since.micros())
        .bind(limit)
        .fetch_all(db)
        .await?
        .iter()
        .map(from_row)
        .collect()
}

/// Uploads that have ended and that buckets may not have forgotten yet, and when they ended.
pub async fn ended(
    db: impl AnyExecutor<'_>,
    limit: i64,
) -> Result<Vec<(UploadId, Timestamp)>, sqlx::Error> {
    sqlx::query(
        "SELECT id, ended_at FROM uploads WHERE ended_at IS NOT NULL ORDER BY ended_at LIMIT $1",
    )
    .bind(limit)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((parsed(row, "id")?, time(row, "ended_at")?)))
    .collect()
}

pub async fn copies(db: impl AnyExecutor<'_>, id: UploadId) -> Result<Vec<CopyRow>, sqlx::Error> {
    sqlx::query("SELECT bucket_id, upload, lost FROM upload_copies WHERE upload_id = $1")
        .bind(id.to_string())
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| {
            Ok(CopyRow {
                bucket: parsed(row, "bucket_id")?,
                upload: row.try_get("upload")?,
                lost: flag(row, "lost")?,
            })
        })
        .collect()
}

/// Says that a bucket lacks a part.
pub async fn lose(
    tx: &mut AnyConnection,
    id: UploadId,
    bucket: BucketId,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE upload_copies SET lost = 1 WHERE upload_id = $1 AND bucket_id = $2")
        .bind(id.to_string())
        .bind(bucket.to_string())
        .execute(tx)
        .await
        .map(drop)
}

/// Says that a bucket has nothing of an upload any more.
pub async fn remove_copy(
    db: impl AnyExecutor<'_>,
    id: UploadId,
    bucket: BucketId,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM upload_copies WHERE upload_id = $1 AND bucket_id = $2")
        .bind(id.to_string())
        .bind(bucket.to_string())
        .execute(db)
        .await
        .map(drop)
}

fn from_row(row: &AnyRow) -> Result<Upload, sqlx::Error> {
    let about: &str = row.try_get("about")?;
    Ok(Upload {
        id: parsed(row, "id")?,
        space: parsed(row, "space_id")?,
        key: row.try_get("key")?,
        by: parsed(row, "key_id")?,
        announced: serde_json::from_str(about).map_err(|error| decode("about", error))?,
        sealed: row.try_get("sealed")?,
        changes: row.try_get("changes")?,
        created_at: time(row, "created_at")?,
    })
}
