//! Tables `source_repos`, `source_refs` and `source_repo_metadata`.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, AnyPool, Row};

use super::row::{decode, flag, known, parsed, time, time_option};
use crate::model::access::{Caller, Role};
use crate::model::edit::CommitId;
use crate::model::id::{OrgId, SourceRepoId, WorkspaceId};
use crate::model::page::{Page, PageRequest};
use crate::model::source_repo::{
    DEFAULT_BRANCH, Metadata, OrderBy, Packed, SourceRepo, SourceRepoFilter,
};
use crate::model::time::Timestamp;

/// A repo with the caller's role in its workspace, when they are a member.
#[derive(Clone)]
pub struct Found {
    pub repo: SourceRepo,
    pub role: Option<Role>,
    /// Whether the caller's token is a repo token that names this repo.
    pub named: bool,
}

/// Where the content of a repo stands.
#[derive(Clone, Debug)]
pub struct Position {
    pub seq: i64,
    pub head: String,
    pub packed: Packed,
}

pub async fn insert(
    tx: &mut AnyConnection,
    repo: &SourceRepo,
    seq: i64,
    packed: Packed,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO source_repos (id, org_id, workspace_id, created_at, auto_index, seq,
                                   bundles, bundle_bytes, base_bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(repo.id.to_string())
    .bind(repo.org.to_string())
    .bind(repo.workspace.to_string())
    .bind(repo.created_at.micros())
    .bind(i64::from(repo.auto_index))
    .bind(seq)
    .bind(packed.bundles)
    .bind(packed.bundle_bytes)
    .bind(packed.base_bytes)
    .execute(&mut *tx)
    .await?;
    sqlx::query("INSERT INTO source_refs (repo_id, name, oid) VALUES ($1, $2, $3)")
        .bind(repo.id.to_string())
        .bind(DEFAULT_BRANCH)
        .bind(&repo.head)
        .execute(&mut *tx)
        .await?;
    match &repo.metadata {
        Some(metadata) => set_metadata(tx, repo.id, metadata).await,
        None => Ok(()),
    }
}

/// The repo, and what the caller may do with it, in one question.
pub async fn get(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    id: SourceRepoId,
) -> Result<Option<Found>, sqlx::Error> {
    sqlx::query(
        "SELECT r.id, r.org_id, r.workspace_id, r.created_at, r.updated_at, r.metadata,
                r.auto_index, h.oid, COALESCE(m.role, '') AS role,
                CASE WHEN s.repo_id IS NULL THEN 0 ELSE 1 END AS named
         FROM source_repos r
         JOIN source_refs h ON h.repo_id = r.id AND h.name = $3
         LEFT JOIN workspace_users m ON m.workspace_id = r.workspace_id AND m.user_id = $4
         LEFT JOIN token_repos s ON s.repo_id = r.id AND s.token_id = $5
         WHERE r.id = $1 AND r.org_id = $2 AND r.deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(caller.org.to_string())
    .bind(DEFAULT_BRANCH)
    .bind(caller.user.to_string())
    .bind(caller.token.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| {
        let role = known(&row, "role", |text| Some(Role::parse(text)))?;
        Ok(Found { repo: from_row(&row)?, role, named: flag(&row, "named")? })
    })
    .transpose()
}

/// What the caller can see, filtered and in order.
pub async fn list(
    db: &AnyPool,
    caller: &Caller,
    filter: &SourceRepoFilter,
    page: PageRequest,
) -> Result<Page<SourceRepo>, sqlx::Error> {
    let mut matching = "FROM source_repos r
         JOIN source_refs h ON h.repo_id = r.id AND h.name = $1
         WHERE r.org_id = $2 AND r.deleted_at IS NULL
           AND ($3 = 1 OR EXISTS (SELECT 1 FROM workspace_users m
                WHERE m.workspace_id = r.workspace_id AND m.user_id = $4))
           AND (CAST($5 AS TEXT) IS NULL OR r.workspace_id = $5)
           AND (CAST($6 AS BIGINT) IS NULL OR r.created_at > $6)
           AND (CAST($7 AS BIGINT) IS NULL OR r.created_at < $7)"
        .to_owned();
    let pairs = filter.metadata.len();
    if pairs > 0 {
        let pair = |n| format!("(p.name = ${} AND p.value = ${})", 8 + 2 * n, 9 + 2 * n);
        let any = (0..pairs).map(pair).collect::<Vec<_>>().join(" OR ");
        // One question for all pairs: a join for each takes PostgreSQL a second to plan.
        matching.push_str(&format!(
            " AND r.id IN (SELECT p.repo_id FROM source_repo_metadata p WHERE {any}
                 GROUP BY p.repo_id HAVING COUNT(*) = {pairs})"
        ));
    }
    // A repo that was never changed sorts by its creation.
    let order = match filter.order_by {
        OrderBy::CreatedAt => "r.created_at",
        OrderBy::UpdatedAt => "COALESCE(r.updated_at, r.created_at)",
    };
    let direction = if filter.descending { "DESC" } else { "ASC" };
    let (limit, offset) = (8 + 2 * pairs, 9 + 2 * pairs);

    let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n {matching}"));
    let total: i64 = bind(sqlx::query(count), caller, filter).fetch_one(db).await?.try_get("n")?;
    let rows = sqlx::AssertSqlSafe(format!(
        "SELECT r.id, r.org_id, r.workspace_id, r.created_at, r.updated_at, r.metadata,
                r.auto_index, h.oid
         {matching} ORDER BY {order} {direction}, r.id {direction}
         LIMIT ${limit} OFFSET ${offset}"
    ));
    let items: Vec<SourceRepo> = bind(sqlx::query(rows), caller, filter)
        .bind(page.size)
        .bind(page.start)
        .fetch_all(db)
        .await?
        .iter()
        .map(from_row)
        .collect::<Result<_, _>>()?;
    Ok(Page { items, total, next: page.next(total) })
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind<'q>(query: Query<'q>, caller: &Caller, filter: &SourceRepoFilter) -> Query<'q> {
    let query = query
        .bind(DEFAULT_BRANCH)
        .bind(caller.org.to_string())
        .bind(i64::from(caller.sees_all_workspaces()))
        .bind(caller.user.to_string())
        .bind(filter.workspace.map(|id| id.to_string()))
        .bind(filter.created_after.map(Timestamp::micros))
        .bind(filter.created_before.map(Timestamp::micros));
    filter
        .metadata
        .iter()
        .fold(query, |query, (name, value)| query.bind(pair_text(name)).bind(pair_text(value)))
}

/// Where a live repo stands.
pub async fn position(
    db: impl AnyExecutor<'_>,
    id: SourceRepoId,
) -> Result<Option<Position>, sqlx::Error> {
    sqlx::query(
        "SELECT r.seq, r.bundles, r.bundle_bytes, r.base_bytes, h.oid FROM source_repos r
         JOIN source_refs h ON h.repo_id = r.id AND h.name = $2
         WHERE r.id = $1 AND r.deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(DEFAULT_BRANCH)
    .fetch_optional(db)
    .await?
    .map(|row| {
        Ok(Position { seq: row.try_get("seq")?, head: row.try_get("oid")?, packed: packed(&row)? })
    })
    .transpose()
}

pub(super) fn packed(row: &AnyRow) -> Result<Packed, sqlx::Error> {
    Ok(Packed {
        bundles: row.try_get("bundles")?,
        bundle_bytes: row.try_get("bundle_bytes")?,
        base_bytes: row.try_get("base_bytes")?,
    })
}

/// Those of `ids` that are there and not deleted.
pub async fn present(
    db: impl AnyExecutor<'_>,
    ids: &[SourceRepoId],
) -> Result<Vec<SourceRepoId>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<_> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let found = sqlx::AssertSqlSafe(format!(
        "SELECT id FROM source_repos WHERE deleted_at IS NULL AND id IN ({})",
        places.join(", ")
    ));
    let query = ids.iter().fold(sqlx::query(found), |query, id| query.bind(id.to_string()));
    query.fetch_all(db).await?.iter().map(|row| parsed(row, "id")).collect()
}

/// Where a live repo stands; it stays there until the transaction ends.
pub async fn hold(
    tx: &mut AnyConnection,
    id: SourceRepoId,
) -> Result<Option<Position>, sqlx::Error> {
    sqlx::query("UPDATE source_repos SET seq = seq WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    position(tx, id).await
}

/// From which commit to which a branch moves.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Its full name.
    pub branch: &'a str,
    pub from: &'a str,
    pub to: &'a str,
}

/// Moves a branch, with a pack of so many bytes if it brings one. False when somebody else
/// changed the repo first, or it is gone; then the transaction has to be given up.
pub async fn advance(
    tx: &mut AnyConnection,
    id: SourceRepoId,
    seq: i64,
    step: Step<'_>,
    pack: Option<i64>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE source_repos SET seq = seq + 1, updated_at = $3, bundles = bundles + $5,
                bundle_bytes = bundle_bytes + $4
         WHERE id = $1 AND seq = $2 AND deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(seq)
    .bind(now.micros())
    .bind(pack.unwrap_or_default())
    .bind(i64::from(pack.is_some()))
    .execute(&mut *tx)
    .await?;
    if moved.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query("UPDATE source_refs SET oid = $4 WHERE repo_id = $1 AND name = $2 AND oid = $3")
        .bind(id.to_string())
        .bind(step.branch)
        .bind(step.from)
        .bind(step.to)
        .execute(&mut *tx)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Notes a change that made no commit. False when somebody else moved the repo first, or it is
/// gone; then the transaction has to be given up.
pub async fn touch(
    tx: &mut AnyConnection,
    id: SourceRepoId,
    at: &Position,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE source_repos SET updated_at = $3
         WHERE id = $1 AND seq = $2 AND deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(at.seq)
    .bind(now.micros())
    .execute(tx)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Replaces all of a repo's metadata.
pub async fn set_metadata(
    tx: &mut AnyConnection,
    id: SourceRepoId,
    metadata: &Metadata,
) -> Result<(), sqlx::Error> {
    let text = serde_json::to_string(metadata).map_err(|error| decode("metadata", error))?;
    sqlx::query("UPDATE source_repos SET metadata = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(text)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM source_repo_metadata WHERE repo_id = $1")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    for (name, value) in metadata {
        sqlx::query("INSERT INTO source_repo_metadata (repo_id, name, value) VALUES ($1, $2, $3)")
            .bind(id.to_string())
            .bind(pair_text(name))
            .bind(pair_text(value))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Notes where the history of a new repo was cut off.
pub async fn set_cuts(
    tx: &mut AnyConnection,
    id: SourceRepoId,
    cuts: &[CommitId],
) -> Result<(), sqlx::Error> {
    let text: Vec<String> = cuts.iter().map(CommitId::to_string).collect();
    sqlx::query("UPDATE source_repos SET cuts = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(text.join(" "))
        .execute(tx)
        .await
        .map(drop)
}

/// The commits whose parents were left out when the repo was made.
pub async fn cuts(
    db: impl AnyExecutor<'_>,
    id: SourceRepoId,
) -> Result<Vec<CommitId>, sqlx::Error> {
    let found = sqlx::query("SELECT cuts FROM source_repos WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    let Some(row) = found else { return Ok(Vec::new()) };
    let text: &str = row.try_get("cuts")?;
    let ids = text.split_ascii_whitespace().map(|id| id.parse());
    ids.collect::<Result<_, _>>().map_err(|error| decode("cuts", error))
}

/// Hides the repo; what it holds is removed by a job. False when it was gone already.
pub async fn delete(
    tx: &mut AnyConnection,
    id: SourceRepoId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE source_repos SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .bind(now.micros())
        .execute(tx)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Removes a hidden repo for good, once its packs are gone.
pub async fn purge(tx: &mut AnyConnection, id: SourceRepoId) -> Result<(), sqlx::Error> {
    for statement in [
        "DELETE FROM source_refs WHERE repo_id = $1",
        "DELETE FROM source_repo_metadata WHERE repo_id = $1",
        "DELETE FROM token_repos WHERE repo_id = $1",
        "DELETE FROM source_repos WHERE id = $1 AND deleted_at IS NOT NULL",
    ] {
        sqlx::query(statement).bind(id.to_string()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// The organisation of a live repo.
pub async fn org_of(
    db: impl AnyExecutor<'_>,
    id: SourceRepoId,
) -> Result<Option<OrgId>, sqlx::Error> {
    sqlx::query("SELECT org_id FROM source_repos WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?
        .map(|row| parsed(&row, "org_id"))
        .transpose()
}

/// How many live repos a workspace holds.
pub async fn count_in(
    db: impl AnyExecutor<'_>,
    workspace: WorkspaceId,
) -> Result<i64, sqlx::Error> {
    sqlx::query(
        "SELECT COUNT(*) AS n FROM source_repos
         WHERE workspace_id = $1 AND deleted_at IS NULL",
    )
    .bind(workspace.to_string())
    .fetch_one(db)
    .await?
    .try_get("n")
}

/// As JSON, since PostgreSQL takes no NUL in a text.
fn pair_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn from_row(row: &AnyRow) -> Result<SourceRepo, sqlx::Error> {
    let metadata: Option<&str> = row.try_get("metadata")?;
    Ok(SourceRepo {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        workspace: parsed(row, "workspace_id")?,
        created_at: time(row, "created_at")?,
        updated_at: time_option(row, "updated_at")?,
        metadata: metadata
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| decode("metadata", error))?,
        auto_index: flag(row, "auto_index")?,
        head: row.try_get("oid")?,
    })
}
