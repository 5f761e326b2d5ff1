//! Who may do what with storage, and what each sees of it.

use repoplane::model::access::{OrgRole, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{User, link, local, wanted, with};
use crate::support::Server;

/// One workspace with one of everything, and what its members may do there.
struct Scene {
    server: Server,
    owner: User,
    workspace: Uuid,
    bucket: Uuid,
    repo: Uuid,
    key: Uuid,
    ai_key: Uuid,
    llm: Uuid,
}

impl Scene {
    async fn start() -> Self {
        let server = Server::start().await;
        let owner = User::owner(&server);
        let workspace = owner.workspace("shared").await;
        let here = json!({ "workspaceId": workspace });
        let bucket = owner.create_bucket(with(local("bucket"), here.clone())).await.expect("made");
        let body = with(wanted("repo", "NORMAL", json!([link(bucket, "", true)])), here);
        let repo = owner.create_repo(body).await.expect("made");
        let key = owner.access_key(repo, "READ").await.expect("made");
        let ai_key = owner.ai_key(repo).await;
        let body = json!({ "name": "llm", "aiType": "OPENAI", "workspaceId": workspace });
        let llm = owner.send("POST", "/ai/llm", body).await.1["aiLlmId"].clone();
        let llm = llm.as_str().expect("an id").parse().expect("a UUID");
        Self { server, owner, workspace, bucket, repo, key, ai_key, llm }
    }

    /// Every change there is, in an order in which each can be made.
    fn changes(&self) -> Vec<(&'static str, String, Value)> {
        let Self { workspace, bucket, repo, key, ai_key, llm, .. } = self;
        let here = json!({ "workspaceId": workspace });
        let (named, read) = (json!({ "name": "n", "aiType": "OPENAI" }), "READ");
        let access = json!({ "name": "n", "accessType": read });
        vec![
            ("POST", "/bucket".into(), with(local("new"), here.clone())),
            ("PUT", format!("/bucket/{bucket}"), json!({ "name": "renamed" })),
            ("POST", format!("/bucket/{bucket}/validate"), Value::Null),
            ("POST", "/ai/llm".into(), with(named.clone(), here.clone())),
            ("PUT", format!("/ai/llm/{llm}"), json!({ "name": "renamed" })),
            ("POST", "/repo".into(), with(wanted("new", "NORMAL", json!([])), here)),
            ("POST", format!("/repo/{repo}/apikey"), access.clone()),
            ("PUT", format!("/repo/{repo}/apikey/{key}"), access),
            ("DELETE", format!("/repo/{repo}/apikey/{key}"), Value::Null),
            ("POST", format!("/repo/{repo}/ai/apikey"), named),
            ("PUT", format!("/repo/{repo}/ai/apikey/{ai_key}"), json!({ "name": "n" })),
            ("DELETE", format!("/repo/{repo}/ai/apikey/{ai_key}"), Value::Null),
            (
                "PUT",
                format!("/repo/{repo}"),
                json!({ "name": "n", "storageType": "S3", "mode": "NORMAL" }),
            ),
            ("DELETE", format!("/repo/{repo}"), Value::Null),
            ("DELETE", format!("/bucket/{bucket}"), Value::Null),
            ("DELETE", format!("/ai/llm/{llm}"), Value::Null),
        ]
    }

    /// Every read of one thing.
    fn reads(&self) -> Vec<(&'static str, String, Value)> {
        let Self { bucket, repo, .. } = self;
        vec![
            ("GET", format!("/bucket/{bucket}"), Value::Null),
            ("GET", format!("/bucket/{bucket}/status"), Value::Null),
            ("GET", format!("/repo/{repo}"), Value::Null),
            ("GET", format!("/repo/{repo}/apikey"), Value::Null),
            ("GET", format!("/repo/{repo}/ai/apikey"), Value::Null),
            ("POST", format!("/repo/{repo}/validate"), json!({ "mode": "NORMAL" })),
        ]
    }

    async fn member(&self, role: Role) -> User {
        User::member(&self.server, self.workspace, role).await
    }
}

const LISTS: [&str; 4] = ["/repo", "/bucket", "/bucket/available", "/ai/llm"];

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
