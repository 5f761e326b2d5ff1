//! Table `ai_llms`.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::row::{known, parsed, time};
use crate::model::access::{Caller, Role};
use crate::model::ai::{AiLlm, AiType};
use crate::model::id::{AiLlmId, IdOrName, OrgId, WorkspaceId};
use crate::model::storage_repo::ListFilter;

/// Ciphertexts of a credential.
#[derive(Clone, Debug, Default)]
pub struct Sealed {
    pub key: Option<Vec<u8>>,
    pub secret: Option<Vec<u8>>,
}

/// The columns of an AI LLM; `a` is the table.
macro_rules! columns {
    () => {
        "a.id, a.org_id, a.workspace_id, a.user_id, a.name, a.ai_type, a.endpoint, a.shown_key,
         a.created_at"
    };
}

pub async fn insert(
    db: impl AnyExecutor<'_>,
    llm: &AiLlm,
    sealed: &Sealed,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ai_llms (id, org_id, workspace_id, user_id, name, ai_type, endpoint,
             shown_key, sealed_key, sealed_secret, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(llm.id.to_string())
    .bind(llm.org.to_string())
    .bind(llm.workspace.to_string())
    .bind(llm.user.to_string())
    .bind(&llm.name)
    .bind(llm.ai_type.as_str())
    .bind(&llm.endpoint)
    .bind(&llm.shown_key)
    .bind(&sealed.key)
    .bind(&sealed.secret)
    .bind(llm.created_at.micros())
    .execute(db)
    .await
    .map(drop)
}

/// The AI LLM, and the caller's role in its workspace, when they are a member.
pub async fn get(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    id: AiLlmId,
) -> Result<Option<(AiLlm, Option<Role>)>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", COALESCE(m.role, '') AS role
         FROM ai_llms a
         LEFT JOIN workspace_users m ON m.workspace_id = a.workspace_id AND m.user_id = $3
         WHERE a.id = $1 AND a.org_id = $2"
    ))
    .bind(id.to_string())
    .bind(caller.org.to_string())
    .bind(caller.user.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| Ok((from_row(&row)?, known(&row, "role", |text| Some(Role::parse(text)))?)))
    .transpose()
}

/// Those of the workspace that are called so.
pub async fn find(
    db: impl AnyExecutor<'_>,
    workspace: WorkspaceId,
    which: &IdOrName,
) -> Result<Vec<AiLlmId>, sqlx::Error> {
    let (by, value) = which.column();
    sqlx::query(AssertSqlSafe(format!(
        "SELECT id FROM ai_llms WHERE workspace_id = $1 AND {by} = $2"
    )))
    .bind(workspace.to_string())
    .bind(value)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| parsed(row, "id"))
    .collect()
}

/// What the caller can see, in order of ids; one more than `limit`, if there is one.
pub async fn list(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    filter: &ListFilter,
) -> Result<Vec<AiLlm>, sqlx::Error> {
    sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM ai_llms a
         WHERE a.org_id = $1
           AND ($2 = 1 OR EXISTS (SELECT 1 FROM workspace_users m
                WHERE m.workspace_id = a.workspace_id AND m.user_id = $3))
           AND (CAST($4 AS TEXT) IS NULL OR a.workspace_id = $4)
           AND (CAST($5 AS TEXT) IS NULL OR a.id > $5)
         ORDER BY a.id LIMIT $6"
    ))
    .bind(caller.org.to_string())
    .bind(i64::from(caller.sees_all_workspaces()))
    .bind(caller.user.to_string())
    .bind(filter.workspace.map(|id| id.to_string()))
    .bind(filter.after.as_ref().map(Uuid::to_string))
    .bind(i64::from(filter.limit) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Writes all that can change. What `sealed` leaves out stays.
pub async fn update(
    db: impl AnyExecutor<'_>,
    llm: &AiLlm,
    sealed: &Sealed,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE ai_llms SET name = $2, ai_type = $3, endpoint = $4, shown_key = $5,
             sealed_key = COALESCE($6, sealed_key), sealed_secret = COALESCE($7, sealed_secret)
         WHERE id = $1",
    )
    .bind(llm.id.to_string())
    .bind(&llm.name)
    .bind(llm.ai_type.as_str())
    .bind(&llm.endpoint)
    .bind(&llm.shown_key)
    .bind(&sealed.key)
    .bind(&sealed.secret)
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

pub async fn delete(db: impl AnyExecutor<'_>, id: AiLlmId) -> Result<bool, sqlx::Error> {
    sqlx::query("DELETE FROM ai_llms WHERE id = $1")
        .bind(id.to_string())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

pub async fn count(db: impl AnyExecutor<'_>, org: OrgId) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) AS n FROM ai_llms WHERE org_id = $1")
        .bind(org.to_string())
        .fetch_one(db)
        .await?
        .try_get("n")
}

fn from_row(row: &AnyRow) -> Result<AiLlm, sqlx::Error> {
    Ok(AiLlm {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        workspace: parsed(row, "workspace_id")?,
        user: parsed(row, "user_id")?,
        name: row.try_get("name")?,
        ai_type: known(row, "ai_type", AiType::parse)?,
        endpoint: row.try_get("endpoint")?,
        shown_key: row.try_get("shown_key")?,
        created_at: time(row, "created_at")?,
    })
}
