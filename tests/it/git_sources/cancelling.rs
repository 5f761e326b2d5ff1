//! Imports that are not wanted any more: they end at once for whoever looks, and leave nothing behind.

use std::path::Path;

use repoplane::model::git_source::{History, Start, Wanted};
use repoplane::model::source_import::{CANCELLED, SourceImport};
use repoplane::model::storage_job::JobState;
use repoplane::model::time::Timestamp;
use repoplane::service::source_create::{NewRepo, Source, make, prepare};
use repoplane::service::source_fetch::{GitSource, Remote, Waiting};
use repoplane::service::{Error, tokens};
use repoplane::store::source_imports;
use repoplane_client::{Client, types};
use uuid::Uuid;

use super::imports::{follow, get, start};
use super::{count, gone, incoming, whole};
use crate::durability::Numbers;
use crate::support::repo::{Answer, Repo, answer};
use crate::support::upstream::Upstream;
use crate::support::{OWNER_TOKEN, Server};

async fn cancel(client: &Client, id: Uuid) -> Answer<types::SourceImport> {
    answer(client.cancel_source_import().import_id(id).send().await)
}

/// A server with a repo whose pack is too large for a row, beside somebody who hands that out.
async fn beside_a_large_one() -> (Server, Repo, Upstream) {
    let server = Server::start_with(|config| {
        config.egress.allow = vec!["127.0.0.0/8".parse().expect("a network")];
        config.git.idle_seconds = 600;
        config.git.imports = 1;
    });
    let server = server.await;
    let large = Numbers(11).text(900_000);
    let origin = Repo::create(&server.owner(), &[("large", &large)]).await;
    let upstream = Upstream::start(server.url()).await;
    (server, origin, upstream)
}

/// Objects in the folder of the object store.
fn objects(server: &Server) -> usize {
    fn files(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one"));
        let count = |entry: std::fs::DirEntry| match entry.path() {
            path if path.is_dir() => files(&path),
            _ => 1,
        };
        entries.map(count).sum()
    }
    files(&server.folder().join("objects").join("source"))
}

#[tokio::test]
async fn a_cancelled_import_ends_and_leaves_nothing() {
    let (server, origin, upstream) = beside_a_large_one().await;
    let second = server.second().await;
    let owner = server.owner();
    upstream.falls_silent();
    let before = objects(&server);
    let import = start(&owner, whole(&upstream.url(origin.id))).await.import_id;
    upstream.visited().await;
    assert!(!incoming(&server).is_empty());
    // Any server may be told, and as often as one likes.
    let cancelled = cancel(&second.owner(), import).await.expect("cancelled");
    assert_eq!((cancelled.state.as_str(), cancelled.repo_id), ("cancelled", None));
    assert!(cancelled.message.as_deref().is_some_and(|said| said.contains("cancelled")));
    let again = cancel(&owner, import).await.expect("cancelled before");
    assert_eq!(again.finished_at, cancelled.finished_at);
    let events = follow(&owner, import).await;
    let [(name, last)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((name.as_str(), last.state.as_str()), ("cancelled", "cancelled"));
    gone(&server).await;
    assert_eq!((count(&owner).await, objects(&server)), (1, before));

    // Its place is free for the next one, and what has ended otherwise stays as it is.
    let upstream = Upstream::start(server.url()).await;
    let done = start(&owner, whole(&upstream.url(origin.id))).await.import_id;
    follow(&owner, done).await;
    let failed = start(&owner, whole(&upstream.url(Uuid::new_v4()))).await.import_id;
    follow(&owner, failed).await;
    for (id, state) in [(done, "done"), (failed, "failed")] {
        let refused = cancel(&owner, id).await.expect_err("too late");
        assert_eq!(refused.cause(), (409, "conflict"));
        assert!(refused.error.message.contains(state), "{refused:?}");
        assert_eq!(get(&owner, id).await.state, state);
    }
    assert_eq!((count(&owner).await, objects(&server)), (2, before + 1));
    let absent = cancel(&owner, Uuid::new_v4()).await.expect_err("absent");
    assert_eq!(absent.status, 404);
    second.stop().await;
    server.stop().await;
}

/// Whatever it is at, it becomes a repo or nothing.
#[tokio::test]
async fn an_import_that_is_cancelled_at_any_time_is_done_or_gone() {
    let (server, origin, upstream) = beside_a_large_one().await;
    let owner = server.owner();
    let (repos, kept) = (count(&owner).await, objects(&server));
    let mut made = 0;
    for visits in 0..8 {
        let before = upstream.visits();
        let import = start(&owner, whole(&upstream.url(origin.id))).await.import_id;
        while upstream.visits() < before + visits / 2
            && get(&owner, import).await.state == "running"
        {}
        let is_cancelled = cancel(&owner, import).await.is_ok();
        let state = get(&owner, import).await.state;
        assert_eq!(state == "cancelled", is_cancelled, "{state}");
        gone(&server).await;
        made += usize::from(state == "done");
    }
    server.services().imports.close().await;
    assert_eq!(count(&owner).await, repos + i64::try_from(made).expect("few"));
    assert_eq!(objects(&server), kept + made);
    server.stop().await;
}

/// The last moment: all is fetched, and its end was written down before the repo was.
#[tokio::test]
async fn what_was_stored_of_a_cancelled_import_is_removed() {
    let (server, origin, upstream) = beside_a_large_one().await;
    let (services, before) = (server.services(), objects(&server));
    let caller = tokens::authenticate(&services.store, OWNER_TOKEN).await.expect("the owner");
    let source = Source::Git(GitSource {
        remote: Remote { url: upstream.url(origin.id), login: None },
        wanted: Wanted { start: Start::Default, history: History::Whole },
    });
    let new =
        NewRepo { source: source.clone(), metadata: None, auto_index: false, workspace: None };
    let waiting = Waiting::request(services, "");
    for state in [JobState::Cancelled, JobState::Running] {
        let mut repo = prepare(services, &caller, &new).await.expect("a record");
        let import = SourceImport::new(repo.org, repo.workspace);
        let db = services.store.write_now();
        source_imports::insert(db, &import).await.expect("an import");
        if state.is_finished() {
            let now = Timestamp::now();
            source_imports::end(db, import.id, state, CANCELLED, now).await.expect("an end");
        }
        let made = make(services, &caller, &mut repo, source.clone(), &waiting, Some(import.id));
        let made = made.await;
        let seen = get(&server.owner(), import.id.uuid()).await;
        if state.is_finished() {
            assert!(matches!(made, Err(Error::NotFound(_))), "{made:?}");
            assert_eq!((seen.state.as_str(), seen.repo_id), ("cancelled", None));
            assert_eq!((count(&server.owner()).await, objects(&server)), (1, before));
        } else {
            made.expect("a repo");
            assert_eq!((seen.state.as_str(), seen.repo_id), ("done", Some(repo.id.uuid())));
            assert_eq!((count(&server.owner()).await, objects(&server)), (2, before + 1));
        }
    }
    assert!(incoming(&server).is_empty());
    server.stop().await;
}
