//! Two servers on one database share the telling, and neither tells what the other has told.

use std::collections::BTreeMap;

use super::{all_delivered, deliveries_when, set};
use crate::support::Server;
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, write};

const REPOS: usize = 6;
const EDITS: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_told_once_by_one_of_two_servers() {
    let server = Server::beside_receivers().await;
    let second = server.second().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let mut repos = Vec::new();
    for _ in 0..REPOS {
        let repo = Repo::create(&owner, &[]).await;
        set(&owner, Some(repo.id), receiver.url(), None).await.expect("set");
        repos.push(repo);
    }
    let work = async |repo: &Repo| {
        let there = repo.seen_by(&second.owner());
        for edit in 0..EDITS {
            let at = if edit.is_multiple_of(2) { repo } else { &there };
            at.diff(vec![write("a", &edit.to_string())]).await.expect("an edit");
        }
    };
    futures::future::join_all(repos.iter().map(work)).await;
    let mut told = BTreeMap::new();
    for _ in 0..REPOS * EDITS {
        *told.entry(receiver.next().await.id()).or_insert(0) += 1;
    }
    for repo in &repos {
        let log = deliveries_when(&owner, Some(repo.id), all_delivered).await;
        assert_eq!(log.len(), EDITS);
        assert!(log.iter().all(|delivery| delivery.attempts == 1));
    }
    assert_eq!(told.len(), REPOS * EDITS);
    assert_eq!(receiver.rest().len(), 0);
    second.stop().await;
    server.stop().await;
}
