//! Table `source_packs`: what source repos are made of.

use sqlx::AnyConnection;
use sqlx::Row;
use sqlx::any::AnyExecutor;

use crate::model::id::SourceRepoId;

/// Where a pack's bytes are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the row itself.
    Row(Vec<u8>),
    /// In the object store, under this key.
    Object(String),
}

#[derive(Clone, Debug)]
pub struct Pack {
    pub seq: i64,
    pub place: Place,
    pub bytes: i64,
}

pub async fn insert(
    db: impl AnyExecutor<'_>,
    repo: SourceRepoId,
    seq: i64,
    is_base: bool,
    place: &Place,
    bytes: i64,
) -> Result<(), sqlx::Error> {
    let (pack, key) = match place {
        Place::Row(pack) => (Some(pack.as_slice()), None),
        Place::Object(key) => (None, Some(key.as_str())),
    };
    sqlx::query(
        "INSERT INTO source_packs (repo_id, seq, is_base, pack, object_key, bytes)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(repo.to_string())
    .bind(seq)
    .bind(i64::from(is_base))
    .bind(pack)
    .bind(key)
    .bind(bytes)
    .execute(db)
    .await
    .map(drop)
}

/// The packs after `seq`, oldest first; a base comes before what was built on it.
pub async fn after(
    db: impl AnyExecutor<'_>,
    repo: SourceRepoId,
    seq: i64,
) -> Result<Vec<Pack>, sqlx::Error> {
    sqlx::query(
        "SELECT seq, pack, object_key, bytes FROM source_packs WHERE repo_id = $1 AND seq > $2
         ORDER BY seq",
    )
    .bind(repo.to_string())
    .bind(seq)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        let key: Option<String> = row.try_get("object_key")?;
        let place = match key {
            Some(key) => Place::Object(key),
            None => Place::Row(row.try_get("pack")?),
        };
        Ok(Pack { seq: row.try_get("seq")?, place, bytes: row.try_get("bytes")? })
    })
    .collect()
}

/// Object keys of a repo's packs up to `seq`.
pub async fn object_keys(
    db: impl AnyExecutor<'_>,
    repo: SourceRepoId,
    upto: i64,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query(
        "SELECT object_key FROM source_packs
         WHERE repo_id = $1 AND seq <= $2 AND object_key IS NOT NULL",
    )
    .bind(repo.to_string())
    .bind(upto)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| row.try_get("object_key"))
    .collect()
}

/// Whether any repo still names an object.
pub async fn names(db: impl AnyExecutor<'_>, key: &str) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT 1 AS found FROM source_packs WHERE object_key = $1 LIMIT 1")
        .bind(key)
        .fetch_optional(db)
        .await
        .map(|row| row.is_some())
}

/// Gives one repo the packs of another.
pub async fn copy(
    db: impl AnyExecutor<'_>,
    from: SourceRepoId,
    to: SourceRepoId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO source_packs (repo_id, seq, is_base, pack, object_key, bytes)
         SELECT $2, seq, is_base, pack, object_key, bytes FROM source_packs WHERE repo_id = $1",
    )
    .bind(from.to_string())
    .bind(to.to_string())
    .execute(db)
    .await
    .map(drop)
}

/// Puts one base pack in the place of all packs up to `upto`.
pub async fn replace_by_base(
    tx: &mut AnyConnection,
    repo: SourceRepoId,
    upto: i64,
    key: &str,
    bytes: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM source_packs WHERE repo_id = $1 AND seq <= $2")
        .bind(repo.to_string())
        .bind(upto)
        .execute(&mut *tx)
        .await?;
    insert(&mut *tx, repo, upto, true, &Place::Object(key.to_owned()), bytes).await?;
    sqlx::query(
        "UPDATE source_repos SET
             bundles = (SELECT COUNT(*) FROM source_packs p
                        WHERE p.repo_id = source_repos.id AND p.is_base = 0),
             bundle_bytes = (SELECT COALESCE(CAST(SUM(p.bytes) AS BIGINT), 0) FROM source_packs p
                        WHERE p.repo_id = source_repos.id AND p.is_base = 0),
             base_bytes = $2
         WHERE id = $1",
    )
    .bind(repo.to_string())
    .bind(bytes)
    .execute(tx)
    .await
    .map(drop)
}

/// Forgets all packs of a repo.
pub async fn delete_all(db: impl AnyExecutor<'_>, repo: SourceRepoId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM source_packs WHERE repo_id = $1")
        .bind(repo.to_string())
        .execute(db)
        .await
        .map(drop)
}
