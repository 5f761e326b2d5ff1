//! Reads usage, added up into groups and pieces of time. A caller gets what is of storage repos that
//! they can see, and nothing else.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AssertSqlSafe, Row};

use super::row::time;
use super::usage::{SUMS, joined, usage};
use crate::model::access::Caller;
use crate::model::stats::{Facet, Group, Question, ROWS_MAX};

/// Which rows count. `u` is the usage, `r` its storage repo. What is at 0 is of no certain time.
const CONDITION: &str = "r.org_id = $1 AND r.deleted_at IS NULL
     AND ($2 = 1 OR EXISTS (SELECT 1 FROM workspace_users m
          WHERE m.workspace_id = r.workspace_id AND m.user_id = $3))
     AND u.at >= $4 AND u.at < $5 AND u.at > 0
     AND CASE WHEN u.bucket_id = '' THEN 0 ELSE 1 END = $6
     AND (CAST($7 AS TEXT) IS NULL OR r.workspace_id = $7)
     AND (CAST($8 AS TEXT) IS NULL OR u.repo_id = $8)
     AND (CAST($9 AS TEXT) IS NULL OR u.key_id = $9)
     AND (COALESCE(CAST($10 AS TEXT), CAST($11 AS TEXT)) IS NULL
          OR $10 LIKE '%,' || u.repo_id || ',%' OR $11 LIKE '%,' || u.bucket_id || ',%')
     AND (CAST($12 AS TEXT) IS NULL OR $12 LIKE '%,' || u.node || ',%')";

/// What tells groups of a facet apart, and the tables that takes.
fn columns(facet: Facet) -> ([&'static str; 3], &'static str) {
    match facet {
        Facet::Whole => (["''", "''", "''"], ""),
        Facet::Workspaces => {
            (["r.workspace_id", "w.name", "''"], "JOIN workspaces w ON w.id = r.workspace_id")
        }
        Facet::Repos => (["r.id", "r.name", "''"], ""),
        Facet::Buckets => (
            ["u.bucket_id", "COALESCE(b.name, '')", "''"],
            "LEFT JOIN buckets b ON b.id = u.bucket_id",
        ),
        Facet::Providers => (
            ["b.storage_type", "COALESCE(b.endpoint, '')", "''"],
            "JOIN buckets b ON b.id = u.bucket_id",
        ),
        Facet::Nodes => (["u.node", "''", "''"], ""),
        Facet::Members => (["u.repo_id", "u.bucket_id", "u.node"], ""),
    }
}

/// In order of time, then of what tells them apart; one more than [`ROWS_MAX`], if there is one.
pub async fn list(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
    question: &Question,
) -> Result<Vec<Group>, sqlx::Error> {
    let ([first, second, third], tables) = columns(question.facet);
    let part = |table: &str| {
        format!(
            "SELECT u.at - u.at % $13 AS slot, {first} AS first, {second} AS second,
                 {third} AS third, u.up, u.down, u.size_change, u.requests, u.failures, u.latency
             FROM {table} u JOIN storage_repos r ON r.id = u.repo_id {tables} WHERE {CONDITION}"
        )
    };
    let mut parts = part("usage_minutes");
    if question.fits_days() {
        parts = format!("{parts} UNION ALL {}", part("usage_days"));
    }
    let slot = question.slot.map(crate::model::usage::micros);
    sqlx::query(AssertSqlSafe(format!(
        "SELECT u.slot, u.first, u.second, u.third, {SUMS} FROM ({parts}) u
         GROUP BY u.slot, u.first, u.second, u.third
         ORDER BY u.slot, u.first, u.second, u.third LIMIT $14"
    )))
    .bind(caller.org.to_string())
    .bind(i64::from(caller.sees_all_workspaces()))
    .bind(caller.user.to_string())
    .bind(question.from.micros())
    .bind(question.until.micros())
    .bind(i64::from(question.at_buckets))
    .bind(question.workspace.map(|id| id.to_string()))
    .bind(question.repo.map(|id| id.to_string()))
    .bind(question.key.map(|id| id.to_string()))
    .bind(question.any_of.repos.as_deref().map(joined))
    .bind(question.any_of.buckets.as_deref().map(joined))
    .bind(question.nodes.as_deref().map(joined))
    // All times are less than that, so there is one piece.
    .bind(slot.unwrap_or(i64::MAX))
    .bind(i64::from(ROWS_MAX) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

fn from_row(row: &AnyRow) -> Result<Group, sqlx::Error> {
    let by = [row.try_get("first")?, row.try_get("second")?, row.try_get("third")?];
    Ok(Group { at: time(row, "slot")?, by, usage: usage(row)? })
}
