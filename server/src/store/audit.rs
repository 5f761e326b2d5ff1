//! Table `audit_events`: lines are added in the transaction they tell of, and never changed.

use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};

use super::row::{decode, parsed, parsed_option, time};
use crate::model::access::Caller;
use crate::model::audit::{ACTIONS, CONTEXTS, Event, EventFilter, NewEvent};
use crate::model::page::Page;
use crate::model::time::Timestamp;

pub async fn insert(db: impl AnyExecutor<'_>, event: &NewEvent) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit_events
             (at, org_id, user_id, context, context_id, action, workspace_id, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(Timestamp::now().micros())
    .bind(event.org.to_string())
    .bind(event.user.map(|id| id.to_string()))
    .bind(event.context as i64)
    .bind(&event.context_id)
    .bind(event.action as i64)
    .bind(event.workspace.map(|id| id.to_string()))
    .bind(&event.data)
    .execute(db)
    .await
    .map(drop)
}

/// Lines and conditions shared by the page and its total. Who does not
/// see all sees the lines of the workspaces they belong to, and their own.
const MATCHING: &str = "FROM audit_events e LEFT JOIN users u ON u.id = e.user_id
    WHERE e.org_id = $1
      AND ($2 = 1 OR e.user_id = $3 OR EXISTS (SELECT 1 FROM workspace_users m
           WHERE m.workspace_id = e.workspace_id AND m.user_id = $3))
      AND (CAST($4 AS BIGINT) IS NULL OR e.at >= $4)
      AND (CAST($5 AS BIGINT) IS NULL OR e.at < $5)
      AND (CAST($6 AS BIGINT) IS NULL OR e.context = $6)
      AND (CAST($7 AS TEXT) IS NULL OR e.context_id = $7)
      AND (CAST($8 AS BIGINT) IS NULL OR e.action = $8)
      AND (CAST($9 AS TEXT) IS NULL OR e.user_id = $9)
      AND (CAST($10 AS TEXT) IS NULL OR e.workspace_id = $10)";

/// The newest lines first.
pub async fn list(
    db: &sqlx::AnyPool,
    caller: &Caller,
    filter: &EventFilter,
) -> Result<Page<Event>, sqlx::Error> {
    let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n {MATCHING}"));
    let total: i64 = bind(sqlx::query(count), caller, filter).fetch_one(db).await?.try_get("n")?;
    let page = sqlx::AssertSqlSafe(format!(
        "SELECT e.id, e.at, e.org_id, e.user_id, e.context, e.context_id, e.action,
                e.workspace_id, e.data, TRIM(COALESCE(u.name, '') || ' ' || COALESCE(u.last_name, '')) AS user_name,
                COALESCE(u.email, '') AS user_email
         {MATCHING} ORDER BY e.id DESC LIMIT $11 OFFSET $12"
    ));
    let items: Vec<Event> = bind(sqlx::query(page), caller, filter)
        .bind(filter.take)
        .bind(filter.skip)
        .fetch_all(db)
        .await?
        .iter()
        .map(from_row)
        .collect::<Result<_, _>>()?;
    Ok(Page { items, total, next: None })
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind<'q>(query: Query<'q>, caller: &Caller, filter: &EventFilter) -> Query<'q> {
    query
        .bind(caller.org.to_string())
        .bind(i64::from(caller.sees_all_workspaces()))
        .bind(caller.user.to_string())
        .bind(filter.from.map(Timestamp::micros))
        .bind(filter.to.map(Timestamp::micros))
        .bind(filter.context)
        .bind(filter.context_id.clone())
        .bind(filter.action)
        .bind(filter.user.map(|id| id.to_string()))
        .bind(filter.workspace.map(|id| id.to_string()))
}

fn from_row(row: &AnyRow) -> Result<Event, sqlx::Error> {
    Ok(Event {
        id: row.try_get("id")?,
        at: time(row, "at")?,
        org: parsed(row, "org_id")?,
        user: parsed_option(row, "user_id")?,
        user_name: row.try_get("user_name")?,
        user_email: row.try_get("user_email")?,
        context: word(row, "context", &CONTEXTS)?,
        context_id: row.try_get("context_id")?,
        action: word(row, "action", &ACTIONS)?,
        workspace: parsed_option(row, "workspace_id")?,
        data: row.try_get("data")?,
    })
}

fn word(row: &AnyRow, column: &str, words: &[&'static str]) -> Result<&'static str, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    usize::try_from(number)
        .ok()
        .and_then(|index| words.get(index).copied())
        .ok_or_else(|| decode(column, format!("unknown number {number}")))
}
