//! The requests that the product's documents show, byte for byte, and the answers they document.
//! Ids in requests may be names, which is how `workspace-123` and `ai-llm-123` come to exist.

mod shape;

use repoplane::model::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{User, link, local, sent, wanted, with};
use crate::support::Server;
use shape::{assert_shape, documented_list};

const CHANGED_REPO: &str = include_str!("put_repo.json");
const CHANGED_BUCKET: &str = include_str!("put_bucket.json");
const CHANGED_BUCKET_BRIEFLY: &str = include_str!("put_bucket_brief.json");

/// The bucket that the documents speak of. They give it an id, not a name.
const BUCKET: &str = "123e4567-e89b-12d3-a456-426614174000";
const ABROAD: &str = "https://s3.us-west-2.amazonaws.com";

/// A server that holds what the documents take for granted.
struct Scene {
    server: Server,
    owner: User,
    workspace: Uuid,
    repo: Uuid,
    llm: Uuid,
}

impl Scene {
    async fn start() -> Self {
        let server = Server::start().await;
        let owner = User::owner(&server);
        let workspace = owner.workspace("workspace-123").await;
        let here = json!({ "workspaceId": "workspace-123" });
        let made = owner.create_bucket(with(local("my-backup-bucket-2024"), here.clone())).await;
        let scene_repo = with(wanted("My Backup Repository", "NORMAL", json!([])), here.clone());
        let repo = owner.create_repo(scene_repo).await.expect("made");
        let llm =
            with(json!({ "name": "ai-llm-123", "aiType": "OPENAI", "key": "sk-0123456789" }), here);
        let llm = owner.send("POST", "/ai/llm", llm).await.1["aiLlmId"].clone();
        let llm = llm.as_str().expect("an id").parse().expect("a UUID");
        let scene = Self { server, owner, workspace, repo, llm };
        let id = made.expect("made").to_string();
        scene.sql("UPDATE buckets SET id = $1 WHERE id = $2", [BUCKET, &id]).await;
        // Only now: what is sealed is sealed for an id.
        let rest = json!({ "name": "My Backup Bucket", "key": "AKIAIOSFODNN7EXAMPLE",
            "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "region": "us-east-1", "projectId": "my-project-123" });
        scene.owner.change_bucket(bucket(), rest).await.expect("changed");
        scene
    }

    async fn sql(&self, statement: &'static str, values: [&str; 2]) {
        let pool = sqlx::AnyPool::connect(&self.server.database_url()).await.expect("a database");
        let [first, second] = values;
        let done = sqlx::query(statement).bind(first).bind(second).execute(&pool).await;
        assert_eq!(done.expect("a change").rows_affected(), 1);
        pool.close().await;
    }

    /// Puts the bucket abroad without going there.
    async fn move_abroad(&self) {
        self.sql("UPDATE buckets SET endpoint = $1 WHERE id = $2", [ABROAD, BUCKET]).await;
    }

    async fn change_repo(&self, user: &User) -> (u16, Value) {
        sent(user.bytes("PUT", &format!("/repo/{}", self.repo), CHANGED_REPO)).await
    }
}

fn bucket() -> Uuid {
    BUCKET.parse().expect("a UUID")
}

async fn change_bucket(user: &User, body: &'static str) -> (u16, Value) {
    sent(user.bytes("PUT", &format!("/bucket/{BUCKET}"), body)).await
}

#[tokio::test]
async fn the_documented_change_of_a_storage_repo_is_made_and_answered_as_documented() {
    let scene = Scene::start().await;
    let (status, answer) = scene.change_repo(&scene.owner).await;
    assert_eq!(status, 200, "{answer}");
    let repo = json!({ "id": "text", "name": "text", "storageType": "text", "mode": "text",
        "createdAt": "time", "updatedAt": "time" });
    assert_shape(&answer, &json!({ "success": "boolean", "repo": repo }), "answer");
    assert_eq!(answer["success"], true);
    assert_eq!(answer["repo"]["id"], json!(scene.repo));
    assert_eq!(answer["repo"]["name"], "My Updated Repository");
    assert_eq!(
        (&answer["repo"]["storageType"], &answer["repo"]["mode"]),
        (&json!("S3"), &json!("MIRROR"))
    );

    let repo = scene.owner.read_repo(scene.repo).await.expect("read");
    let held = &repo.buckets[..];
    assert!(matches!(held, [held] if held.master && held.folder == "backups"), "{held:?}");
    assert_eq!(held[0].bucket_id, bucket());
    assert_eq!(
        held[0].bucket.endpoint.as_deref(),
        Some("file:disk1"),
        "the echo changes no bucket"
    );
    assert_eq!(repo.ai_llms.iter().map(|llm| llm.ai_llm_id).collect::<Vec<_>>(), [scene.llm]);
    scene.server.stop().await;
}

#[tokio::test]
async fn the_documented_list_of_storage_repos_has_every_documented_field() {
    let scene = Scene::start().await;
    let owner = &scene.owner;
    assert_eq!(scene.change_repo(owner).await.0, 200);
    owner.access_key(scene.repo, "READ").await.expect("a key");
    owner.ai_key(scene.repo).await;
    let shape = documented_list();
    let all = owner.read("/repo").await;
    assert_shape(&all, &shape, "answer");
    assert_eq!(all, owner.read("/repo?workspaceId=workspace-123").await);
    assert_eq!(all["success"], true);
    let repo = &all["repos"][0];
    assert_eq!(repo["workspaceId"], json!(scene.workspace));
    assert_eq!(repo["buckets"][0]["bucketId"], BUCKET);
    assert_eq!(repo["buckets"][0]["bucket"]["id"], BUCKET);
    assert_eq!(repo["aiLlms"][0]["aiLlm"]["key"], "sk-...");
    assert_eq!(repo["aiApiKeys"][0]["repoId"], json!(scene.repo));
    assert!(!all.to_string().contains("wJalrXUtnFEMI"), "secrets are never answered");

    owner.repo("elsewhere", "NORMAL", json!([])).await;
    assert_eq!(owner.names("/repo").await, ["My Updated Repository", "elsewhere"]);
    assert_eq!(owner.read("/repo?workspaceId=workspace-123").await, all);
    scene.server.stop().await;
}

#[tokio::test]
async fn the_documented_changes_of_a_bucket_are_made_and_answered_as_documented() {
    let scene = Scene::start().await;
    let owner = &scene.owner;
    let shape = json!({ "success": "boolean", "bucketId": "text" });
    // Beside the address, which a test does not go to, all is as documented.
    for body in [CHANGED_BUCKET, CHANGED_BUCKET_BRIEFLY] {
        owner.change_bucket(bucket(), json!({ "name": "Before" })).await.expect("renamed");
        let here = body.replace(ABROAD, "file:disk2");
        let here: Value = serde_json::from_str(&here).expect("JSON");
        let (status, answer) = owner.send("PUT", &format!("/bucket/{BUCKET}"), here.clone()).await;
        assert_eq!(status, 200, "{answer}");
        assert_shape(&answer, &shape, "answer");
        assert_eq!((&answer["success"], &answer["bucketId"]), (&json!(true), &json!(BUCKET)));
        let found = owner.read(&format!("/bucket/{BUCKET}")).await["bucket"].clone();
        for field in ["name", "region", "endpoint", "storageType", "bucket", "key"] {
            let wanted = here.get(field).unwrap_or(&found[field]);
            assert_eq!(&found[field], wanted, "{field}");
        }
        assert_eq!(found["workspaceId"], json!(scene.workspace));
    }
    // A bucket that is there already need not be reached, so here every byte is as documented.
    scene.move_abroad().await;
    for body in [CHANGED_BUCKET, CHANGED_BUCKET_BRIEFLY] {
        owner.change_bucket(bucket(), json!({ "name": "Before" })).await.expect("renamed");
        let (status, answer) = change_bucket(owner, body).await;
        assert_eq!((status, answer), (200, json!({ "success": true, "bucketId": BUCKET })));
        let found = owner.read_bucket(bucket()).await.expect("read");
        assert_eq!(
            (&*found.name, found.endpoint.as_deref()),
            ("Updated Backup Bucket", Some(ABROAD))
        );
    }
    scene.server.stop().await;
}

#[tokio::test]
async fn the_documented_refusals_have_the_documented_shape_and_change_nothing() {
    let scene = Scene::start().await;
    let owner = &scene.owner;
    let there = CHANGED_BUCKET.replace(ABROAD, "file:disk1");
    let there = serde_json::from_str(&there).expect("JSON");
    owner.change_bucket(bucket(), there).await.expect("changed");
    owner.change_bucket(bucket(), json!({ "name": "Before" })).await.expect("renamed");
    scene.move_abroad().await;
    owner.bucket("b").await;
    let taken =
        owner.create_bucket(with(local("c"), json!({ "name": "Updated Backup Bucket" }))).await;
    taken.expect("another bucket of that name");
    let here = json!({ "workspaceId": "workspace-123" });
    let holder = wanted("holder", "MIRROR", json!([link(bucket(), "", true)]));
    owner.create_repo(with(holder, here)).await.expect("another storage repo has the bucket");
    let reader = User::member(&scene.server, scene.workspace, Role::Read).await;
    let stranger = User::of(&scene.server, &scene.server.other_org("other").await);

    let before = owner.state().await;
    let codes = [scene.change_repo(owner).await.1, change_bucket(owner, CHANGED_BUCKET).await.1];
    let codes = codes.map(|answer| answer["error_code"].clone());
    assert_eq!(codes, ["MIRROR_UNIT_ALREADY_IN_OTHER_REPO", "NAME_ALREADY_USED"]);
    for (user, expected) in [(owner, 400), (&reader, 403), (&stranger, 404)] {
        for (status, answer) in [
            scene.change_repo(user).await,
            change_bucket(user, CHANGED_BUCKET).await,
            change_bucket(user, CHANGED_BUCKET_BRIEFLY).await,
        ] {
            assert_eq!(status, expected, "{answer}");
            assert_shape(&answer, &json!({ "success": "boolean", "message": "text" }), "answer");
            assert_eq!(answer["success"], false);
        }
    }
    assert_eq!(before, owner.state().await);
    assert_eq!(stranger.read("/repo").await, json!({ "success": true, "repos": [] }));
    let (status, answer) =
        stranger.send("GET", "/repo?workspaceId=workspace-123", Value::Null).await;
    assert_eq!((status, &answer["success"]), (404, &json!(false)), "{answer}");
    scene.server.stop().await;
}
