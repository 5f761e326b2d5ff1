//! How workspaces are named, what they show, and what they hold.

use repoplane::model::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::stage::{User, link, local, with};
use super::{LISTS, Scene};
use crate::support::Server;

#[tokio::test]
async fn lists_show_the_workspaces_the_caller_sees_and_narrow_to_one_by_id_or_name() {
    let scene = Scene::start().await;
    let owner = &scene.owner;
    owner.bucket("elsewhere").await;
    owner.repo("elsewhere", "NORMAL", json!([])).await;
    owner.ai_llm("elsewhere").await;
    let reader = scene.member(Role::Read).await;
    for list in LISTS {
        let all = owner.names(list).await;
        assert_eq!(all.len(), 2, "{list}");
        assert_eq!(all[1], "elsewhere", "oldest first");
        assert_eq!(reader.names(list).await, all[..1], "{list}");
        for narrow in [scene.workspace.to_string(), "shared".to_owned()] {
            let path = format!("{list}?workspaceId={narrow}");
            assert_eq!(owner.names(&path).await, all[..1], "{path}");
            assert_eq!(reader.names(&path).await, all[..1], "{path}");
        }
        assert_eq!(owner.names(&format!("{list}?workspaceId=Default")).await, all[1..]);
        for absent in [Uuid::new_v4().to_string(), "Default".to_owned(), "none".to_owned()] {
            let path = format!("{list}?workspaceId={absent}");
            let (status, answer) = reader.send("GET", &path, Value::Null).await;
            assert_eq!((status, &answer["success"]), (404, &json!(false)), "{path}: {answer}");
        }
    }
    scene.server.stop().await;
}

#[tokio::test]
async fn a_workspaces_name_counts_only_if_it_is_the_only_one_the_caller_sees() {
    let scene = Scene::start().await;
    let reader = scene.member(Role::Read).await;
    let twin = scene.owner.workspace("shared").await;
    let body = with(local("new"), json!({ "workspaceId": "shared" }));
    for (method, path, body) in LISTS
        .map(|list| ("GET", format!("{list}?workspaceId=shared"), Value::Null))
        .into_iter()
        .chain([("POST", "/bucket".to_owned(), body)])
    {
        let (status, answer) = scene.owner.send(method, &path, body).await;
        assert_eq!(status, 400, "{path}: {answer}");
        let message = answer["message"].as_str().expect("text");
        assert!(message.contains("several workspaces are called `shared`"), "{message}");
    }
    assert_eq!(reader.names("/repo?workspaceId=shared").await, ["repo"], "sees one of them");
    scene.owner.client.delete_workspace().id(twin).send().await.expect("deleted");
    assert_eq!(scene.owner.names("/repo?workspaceId=shared").await, ["repo"]);
    scene.server.stop().await;
}

#[tokio::test]
async fn what_names_no_workspace_goes_to_the_default_one() {
    let server = Server::start().await;
    let owner = User::owner(&server);
    let (bucket, repo) = (owner.bucket("a").await, owner.repo("r", "NORMAL", json!([])).await);
    owner.ai_llm("llm").await;
    let list = owner.client.list_workspaces().send().await.expect("list").into_inner();
    let default = list.workspaces.iter().find(|workspace| workspace.default).expect("default").id;
    assert_eq!(owner.read_bucket(bucket).await.expect("read").workspace_id, default);
    assert_eq!(owner.read_repo(repo).await.expect("read").workspace_id, default);
    assert_eq!(owner.names(&format!("/ai/llm?workspaceId={default}")).await, ["llm"]);

    let stranger = User::member(&server, owner.workspace("other").await, Role::Admin).await;
    let refusal = stranger.create_bucket(local("b")).await.expect_err("not the default's member");
    assert_eq!(refusal.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn buckets_that_a_mirror_or_backup_holds_are_not_available() {
    let server = Server::start().await;
    let owner = User::owner(&server);
    let mut ids = Vec::new();
    for name in ["free", "normal", "mirror", "backup"] {
        ids.push(owner.bucket(name).await);
    }
    for (mode, bucket) in [("NORMAL", ids[1]), ("MIRROR", ids[2]), ("BACKUP", ids[3])] {
        owner.repo(mode, mode, json!([link(bucket, "", true)])).await;
    }
    assert_eq!(owner.names("/bucket/available").await, ["free", "normal"]);
    assert_eq!(owner.names("/bucket").await, ["free", "normal", "mirror", "backup"]);
    server.stop().await;
}

#[tokio::test]
async fn a_workspace_that_holds_storage_stays() {
    let scene = Scene::start().await;
    let owner = &scene.owner;
    for thing in [
        format!("/repo/{}", scene.repo),
        format!("/bucket/{}", scene.bucket),
        format!("/ai/llm/{}", scene.llm),
    ] {
        let path = format!("/workspace/{}", scene.workspace);
        let (status, answer) = owner.send("DELETE", &path, Value::Null).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["message"].as_str().expect("text").contains("Delete them first"));
        assert_eq!(owner.send("DELETE", &thing, Value::Null).await.0, 200, "{thing}");
    }
    owner.client.delete_workspace().id(scene.workspace).send().await.expect("empty");
    scene.server.stop().await;
}
