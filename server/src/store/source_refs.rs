//! Table `source_refs`: where the branches and tags of source repos point.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::parsed;
use super::source_repos::{Position, packed};
use crate::model::id::SourceRepoId;
use crate::model::push::{Refs, Target};
use crate::model::source_repo::DEFAULT_BRANCH;
use crate::model::time::Timestamp;

/// A live repo's position with all its refs, as they were at one moment.
pub async fn all(
    db: impl AnyExecutor<'_>,
    repo: SourceRepoId,
) -> Result<Option<(Position, Refs)>, sqlx::Error> {
    // One statement, so that nobody writes in between.
    let rows = sqlx::query(
        "SELECT r.seq, r.bundles, r.bundle_bytes, r.base_bytes, s.name, s.oid FROM source_repos r
         JOIN source_refs s ON s.repo_id = r.id
         WHERE r.id = $1 AND r.deleted_at IS NULL",
    )
    .bind(repo.to_string())
    .fetch_all(db)
    .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut position =
        Position { seq: first.try_get("seq")?, head: String::new(), packed: packed(first)? };
    let mut refs = Refs::new();
    for row in &rows {
        let (name, target): (String, Target) = (row.try_get("name")?, parsed(row, "oid")?);
        if name == DEFAULT_BRANCH {
            position.head = target.to_string();
        }
        refs.insert(name, target);
    }
    Ok(Some((position, refs)))
}

/// As [`all`]; everything stays so until the transaction ends.
pub async fn hold(
    tx: &mut AnyConnection,
    repo: SourceRepoId,
) -> Result<Option<(Position, Refs)>, sqlx::Error> {
    sqlx::query("UPDATE source_repos SET seq = seq WHERE id = $1 AND deleted_at IS NULL")
        .bind(repo.to_string())
        .execute(&mut *tx)
        .await?;
    all(tx, repo).await
}

/// Counts a change of refs, with a pack of so many bytes if it brought one. The repo has to be held.
pub async fn advance(
    tx: &mut AnyConnection,
    repo: SourceRepoId,
    pack: Option<i64>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE source_repos SET seq = seq + 1, updated_at = $2, bundles = bundles + $3,
                bundle_bytes = bundle_bytes + $4
         WHERE id = $1",
    )
    .bind(repo.to_string())
    .bind(now.micros())
    .bind(i64::from(pack.is_some()))
    .bind(pack.unwrap_or_default())
    .execute(tx)
    .await
    .map(drop)
}

/// Points a ref somewhere, or removes it. The repo has to be held.
pub async fn set(
    tx: &mut AnyConnection,
    repo: SourceRepoId,
    name: &str,
    target: Option<Target>,
) -> Result<(), sqlx::Error> {
    let query = match target {
        None => sqlx::query("DELETE FROM source_refs WHERE repo_id = $1 AND name = $2"),
        Some(_) => sqlx::query(
            "INSERT INTO source_refs (repo_id, name, oid) VALUES ($1, $2, $3)
             ON CONFLICT (repo_id, name) DO UPDATE SET oid = excluded.oid",
        ),
    };
    let query = query.bind(repo.to_string()).bind(name);
    let query = match target {
        None => query,
        Some(target) => query.bind(target.to_string()),
    };
    query.execute(tx).await.map(drop)
}

/// Gives one repo the other refs of another; the default branch it has already.
pub async fn copy(
    db: impl AnyExecutor<'_>,
    from: SourceRepoId,
    to: SourceRepoId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO source_refs (repo_id, name, oid)
         SELECT $2, name, oid FROM source_refs WHERE repo_id = $1 AND name <> $3",
    )
    .bind(from.to_string())
    .bind(to.to_string())
    .bind(DEFAULT_BRANCH)
    .execute(db)
    .await
    .map(drop)
}

/// A ref by its full name, and the object it points to.
#[derive(Clone, Debug)]
pub struct Ref {
    pub name: String,
    pub oid: String,
}

/// Those of the refs that there are.
pub async fn find(
    db: impl AnyExecutor<'_>,
    repo: SourceRepoId,
    names: &[String; 3],
) -> Result<Vec<Ref>, sqlx::Error> {
    let [first, second, third] = names;
    sqlx::query("SELECT name, oid FROM source_refs WHERE repo_id = $1 AND name IN ($2, $3, $4)")
        .bind(repo.to_string())
        .bind(first)
        .bind(second)
        .bind(third)
        .fetch_all(db)
        .await?
        .iter()
        .map(from_row)
        .collect()
}

/// What one ref points to.
pub async fn get(
    db: impl AnyExecutor<'_>,
    repo: SourceRepoId,
    name: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query("SELECT oid FROM source_refs WHERE repo_id = $1 AND name = $2")
        .bind(repo.to_string())
        .bind(name)
        .fetch_optional(db)
        .await?
        .map(|row| row.try_get("oid"))
        .transpose()
}

/// The refs whose names begin with `prefix` and come after `after`, in the order of names.
pub async fn list(
    db: impl AnyExecutor<'_>,
    repo: SourceRepoId,
    prefix: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Ref>, sqlx::Error> {
    sqlx::query(
        "SELECT name, oid FROM source_refs
         WHERE repo_id = $1 AND SUBSTR(name, 1, CAST($2 AS INTEGER)) = $3
           AND (CAST($4 AS TEXT) IS NULL OR name > $4)
         ORDER BY name LIMIT $5",
    )
    .bind(repo.to_string())
    .bind(i64::try_from(prefix.len()).unwrap_or(i64::MAX))
    .bind(prefix)
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

fn from_row(row: &AnyRow) -> Result<Ref, sqlx::Error> {
    Ok(Ref { name: row.try_get("name")?, oid: row.try_get("oid")? })
}
