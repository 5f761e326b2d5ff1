//! When indexes are made, and when they are gone.

use std::time::{Duration, Instant};

use repoplane::worker;

use super::{PROJECT, indexed, paths, project};
use crate::support::Server;
use crate::support::repo::{Repo, write};

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs jobs until this process has so many indexes of a repo; its own worker may run some of them.
async fn run_jobs_until(server: &Server, repo: &Repo, indexes: usize) {
    let started = Instant::now();
    while server.services().searches.indexes.count(repo.id.into()) != indexes {
        assert!(started.elapsed() < PATIENCE, "not {indexes} indexes");
        worker::run_one(server.services(), "test").await.expect("jobs");
    }
}

#[tokio::test]
async fn the_worker_indexes_what_asks_for_it() {
    let server = Server::start().await;
    let searches = &server.services().searches;
    let (repo, other) = (indexed(&server.owner(), &PROJECT).await, project(&server.owner()).await);
    run_jobs_until(&server, &repo, 1).await;
    repo.changes(vec![write("new", "x")]).await;
    other.changes(vec![write("new", "x")]).await;
    run_jobs_until(&server, &repo, 2).await;
    assert_eq!(searches.indexes.count(other.id.into()), 0, "nobody asked for it");
    assert_eq!(paths(&other, "parse settings").await[0], "src/config/parser.js");
    assert_eq!(searches.indexes.count(other.id.into()), 1);
    other.delete().await.expect("deleted");
    run_jobs_until(&server, &other, 0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_search_sees_every_edit() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "alpha\n")]).await;
    for n in 0..8 {
        let word = format!("word{n}");
        repo.changes(vec![write(&format!("f{n}"), &word)]).await;
        assert_eq!(paths(&repo, &word).await, [format!("f{n}")]);
        assert_eq!(paths(&repo, "alpha").await, ["a"]);
    }
    assert!(server.services().searches.indexes.count(repo.id.into()) <= 4);
    server.stop().await;
}
