//! Clones and fetches, whole and in parts.

use super::stage::{Work, url};
use crate::support::Server;
use crate::support::repo::{Repo, write};

#[tokio::test]
async fn a_clone_holds_the_files_and_every_edit_as_a_commit() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("src/a", "1"), ("b", "ü\n")]).await;
    let first = repo.head().await;
    repo.changes(vec![write("src/a", "2")]).await;
    for version in ["0", "1", "2"] {
        let option = format!("protocol.version={version}");
        let work = Work::clone(&url(&server, &repo), &["-c", &option]).await;
        assert_eq!(work.tip("HEAD").await, repo.head().await);
        assert_eq!(work.git(&["rev-list", "--max-parents=0", "HEAD"]).await.well(), first);
        assert_eq!(work.git(&["branch", "--show-current"]).await.well(), "main");
        assert_eq!(std::fs::read_to_string(work.tree().join("src/a")).expect("a file"), "2");
        assert_eq!(std::fs::read_to_string(work.tree().join("b")).expect("a file"), "ü\n");
        work.fsck().await;

        repo.changes(vec![write("src/a", version)]).await;
        work.git(&["pull", "-q", "--ff-only"]).await.well();
        assert_eq!(work.tip("HEAD").await, repo.head().await);
        repo.changes(vec![write("src/a", "2")]).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn an_empty_repo_can_be_cloned() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let work = Work::clone(&url(&server, &repo), &["--depth", "1"]).await;
    assert_eq!(work.tip("HEAD").await, repo.head().await);
    assert_eq!(work.git(&["ls-files"]).await.well(), "");
    server.stop().await;
}

#[tokio::test]
async fn a_shallow_clone_can_be_deepened_and_pushed_from() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "0")]).await;
    for number in 1..=5 {
        repo.changes(vec![write("a", &number.to_string())]).await;
    }
    let work = Work::clone(&url(&server, &repo), &["--depth", "1"]).await;
    let count = async || work.git(&["rev-list", "--count", "HEAD"]).await.well();
    assert_eq!(count().await, "1");
    work.git(&["fetch", "-q", "--deepen", "2"]).await.well();
    assert_eq!(count().await, "3");
    let pushed = work.commit(&[("b", "b")]).await;
    work.push(&["main"]).await.well();
    assert_eq!(repo.head().await, pushed);
    work.git(&["fetch", "-q", "--unshallow"]).await.well();
    assert_eq!(count().await, "7");
    work.fsck().await;
    server.stop().await;
}

#[tokio::test]
async fn a_partial_clone_fetches_what_it_lacks_when_it_needs_it() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "old"), ("d/b", "b")]).await;
    let first = repo.head().await;
    repo.changes(vec![write("a", "new")]).await;
    for filter in ["blob:none", "blob:limit=2", "tree:0"] {
        let filter = format!("--filter={filter}");
        let work = Work::clone(&url(&server, &repo), &[&filter, "--no-checkout"]).await;
        let missing = work.git(&["rev-list", "--objects", "--all", "--missing=print"]).await.well();
        assert!(missing.lines().any(|line| line.starts_with('?')), "{filter}: {missing}");
        assert_eq!(work.git(&["show", &format!("{first}:a")]).await.well(), "old");
        work.git(&["checkout", "-q", "main"]).await.well();
        assert_eq!(std::fs::read_to_string(work.tree().join("a")).expect("a file"), "new");
    }
    // This one would make the server read a file of the repo's to know what it may send.
    let sparse = format!("--filter=sparse:oid={first}:a");
    let (_, said) = Work::try_clone(&url(&server, &repo), &[&sparse, "--no-checkout"]).await;
    assert!(said.refused().contains("filter"), "refused for its filter");
    server.stop().await;
}

/// Git packs what it says when it says much: here, what it has already.
#[tokio::test]
async fn a_long_negotiation_comes_packed_and_is_understood() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    for number in 0..80 {
        // None of these is known to the server, and each is asked about.
        let commit = work.commit(&[("b", &number.to_string())]).await;
        work.git(&["branch", &format!("local-{number}"), &commit]).await.well();
    }
    repo.changes(vec![write("a", "b")]).await;
    work.git(&["fetch", "-q", "origin"]).await.well();
    assert_eq!(work.tip("origin/main").await, repo.head().await);
    let trace = work.git(&["-c", "http.version=HTTP/1.1", "ls-remote", "origin"]).await;
    assert!(trace.ok);
    server.stop().await;
}

#[tokio::test]
async fn one_commit_can_be_fetched_by_its_name() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "0")]).await;
    let first = repo.head().await;
    repo.changes(vec![write("a", "1")]).await;
    for version in ["0", "2"] {
        let work = Work::new(&url(&server, &repo)).await;
        let option = format!("protocol.version={version}");
        work.git(&["-c", &option, "fetch", "-q", "--depth=1", "origin", &first]).await.well();
        assert_eq!(work.tip("FETCH_HEAD").await, first);
        let absent = "1".repeat(40);
        let said = work.git(&["-c", &option, "fetch", "-q", "origin", &absent]).await.refused();
        assert!(said.contains("not our ref"), "{said}");
    }
    server.stop().await;
}
