//! Setting webhooks, and what is never read back.

use super::{all_delivered, deliveries, deliveries_when, get, redeliver, remove, secret, set};
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, write};
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn a_webhook_is_set_read_and_removed() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let (mut first, mut second) = (Receiver::start().await, Receiver::start().await);
    let repo = Repo::create(&owner, &[]).await;
    for place in [None, Some(repo.id)] {
        assert_eq!(get(&owner, place).await.expect_err("not set").status, 404);
        assert_eq!(remove(&owner, place).await.expect_err("not set").status, 404);
        set(&owner, place, first.url(), Some("secret-token-1")).await.expect("set");
        let webhook = get(&owner, place).await.expect("set");
        assert_eq!((webhook.url.as_str(), webhook.has_token), (first.url(), true));
        repo.put("a", format!("{place:?} 1")).await.expect("an edit");
        assert_eq!(first.next().await.header("authorization"), "Bearer secret-token-1");
        // What is set again is set whole.
        set(&owner, place, second.url(), None).await.expect("set again");
        let again = get(&owner, place).await.expect("set");
        assert_eq!((again.url.as_str(), again.has_token), (second.url(), false));
        assert!(again.updated_at > webhook.updated_at);
        repo.put("a", format!("{place:?} 2")).await.expect("an edit");
        assert!(!second.next().await.headers.contains_key("authorization"));

        let told = deliveries_when(&owner, place, all_delivered).await;
        assert_eq!(told.len(), 2);
        remove(&owner, place).await.expect("removed");
        assert_eq!(get(&owner, place).await.expect_err("removed").status, 404);
        let id = told[0].id;
        assert_eq!(redeliver(&owner, place, id).await.expect_err("removed").status, 404);
        repo.put("a", format!("{place:?} 3")).await.expect("an edit");
        // Its log went with it.
        set(&owner, place, first.url(), None).await.expect("set");
        assert_eq!(deliveries(&owner, place).await.total_items, 0);
        remove(&owner, place).await.expect("removed");
    }
    assert_eq!((first.rest().len(), second.rest().len()), (0, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_new_signing_secret_signs_beside_the_one_before() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    set(&owner, None, receiver.url(), None).await.expect("set");
    let first = secret(&owner, None).await;
    let repo = Repo::create(&owner, &[]).await;
    let one = receiver.next().await;
    // Beside the one that nobody has seen.
    assert!(one.is_signed_with(&first));
    assert_eq!(one.header("webhook-signature").split(' ').count(), 2);

    let second = secret(&owner, None).await;
    assert_ne!(first, second);
    set(&owner, None, receiver.url(), None).await.expect("the secret stays");
    repo.put("a", "1").await.expect("an edit");
    let both = receiver.next().await;
    assert!(both.is_signed_with(&first) && both.is_signed_with(&second));
    let third = secret(&owner, None).await;
    repo.put("a", "2").await.expect("an edit");
    let latest = receiver.next().await;
    assert!(latest.is_signed_with(&second) && latest.is_signed_with(&third));
    assert!(!latest.is_signed_with(&first));
    // A webhook that is made anew has another one.
    remove(&owner, None).await.expect("removed");
    set(&owner, None, receiver.url(), None).await.expect("set");
    repo.put("a", "3").await.expect("an edit");
    let anew = receiver.next().await;
    assert!([first, second, third].iter().all(|old| !anew.is_signed_with(old)));
    server.stop().await;
}

#[tokio::test]
async fn what_a_webhook_cannot_be_is_refused() {
    let server = Server::beside_receivers().await;
    let long = format!("http://127.0.0.1/{}", "a".repeat(2_083));
    let (fine, long_token) = ("http://127.0.0.1:9/", "t".repeat(1_025));
    for (field, body) in [
        ("url", serde_json::json!({"url": ""})),
        ("url", serde_json::json!({"url": long})),
        ("url", serde_json::json!({"url": null})),
        ("url", serde_json::json!({"url": "http://127.0.0.1/\u{0}"})),
        ("url", serde_json::json!({"token": "t"})),
        ("token", serde_json::json!({"url": fine, "token": "two words"})),
        ("token", serde_json::json!({"url": fine, "token": "line\nX-Injected: 1"})),
        ("token", serde_json::json!({"url": fine, "token": "tökén"})),
        ("token", serde_json::json!({"url": fine, "token": long_token})),
        ("secret", serde_json::json!({"url": fine, "secret": "whsec_"})),
    ] {
        let request = reqwest::Client::new().put(format!("{}/v1/repo_webhook", server.url()));
        let answer = request.bearer_auth(OWNER_TOKEN).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 422, "{body}");
        let answer: serde_json::Value = answer.json().await.expect("JSON");
        assert!(answer["message"].as_str().expect("a message").contains(field), "{answer}");
    }
    assert_eq!(get(&server.owner(), None).await.expect_err("not set").status, 404);
    set(&server.owner(), None, fine, Some("")).await.expect("an empty token is none");
    assert!(!get(&server.owner(), None).await.expect("set").has_token);
    server.stop().await;
}

/// A repo that is gone still tells of it, and then its webhook goes as well.
#[tokio::test]
async fn the_webhook_of_a_deleted_repo_tells_of_it_and_is_gone() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let repo = Repo::create(&owner, &[]).await;
    set(&owner, Some(repo.id), receiver.url(), None).await.expect("set");
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    receiver.next().await;
    repo.delete().await.expect("deleted");
    let event = receiver.next_event().await;
    assert_eq!(event.type_, repoplane_client::types::WebhookEventType::RepoDeleted);
    assert_eq!(get(&owner, Some(repo.id)).await.expect_err("the repo is gone").status, 404);
    let (services, begun) = (server.services(), std::time::Instant::now());
    let count = async || -> i64 {
        let now = repoplane::model::time::Timestamp::now();
        repoplane::service::webhooks::tidy(services, now).await.expect("tidy");
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM webhooks");
        count.fetch_one(services.store.read()).await.expect("a count")
    };
    while count().await > 0 {
        assert!(begun.elapsed().as_secs() < 60, "the webhook stays");
    }
    server.stop().await;
}
