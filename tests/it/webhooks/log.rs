//! The log of deliveries: its pages, and what it never grows beyond.

use repoplane::model::id::EventId;
use repoplane::model::time::Timestamp;
use repoplane::model::webhook::DELIVERIES_MAX;
use repoplane::service::webhooks::tidy;
use repoplane::store::webhook_deliveries;
use repoplane_client::types::WebhookDeliveryPage;

use super::{all_delivered, deliveries, deliveries_when, set};
use crate::support::Server;
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, answer, write};

#[tokio::test]
async fn the_log_comes_in_pages_newest_first() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let repo = Repo::create(&owner, &[]).await;
    set(&owner, Some(repo.id), receiver.url(), None).await.expect("set");
    set(&owner, None, receiver.url(), None).await.expect("set");
    let mut heads = Vec::new();
    for edit in 0..5 {
        heads.push(repo.put("a", edit.to_string()).await.expect("an edit").repo_head);
    }
    heads.reverse();
    for _ in 0..10 {
        receiver.next().await;
    }
    deliveries_when(&owner, Some(repo.id), all_delivered).await;
    let heads_of = |page: &WebhookDeliveryPage| -> Vec<_> {
        page.items.iter().map(|l| l.event.data.after.clone().expect("a head")).collect()
    };
    for place in [None, Some(repo.id)] {
        let all = deliveries(&owner, place).await;
        assert_eq!((heads_of(&all), all.total_items, all.next_page), (heads.clone(), 5, None));
    }
    let page = async |start: i64| {
        let page = owner.list_source_repo_webhook_deliveries().repo_id(repo.id).page_start(start);
        let size = std::num::NonZeroU32::new(2).expect("not zero");
        answer(page.page_size(size).send().await).expect("a page")
    };
    for (start, next) in [(0, Some(2)), (2, Some(4)), (4, None)] {
        let page = page(i64::from(start)).await;
        let end = heads.len().min(start as usize + 2);
        assert_eq!(heads_of(&page), heads[start as usize..end]);
        assert_eq!((page.total_items, page.next_page), (5, next));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_log_keeps_the_newest_only() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let repo = Repo::create(&owner, &[]).await;
    set(&owner, Some(repo.id), receiver.url(), None).await.expect("set");
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    receiver.next().await;
    let log = deliveries_when(&owner, Some(repo.id), all_delivered).await;
    let store = &server.services().store;
    let (webhook, event): (String, String) =
        sqlx::query_as("SELECT webhook_id, event FROM webhook_deliveries")
            .fetch_one(store.read())
            .await
            .expect("one delivery");
    let webhook = webhook.parse().expect("an id");
    // Due long after this test.
    let later = Timestamp::now().plus(std::time::Duration::from_hours(1));
    let mut tx = store.begin().await.expect("a transaction");
    let mut newest = Vec::new();
    for _ in 0..DELIVERIES_MAX {
        let id = EventId::new();
        webhook_deliveries::queue(&mut tx, webhook, id, &event, later).await.expect("queued");
        newest.push(id.uuid());
    }
    tx.commit().await.expect("committed");
    assert_eq!(deliveries(&owner, Some(repo.id)).await.total_items, 1 + DELIVERIES_MAX);
    tidy(server.services(), Timestamp::now()).await.expect("tidy");
    let left = deliveries(&owner, Some(repo.id)).await;
    assert_eq!(left.total_items, DELIVERIES_MAX);
    let ids: Vec<_> = left.items.iter().map(|l| l.id).collect();
    newest.reverse();
    assert_eq!(ids, newest[..100]);
    assert!(!newest.contains(&log[0].id));
    server.stop().await;
}
