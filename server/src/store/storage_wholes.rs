//! Reads storage repos with all they hold in one statement, whatever their number: a list of them
//! costs one question, and its parts are of one moment.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};
use uuid::Uuid;

use super::row::{flag, known, parsed, parsed_option, time};
use crate::model::access::{Caller, Role};
use crate::model::access_key::AccessKey;
use crate::model::ai::{AiKey, AiLlm, AiType};
use crate::model::bucket::{Bucket, BucketStatus, Place, StorageType};
use crate::model::id::StorageRepoId;
use crate::model::storage_repo::{ListFilter, Member, Mode, StorageRepo, Whole};

/// The kinds of rows of the statement. Their columns differ, so most have no name of their own:
/// `t1` to `t9` are texts, `n1` a number.
const REPO: i64 = 0;
const MEMBER: i64 = 1;
const ACCESS_KEY: i64 = 2;
const AI_LLM: i64 = 3;
const AI_KEY: i64 = 4;

const STATEMENT: &str = "
    WITH page AS (
        SELECT r.* FROM storage_repos r
        WHERE r.org_id = $1 AND r.deleted_at IS NULL
          AND ($2 = 1 OR EXISTS (SELECT 1 FROM workspace_users m
               WHERE m.workspace_id = r.workspace_id AND m.user_id = $3))
          AND (CAST($4 AS TEXT) IS NULL OR r.workspace_id = $4)
          AND (CAST($5 AS TEXT) IS NULL OR r.id = $5)
          AND (CAST($6 AS TEXT) IS NULL OR r.wallet = $6)
          AND (CAST($7 AS TEXT) IS NULL OR r.id > $7)
        ORDER BY r.id LIMIT $8)
    SELECT 0 AS kind, p.id AS repo_id, 0 AS position, p.id AS id, p.workspace_id AS workspace_id,
           p.name AS name, p.storage_type AS t1, p.mode AS t2, p.wallet AS t3,
           CAST(p.min_ack AS TEXT) AS t4, CAST(p.retention_days AS TEXT) AS t5,
           CAST(NULL AS TEXT) AS t6,
           CAST(NULL AS TEXT) AS t7, CAST(NULL AS TEXT) AS t8,
           CAST(NULL AS TEXT) AS t9, p.disabled AS n1,
           p.version AS version, p.created_at AS created_at, p.updated_at AS updated_at,
           CAST(NULL AS BYTEA) AS sealed
    FROM page p
    UNION ALL
    SELECT 1, s.repo_id, s.position, b.id, b.workspace_id, b.name, b.storage_type, b.bucket,
           b.wallet, b.endpoint, b.region, b.access_key, b.project, s.folder,
           b.status, s.is_primary, b.version, b.created_at, b.status_at, b.sealed
    FROM page p JOIN storage_members s ON s.repo_id = p.id JOIN buckets b ON b.id = s.bucket_id
    UNION ALL
    SELECT 2, k.repo_id, 0, k.id, NULL, k.name, k.access, k.access_key, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, 0, 0, k.created_at, 0, k.sealed
    FROM page p JOIN access_keys k ON k.repo_id = p.id
    UNION ALL
    SELECT 3, s.repo_id, s.position, a.id, a.workspace_id, a.name, a.ai_type, a.endpoint,
           a.shown_key, a.user_id, NULL, NULL, NULL, NULL, NULL, 0, 0, a.created_at, 0, NULL
    FROM page p JOIN storage_ai_llms s ON s.repo_id = p.id JOIN ai_llms a ON a.id = s.ai_llm_id
    UNION ALL
    SELECT 4, k.repo_id, 0, k.id, NULL, k.name, k.ai_type, k.api_key, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, 0, 0, k.created_at, 0, NULL
    FROM page p JOIN ai_keys k ON k.repo_id = p.id
    ORDER BY kind, repo_id, position, id";

/// What the caller can see, in order of ids; one more than `limit`, if there is one.
pub async fn list(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    filter: &ListFilter,
) -> Result<Vec<Whole>, sqlx::Error> {
    let rows = sqlx::query(STATEMENT)
        .bind(caller.org.to_string())
        .bind(i64::from(caller.sees_all_workspaces()))
        .bind(caller.user.to_string())
        .bind(filter.workspace.map(|id| id.to_string()))
        .bind(filter.only.as_ref().map(Uuid::to_string))
        .bind(&filter.wallet)
        .bind(filter.after.as_ref().map(Uuid::to_string))
        .bind(i64::from(filter.limit) + 1)
        .fetch_all(db)
        .await?;
    // Repos come first, so each other row finds the one it belongs to.
    let mut wholes: BTreeMap<StorageRepoId, Whole> = BTreeMap::new();
    for row in &rows {
        let id = parsed(row, "repo_id")?;
        let kind: i64 = row.try_get("kind")?;
        if kind == REPO {
            wholes.insert(id, empty(repo(row, caller)?));
            continue;
        }
        let Some(whole) = wholes.get_mut(&id) else { continue };
        match kind {
            MEMBER => whole.members.push(member(row, caller)?),
            ACCESS_KEY => whole.access_keys.push(access_key(row, id)?),
            AI_LLM => whole.ai_llms.push(ai_llm(row, caller)?),
            AI_KEY => whole.ai_keys.insert(0, ai_key(row, id)?),
            _ => {}
        }
    }
    Ok(wholes.into_values().collect())
}

fn empty(repo: StorageRepo) -> Whole {
    Whole { repo, members: vec![], access_keys: vec![], ai_llms: vec![], ai_keys: vec![] }
}

fn repo(row: &AnyRow, caller: &Caller) -> Result<StorageRepo, sqlx::Error> {
    Ok(StorageRepo {
        id: parsed(row, "id")?,
        org: caller.org,
        workspace: parsed(row, "workspace_id")?,
        name: row.try_get("name")?,
        storage_type: known(row, "t1", StorageType::parse)?,
        mode: known(row, "t2", Mode::parse)?,
        wallet: row.try_get("t3")?,
        min_ack: parsed_option(row, "t4")?,
        retention_days: parsed_option(row, "t5")?,
        disabled: flag(row, "n1")?,
        version: row.try_get("version")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn member(row: &AnyRow, caller: &Caller) -> Result<(Member, Bucket), sqlx::Error> {
    let bucket = Bucket {
        id: parsed(row, "id")?,
        org: caller.org,
        workspace: parsed(row, "workspace_id")?,
        name: row.try_get("name")?,
        place: Place {
            storage_type: known(row, "t1", StorageType::parse)?,
            bucket: row.try_get("t2")?,
            endpoint: row.try_get("t4")?,
            region: row.try_get("t5")?,
            key: row.try_get("t6")?,
        },
        sealed: row.try_get("sealed")?,
        project: row.try_get("t7")?,
        wallet: row.try_get("t3")?,
        status: known(row, "t9", BucketStatus::parse)?,
        status_at: time(row, "updated_at")?,
        created_at: time(row, "created_at")?,
        version: row.try_get("version")?,
    };
    let folder = row.try_get("t8")?;
    Ok((Member { bucket: bucket.id, folder, primary: flag(row, "n1")? }, bucket))
}

fn access_key(row: &AnyRow, repo: StorageRepoId) -> Result<AccessKey, sqlx::Error> {
    Ok(AccessKey {
        id: parsed(row, "id")?,
        repo,
        name: row.try_get("name")?,
        access: known(row, "t1", Role::parse)?,
        key: row.try_get("t2")?,
        sealed: row.try_get("sealed")?,
        created_at: time(row, "created_at")?,
    })
}

fn ai_llm(row: &AnyRow, caller: &Caller) -> Result<AiLlm, sqlx::Error> {
    Ok(AiLlm {
        id: parsed(row, "id")?,
        org: caller.org,
        workspace: parsed(row, "workspace_id")?,
        user: parsed(row, "t4")?,
        name: row.try_get("name")?,
        ai_type: known(row, "t1", AiType::parse)?,
        endpoint: row.try_get("t2")?,
        shown_key: row.try_get("t3")?,
        created_at: time(row, "created_at")?,
    })
}

fn ai_key(row: &AnyRow, repo: StorageRepoId) -> Result<AiKey, sqlx::Error> {
    Ok(AiKey {
        id: parsed(row, "id")?,
        repo,
        name: row.try_get("name")?,
        ai_type: known(row, "t1", AiType::parse)?,
        key: row.try_get("t2")?,
        created_at: time(row, "created_at")?,
    })
}
