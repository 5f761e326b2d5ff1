//! The server is killed in the middle of pushes; what git was told is done stays done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use uuid::Uuid;

use super::stage::{Work, url_of};
use crate::durability::Numbers;
use crate::durability::process::Process;
use crate::support::OWNER_TOKEN;
use crate::support::database::Database;
use crate::support::fsck;
use crate::support::repo::{Repo, write};

const CLIENTS: usize = 3;

fn kills() -> usize {
    if std::env::var_os("TEST_LONG").is_some() { 100 } else { 20 }
}

/// A push that git said was done: a branch of the client's own, and where it was put.
struct Acknowledged {
    branch: String,
    commit: String,
}

/// Tells when there were enough pushes.
struct Fuse {
    left: AtomicUsize,
    burnt: Notify,
}

/// Pushes until the server does not answer any more, with an edit now and then. The last push may
/// have been done without a word.
async fn load(
    server: (String, repoplane_client::Client),
    repo: Uuid,
    client: String,
    mut numbers: Numbers,
    fuse: Arc<Fuse>,
) -> Vec<Acknowledged> {
    let repo = Repo { client: server.1, id: repo };
    let mut acknowledged = Vec::new();
    let (work, said) = Work::try_clone(&url_of(&server.0, repo.id, OWNER_TOKEN), &[]).await;
    if !said.ok {
        return acknowledged;
    }
    for number in 0.. {
        let size = if numbers.below(6) == 0 { 400_000 } else { 300 };
        let commit = work.commit(&[(&format!("f{client}"), &numbers.text(size))]).await;
        let branch = format!("refs/heads/{client}/{number}");
        if !work.push(&[&format!("main:{branch}")]).await.ok {
            break;
        }
        acknowledged.push(Acknowledged { branch, commit });
        if fuse.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            fuse.burnt.notify_one();
        }
        let path = format!("{client}/{number}");
        let request = crate::support::repo::diff(vec![write(&path, &path)]);
        if repo.client.edit_source_repo().repo_id(repo.id).body(request).send().await.is_err() {
            break;
        }
    }
    acknowledged
}

/// A fresh clone is sound, and has every push that was acknowledged.
async fn check(server: &Process, repo: Uuid, acknowledged: &[Acknowledged]) {
    let work = Work::clone(&url_of(server.url(), repo, OWNER_TOKEN), &["--mirror"]).await;
    work.fsck().await;
    let refs = work.git(&["for-each-ref", "--format=%(objectname) %(refname)"]).await.well();
    let refs: std::collections::HashSet<&str> = refs.lines().collect();
    for Acknowledged { branch, commit } in acknowledged {
        assert!(refs.contains(format!("{commit} {branch}").as_str()), "{branch} is lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_push_is_lost_when_the_server_is_killed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let database = Database::create().await;
    let url = database.url(folder.path());
    let mut numbers = Numbers(21);
    let mut acknowledged = Vec::new();
    let mut repo = None;
    for kill in 0..kills() {
        let mut server = Process::start(folder.path(), &url).await;
        let id = match repo {
            Some(id) => id,
            None => *repo.insert(Repo::create(&server.owner(), &[("a", "a")]).await.id),
        };
        check(&server, id, &acknowledged).await;
        let enough = 1 + numbers.below(8) as usize;
        let fuse = Arc::new(Fuse { left: AtomicUsize::new(enough), burnt: Notify::new() });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let seed = Numbers((kill * 100 + client) as u64);
                let server = (server.url().to_owned(), server.owner());
                tokio::spawn(load(server, id, format!("{kill}-{client}"), seed, fuse.clone()))
            })
            .collect();
        fuse.burnt.notified().await;
        server.kill();
        for client in clients {
            acknowledged.extend(client.await.expect("a client"));
        }
    }
    println!("{} pushes, {} kills", acknowledged.len(), kills());
    let repo = repo.expect("a repo");
    let mut server = Process::start(folder.path(), &url).await;
    check(&server, repo, &acknowledged).await;
    let left = std::fs::read_dir(folder.path().join("incoming")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "what was under way when the server was killed");
    server.stop();
    drop(server);
    std::fs::remove_dir_all(folder.path().join("cache")).expect("a cache");
    let mut server = Process::start(folder.path(), &url).await;
    check(&server, repo, &acknowledged).await;
    server.stop();
    fsck::check_all(folder.path());
    drop(server);
    database.drop().await;
}
