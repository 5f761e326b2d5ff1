//! What receivers are told, and how they can trust it.

use std::time::{SystemTime, UNIX_EPOCH};

use repoplane_client::types::{EditSourceRepoRequest, WebhookEventType};

use super::{all_delivered, deliveries_when, secret, set};
use crate::support::Server;
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, delete, diff, pairs, rename, write};

#[tokio::test]
async fn each_change_is_told_signed_and_with_the_token() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    set(&owner, None, receiver.url(), Some("let-me-in")).await.expect("set");
    let key = secret(&owner, None).await;

    let repo = Repo::create(&owner, &[("a", "1"), ("b", "1")]).await;
    let created = receiver.next().await;
    assert!(created.is_signed_with(&key));
    assert_eq!(created.header("authorization"), "Bearer let-me-in");
    assert_eq!(created.header("content-type"), "application/json");
    assert!(created.header("user-agent").starts_with("Repoplane/"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let sent: u64 = created.header("webhook-timestamp").parse().expect("seconds");
    assert!(now.abs_diff(sent) <= 60, "{sent}");
    let event = created.event();
    assert_eq!((event.type_, event.data.repo_id), (WebhookEventType::RepoCreated, repo.id));
    assert_eq!(event.data.workspace_id, repo.record().await.workspace_id);
    let head = repo.head().await;
    assert_eq!((event.data.before, event.data.after), (None, Some(head.clone())));
    assert_eq!(event.data.ref_.as_deref(), Some("refs/heads/main"));

    let edit = vec![write("c", "1"), rename("a", "d"), delete("b")];
    let after = repo.diff(edit).await.expect("an edit").repo_head;
    let pushed = receiver.next().await;
    assert!(pushed.is_signed_with(&key) && pushed.id() != created.id());
    let event = pushed.event();
    assert_eq!((event.type_, event.data.repo_id), (WebhookEventType::RepoPushed, repo.id));
    assert_eq!(event.data.ref_.as_deref(), Some("refs/heads/main"));
    assert_eq!((event.data.before, event.data.after), (Some(head), Some(after)));
    let files: Vec<String> = ["c", "d", "b"].map(str::to_owned).into();
    assert_eq!(event.data.changed_files, Some(files));

    repo.delete().await.expect("deleted");
    let event = receiver.next_event().await;
    assert_eq!((event.type_, event.data.repo_id), (WebhookEventType::RepoDeleted, repo.id));
    assert_eq!((event.data.ref_, event.data.before, event.data.after), (None, None, None));
    let log = deliveries_when(&owner, None, all_delivered).await;
    assert_eq!(log.len(), 3);
    for (delivery, told) in log.iter().rev().zip([&created, &pushed]) {
        assert_eq!(delivery.id, told.id());
        // The very words.
        let logged = serde_json::to_value(&delivery.event).expect("JSON");
        let sent: serde_json::Value = serde_json::from_slice(&told.body).expect("JSON");
        assert_eq!(logged, sent);
        assert_eq!((delivery.attempts, delivery.response_status), (1, Some(204)));
        assert!(delivery.error.is_none() && delivery.next_attempt_at.is_none());
    }
    server.stop().await;
}

/// An edit that moves nothing has nothing to tell; those that share a transaction are told one by
/// one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_move_of_the_head_is_told_once_and_nothing_else() {
    const EDITS: usize = 30;
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let repo = Repo::create(&owner, &[("a", "1")]).await;
    set(&owner, Some(repo.id), receiver.url(), None).await.expect("set");
    let first = repo.head().await;
    repo.diff(vec![write("a", "1")]).await.expect("nothing changes");
    let metadata = Some(pairs(&[("k", "v")]));
    let request = EditSourceRepoRequest { metadata: metadata.clone(), ..Default::default() };
    repo.send(request).await.expect("metadata alone");
    repo.refuses(vec![delete("absent")]).await;
    let names: Vec<_> = (0..EDITS).map(|edit| edit.to_string()).collect();
    let edits = names.iter().map(|name| repo.diff(vec![write(name, name)]));
    for done in futures::future::join_all(edits).await {
        done.expect("an edit");
    }
    let both = EditSourceRepoRequest { metadata, ..diff(vec![write("a", "2")]) };
    let last = repo.send(both).await.expect("an edit with metadata").repo_head;

    let mut told = Vec::new();
    for _ in 0..=EDITS {
        let received = receiver.next().await;
        assert!(!received.headers.contains_key("authorization"));
        told.push((received.id(), received.event().data));
    }
    // Ids follow the order of what happened, whatever the order of arrival.
    told.sort_by_key(|(id, _)| *id);
    let mut head = Some(first);
    for (_, data) in &told {
        assert_eq!(data.before, head);
        head.clone_from(&data.after);
    }
    assert_eq!(head, Some(last));
    let mut files: Vec<_> =
        told.iter().flat_map(|(_, data)| data.changed_files.clone().expect("files")).collect();
    files.sort();
    let mut expected = names;
    expected.push("a".to_owned());
    expected.sort();
    assert_eq!(files, expected);
    deliveries_when(&owner, Some(repo.id), all_delivered).await;
    assert_eq!(receiver.rest().len(), 0, "nothing is told twice");
    server.stop().await;
}

#[tokio::test]
async fn an_event_stays_small_whatever_changed() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let many = |n: usize| (0..n).map(|n| write(&format!("{n}"), "x")).collect::<Vec<_>>();
    let long = |n: usize| {
        let name = |at: usize| format!("{}/{at}", vec!["a".repeat(250); 4].join("/"));
        (0..n).map(|at| write(&name(at), "x")).collect::<Vec<_>>()
    };
    for (edit, named) in
        [(many(100), true), (many(201), false), (long(16), true), (long(40), false)]
    {
        let length = edit.len();
        let fresh = Repo::create(&owner, &[]).await;
        set(&owner, Some(fresh.id), receiver.url(), None).await.expect("set");
        fresh.diff(edit).await.expect("an edit");
        let received = receiver.next().await;
        let files = received.event().data.changed_files.map(|files| files.len());
        assert_eq!(files, named.then_some(length));
        assert!(received.body.len() < 20 * 1_024, "{}", received.body.len());
    }
    server.stop().await;
}
