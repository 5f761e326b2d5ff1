//! The server is killed at random moments under load; nothing that it answered is lost.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use repoplane_client::Error;
use tokio::sync::Notify;
use uuid::Uuid;

use super::Numbers;
use super::process::Process;
use crate::support::database::Database;
use crate::support::fsck::{self, git};
use crate::support::repo::{Files, Repo, diff, write};

const KILLS: usize = 20;
const REPOS: usize = 4;
const CLIENTS_PER_REPO: usize = 2;
/// Content that does not fit a row of the database any more, in bytes.
const LARGE: usize = 400_000;

/// An edit that was answered with success.
struct Acknowledged {
    repo: Uuid,
    head: String,
    path: String,
    content: String,
}

/// Counts answers, and tells when there were enough.
struct Fuse {
    left: AtomicUsize,
    burnt: Notify,
}

impl Fuse {
    fn burn(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.burnt.notify_one();
        }
    }
}

/// Edits until the server does not answer any more.
async fn load(
    repo: Repo,
    name: String,
    mut numbers: Numbers,
    fuse: Arc<Fuse>,
) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let size = if numbers.below(25) == 0 { LARGE } else { 200 };
        let (path, content) = (format!("{name}/{number}"), numbers.text(size));
        let body = diff(vec![write(&path, &content)]);
        match repo.client.edit_source_repo().repo_id(repo.id).body(body).send().await {
            Ok(done) => {
                let head = done.into_inner().repo_head;
                acknowledged.push(Acknowledged { repo: repo.id, head, path, content });
                fuse.burn();
            }
            Err(Error::ErrorResponse(refusal)) => panic!("a plain edit was refused: {refusal:?}"),
            Err(_) => break,
        }
    }
    acknowledged
}

/// Every answered edit is in the present content, and its head can be read.
async fn check(server: &Process, repos: &[Uuid], acknowledged: &[Acknowledged]) {
    let mut present: HashMap<Uuid, Files> = HashMap::new();
    for id in repos {
        let repo = Repo { client: server.owner(), id: *id };
        present.insert(*id, repo.files().await);
    }
    for edit in acknowledged {
        assert!(
            present[&edit.repo].get(&edit.path) == Some(&edit.content),
            "{} is lost",
            edit.path
        );
    }
    // All heads are looked at in the end; here the last one, for the time it takes.
    if let Some(edit) = acknowledged.last() {
        let repo = Repo { client: server.owner(), id: edit.repo };
        let then = repo.files_at(&edit.head).await.expect("the commit that was answered");
        assert!(then[&edit.path] == edit.content);
    }
}

/// Real git finds every answered head in the history of the branch.
fn check_history(folder: &Path, acknowledged: &[Acknowledged]) {
    let mut history: HashMap<Uuid, String> = HashMap::new();
    for path in fsck::repositories(&folder.join("cache")) {
        let id = path.file_stem().and_then(|name| name.to_str()).expect("an id");
        let path = path.to_str().expect("a path in UTF-8");
        history.insert(id.parse().expect("an id"), git(&["-C", path, "rev-list", "main"]));
    }
    for edit in acknowledged {
        assert!(history[&edit.repo].contains(&edit.head), "{} is no ancestor", edit.head);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_edit_is_lost_when_the_server_is_killed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let database = Database::create().await;
    let url = database.url(folder.path());
    let mut numbers = Numbers(1);
    let (mut acknowledged, mut repos) = (Vec::new(), Vec::new());
    let mut slowest = Duration::ZERO;
    for kill in 0..KILLS {
        let mut server = Process::start(folder.path(), &url).await;
        slowest = slowest.max(server.ready_after);
        while repos.len() < REPOS {
            repos.push(Repo::create(&server.owner(), &[]).await.id);
        }
        check(&server, &repos, &acknowledged).await;
        let enough = 1 + numbers.below(60) as usize;
        let fuse = Arc::new(Fuse { left: AtomicUsize::new(enough), burnt: Notify::new() });
        let clients: Vec<_> = (0..REPOS * CLIENTS_PER_REPO)
            .map(|client| {
                let repo = Repo { client: server.owner(), id: repos[client % REPOS] };
                let seed = Numbers((kill * 100 + client) as u64);
                tokio::spawn(load(repo, format!("{kill}/{client}"), seed, fuse.clone()))
            })
            .collect();
        fuse.burnt.notified().await;
        server.kill();
        for client in clients {
            acknowledged.extend(client.await.expect("a client"));
        }
        fsck::check_all(folder.path());
    }
    let mut server = Process::start(folder.path(), &url).await;
    check(&server, &repos, &acknowledged).await;
    server.kill();
    println!("{} edits, {KILLS} kills, slowest start {slowest:?}", acknowledged.len());
    // With an empty cache, everything comes from the database and the object store.
    std::fs::remove_dir_all(folder.path().join("cache")).expect("a cache");
    let mut server = Process::start(folder.path(), &url).await;
    check(&server, &repos, &acknowledged).await;
    server.stop();
    check_history(folder.path(), &acknowledged);
    fsck::check_all(folder.path());
    drop(server);
    database.drop().await;
}
