//! Table `orgs`.

use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};

use super::row::{parsed, time};
use crate::model::id::OrgId;
use crate::model::org::Org;

pub async fn insert(db: impl AnyExecutor<'_>, org: &Org) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO orgs (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(org.id.to_string())
        .bind(&org.name)
        .bind(org.created_at.micros())
        .execute(db)
        .await
        .map(drop)
}

pub async fn list(db: impl AnyExecutor<'_>) -> Result<Vec<Org>, sqlx::Error> {
    sqlx::query("SELECT id, name, created_at FROM orgs ORDER BY created_at, id")
        .fetch_all(db)
        .await?
        .iter()
        .map(from_row)
        .collect()
}

pub async fn find(db: impl AnyExecutor<'_>, name: &str) -> Result<Option<Org>, sqlx::Error> {
    sqlx::query("SELECT id, name, created_at FROM orgs WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// Keeps others from holding the organisation until the transaction ends.
pub async fn hold(db: impl AnyExecutor<'_>, id: OrgId) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE orgs SET name = name WHERE id = $1")
        .bind(id.to_string())
        .execute(db)
        .await
        .map(drop)
}

fn from_row(row: &AnyRow) -> Result<Org, sqlx::Error> {
    Ok(Org {
        id: parsed(row, "id")?,
        name: row.try_get("name")?,
        created_at: time(row, "created_at")?,
    })
}
