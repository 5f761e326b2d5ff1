//! Caches leave the disk when there are too many, or nobody needs them, and nobody notices.

use std::time::{Duration, Instant};

use repoplane::model::time::Timestamp;
use repoplane::service::upkeep;
use repoplane::worker;

use super::Numbers;
use crate::git::stage::{Work, url};
use crate::support::Server;
use crate::support::fsck::repositories;
use crate::support::repo::{Repo, write};

/// A cache of each has more than a third of a MiB.
const CONTENT_BYTES: usize = 400_000;

/// Repos with a content each, on a server that nobody has asked for them since it started.
async fn repos(count: u64, cache_mib: u64) -> (Server, Vec<(Repo, String)>) {
    let server = Server::start_with(|config| config.limits.cache_mib = cache_mib).await;
    let mut repos = Vec::new();
    for number in 0..count {
        let repo = Repo::create(&server.owner(), &[]).await;
        let text = Numbers(number + 90).text(CONTENT_BYTES);
        repo.diff(vec![write("f", &text)]).await.expect("an edit");
        repos.push((repo, text));
    }
    let server = server.restart().await;
    let seen = |(repo, text): (Repo, String)| (repo.seen_by(&server.owner()), text);
    let repos = repos.into_iter().map(seen).collect();
    (server, repos)
}

fn cached(server: &Server) -> usize {
    repositories(&server.folder().join("cache")).len()
}

#[tokio::test]
async fn caches_that_nobody_uses_make_room() {
    let (server, repos) = repos(5, 1).await;
    assert_eq!(cached(&server), 5);
    // In use from here on, though it was used long before the others.
    let first = std::path::PathBuf::from(server.cached(repos[0].0.id));
    let (repo, text) = &repos[0];
    assert!(repo.read("f").await.expect("the file") == text.as_bytes());
    let trimmed = server.services().editors.trim().await.expect("a round");
    assert!(trimmed.removed >= 2 && trimmed.bytes <= 1024 * 1024, "{trimmed:?}");
    assert_eq!(cached(&server) as u64, 5 - trimmed.removed);
    assert!(first.exists(), "it is in use");
    let again = server.services().editors.trim().await.expect("a round");
    assert_eq!((again.removed, again.bytes), (0, trimmed.bytes));

    for (repo, text) in &repos {
        assert!(repo.read("f").await.expect("the file") == text.as_bytes());
    }
    // All are in use now.
    let trimmed = server.services().editors.trim().await.expect("a round");
    assert_eq!((trimmed.removed, cached(&server)), (0, 5));
    Work::clone(&url(&server, &repos[3].0), &[]).await.fsck().await;
    server.stop().await;
}

#[tokio::test]
async fn caches_of_repos_that_another_server_deleted_go() {
    let (server, repos) = repos(2, 1_000).await;
    let second = server.second().await;
    repos[0].0.seen_by(&second.owner()).delete().await.expect("deleted");
    // Either it did the job itself, and forgot it then, or it looks.
    let started = Instant::now();
    while cached(&server) > 1 {
        assert!(started.elapsed() < Duration::from_secs(30), "it is still there");
        server.services().editors.trim().await.expect("a round");
    }
    let left = repositories(&server.folder().join("cache"));
    assert_eq!(left, [std::path::PathBuf::from(server.cached(repos[1].0.id))]);
    second.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn objects_that_no_row_names_are_removed_in_time() {
    let (server, repos) = repos(1, 1_000).await;
    let (repo, text) = &repos[0];
    let (objects, id) = (&server.services().objects, repo.id);
    let other = uuid::Uuid::now_v7();
    let (stray, alien) = (format!("source/{id}/stray.pack"), format!("source/{other}/x.pack"));
    for key in [&stray, &alien] {
        objects.put(key, "not named by any row".into()).await.expect("an object");
    }
    let now = Timestamp::now();
    assert_eq!(upkeep::mark_strays(server.services(), now).await.expect("a round"), 0, "too new");
    let later = now.plus(Duration::from_hours(25));
    assert_eq!(upkeep::mark_strays(server.services(), later).await.expect("a round"), 1);
    objects.get(&stray).await.expect("it has its time");
    let due = sqlx::query("UPDATE jobs SET due_at = 0");
    due.execute(server.services().store.write_now()).await.expect("the database");
    let started = Instant::now();
    while objects.get(&stray).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(30), "it is still there");
        worker::run_one(server.services(), "test").await.expect("jobs");
    }
    objects.get(&alien).await.expect("what may be somebody else's stays");
    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("a cache");
    });
    let server = server.await;
    assert!(repo.seen_by(&server.owner()).read("f").await.expect("named") == text.as_bytes());
    server.stop().await;
}
