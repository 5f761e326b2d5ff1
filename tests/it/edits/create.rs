//! New repos, and the end of them.

use repoplane_client::types::{CreateSource, CreateSourceRepoRequest};

use crate::support::Server;
use crate::support::fsck::git;
use crate::support::repo::{Repo, answer, created, file, files, pairs, write};

#[tokio::test]
async fn a_repo_without_source_starts_with_one_commit_that_holds_no_file() {
    let server = Server::start().await;
    let client = server.owner();
    let made = created(client.create_source_repo().send().await);
    assert_eq!(made.changed_files, None);
    let repo = Repo { client, id: made.repo_id };
    assert_eq!(repo.files().await, files(&[]));
    let record = repo.record().await;
    assert_eq!((record.repo_head, repo.metadata().await), (made.repo_head, None));
    assert!(!record.auto_index);
    let server = server.restart().await;
    assert_eq!(git(&["-C", &server.cached(repo.id), "rev-list", "--count", "main"]).trim(), "1");
    server.stop().await;
}

#[tokio::test]
async fn files_make_one_commit() {
    let server = Server::start().await;
    let listed = vec![file("a", "1"), file("d/b", "b"), file("a", "2")];
    let body = CreateSourceRepoRequest {
        auto_index: true,
        metadata: Some(pairs(&[("k", "v")])),
        source: Some(CreateSource::Files { files: listed }),
        workspace_id: None,
    };
    let made = created(server.owner().create_source_repo().body(body).send().await);
    let repo = Repo { client: server.owner(), id: made.repo_id };
    assert_eq!(repo.files().await, files(&[("a", "2"), ("d/b", "b")]));
    let record = repo.record().await;
    assert_eq!(repo.metadata().await, Some(files(&[("k", "v")])));
    assert!(record.auto_index);
    let server = server.restart().await;
    assert_eq!(git(&["-C", &server.cached(repo.id), "rev-list", "--count", "main"]).trim(), "1");
    server.stop().await;
}

#[tokio::test]
async fn a_refused_creation_leaves_nothing() {
    let server = Server::start().await;
    let create = async |source: CreateSource| {
        let body = CreateSourceRepoRequest { source: Some(source), ..Default::default() };
        answer(server.owner().create_source_repo().body(body).send().await).expect_err("refused")
    };
    let both = CreateSource::Files { files: vec![file("x", "1"), file("x/y", "2")] };
    assert_eq!(create(both).await.cause(), (409, "conflict"));
    let many = (0..10_001).map(|n| file(&n.to_string(), "")).collect();
    assert_eq!(create(CreateSource::Files { files: many }).await.cause().0, 422);
    let absent = CreateSource::Relace {
        repo_id: uuid::Uuid::new_v4(),
        copy_metadata: false,
        copy_remote: false,
    };
    assert_eq!(create(absent).await.cause(), (404, "not_found"));
    let listed = server.owner().list_source_repos().send().await.expect("a list");
    assert_eq!((listed.total_items, listed.items.len()), (0, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_repo_is_gone_everywhere() {
    let server = Server::start().await;
    let kept = Repo::create(&server.owner(), &[]).await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    repo.delete().await.expect("deleted");
    let gone = (404, "not_found");
    let client = &repo.client;
    assert_eq!(
        answer(client.get_source_repo().repo_id(repo.id).send().await).expect_err("gone").cause(),
        gone
    );
    assert_eq!(repo.diff(vec![write("a", "b")]).await.expect_err("gone").cause(), gone);
    assert_eq!(repo.put("a", "b").await.expect_err("gone").cause(), gone);
    assert_eq!(repo.read("a").await.expect_err("gone").cause(), gone);
    assert_eq!(repo.files_at(&"0".repeat(40)).await.expect_err("gone").cause(), gone);
    assert_eq!(repo.delete().await.expect_err("gone").cause(), gone);
    let listed = client.list_source_repos().send().await.expect("a list");
    let ids: Vec<_> = listed.items.iter().map(|repo| repo.repo_id).collect();
    assert_eq!((ids, listed.total_items), (vec![kept.id], 1));
    server.stop().await;
}
