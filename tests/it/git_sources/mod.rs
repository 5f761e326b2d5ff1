//! Source repos that take what repositories elsewhere hold.

mod cancelling;
mod create;
mod giving_up;
mod hostile;
mod imports;
mod shallow;
mod update;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use repoplane_client::{Client, types};
use serde_json::{Value, json};

use crate::support::Server;
use crate::support::repo::{Answer, Repo, answer, write};
use crate::support::upstream::Upstream;

/// A request as JSON, in the client's words.
pub fn body<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a body the client can send")
}

/// A repo made from `source`, or why there is none.
pub async fn import(client: &Client, source: Value) -> Answer<Repo> {
    let body: types::CreateSourceRepoRequest = body(json!({"source": source}));
    let made = answer(client.create_source_repo().body(body).send().await)?;
    let repo = Repo { client: client.clone(), id: made.repo_id };
    assert_eq!(made.repo_head, repo.head().await);
    Ok(repo)
}

/// An edit of any form.
pub async fn send(repo: &Repo, request: Value) -> Answer {
    repo.send(body(request)).await
}

/// Takes what the URL has.
pub async fn pull(repo: &Repo, url: &str) -> Answer {
    send(repo, json!({"source": {"type": "git", "url": url}})).await
}

pub fn git(url: &str) -> Value {
    json!({"type": "git", "url": url})
}

/// All of the history.
pub fn whole(url: &str) -> Value {
    json!({"type": "git", "url": url, "shallow": false})
}

/// A server with a repo of this many commits on it, and somebody elsewhere who hands that out.
pub async fn beside_upstream(commits: usize) -> (Server, Repo, Upstream) {
    let server = Server::beside_receivers().await;
    let origin = Repo::create(&server.owner(), &[("kept", "kept\n"), ("n", "0\n")]).await;
    for number in 1..commits {
        origin.diff(vec![write("n", &format!("{number}\n"))]).await.expect("an edit");
    }
    let upstream = Upstream::start(server.url()).await;
    (server, origin, upstream)
}

/// How many repos there are.
pub async fn count(client: &Client) -> i64 {
    client.list_source_repos().send().await.expect("a page").total_items
}

/// What is left in quarantine.
pub fn incoming(server: &Server) -> Vec<PathBuf> {
    match std::fs::read_dir(server.folder().join("incoming")) {
        Ok(entries) => entries.map(|entry| entry.expect("an entry").path()).collect(),
        Err(_) => Vec::new(),
    }
}

/// Waits until what was fetched is gone.
pub async fn gone(server: &Server) {
    let begun = Instant::now();
    while !incoming(server).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", incoming(server));
        count(&server.owner()).await;
    }
}
