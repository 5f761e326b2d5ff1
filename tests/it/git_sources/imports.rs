//! Imports that nobody waits for: how far they are can be seen from anywhere, and how they end.

use futures::{StreamExt, TryStreamExt};
use repoplane_client::{Client, FollowError, types};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{beside_upstream, body, count, whole};
use crate::support::Server;
use crate::support::repo::{Repo, answer};
use crate::support::upstream::Upstream;

pub async fn start(client: &Client, source: Value) -> types::SourceImport {
    let body: types::CreateSourceRepoRequest = body(json!({"source": source}));
    answer(client.start_source_import().body(body).send().await).expect("an import")
}

pub async fn get(client: &Client, id: Uuid) -> types::SourceImport {
    answer(client.get_source_import().import_id(id).send().await).expect("an import")
}

/// The events of an import, to the last.
pub async fn follow(client: &Client, id: Uuid) -> Vec<(String, types::SourceImport)> {
    let stream = client.follow_source_import().import_id(id).send().await.expect("events");
    let bytes: Vec<_> = stream.into_inner().into_inner().try_collect().await.expect("an end");
    let text = String::from_utf8(bytes.concat()).expect("UTF-8");
    let events = text.split("\n\n").filter(|event| event.contains("data:"));
    let parsed = events.map(|event| {
        let field = |name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name));
            line.expect("a field").trim().to_owned()
        };
        (field("event:"), serde_json::from_str(&field("data:")).expect("an import"))
    });
    parsed.collect()
}

#[tokio::test]
async fn an_import_is_followed_to_its_end_from_any_server() {
    let (server, origin, upstream) = beside_upstream(4).await;
    let owner = server.owner();
    let import = start(&owner, whole(&upstream.url(origin.id))).await;
    assert_eq!((import.state.as_str(), import.repo_id), ("running", None));
    let events = follow(&owner, import.import_id).await;
    let (name, last) = events.last().expect("an event");
    assert_eq!((name.as_str(), last.state.as_str(), last.percent), ("done", "done", 100));
    assert!(events[..events.len() - 1].iter().all(|(name, _)| name == "import"));
    let percents: Vec<_> = events.iter().map(|(_, import)| import.percent).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    let repo = Repo { client: owner.clone(), id: last.repo_id.expect("a repo") };
    assert_eq!(repo.head().await, origin.head().await);
    assert_eq!(last.repo_head.as_deref(), Some(repo.head().await.as_str()));
    assert_eq!(repo.files().await, origin.files().await);
    // It stays as it ended, and is seen by whoever is in the workspace.
    assert_eq!(get(&owner, import.import_id).await.state, "done");
    assert_eq!(follow(&owner, import.import_id).await.len(), 1);
    let typed: Vec<_> =
        owner.follow_source_import().import_id(import.import_id).stream().collect().await;
    assert!(matches!(&typed[..], [Ok(only)] if only.state == "done"), "{typed:?}");
    let stranger = server.client(&server.other_org("elsewhere").await);
    let absent = answer(stranger.get_source_import().import_id(import.import_id).send().await);
    assert_eq!(absent.expect_err("absent").status, 404);
    let typed = stranger.follow_source_import().import_id(import.import_id).stream();
    let typed: Vec<_> = typed.collect().await;
    assert!(matches!(&typed[..], [Err(FollowError::ImportRequest(_))]), "{typed:?}");

    let failed = start(&owner, json!({"type": "git", "url": upstream.url(Uuid::new_v4())})).await;
    let events = follow(&owner, failed.import_id).await;
    let (name, last) = events.last().expect("an event");
    assert_eq!((name.as_str(), last.repo_id), ("failed", None));
    assert!(last.message.as_deref().is_some_and(|said| said.contains("cannot be fetched")));
    assert_eq!(count(&owner).await, 2);
    let files = json!({"type": "files", "files": []});
    let body: types::CreateSourceRepoRequest = body(json!({"source": files}));
    let refused = answer(owner.start_source_import().body(body).send().await);
    assert_eq!(refused.expect_err("nothing to import").status, 422);
    server.stop().await;
}

#[tokio::test]
async fn an_import_ends_with_its_server() {
    let server = Server::start_with(|config| {
        config.egress.allow = vec!["127.0.0.0/8".parse().expect("a network")];
        config.git.idle_seconds = 600;
    });
    let server = server.await;
    let origin = Repo::create(&server.owner(), &[]).await;
    let upstream = Upstream::start(server.url()).await;
    let url = upstream.url(origin.id);
    upstream.falls_silent();
    let stopped = start(&server.owner(), whole(&url)).await.import_id;
    upstream.visited().await;
    let server = server.restart().await;
    let owner = server.owner();
    let seen = get(&owner, stopped).await;
    assert_eq!(seen.state, "failed");
    assert!(seen.message.as_deref().is_some_and(|said| said.contains("start it again")));
    // One whose server had no time to say so.
    let store = &server.services().store;
    let lost = "UPDATE source_imports SET state = 'running', message = NULL, finished_at = NULL, \
                updated_at = 1000000";
    sqlx::query(lost).execute(store.write_now()).await.expect("the database");
    let seen = get(&owner, stopped).await;
    assert_eq!((seen.state.as_str(), seen.finished_at.is_some()), ("failed", true));
    assert_eq!(follow(&owner, stopped).await.len(), 1);
    assert_eq!(count(&owner).await, 1);
    server.stop().await;
}
