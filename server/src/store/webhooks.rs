//! Table `webhooks`: who is told of changes of source repos, and which process tells them.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::row::{parsed, parsed_option, time, time_option};
use crate::model::access::OrgRole;
use crate::model::id::{SourceRepoId, WebhookId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::webhook::{LEASE, Slot, Webhook};

const COLUMNS: &str = "id, org_id, user_id, repo_id, url, sealed_token, sealed_secret,
     sealed_former, former_until, updated_at";
/// The webhook of a slot, of which $1 is the user and $2 the repo.
const IN_SLOT: &str = "(CAST($1 AS TEXT) IS NOT NULL AND repo_id IS NULL AND user_id = $1
     OR CAST($2 AS TEXT) IS NOT NULL AND repo_id = $2)";

pub async fn get(db: impl AnyExecutor<'_>, slot: Slot) -> Result<Option<Webhook>, sqlx::Error> {
    let one = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM webhooks WHERE {IN_SLOT}"));
    let (user, repo) = columns(slot);
    let row = sqlx::query(one).bind(user).bind(repo).fetch_optional(db).await?;
    row.map(|row| from_row(&row)).transpose()
}

/// Writes a new webhook; false when there is one in its place.
pub async fn insert(db: impl AnyExecutor<'_>, webhook: &Webhook) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "INSERT INTO webhooks (id, org_id, user_id, repo_id, url, sealed_token, sealed_secret,
                updated_at, lease_until, silences, rest_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0) ON CONFLICT DO NOTHING",
    )
    .bind(webhook.id.to_string())
    .bind(webhook.org.to_string())
    .bind(webhook.user.to_string())
    .bind(webhook.repo.map(|id| id.to_string()))
    .bind(&webhook.url)
    .bind(webhook.sealed_token.as_deref())
    .bind(webhook.sealed_secret.as_slice())
    .bind(webhook.updated_at.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Points a webhook elsewhere and ends its rest; the signing secret stays. False when it is gone.
pub async fn redirect(db: impl AnyExecutor<'_>, webhook: &Webhook) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE webhooks SET user_id = $2, url = $3, sealed_token = $4, updated_at = $5,
                silences = 0, rest_until = 0
         WHERE id = $1",
    )
    .bind(webhook.id.to_string())
    .bind(webhook.user.to_string())
    .bind(&webhook.url)
    .bind(webhook.sealed_token.as_deref())
    .bind(webhook.updated_at.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Replaces the signing secret; the one before counts until `former_until`.
pub async fn rotate(
    db: impl AnyExecutor<'_>,
    id: WebhookId,
    sealed: &[u8],
    former_until: Timestamp,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE webhooks SET sealed_former = sealed_secret, former_until = $3,
                sealed_secret = $2, updated_at = $4
         WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(sealed)
    .bind(former_until.micros())
    .bind(now.micros())
    .execute(db)
    .await
    .map(drop)
}

/// Removes a webhook with its deliveries; false when there is none.
pub async fn remove(tx: &mut AnyConnection, slot: Slot) -> Result<bool, sqlx::Error> {
    let (user, repo) = columns(slot);
    let deliveries = sqlx::AssertSqlSafe(format!(
        "DELETE FROM webhook_deliveries
         WHERE webhook_id IN (SELECT id FROM webhooks WHERE {IN_SLOT})"
    ));
    sqlx::query(deliveries).bind(&user).bind(&repo).execute(&mut *tx).await?;
    let webhook = sqlx::AssertSqlSafe(format!("DELETE FROM webhooks WHERE {IN_SLOT}"));
    let gone = sqlx::query(webhook).bind(user).bind(repo).execute(tx).await?;
    Ok(gone.rows_affected() > 0)
}

/// The repo's workspace, with each webhook that is told of its changes: its own one, and those of
/// users who see it.
pub async fn listening(
    tx: &mut AnyConnection,
    repo: SourceRepoId,
) -> Result<Vec<(WebhookId, WorkspaceId)>, sqlx::Error> {
    sqlx::query(
        "SELECT w.id, r.workspace_id FROM source_repos r
         JOIN webhooks w ON w.repo_id = r.id WHERE r.id = $1
         UNION ALL
         SELECT w.id, r.workspace_id FROM source_repos r
         JOIN webhooks w ON w.org_id = r.org_id AND w.repo_id IS NULL
         JOIN users u ON u.id = w.user_id AND u.deleted_at IS NULL
         WHERE r.id = $1 AND (u.org_role >= $2 OR EXISTS (SELECT 1 FROM workspace_users m
               WHERE m.workspace_id = r.workspace_id AND m.user_id = u.id))",
    )
    .bind(repo.to_string())
    .bind(i64::from(OrgRole::Administrator.code()))
    .fetch_all(tx)
    .await?
    .iter()
    .map(|row| Ok((parsed(row, "id")?, parsed(row, "workspace_id")?)))
    .collect()
}

/// A webhook that has something due, rests from nothing and nobody sends to; the one that has
/// waited longest.
pub async fn due(
    db: impl AnyExecutor<'_>,
    now: Timestamp,
) -> Result<Option<WebhookId>, sqlx::Error> {
    sqlx::query(
        "SELECT f.id FROM (
             SELECT w.id, (SELECT MIN(d.due_at) FROM webhook_deliveries d
                 WHERE d.webhook_id = w.id AND d.due_at <= $1) AS due_at
             FROM webhooks w WHERE w.lease_until <= $1 AND w.rest_until <= $1) f
         WHERE f.due_at IS NOT NULL ORDER BY f.due_at LIMIT 1",
    )
    .bind(now.micros())
    .fetch_optional(db)
    .await?
    .map(|row| parsed(&row, "id"))
    .transpose()
}

/// Takes a webhook for [`LEASE`]; nothing when somebody was faster. Also how often in a row nobody
/// has answered there.
pub async fn claim(
    db: impl AnyExecutor<'_>,
    id: WebhookId,
    owner: &str,
    now: Timestamp,
) -> Result<Option<(Webhook, i64)>, sqlx::Error> {
    let taken = sqlx::AssertSqlSafe(format!(
        "UPDATE webhooks SET lease_owner = $2, lease_until = $3
         WHERE id = $1 AND lease_until <= $4 AND rest_until <= $4
         RETURNING {COLUMNS}, silences"
    ));
    sqlx::query(taken)
        .bind(id.to_string())
        .bind(owner)
        .bind(now.plus(LEASE).micros())
        .bind(now.micros())
        .fetch_optional(db)
        .await?
        .map(|row| Ok((from_row(&row)?, row.try_get("silences")?)))
        .transpose()
}

/// Gives a webhook back, to be left alone until `rest_until`.
pub async fn release(
    db: impl AnyExecutor<'_>,
    id: WebhookId,
    owner: &str,
    silences: i64,
    rest_until: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE webhooks SET lease_owner = NULL, lease_until = 0, silences = $3, rest_until = $4
         WHERE id = $1 AND lease_owner = $2",
    )
    .bind(id.to_string())
    .bind(owner)
    .bind(silences)
    .bind(rest_until.micros())
    .execute(db)
    .await
    .map(drop)
}

/// Frees what a process that is gone held; only for whoever is alone on the database.
pub async fn release_all(db: impl AnyExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE webhooks SET lease_owner = NULL, lease_until = 0 WHERE lease_until > 0")
        .execute(db)
        .await
        .map(drop)
}

/// Ends a rest, since somebody wants to know now.
pub async fn wake(db: impl AnyExecutor<'_>, id: WebhookId) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE webhooks SET rest_until = 0 WHERE id = $1")
        .bind(id.to_string())
        .execute(db)
        .await
        .map(drop)
}

/// Removes webhooks of repos that are gone, once all they were to be told is settled.
pub async fn remove_orphans(db: impl AnyExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM webhooks WHERE repo_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM source_repos r
               WHERE r.id = webhooks.repo_id AND r.deleted_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d
               WHERE d.webhook_id = webhooks.id AND d.due_at IS NOT NULL)",
    )
    .execute(db)
    .await
    .map(drop)
}

fn columns(slot: Slot) -> (Option<String>, Option<String>) {
    match slot {
        Slot::User(user) => (Some(user.to_string()), None),
        Slot::Repo(repo) => (None, Some(repo.to_string())),
    }
}

fn from_row(row: &AnyRow) -> Result<Webhook, sqlx::Error> {
    let former: Option<Vec<u8>> = row.try_get("sealed_former")?;
    Ok(Webhook {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        user: parsed(row, "user_id")?,
        repo: parsed_option(row, "repo_id")?,
        url: row.try_get("url")?,
        sealed_token: row.try_get("sealed_token")?,
        sealed_secret: row.try_get("sealed_secret")?,
        former: former.zip(time_option(row, "former_until")?),
        updated_at: time(row, "updated_at")?,
    })
}
