//! Table `intents`: who is about to change a key, and to what. At most one at a time, on all servers.

use std::time::Duration;

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::objects::{self, Owing};
use super::row::{decode, flag, parsed, time};
use crate::model::id::{SpaceId, Version};
use crate::model::object::Object;
use crate::model::time::Timestamp;

/// How long a key stays with whoever took it, unless they say that they are still at it.
pub const LEASE: Duration = Duration::from_secs(60);

pub(super) const TAKE: &str =
    "INSERT INTO intents (space_id, key, version, node, lease_until, object, told)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (space_id, key) DO NOTHING";
pub(super) const RELEASE: &str =
    "DELETE FROM intents WHERE space_id = $1 AND key = $2 AND version = $3";

#[derive(Clone, Debug)]
pub struct Intent {
    pub space: SpaceId,
    pub key: String,
    pub version: Version,
    /// The process that has it.
    pub node: String,
    pub lease_until: Timestamp,
    /// What the key is to hold. Nothing, when it is to hold nothing, or what it holds already.
    pub object: Option<Object>,
    /// Whether the client may know it as done, see [`super::ledger::Ledger::put_told`].
    pub told: bool,
}

impl Intent {
    /// What is kept of the object: what the other columns do not say.
    pub(super) fn content(&self) -> Result<Option<String>, sqlx::Error> {
        let text = self.object.as_ref().map(|object| {
            let (size, modified) = (object.size, object.modified_at.micros());
            serde_json::to_string(&(size, &object.etag, &object.about, modified))
        });
        text.transpose().map_err(|error| decode("object", error))
    }
}

/// Takes a key, and reads what is there. Nothing, if somebody has it.
pub async fn take(
    connection: &mut AnyConnection,
    intent: &Intent,
) -> Result<Option<Owing>, sqlx::Error> {
    let taken = sqlx::query(TAKE)
        .bind(intent.space.to_string())
        .bind(&intent.key)
        .bind(intent.version.to_string())
        .bind(&intent.node)
        .bind(intent.lease_until.micros())
        .bind(intent.content()?)
        .bind(i64::from(intent.told))
        .execute(&mut *connection)
        .await?;
    if taken.rows_affected() == 0 {
        return Ok(None);
    }
    objects::get_owing(connection, intent.space, &intent.key).await.map(Some)
}

/// Gives a key back; false if it was not, or no longer, theirs.
pub async fn release(
    tx: &mut AnyConnection,
    (space, key): (SpaceId, &str),
    version: Version,
) -> Result<bool, sqlx::Error> {
    sqlx::query(RELEASE)
        .bind(space.to_string())
        .bind(key)
        .bind(version.to_string())
        .execute(tx)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Keeps a key until then; false if it is no longer theirs.
pub async fn renew(
    db: impl AnyExecutor<'_>,
    (space, key): (SpaceId, &str),
    version: Version,
    until: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE intents SET lease_until = $4 WHERE space_id = $1 AND key = $2 AND version = $3",
    )
    .bind(space.to_string())
    .bind(key)
    .bind(version.to_string())
    .bind(until.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Takes over an intent that has run out, for [`LEASE`]; nothing if somebody else did.
pub async fn take_over(
    db: impl AnyExecutor<'_>,
    (space, key): (SpaceId, &str),
    node: &str,
    now: Timestamp,
) -> Result<Option<Intent>, sqlx::Error> {
    sqlx::query(
        "UPDATE intents SET node = $3, lease_until = $4
         WHERE space_id = $1 AND key = $2 AND lease_until <= $5
         RETURNING space_id, key, version, node, lease_until, object, told",
    )
    .bind(space.to_string())
    .bind(key)
    .bind(node)
    .bind(now.plus(LEASE).micros())
    .bind(now.micros())
    .fetch_optional(db)
    .await?
    .map(|row| from_row(&row))
    .transpose()
}

/// Keys whose intents have run out.
pub async fn run_out(
    db: impl AnyExecutor<'_>,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(SpaceId, String)>, sqlx::Error> {
    sqlx::query("SELECT space_id, key FROM intents WHERE lease_until <= $1 LIMIT $2")
        .bind(now.micros())
        .bind(limit)
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| Ok((parsed(row, "space_id")?, row.try_get("key")?)))
        .collect()
}

/// Whether somebody has the key.
pub async fn any(
    db: impl AnyExecutor<'_>,
    (space, key): (SpaceId, &str),
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query("SELECT 1 AS one FROM intents WHERE space_id = $1 AND key = $2")
        .bind(space.to_string())
        .bind(key)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// Whether this very intent is still there.
pub async fn holds(
    db: impl AnyExecutor<'_>,
    (space, key): (SpaceId, &str),
    version: Version,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 AS one FROM intents WHERE space_id = $1 AND key = $2 AND version = $3";
    let query = sqlx::query(sql).bind(space.to_string()).bind(key).bind(version.to_string());
    Ok(query.fetch_optional(db).await?.is_some())
}

/// The intents of writes that the client may know as done.
pub async fn told(
    db: impl AnyExecutor<'_>,
) -> Result<Vec<(SpaceId, String, Version)>, sqlx::Error> {
    let rows = sqlx::query("SELECT space_id, key, version FROM intents WHERE told = 1");
    let found = rows.fetch_all(db).await?;
    let read =
        |row: &AnyRow| Ok((parsed(row, "space_id")?, row.try_get("key")?, parsed(row, "version")?));
    found.iter().map(read).collect()
}

/// Ends all leases: of a process that nobody else stands beside, and that has just begun.
pub async fn end_all(db: impl AnyExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE intents SET lease_until = 0").execute(db).await.map(drop)
}

fn from_row(row: &AnyRow) -> Result<Intent, sqlx::Error> {
    let (key, version): (String, Version) = (row.try_get("key")?, parsed(row, "version")?);
    let object = row.try_get::<Option<&str>, _>("object")?.map(|text| {
        let (size, etag, about, modified) =
            serde_json::from_str(text).map_err(|error| decode("object", error))?;
        let modified_at = Timestamp::from_micros(modified);
        let key = key.clone();
        Ok::<_, sqlx::Error>(Object {
            key,
            version,
            deleted: false,
            size,
            etag,
            about,
            modified_at,
        })
    });
    Ok(Intent {
        space: parsed(row, "space_id")?,
        version,
        node: row.try_get("node")?,
        lease_until: time(row, "lease_until")?,
        object: object.transpose()?,
        told: flag(row, "told")?,
        key,
    })
}
