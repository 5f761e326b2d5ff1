//! Table `users`.

use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};

use super::row::{decode, parsed};
use crate::model::access::OrgRole;
use crate::model::id::{OrgId, UserId};
use crate::model::org::User;
use crate::model::time::Timestamp;

pub async fn insert(
    db: impl AnyExecutor<'_>,
    user: &User,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO users (id, org_id, email, name, last_name, org_role, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.id.to_string())
    .bind(user.org.to_string())
    .bind(&user.email)
    .bind(&user.name)
    .bind(&user.last_name)
    .bind(i64::from(user.org_role.code()))
    .bind(now.micros())
    .execute(db)
    .await
    .map(drop)
}

pub async fn list(db: impl AnyExecutor<'_>, org: OrgId) -> Result<Vec<User>, sqlx::Error> {
    sqlx::query(
        "SELECT id, org_id, email, name, last_name, org_role FROM users
         WHERE org_id = $1 AND deleted_at IS NULL ORDER BY created_at, id",
    )
    .bind(org.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

pub async fn get(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    id: UserId,
) -> Result<Option<User>, sqlx::Error> {
    sqlx::query(
        "SELECT id, org_id, email, name, last_name, org_role FROM users
         WHERE id = $1 AND org_id = $2 AND deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(org.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| from_row(&row))
    .transpose()
}

pub async fn find_by_email(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    email: &str,
) -> Result<Option<User>, sqlx::Error> {
    sqlx::query(
        "SELECT id, org_id, email, name, last_name, org_role FROM users
         WHERE org_id = $1 AND email = $2 AND deleted_at IS NULL",
    )
    .bind(org.to_string())
    .bind(email)
    .fetch_optional(db)
    .await?
    .map(|row| from_row(&row))
    .transpose()
}

/// Marks the user deleted; false when there was none.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    id: UserId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE users SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .bind(now.micros())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// The user in a row that has all columns of `users` under their own names.
pub(super) fn from_row(row: &AnyRow) -> Result<User, sqlx::Error> {
    let code: i64 = row.try_get("org_role")?;
    Ok(User {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        last_name: row.try_get("last_name")?,
        org_role: OrgRole::from_code(code)
            .ok_or_else(|| decode("org_role", format!("unknown role {code}")))?,
    })
}
