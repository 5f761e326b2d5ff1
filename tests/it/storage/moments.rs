//! From when on a change counts: from the next request, whoever and whichever server it asks.

use repoplane::model::access::{OrgRole, Role};
use repoplane_client::types;
use serde_json::{Value, json};

use super::stage::{User, abroad, link, local, wanted, with};
use crate::isolation::stage::id_of;
use crate::support::Server;

#[tokio::test]
async fn a_list_shows_every_change_at_once() {
    let server = Server::start().await;
    let second = server.second().await;
    let user = User::owner(&server);
    let elsewhere = second.owner();
    let agree = async || {
        let here = user.client.list_storage_repos().send().await.expect("list").into_inner();
        let there = elsewhere.list_storage_repos().send().await.expect("list").into_inner();
        let text = |list| serde_json::to_string(&list).expect("JSON");
        let (here, there) = (text(here), text(there));
        assert_eq!(here, there);
        here
    };
    let mut seen = vec![agree().await];
    let a = user.bucket("a").await;
    let id = user.repo("r", "NORMAL", json!([link(a, "", true)])).await;
    seen.push(agree().await);
    user.change_bucket(a, json!({ "name": "renamed" })).await.expect("changed");
    seen.push(agree().await);
    let key = user.access_key(id, "READ").await.expect("made");
    seen.push(agree().await);
    user.ai_key(id).await;
    seen.push(agree().await);
    user.delete_access_key(id, key).await.expect("deleted");
    seen.push(agree().await);
    elsewhere.delete_storage_repo().repo_id(id).send().await.expect("deleted");
    assert_eq!(agree().await, seen[0]);
    let different: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(different.len(), seen.len(), "each change is seen");
    second.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_role_in_a_workspace_counts_from_the_next_request_on() {
    let server = Server::start().await;
    let owner = User::owner(&server);
    let workspace = owner.workspace("w").await;
    let place = json!({ "workspaceId": workspace });
    let repo = with(wanted("r", "NORMAL", json!([])), place.clone());
    let repo = owner.create_repo(repo).await.expect("made");
    owner.create_bucket(with(local("a"), place)).await.expect("made");
    let user = User::of(&server, &server.user("m@x", OrgRole::User, None).await);
    let id = id_of(&user.client).await;
    let change = wanted("r", "NORMAL", json!([]));
    let path = format!("/repo/{repo}");

    assert!(user.names("/repo").await.is_empty());
    for (role, status) in [(types::AccessType::Read, 403), (types::AccessType::Write, 200)] {
        let body = types::AddWorkspaceUserRequest::builder().user_id(id).role(role);
        owner.client.add_workspace_user().id(workspace).body(body).send().await.expect("given");
        assert_eq!(user.names("/repo").await, ["r"]);
        assert_eq!(user.names("/bucket").await, ["a"]);
        assert_eq!(user.send("PUT", &path, change.clone()).await.0, status);
    }
    owner.client.remove_workspace_user().id(workspace).user_id(id).send().await.expect("taken");
    assert!(user.names("/repo").await.is_empty());
    assert!(user.names("/bucket").await.is_empty());
    assert_eq!(user.send("GET", &path, Value::Null).await.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn what_moves_to_another_workspace_needs_write_in_both() {
    let (server, cloud) = Server::beside_a_cloud().await;
    let owner = User::owner(&server);
    let (from, to) = (owner.workspace("from").await, owner.workspace("to").await);
    let place = json!({ "workspaceId": from });
    let bucket = owner.create_bucket(with(abroad("a", &cloud), place.clone())).await.expect("made");
    let repo = owner.create_repo(with(wanted("r", "NORMAL", json!([])), place)).await;
    let repo = repo.expect("made");
    let user = User::member(&server, from, Role::Write).await;
    let id = id_of(&user.client).await;
    let target = json!({ "workspaceId": to });
    let requests = [
        (format!("/bucket/{bucket}"), target.clone()),
        (format!("/repo/{repo}"), with(wanted("r", "NORMAL", json!([])), target)),
    ];
    for (role, status) in
        [(None, 404), (Some(types::AccessType::Read), 403), (Some(types::AccessType::Write), 200)]
    {
        if let Some(role) = role {
            let body = types::AddWorkspaceUserRequest::builder().user_id(id).role(role);
            owner.client.add_workspace_user().id(to).body(body).send().await.expect("given");
        }
        let before = owner.state().await;
        for (path, body) in &requests {
            let (answered, answer) = user.send("PUT", path, body.clone()).await;
            assert_eq!(answered, status, "{path}: {answer}");
        }
        assert_eq!(before == owner.state().await, status != 200, "{role:?}");
    }
    assert_eq!(owner.read_bucket(bucket).await.expect("read").workspace_id, to);
    assert_eq!(owner.read_repo(repo).await.expect("read").workspace_id, to);
    server.stop().await;
}
