//! Tables `spaces` and `copies`: the namespaces of storage repos, and the buckets that hold their
//! objects. Reads for the gateway whatever it needs to know of a storage repo.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::buckets;
use super::row::{flag, known, parsed, parsed_option, time_option};
use crate::model::access::Role;
use crate::model::access_key::KeyCaller;
use crate::model::bucket::Bucket;
use crate::model::id::{AccessKeyId, BucketId, OrgId, SpaceId, StorageRepoId, WorkspaceId};
use crate::model::storage_repo::Mode;
use crate::model::time::Timestamp;

/// A storage repo as the gateway needs it. The same as long as `stamp` is.
#[derive(Clone, Debug)]
pub struct Plan {
    pub repo: StorageRepoId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub mode: Mode,
    pub disabled: bool,
    pub min_ack: Option<usize>,
    pub retention_days: Option<u32>,
    pub created_at: Timestamp,
    /// Changes with the repo, its members, their buckets, and what is known of the copies.
    pub stamp: [i64; 3],
}

/// An access key, with what it takes to check its signatures.
#[derive(Clone, Debug)]
pub struct Holder {
    pub caller: KeyCaller,
    pub sealed: Vec<u8>,
    pub plan: Plan,
}

#[derive(Clone, Debug)]
pub struct SpaceRow {
    pub id: SpaceId,
    /// The one bucket of a space of a NORMAL repo.
    pub only: Option<BucketId>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct CopyRow {
    pub space: SpaceRow,
    pub bucket: Bucket,
    pub folder: String,
    pub primary: bool,
    /// When it was last listed; never, if it is not known yet what it holds.
    pub surveyed_at: Option<Timestamp>,
    /// When all of it was last read.
    pub read_at: Option<Timestamp>,
}

macro_rules! plan {
    () => {
        "r.id AS repo_id, r.org_id, r.workspace_id, r.name AS repo_name, r.mode, r.disabled,
         r.min_ack, r.retention_days, r.created_at AS repo_created_at, r.version AS repo_version,
         (SELECT CAST(COALESCE(SUM(b.version), 0) AS BIGINT) FROM storage_members m
          JOIN buckets b ON b.id = m.bucket_id WHERE m.repo_id = r.id) AS bucket_versions,
         (SELECT COUNT(*) FROM spaces s JOIN copies c ON c.space_id = s.id
          WHERE s.repo_id = r.id AND s.gone_at IS NULL AND c.surveyed_at IS NOT NULL) AS surveyed"
    };
}

/// Whose access key this is.
pub async fn holder(
    db: impl AnyExecutor<'_>,
    access_key: &str,
) -> Result<Option<Holder>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT k.id, k.access, k.sealed, ",
        plan!(),
        " FROM access_keys k JOIN storage_repos r ON r.id = k.repo_id
         WHERE k.access_key = $1 AND r.deleted_at IS NULL"
    ))
    .bind(access_key)
    .fetch_optional(db)
    .await?
    .map(|row| {
        let (id, repo): (AccessKeyId, StorageRepoId) =
            (parsed(&row, "id")?, parsed(&row, "repo_id")?);
        let access = known(&row, "access", Role::parse)?;
        let caller = KeyCaller { key: id, repo, access };
        Ok(Holder { caller, sealed: row.try_get("sealed")?, plan: plan(&row)? })
    })
    .transpose()
}

/// The storage repo of a space that is not set aside.
pub async fn plan_of(
    db: impl AnyExecutor<'_>,
    space: SpaceId,
) -> Result<Option<Plan>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        plan!(),
        " FROM spaces p JOIN storage_repos r ON r.id = p.repo_id
         WHERE p.id = $1 AND p.gone_at IS NULL AND r.deleted_at IS NULL"
    ))
    .bind(space.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| plan(&row))
    .transpose()
}

pub async fn plan_of_repo(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
) -> Result<Option<Plan>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        plan!(),
        " FROM storage_repos r WHERE r.id = $1 AND r.deleted_at IS NULL"
    ))
    .bind(repo.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| plan(&row))
    .transpose()
}

/// All copies of all spaces of a storage repo; those of a space together, in the order of its members.
pub async fn copies(
    db: impl AnyExecutor<'_>,
    repo: StorageRepoId,
) -> Result<Vec<CopyRow>, sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!(
        "SELECT s.id AS space_id, s.bucket_id AS only_id, s.created_at AS space_created_at,
             c.surveyed_at, c.read_at, m.folder, m.is_primary, {}
         FROM spaces s JOIN copies c ON c.space_id = s.id
         JOIN storage_members m ON m.repo_id = s.repo_id AND m.bucket_id = c.bucket_id
         JOIN buckets b ON b.id = c.bucket_id
         WHERE s.repo_id = $1 AND s.gone_at IS NULL ORDER BY s.id, m.position",
        buckets::COLUMNS
    )))
    .bind(repo.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        let space = SpaceRow {
            id: parsed(row, "space_id")?,
            only: parsed_option(row, "only_id")?,
            created_at: super::row::time(row, "space_created_at")?,
        };
        Ok(CopyRow {
            space,
            bucket: buckets::from_row(row)?,
            folder: row.try_get("folder")?,
            primary: flag(row, "is_primary")?,
            surveyed_at: time_option(row, "surveyed_at")?,
            read_at: time_option(row, "read_at")?,
        })
    })
    .collect()
}

/// The spaces of a storage repo, each with its buckets.
pub async fn of_repo(
    tx: &mut AnyConnection,
    repo: StorageRepoId,
) -> Result<Vec<(SpaceRow, Vec<BucketId>)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT s.id, s.bucket_id AS only_id, s.created_at, c.bucket_id
         FROM spaces s LEFT JOIN copies c ON c.space_id = s.id
         WHERE s.repo_id = $1 AND s.gone_at IS NULL ORDER BY s.id",
    )
    .bind(repo.to_string())
    .fetch_all(tx)
    .await?;
    let mut spaces: Vec<(SpaceRow, Vec<BucketId>)> = vec![];
    for row in &rows {
        let id: SpaceId = parsed(row, "id")?;
        if spaces.last().is_none_or(|(space, _)| space.id != id) {
            let only = parsed_option(row, "only_id")?;
            let created_at = super::row::time(row, "created_at")?;
            spaces.push((SpaceRow { id, only, created_at }, vec![]));
        }
        if let (Some(bucket), Some((_, held))) =
            (parsed_option(row, "bucket_id")?, spaces.last_mut())
        {
            held.push(bucket);
        }
    }
    Ok(spaces)
}

pub async fn add(
    tx: &mut AnyConnection,
    repo: StorageRepoId,
    space: &SpaceRow,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO spaces (id, repo_id, bucket_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind(space.id.to_string())
        .bind(repo.to_string())
        .bind(space.only.map(|id| id.to_string()))
        .bind(space.created_at.micros())
        .execute(tx)
        .await
        .map(drop)
}

pub async fn add_copy(
    tx: &mut AnyConnection,
    space: SpaceId,
    bucket: BucketId,
    surveyed_at: Option<Timestamp>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO copies (space_id, bucket_id, surveyed_at) VALUES ($1, $2, $3)")
        .bind(space.to_string())
        .bind(bucket.to_string())
        .bind(surveyed_at.map(Timestamp::micros))
        .execute(tx)
        .await
        .map(drop)
}

pub async fn remove_copy(
    tx: &mut AnyConnection,
    space: SpaceId,
    bucket: BucketId,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM copies WHERE space_id = $1 AND bucket_id = $2")
        .bind(space.to_string())
        .bind(bucket.to_string())
        .execute(tx)
        .await
        .map(drop)
}

/// Sets a space aside: nobody reads or writes it any more.
pub async fn set_aside(
    tx: &mut AnyConnection,
    space: SpaceId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE spaces SET gone_at = $2 WHERE id = $1 AND gone_at IS NULL")
        .bind(space.to_string())
        .bind(now.micros())
        .execute(tx)
        .await
        .map(drop)
}

/// Notes that a copy has been listed, and maybe read, from end to end.
pub async fn set_surveyed(
    tx: &mut AnyConnection,
    space: SpaceId,
    bucket: BucketId,
    at: Timestamp,
    read: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE copies SET surveyed_at = $3, read_at = CASE WHEN $4 = 1 THEN $3 ELSE read_at END
         WHERE space_id = $1 AND bucket_id = $2",
    )
    .bind(space.to_string())
    .bind(bucket.to_string())
    .bind(at.micros())
    .bind(i64::from(read))
    .execute(tx)
    .await
    .map(drop)
}

/// A copy whose survey is due.
#[derive(Clone, Debug)]
pub struct Due {
    pub repo: StorageRepoId,
    pub space: SpaceId,
    pub bucket: BucketId,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
}

/// The copies that were last surveyed before a time. Their first survey is queued when they are made.
pub async fn due(db: impl AnyExecutor<'_>, before: Timestamp) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query(
        "SELECT s.repo_id, s.id, s.created_at, c.bucket_id, c.read_at
         FROM copies c JOIN spaces s ON s.id = c.space_id AND s.gone_at IS NULL
         WHERE c.surveyed_at < $1",
    )
    .bind(before.micros())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Due {
            repo: parsed(row, "repo_id")?,
            space: parsed(row, "id")?,
            bucket: parsed(row, "bucket_id")?,
            created_at: super::row::time(row, "created_at")?,
            read_at: time_option(row, "read_at")?,
        })
    })
    .collect()
}

/// Removes some of what a space that was set aside left; whether there is more.
pub async fn clear(
    tx: &mut AnyConnection,
    space: SpaceId,
    limit: i64,
) -> Result<bool, sqlx::Error> {
    for table in ["objects", "debts", "intents"] {
        let gone = sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE space_id = $1 AND key IN
                 (SELECT key FROM {table} WHERE space_id = $1 LIMIT $2)"
        )))
        .bind(space.to_string())
        .bind(limit)
        .execute(&mut *tx)
        .await?;
        if gone.rows_affected() > 0 {
            return Ok(true);
        }
    }
    // Those are cleared away once the buckets have forgotten them.
    super::uploads::end_all(tx, space, Timestamp::now()).await?;
    for statement in [
        "DELETE FROM copies WHERE space_id = $1",
        "DELETE FROM spaces WHERE id = $1 AND gone_at IS NOT NULL",
    ] {
        sqlx::query(statement).bind(space.to_string()).execute(&mut *tx).await?;
    }
    Ok(false)
}

fn plan(row: &AnyRow) -> Result<Plan, sqlx::Error> {
    let number = |column: &str| row.try_get::<Option<i64>, _>(column);
    Ok(Plan {
        repo: parsed(row, "repo_id")?,
        org: parsed(row, "org_id")?,
        workspace: parsed(row, "workspace_id")?,
        name: row.try_get("repo_name")?,
        mode: known(row, "mode", Mode::parse)?,
        disabled: flag(row, "disabled")?,
        min_ack: number("min_ack")?.and_then(|number| number.try_into().ok()),
        retention_days: number("retention_days")?.and_then(|number| number.try_into().ok()),
        created_at: super::row::time(row, "repo_created_at")?,
        stamp: [
            row.try_get("repo_version")?,
            row.try_get("bucket_versions")?,
            row.try_get("surveyed")?,
        ],
    })
}
