//! Table `webhook_deliveries`: the outbox of webhooks, and the log of what became of it.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, AnyPool, Row};

use super::row::{decode, parsed, time, time_option};
use crate::model::id::{EventId, WebhookId};
use crate::model::page::{Page, PageRequest};
use crate::model::time::Timestamp;
use crate::model::webhook::{DELIVERIES_MAX, Delivery, Event, Outcome};

const COLUMNS: &str = "id, event, created_at, due_at, attempts, attempted_at, delivered_at, answer,
     error";

/// Queues an event for a webhook, due at once.
pub async fn queue(
    tx: &mut AnyConnection,
    webhook: WebhookId,
    id: EventId,
    event: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO webhook_deliveries (webhook_id, id, event, created_at, queued_at, due_at,
                                         attempts)
         VALUES ($1, $2, $3, $4, $4, $4, 0)",
    )
    .bind(webhook.to_string())
    .bind(id.to_string())
    .bind(event)
    .bind(now.micros())
    .execute(tx)
    .await
    .map(drop)
}

/// What is due for a webhook, in order of time.
pub async fn due(
    db: &AnyPool,
    webhook: WebhookId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<(Delivery, String)>, sqlx::Error> {
    let some = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM webhook_deliveries WHERE webhook_id = $1 AND due_at <= $2
         ORDER BY due_at, id LIMIT $3"
    ));
    sqlx::query(some)
        .bind(webhook.to_string())
        .bind(now.micros())
        .bind(most)
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| Ok((from_row(row)?, row.try_get("event")?)))
        .collect()
}

/// Notes what an attempt came to.
pub async fn settle(
    db: impl AnyExecutor<'_>,
    webhook: WebhookId,
    id: EventId,
    outcome: &Outcome,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE webhook_deliveries SET attempts = attempts + 1, attempted_at = $3, answer = $4,
                error = $5, due_at = $6,
                delivered_at = CASE WHEN CAST($5 AS TEXT) IS NULL THEN $3 ELSE NULL END
         WHERE webhook_id = $1 AND id = $2",
    )
    .bind(webhook.to_string())
    .bind(id.to_string())
    .bind(outcome.at.micros())
    .bind(outcome.answer)
    .bind(&outcome.error)
    .bind(outcome.again_at.map(Timestamp::micros))
    .execute(db)
    .await
    .map(drop)
}

/// Queues a delivery again; false when there is none.
pub async fn queue_again(
    db: impl AnyExecutor<'_>,
    webhook: WebhookId,
    id: EventId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE webhook_deliveries SET queued_at = $3, due_at = $3, attempts = 0,
                delivered_at = NULL
         WHERE webhook_id = $1 AND id = $2",
    )
    .bind(webhook.to_string())
    .bind(id.to_string())
    .bind(now.micros())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// The log of a webhook, newest event first.
pub async fn list(
    db: &AnyPool,
    webhook: WebhookId,
    page: PageRequest,
) -> Result<Page<Delivery>, sqlx::Error> {
    let total: i64 =
        sqlx::query("SELECT COUNT(*) AS n FROM webhook_deliveries WHERE webhook_id = $1")
            .bind(webhook.to_string())
            .fetch_one(db)
            .await?
            .try_get("n")?;
    let some = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM webhook_deliveries WHERE webhook_id = $1
         ORDER BY id DESC LIMIT $2 OFFSET $3"
    ));
    let items = sqlx::query(some)
        .bind(webhook.to_string())
        .bind(page.size)
        .bind(page.start)
        .fetch_all(db)
        .await?
        .iter()
        .map(from_row)
        .collect::<Result<_, _>>()?;
    Ok(Page { items, total, next: page.next(total) })
}

/// Gives up what has been waiting since before `queued_before`.
pub async fn give_up(
    db: impl AnyExecutor<'_>,
    queued_before: Timestamp,
    error: &str,
) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "UPDATE webhook_deliveries SET due_at = NULL, error = COALESCE(error, $2)
         WHERE queued_at < $1 AND due_at IS NOT NULL",
    )
    .bind(queued_before.micros())
    .bind(error)
    .execute(db)
    .await
    .map(|done| done.rows_affected())
}

/// Removes at most `most` of what was queued before, and of what belongs to no webhook any more.
pub async fn clear(
    db: impl AnyExecutor<'_>,
    queued_before: Timestamp,
    most: i64,
) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "DELETE FROM webhook_deliveries WHERE (webhook_id, id) IN (
             SELECT d.webhook_id, d.id FROM webhook_deliveries d
             LEFT JOIN webhooks w ON w.id = d.webhook_id
             WHERE d.queued_at < $1 OR w.id IS NULL LIMIT $2)",
    )
    .bind(queued_before.micros())
    .bind(most)
    .execute(db)
    .await
    .map(|done| done.rows_affected())
}

/// Webhooks that have more than [`DELIVERIES_MAX`].
pub async fn crowded(db: impl AnyExecutor<'_>) -> Result<Vec<WebhookId>, sqlx::Error> {
    sqlx::query(
        "SELECT webhook_id FROM webhook_deliveries GROUP BY webhook_id HAVING COUNT(*) > $1",
    )
    .bind(DELIVERIES_MAX)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| parsed(row, "webhook_id"))
    .collect()
}

/// Removes all but the newest [`DELIVERIES_MAX`] of a webhook.
pub async fn trim(db: impl AnyExecutor<'_>, webhook: WebhookId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND id <= (
             SELECT id FROM webhook_deliveries WHERE webhook_id = $1
             ORDER BY id DESC LIMIT 1 OFFSET $2)",
    )
    .bind(webhook.to_string())
    .bind(DELIVERIES_MAX)
    .execute(db)
    .await
    .map(drop)
}

fn from_row(row: &AnyRow) -> Result<Delivery, sqlx::Error> {
    let event: &str = row.try_get("event")?;
    let event: Event = serde_json::from_str(event).map_err(|error| decode("event", error))?;
    Ok(Delivery {
        id: parsed(row, "id")?,
        event,
        created_at: time(row, "created_at")?,
        due_at: time_option(row, "due_at")?,
        attempts: row.try_get("attempts")?,
        attempted_at: time_option(row, "attempted_at")?,
        delivered_at: time_option(row, "delivered_at")?,
        answer: row.try_get("answer")?,
        error: row.try_get("error")?,
    })
}
