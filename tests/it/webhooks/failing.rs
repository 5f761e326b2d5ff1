//! Receivers that fail: tried again, given up in the end, and no burden to others.

use repoplane::model::time::Timestamp;
use repoplane::model::webhook::{GIVE_UP_AFTER, KEPT};
use repoplane::service::webhooks::tidy;
use repoplane::worker::RECEIVERS_AT_ONCE;
use repoplane_client::types::WebhookDeliveryStatus::{Delivered, Failed, Pending};

use super::{all_delivered, deliveries, deliveries_when, redeliver, set};
use crate::support::Server;
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, write};

#[tokio::test]
async fn what_fails_is_sent_again_with_the_same_id() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let repo = Repo::create(&owner, &[]).await;
    let place = Some(repo.id);
    set(&owner, place, receiver.url(), None).await.expect("set");
    let key = super::secret(&owner, place).await;
    receiver.will_answer(&[500]);
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    let first = receiver.next().await;
    let log = deliveries_when(&owner, place, |log| log[0].attempts == 1).await;
    assert_eq!((log[0].status, log[0].response_status), (Pending, Some(500)));
    assert_eq!(log[0].error.as_deref(), Some("the receiver answered 500"));
    let wait = log[0].next_attempt_at.expect("a time") - log[0].attempted_at.expect("a time");
    assert!((1_500..=2_500).contains(&wait.num_milliseconds()), "{wait}");

    let second = receiver.next().await;
    assert_eq!((second.id(), &second.body), (first.id(), &first.body));
    assert!(second.is_signed_with(&key));
    let log = deliveries_when(&owner, place, all_delivered).await;
    assert_eq!((log.len(), log[0].attempts, log[0].response_status), (1, 2, Some(204)));
    assert_eq!(log[0].error, None);
    server.stop().await;
}

#[tokio::test]
async fn a_receiver_may_ask_for_time_or_to_be_spared() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let repo = Repo::create(&owner, &[]).await;
    let place = Some(repo.id);
    set(&owner, place, receiver.url(), None).await.expect("set");
    receiver.will_answer(&[410]);
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    let spared = receiver.next().await.id();
    let log = deliveries_when(&owner, place, |log| log[0].status == Failed).await;
    assert_eq!((log[0].attempts, log[0].next_attempt_at), (1, None));

    // Asked for by hand, it goes out once more, and is counted anew.
    redeliver(&owner, place, spared).await.expect("again");
    assert_eq!(receiver.next().await.id(), spared);
    let log = deliveries_when(&owner, place, all_delivered).await;
    assert_eq!((log[0].attempts, log[0].status), (1, Delivered));
    redeliver(&owner, place, spared).await.expect("also what has arrived");
    assert_eq!(receiver.next().await.id(), spared);
    let absent = redeliver(&owner, place, uuid::Uuid::now_v7()).await;
    assert_eq!(absent.expect_err("no such delivery").status, 404);

    receiver.will_answer(&[429]);
    deliveries_when(&owner, place, all_delivered).await;
    repo.diff(vec![write("a", "2")]).await.expect("an edit");
    let busy = receiver.next().await.id();
    let log = deliveries_when(&owner, place, |log| log[0].attempts == 1).await;
    assert_eq!((log[0].id, log[0].response_status), (busy, Some(429)));
    assert_eq!(receiver.next().await.id(), busy);
    server.stop().await;
}

/// One that never answers takes neither the place nor the time of others, and not more of either the
/// more there is to tell it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_receiver_holds_up_nobody() {
    const EDITS: usize = 40;
    const SILENT: usize = RECEIVERS_AT_ONCE + 4;
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let (mut silent, mut lively) = (Receiver::start().await, Receiver::start().await);
    silent.will_answer(&[0; 1_000]);
    let mut repos = Vec::new();
    for receiver in [&silent; SILENT].into_iter().chain([&lively]) {
        let repo = Repo::create(&owner, &[]).await;
        set(&owner, Some(repo.id), receiver.url(), None).await.expect("set");
        repos.push(repo);
    }
    for repo in &repos[..SILENT] {
        repo.diff(vec![write("a", "1")]).await.expect("an edit");
    }
    // All that may be sent to at a time are, and none of them answers.
    for _ in 0..RECEIVERS_AT_ONCE {
        silent.next().await;
    }
    let last = repos.last().expect("the lively one");
    for edit in 0..EDITS {
        last.diff(vec![write("a", &edit.to_string())]).await.expect("an edit");
    }
    for _ in 0..EDITS {
        lively.next().await;
    }
    let log = deliveries_when(&owner, Some(last.id), all_delivered).await;
    let waited = log.iter().map(|l| l.attempted_at.expect("a time") - l.created_at).max();
    assert!(waited.expect("deliveries").num_seconds() < 30, "{waited:?}");
    let mut unanswered = Vec::new();
    for repo in &repos[..SILENT] {
        unanswered.extend(deliveries(&owner, Some(repo.id)).await.items);
    }
    assert!(unanswered.iter().all(|delivery| delivery.status == Pending));
    server.stop().await;
}

#[tokio::test]
async fn old_deliveries_are_given_up_and_then_forgotten() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    receiver.will_answer(&[204, 500, 500, 500]);
    let repo = Repo::create(&owner, &[]).await;
    let place = Some(repo.id);
    set(&owner, place, receiver.url(), None).await.expect("set");
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    receiver.next().await;
    deliveries_when(&owner, place, all_delivered).await;
    repo.diff(vec![write("a", "2")]).await.expect("an edit");
    receiver.next().await;
    deliveries_when(&owner, place, |log| log[0].attempts > 0).await;
    let (services, now) = (server.services(), Timestamp::now());

    tidy(services, now).await.expect("nothing is old");
    assert_eq!(deliveries(&owner, place).await.items[0].status, Pending);
    let minute = std::time::Duration::from_mins(1);
    tidy(services, now.plus(GIVE_UP_AFTER + minute)).await.expect("too old to be sent");
    let log = deliveries(&owner, place).await.items;
    assert_eq!((log[0].status, log[1].status), (Failed, Delivered));
    assert_eq!(log[0].error.as_deref(), Some("the receiver answered 500"));
    tidy(services, now.plus(KEPT + minute)).await.expect("too old to be kept");
    assert_eq!(deliveries(&owner, place).await.total_items, 0);
    server.stop().await;
}
