//! What the roles allow, and that nothing exists without one.

use repoplane::model::access::{OrgRole, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::stage::{User, link};
use super::{LISTS, Scene};

#[tokio::test]
async fn read_sees_all_and_changes_nothing() {
    let scene = Scene::start().await;
    let reader = scene.member(Role::Read).await;
    for (method, path, body) in scene.reads() {
        let (status, answer) = reader.send(method, &path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
    }
    for list in LISTS {
        assert_eq!(reader.names(list).await.len(), 1, "{list}");
    }
    let before = scene.owner.state().await;
    for (method, path, body) in scene.changes() {
        let (status, answer) = reader.send(method, &path, body).await;
        assert_eq!(status, 403, "{method} {path}: {answer}");
        assert!(answer["message"].as_str().expect("text").contains("WRITE"), "{answer}");
    }
    assert_eq!(before, scene.owner.state().await);
    scene.server.stop().await;
}

#[tokio::test]
async fn write_makes_every_change() {
    let scene = Scene::start().await;
    let writer = scene.member(Role::Write).await;
    for (method, path, body) in scene.changes() {
        let (status, answer) = writer.send(method, &path, body).await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{method} {path}: {answer}");
    }
    scene.server.stop().await;
}

#[tokio::test]
async fn outside_the_workspace_nothing_of_it_exists() {
    let scene = Scene::start().await;
    let outsiders = [
        User::member(&scene.server, scene.owner.workspace("other").await, Role::Admin).await,
        User::of(&scene.server, &scene.server.user("w@x", OrgRole::Workspaces, None).await),
        User::of(&scene.server, &scene.server.other_org("other").await),
    ];
    let before = scene.owner.state().await;
    for outsider in &outsiders {
        for (method, path, body) in scene.changes().into_iter().chain(scene.reads()) {
            let (status, answer) = outsider.send(method, &path, body.clone()).await;
            assert_eq!(status, 404, "{method} {path}: {answer}");
            // One that never was answers the same, word for word.
            let ids = [scene.bucket, scene.repo, scene.llm];
            let absent = ids.iter().fold(path.clone(), |path, id| {
                path.replace(&id.to_string(), &Uuid::new_v4().to_string())
            });
            if absent != path {
                let of_absent = scene.owner.send(method, &absent, body).await;
                assert_eq!((status, answer), of_absent, "{method} {path}");
            }
        }
        for list in LISTS {
            assert!(outsider.names(list).await.is_empty(), "{list}");
        }
        let check = json!({ "mode": "NORMAL", "repoBuckets": [link(scene.bucket, "x", true)] });
        let (status, answer) = outsider.send("POST", "/repo/validate", check).await;
        assert_eq!((status, &answer["error_code"]), (200, &json!("NOT_FOUND")), "{answer}");
    }
    assert_eq!(before, scene.owner.state().await);
    scene.server.stop().await;
}

#[tokio::test]
async fn an_admin_access_key_is_for_admins_to_make_change_and_delete() {
    let scene = Scene::start().await;
    let (writer, admin) = (scene.member(Role::Write).await, scene.member(Role::Admin).await);
    let made = admin.access_key(scene.repo, "ADMIN").await.expect("made by an admin");
    let before = scene.owner.state().await;
    let keys = format!("/repo/{}/apikey", scene.repo);
    let access = |access: &str| json!({ "name": "n", "accessType": access });
    for (method, path, body) in [
        ("POST", keys.clone(), access("ADMIN")),
        ("PUT", format!("{keys}/{}", scene.key), access("ADMIN")),
        ("PUT", format!("{keys}/{made}"), access("READ")),
        ("DELETE", format!("{keys}/{made}"), Value::Null),
    ] {
        let (status, answer) = writer.send(method, &path, body).await;
        assert_eq!(status, 403, "{method} {path}: {answer}");
        assert!(answer["message"].as_str().expect("text").contains("ADMIN"), "{answer}");
    }
    assert_eq!(before, scene.owner.state().await);
    writer.access_key(scene.repo, "WRITE").await.expect("what the writer holds");
    let path = format!("{keys}/{made}");
    assert_eq!(admin.send("PUT", &path, access("READ")).await.0, 200);
    assert_eq!(writer.send("DELETE", &path, Value::Null).await.0, 200, "no ADMIN key any more");
    scene.server.stop().await;
}
