//! Webhooks: whoever listens is told of each change, signed, at least once, and nobody else is.

mod backoff;
mod crash;
mod failing;
mod hostile;
mod log;
mod settings;
mod telling;
mod two_servers;
mod visibility;

use repoplane_client::{Client, types};
use uuid::Uuid;

use crate::support::repo::{Answer, answer};

/// Sets the caller's webhook, or that of a repo.
pub async fn set(
    client: &Client,
    repo: Option<Uuid>,
    url: &str,
    token: Option<&str>,
) -> Answer<()> {
    let body = types::SetWebhookRequest {
        url: url.parse().expect("a URL that the contract allows"),
        token: token.map(|token| token.parse().expect("a token that the contract allows")),
    };
    answer(match repo {
        None => client.set_webhook().body(body).send().await,
        Some(repo) => client.set_source_repo_webhook().repo_id(repo).body(body).send().await,
    })
    .map(drop)
}

pub async fn get(client: &Client, repo: Option<Uuid>) -> Answer<types::Webhook> {
    answer(match repo {
        None => client.get_webhook().send().await,
        Some(repo) => client.get_source_repo_webhook().repo_id(repo).send().await,
    })
}

pub async fn remove(client: &Client, repo: Option<Uuid>) -> Answer<()> {
    answer(match repo {
        None => client.delete_webhook().send().await,
        Some(repo) => client.delete_source_repo_webhook().repo_id(repo).send().await,
    })
    .map(drop)
}

/// A fresh signing secret.
pub async fn secret(client: &Client, repo: Option<Uuid>) -> String {
    let made = answer(match repo {
        None => client.create_webhook_secret().send().await,
        Some(repo) => client.create_source_repo_webhook_secret().repo_id(repo).send().await,
    });
    made.expect("a secret").secret
}

pub async fn redeliver(client: &Client, repo: Option<Uuid>, id: Uuid) -> Answer<()> {
    answer(match repo {
        None => client.redeliver_webhook().delivery_id(id).send().await,
        Some(repo) => {
            client.redeliver_source_repo_webhook().repo_id(repo).delivery_id(id).send().await
        }
    })
    .map(drop)
}

/// The log, newest first.
pub async fn deliveries(client: &Client, repo: Option<Uuid>) -> types::WebhookDeliveryPage {
    let log = answer(match repo {
        None => client.list_webhook_deliveries().send().await,
        Some(repo) => client.list_source_repo_webhook_deliveries().repo_id(repo).send().await,
    });
    log.expect("a log")
}

/// The log, once this is true of it: what came of a request is written down after its answer.
pub async fn deliveries_when(
    client: &Client,
    repo: Option<Uuid>,
    settled: impl Fn(&[types::WebhookDelivery]) -> bool,
) -> Vec<types::WebhookDelivery> {
    let begun = std::time::Instant::now();
    loop {
        let log = deliveries(client, repo).await.items;
        if settled(&log) {
            return log;
        }
        assert!(begun.elapsed().as_secs() < 60, "after a minute: {log:#?}");
    }
}

pub fn all_delivered(log: &[types::WebhookDelivery]) -> bool {
    log.iter().all(|delivery| delivery.status == types::WebhookDeliveryStatus::Delivered)
}
