//! Metadata of a repo, alone and with an edit.

use repoplane_client::types::{EditSourceRepoRequest, Metadata};
use serde_json::json;

use super::paths::raw_update;
use crate::support::Server;
use crate::support::repo::{Repo, delete, diff, files, pairs, write};

fn only(pairs: Metadata) -> EditSourceRepoRequest {
    EditSourceRepoRequest { metadata: Some(pairs), ..Default::default() }
}

#[tokio::test]
async fn metadata_is_replaced_as_a_whole_and_alone_makes_no_commit() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let head = repo.head().await;
    assert_eq!(repo.metadata().await, None);
    for stored in [pairs(&[("a", "1"), ("b", "2")]), pairs(&[("b", "3")]), pairs(&[])] {
        let done = repo.send(only(stored.clone())).await.expect("metadata");
        assert_eq!((&done.repo_head, done.changed_files), (&head, Some(vec![])));
        assert_eq!(repo.metadata().await, Some(stored.0));
        assert!(repo.record().await.updated_at.is_some());
    }
    server.stop().await;
}

#[tokio::test]
async fn metadata_comes_with_the_edit_or_not_at_all() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let with = |operations, value: &str| EditSourceRepoRequest {
        metadata: Some(pairs(&[("k", value)])),
        ..diff(operations)
    };
    repo.send(with(vec![write("a", "b")], "1")).await.expect("both");
    assert_eq!(repo.metadata().await, Some(files(&[("k", "1")])));
    let head = repo.head().await;
    let refusal = repo.send(with(vec![delete("x")], "2")).await.expect_err("no x");
    assert_eq!(refusal.cause(), (404, "not_found"));
    assert_eq!(repo.metadata().await, Some(files(&[("k", "1")])));
    // With a source that changes nothing, metadata still counts.
    let done = repo.send(with(vec![write("a", "b")], "3")).await.expect("both");
    assert_eq!((done.repo_head, done.changed_files), (head, Some(vec![])));
    assert_eq!(repo.metadata().await, Some(files(&[("k", "3")])));
    // And without metadata, an edit leaves it alone.
    repo.diff(vec![write("a", "c")]).await.expect("an edit");
    assert_eq!(repo.metadata().await, Some(files(&[("k", "3")])));
    server.stop().await;
}

#[tokio::test]
async fn neither_source_nor_metadata_is_422() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    for body in [
        json!({}),
        json!({"source": null, "metadata": null}),
        json!({"message": "nothing"}),
        json!({"expected_head": repo.head().await}),
    ] {
        let (status, answer) = raw_update(&server, &repo, &body).await;
        assert_eq!((status, &answer["code"]), (422, &json!("validation_error")), "{body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn metadata_has_limits() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let many =
        |count: usize| Metadata((0..count).map(|n| (n.to_string(), String::new())).collect());
    let (key, value) = ("ü".repeat(64), "ü".repeat(2_048));
    for fits in [many(64), pairs(&[(&key, &value)]), pairs(&[("nul\0", "\0"), ("\"'", "\\")])] {
        repo.send(only(fits.clone())).await.expect("within the limits");
        assert_eq!(repo.metadata().await, Some(fits.0));
    }
    let kept = repo.metadata().await;
    let (long_key, long_value) = (format!("{key}x"), format!("{value}x"));
    for too_much in
        [many(65), pairs(&[(&long_key, "")]), pairs(&[("k", &long_value)]), pairs(&[("", "v")])]
    {
        let refusal = repo.send(only(too_much)).await.expect_err("beyond the limits");
        assert_eq!(refusal.cause(), (422, "validation_error"));
    }
    let (status, _) = raw_update(&server, &repo, &json!({"metadata": {"k": 1}})).await;
    assert_eq!(status, 422, "values are strings");
    assert_eq!(repo.metadata().await, kept);
    server.stop().await;
}
