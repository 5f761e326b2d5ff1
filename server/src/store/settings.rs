//! Single values that belong to the whole installation.

use sqlx::Row;
use sqlx::any::AnyExecutor;

/// What was sealed under the master key when the database was made.
pub const MASTER_KEY_CHECK: &str = "master_key_check";

pub async fn get(db: impl AnyExecutor<'_>, name: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query("SELECT value FROM settings WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await?
        .map(|row| row.try_get("value"))
        .transpose()
}

/// Keeps the value that is already there.
pub async fn put_new(
    db: impl AnyExecutor<'_>,
    name: &str,
    value: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(value)
        .execute(db)
        .await
        .map(drop)
}
