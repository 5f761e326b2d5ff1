//! Copies of repos: the same history, then each its own way.

use repoplane_client::types::{CreateSource, CreateSourceRepoRequest, Metadata};

use crate::support::Server;
use crate::support::repo::{Repo, created, files, pairs, write};

async fn copy(of: &Repo, copy_metadata: bool, metadata: Option<Metadata>) -> Repo {
    let source = CreateSource::Relace { repo_id: of.id, copy_metadata, copy_remote: true };
    let body = CreateSourceRepoRequest { source: Some(source), metadata, ..Default::default() };
    let made = created(of.client.create_source_repo().body(body).send().await);
    Repo { client: of.client.clone(), id: made.repo_id }
}

#[tokio::test]
async fn a_copy_has_the_files_the_history_and_the_head() {
    let server = Server::start().await;
    let original = Repo::create(&server.owner(), &[("a", "1")]).await;
    let first = original.head().await;
    original.diff(vec![write("a", "2")]).await.expect("an edit");
    let copy = copy(&original, false, None).await;
    assert_eq!(copy.head().await, original.head().await);
    assert_eq!(copy.files().await, files(&[("a", "2")]));
    assert_eq!(copy.files_at(&first).await.expect("the history"), files(&[("a", "1")]));
    // From here on, they share nothing.
    copy.diff(vec![write("b", "copy")]).await.expect("an edit");
    original.diff(vec![write("c", "original")]).await.expect("an edit");
    assert_eq!(copy.files().await, files(&[("a", "2"), ("b", "copy")]));
    assert_eq!(original.files().await, files(&[("a", "2"), ("c", "original")]));
    let refusal = original.files_at(&copy.head().await).await.expect_err("the copy's alone");
    assert_eq!(refusal.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn metadata_is_copied_only_when_asked_and_that_of_the_request_wins() {
    let server = Server::start().await;
    let original =
        copy(&Repo::create(&server.owner(), &[]).await, false, Some(pairs(&[("k", "v")]))).await;
    assert_eq!(copy(&original, false, None).await.metadata().await, None);
    assert_eq!(copy(&original, true, None).await.metadata().await, Some(files(&[("k", "v")])));
    let own = copy(&original, true, Some(pairs(&[("own", "x")]))).await;
    assert_eq!(own.metadata().await, Some(files(&[("own", "x")])));
    // A copied pair is found by a filter, too.
    let found = server.owner().list_source_repos().filter_metadata(r#"{"k":"v"}"#).send().await;
    assert_eq!(found.expect("a list").total_items, 2);
    server.stop().await;
}

#[tokio::test]
async fn a_copy_outlives_its_original() {
    let server = Server::start().await;
    let original = Repo::create(&server.owner(), &[("a", "1")]).await;
    let first = original.head().await;
    // Beyond what a row holds, so that the two share an object.
    let large: Vec<u8> =
        (0..600_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    original.put("large", large.clone()).await.expect("a file");
    let copy = copy(&original, false, None).await;
    original.delete().await.expect("deleted");
    while repoplane::worker::run_one(server.services(), "test").await.expect("jobs") {}
    let server = server.restart().await;
    let copy = copy.seen_by(&server.owner());
    assert!(copy.read("large").await.expect("the file") == large);
    assert_eq!(copy.files_at(&first).await.expect("the history"), files(&[("a", "1")]));
    copy.diff(vec![write("b", "2")]).await.expect("an edit");
    server.stop().await;
}
