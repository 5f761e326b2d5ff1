//! Table `upload_parts`: the parts of uploads that have not ended.

use std::collections::BTreeMap;

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{decode, time};
use crate::model::id::{BucketId, UploadId};
use crate::model::upload::Part;

/// What each bucket calls a part.
pub type Tags = BTreeMap<BucketId, String>;

/// Writes a part's row, in place of the one that has the number.
pub async fn put(
    tx: &mut AnyConnection,
    upload: UploadId,
    part: &Part,
    tags: &Tags,
) -> Result<(), sqlx::Error> {
    let about = serde_json::to_string(&(part.crc64, &part.checksum));
    let tags = serde_json::to_string(tags);
    sqlx::query(
        "INSERT INTO upload_parts (upload_id, number, size, etag, about, tags, modified_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (upload_id, number) DO UPDATE
         SET size = $3, etag = $4, about = $5, tags = $6, modified_at = $7",
    )
    .bind(upload.to_string())
    .bind(i64::from(part.number))
    .bind(i64::try_from(part.size).map_err(|error| decode("size", error))?)
    .bind(&part.etag)
    .bind(about.map_err(|error| decode("about", error))?)
    .bind(tags.map_err(|error| decode("tags", error))?)
    .bind(part.modified_at.micros())
    .execute(tx)
    .await
    .map(drop)
}

/// Parts with numbers behind `after`, in their order.
pub async fn list(
    db: impl AnyExecutor<'_>,
    upload: UploadId,
    after: u32,
    limit: usize,
) -> Result<Vec<(Part, Tags)>, sqlx::Error> {
    sqlx::query(
        "SELECT number, size, etag, about, tags, modified_at FROM upload_parts
         WHERE upload_id = $1 AND number > $2 ORDER BY number LIMIT $3",
    )
    .bind(upload.to_string())
    .bind(i64::from(after))
    .bind(i64::try_from(limit).map_err(|error| decode("limit", error))?)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

pub async fn remove(tx: &mut AnyConnection, upload: UploadId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM upload_parts WHERE upload_id = $1")
        .bind(upload.to_string())
        .execute(tx)
        .await
        .map(drop)
}

fn from_row(row: &AnyRow) -> Result<(Part, Tags), sqlx::Error> {
    let number = |column: &'static str| row.try_get::<i64, _>(column);
    let (about, tags): (&str, &str) = (row.try_get("about")?, row.try_get("tags")?);
    let (crc64, checksum) = serde_json::from_str(about).map_err(|error| decode("about", error))?;
    let part = Part {
        number: number("number")?.try_into().map_err(|error| decode("number", error))?,
        size: number("size")?.try_into().map_err(|error| decode("size", error))?,
        etag: row.try_get("etag")?,
        crc64,
        checksum,
        modified_at: time(row, "modified_at")?,
    };
    Ok((part, serde_json::from_str(tags).map_err(|error| decode("tags", error))?))
}
