//! Table `intents`: who is about to change a key, and to what. At most one at a time, on all servers.

use std::time::Duration;

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::SQLITE;
use super::objects::{self, known};
use super::row::{decode, parsed, time};
use crate::model::id::{BucketId, SpaceId, Version};
use crate::model::object::Object;
use crate::model::time::Timestamp;

/// How long a key stays with whoever took it, unless they say that they are still at it.
pub const LEASE: Duration = Duration::from_secs(60);

macro_rules! taken {
    () => {
        "INSERT INTO intents (space_id, key, version, node, lease_until, object)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (space_id, key) DO NOTHING
         RETURNING lease_until AS taken"
    };
}

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
}

/// What is known of a key, see [`objects::get_owing`].
pub type Owing = (Option<Object>, Vec<BucketId>);

/// Takes a key, and reads what is there, in one go. Nothing, if somebody has it.
pub async fn take(
    connection: &mut AnyConnection,
    intent: &Intent,
) -> Result<Option<Owing>, sqlx::Error> {
    let object = intent.object.as_ref().map(|object| {
        let (size, modified) = (object.size, object.modified_at.micros());
        serde_json::to_string(&(size, &object.etag, &object.about, modified))
    });
    let is_sqlite = connection.backend_name() == SQLITE;
    let sql = if is_sqlite { concat!(taken!(), "; ", known!()) } else { taken!() };
    let rows = sqlx::query(sql)
        .bind(intent.space.to_string())
        .bind(&intent.key)
        .bind(intent.version.to_string())
        .bind(&intent.node)
        .bind(intent.lease_until.micros())
        .bind(object.transpose().map_err(|error| decode("object", error))?)
        .fetch_all(&mut *connection)
        .await?;
    let is_taken = rows.first().is_some_and(|row| row.try_get::<i64, _>("taken").is_ok());
    match (is_taken, is_sqlite) {
        (false, _) => Ok(None),
        (true, true) => objects::owing_of(&rows[1..]).map(Some),
        (true, false) => objects::get_owing(connection, intent.space, &intent.key).await.map(Some),
    }
}

/// Gives a key back; false if it was not, or no longer, theirs.
pub async fn release(
    tx: &mut AnyConnection,
    (space, key): (SpaceId, &str),
    version: Version,
) -> Result<bool, sqlx::Error> {
    sqlx::query("DELETE FROM intents WHERE space_id = $1 AND key = $2 AND version = $3")
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
         RETURNING space_id, key, version, node, lease_until, object",
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
        key,
    })
}
