//! Bundles are put together, what nothing names is removed, and nobody notices.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use repoplane::store::source_repos::{self, Position};
use repoplane::worker;
use repoplane_client::types::{CreateSource, CreateSourceRepoRequest};

use super::Numbers;
use crate::support::Server;
use crate::support::repo::{Files, Repo, created, write};

const PATIENCE: Duration = Duration::from_secs(30);

async fn position(server: &Server, repo: &Repo) -> Option<Position> {
    let store = &server.services().store;
    source_repos::position(store.read(), repo.id.into()).await.expect("the database")
}

/// Runs jobs until `done`; the server's own worker may run some of them.
async fn run_jobs_until(server: &Server, what: &str, done: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < PATIENCE, "still not: {what}");
        worker::run_one(server.services(), "test").await.expect("jobs");
    }
}

/// Makes jobs due that wait for their time.
async fn make_due(server: &Server) {
    let due = sqlx::query("UPDATE jobs SET due_at = 0");
    due.execute(server.services().store.write_now()).await.expect("the database");
}

/// The objects a repo has in the object store.
fn objects(server: &Server, repo: &Repo) -> Vec<PathBuf> {
    let folder = server.folder().join("objects/source").join(repo.id.to_string());
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.expect("entry").path()).collect(),
        Err(_) => Vec::new(),
    }
}

async fn compacted(server: &Server, repo: &Repo) {
    compacted_to(server, repo, 99).await;
}

/// Runs jobs until a repo has no more bundles than that.
pub async fn compacted_to(server: &Server, repo: &Repo, bundles: i64) {
    run_jobs_until(server, "compacted", async || {
        position(server, repo).await.is_some_and(|position| position.packed.bundles <= bundles)
    })
    .await;
}

async fn edit(repo: &Repo, edits: usize, history: &mut Vec<(String, Files)>) {
    let before = history.len();
    for number in 0..edits {
        let path = format!("d{}/{}", number % 7, number % 31);
        let content = format!("{before} {number}");
        let done = repo.diff(vec![write(&path, &content)]).await.expect("an edit");
        if number % 40 == 0 {
            history.push((done.repo_head, repo.files().await));
        }
    }
    history.push((repo.head().await, repo.files().await));
}

async fn check(repo: &Repo, history: &[(String, Files)]) {
    for (commit, files) in history {
        assert!(repo.files_at(commit).await.expect("a clone") == *files, "{commit}");
    }
    assert_eq!(repo.head().await, history[history.len() - 1].0);
}

async fn copy(of: &Repo) -> Repo {
    let source = CreateSource::Relace { repo_id: of.id, copy_metadata: false, copy_remote: false };
    let body = CreateSourceRepoRequest { source: Some(source), ..Default::default() };
    let made = created(of.client.create_source_repo().body(body).send().await);
    Repo { client: of.client.clone(), id: made.repo_id }
}

fn drop_cache(folder: &std::path::Path) {
    std::fs::remove_dir_all(folder.join("cache")).expect("a cache");
}

#[tokio::test]
async fn many_bundles_become_one_base_pack_with_the_same_history() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let mut history = Vec::new();
    edit(&repo, 210, &mut history).await;
    compacted(&server, &repo).await;
    check(&repo, &history).await;
    let first = objects(&server, &repo);
    assert_eq!(first.len(), 1, "one base pack: {first:?}");

    let server = server.restart_after(drop_cache).await;
    let repo = repo.seen_by(&server.owner());
    check(&repo, &history).await;
    edit(&repo, 210, &mut history).await;
    compacted(&server, &repo).await;
    // The first base stays for those who read it, until its time has come.
    assert_eq!(objects(&server, &repo).len(), 2);
    make_due(&server).await;
    run_jobs_until(&server, "old base removed", async || !first[0].exists()).await;
    assert_eq!(objects(&server, &repo).len(), 1);

    let server = server.restart_after(drop_cache).await;
    check(&repo.seen_by(&server.owner()), &history).await;
    server.stop().await;
}

#[tokio::test]
async fn edits_go_on_while_bundles_are_put_together() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let mut history = Vec::new();
    edit(&repo, 205, &mut history).await;
    // Some of these are as large as everything before.
    let mut numbers = Numbers(3);
    let editing = async {
        for number in 0..40 {
            let files = (0..40).map(|file| write(&format!("n{number}/{file}"), &numbers.text(500)));
            repo.diff(files.collect()).await.expect("an edit");
        }
    };
    tokio::join!(editing, compacted(&server, &repo));
    history.push((repo.head().await, repo.files().await));
    check(&repo, &history).await;
    make_due(&server).await;
    while worker::run_one(server.services(), "test").await.expect("jobs") {}
    let server = server.restart_after(drop_cache).await;
    check(&repo.seen_by(&server.owner()), &history).await;
    server.stop().await;
}

#[tokio::test]
async fn a_large_pack_is_in_the_object_store_and_read_from_there() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let content = Numbers(4).text(500_000);
    repo.diff(vec![write("small", "s")]).await.expect("an edit");
    assert_eq!(objects(&server, &repo).len(), 0, "a small pack is in the database");
    repo.diff(vec![write("large", &content)]).await.expect("an edit");
    assert_eq!(objects(&server, &repo).len(), 1);
    let server = server.restart_after(drop_cache).await;
    let found = repo.seen_by(&server.owner()).read("large").await.expect("the file");
    assert!(found == content.as_bytes());
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_repo_leaves_nothing_but_what_its_copy_needs() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let mut history = Vec::new();
    edit(&repo, 205, &mut history).await;
    compacted(&server, &repo).await;
    let large = Numbers(5).text(500_000);
    repo.diff(vec![write("large", &large)]).await.expect("an edit");
    history.push((repo.head().await, repo.files().await));
    let copy = copy(&repo).await;
    repo.diff(vec![write("large", &Numbers(6).text(500_000))]).await.expect("an edit");
    let before = objects(&server, &repo);
    assert_eq!(before.len(), 3, "a base and two large edits: {before:?}");

    repo.delete().await.expect("deleted");
    let unshared = || before.iter().filter(|path| path.exists()).count() == 2;
    run_jobs_until(&server, "what is not shared is removed", async || unshared()).await;
    for table in ["source_packs", "source_refs", "source_repo_metadata"] {
        assert_eq!(rows(&server, table, "repo_id", &repo).await, 0, "{table}");
    }
    assert_eq!(rows(&server, "source_repos", "id", &repo).await, 0);
    let server = server.restart_after(drop_cache).await;
    let copy = copy.seen_by(&server.owner());
    check(&copy, &history).await;

    copy.delete().await.expect("deleted");
    let all_gone = || before.iter().all(|path| !path.exists());
    let moved = before.iter().map(|path| path.exists()).filter(|exists| *exists).count();
    assert_eq!(moved, 2, "still there until the job has run");
    run_jobs_until(&server, "everything is removed", async || all_gone()).await;
    server.stop().await;
}

async fn rows(server: &Server, table: &str, column: &str, repo: &Repo) -> i64 {
    let count = format!("SELECT COUNT(*) FROM {table} WHERE {column} = $1");
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).bind(repo.id.to_string());
    count.fetch_one(server.services().store.read()).await.expect("the database")
}
