//! How names are used, and how much an organisation may have.

use serde_json::json;

use super::super::stage::{Refusal, User, local, wanted, with};
use super::Scene;
use crate::support::Server;

#[tokio::test]
async fn a_storage_repos_name_is_used_once_in_its_workspace_until_it_is_deleted() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let taken = |refusal: Refusal| assert_eq!(refusal.rule(), (400, "NAME_ALREADY_USED"));
    let named = wanted("named", "NORMAL", json!([]));
    let first = user.create_repo(named.clone()).await.expect("made");
    let before = user.state().await;
    taken(user.create_repo(named.clone()).await.expect_err("taken"));
    taken(user.change_repo(scene.blank, named.clone()).await.expect_err("taken"));
    assert_eq!(before, user.state().await);

    let other = user.workspace("other").await;
    let there = with(named.clone(), json!({ "workspaceId": other }));
    let second = user.create_repo(there).await.expect("free in another workspace");
    let default = user.read_repo(first).await.expect("read").workspace_id;
    let back = with(named.clone(), json!({ "workspaceId": default }));
    taken(user.change_repo(second, back.clone()).await.expect_err("taken there"));
    user.change_repo(first, named).await.expect("its own name is free");
    user.delete_repo(first).await.expect("deleted");
    user.change_repo(second, back).await.expect("free again");
    scene.stop().await;
}

#[tokio::test]
async fn a_buckets_name_is_used_once_in_the_organisation_until_it_is_deleted() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let taken = |refusal: Refusal| assert_eq!(refusal.rule(), (400, "NAME_ALREADY_USED"));
    let (a, b) = (user.bucket("a").await, user.bucket("b").await);
    let other = user.workspace("other").await;
    let before = user.state().await;
    taken(user.create_bucket(local("a")).await.expect_err("taken"));
    let there = with(local("a"), json!({ "workspaceId": other }));
    taken(user.create_bucket(there).await.expect_err("taken over all workspaces"));
    taken(user.change_bucket(b, json!({ "name": "a" })).await.expect_err("taken"));
    assert_eq!(before, user.state().await);

    let stranger = User::of(&scene.server, &scene.server.other_org("other").await);
    stranger.bucket("a").await;
    user.change_bucket(a, json!({ "name": "a" })).await.expect("its own name is free");
    user.delete_bucket(a).await.expect("deleted");
    user.change_bucket(b, json!({ "name": "a" })).await.expect("free again");
    scene.stop().await;
}

#[tokio::test]
async fn an_organisation_has_as_many_buckets_and_storage_repos_as_its_quota_says() {
    let server = Server::start_with(|config| {
        config.limits.buckets = 1;
        config.limits.storage_repos = 1;
    })
    .await;
    let user = User::owner(&server);
    let bucket = user.bucket("a").await;
    let repo = user.repo("a", "NORMAL", json!([])).await;
    let before = user.state().await;
    let refusals = [
        user.create_bucket(local("b")).await.expect_err("too many"),
        user.create_repo(wanted("b", "NORMAL", json!([]))).await.expect_err("too many"),
    ];
    for refusal in refusals {
        assert_eq!(refusal.rule(), (429, "QUOTA_EXCEEDED"));
        assert!(refusal.error.message.contains("Delete one first"), "{}", refusal.error.message);
        assert_eq!(refusal.headers.get("retry-after"), None, "waiting frees no quota");
    }
    assert_eq!(before, user.state().await);

    let stranger = User::of(&server, &server.other_org("other").await);
    stranger.bucket("c").await;
    user.delete_bucket(bucket).await.expect("deleted");
    user.delete_repo(repo).await.expect("deleted");
    user.bucket("b").await;
    user.repo("b", "NORMAL", json!([])).await;
    server.stop().await;
}
