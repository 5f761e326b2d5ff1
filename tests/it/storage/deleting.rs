//! What is deleted is gone for everyone, and what is in use stays.

use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::stage::{User, link, local, typed, wanted, with};
use crate::support::Server;

#[tokio::test]
async fn a_bucket_in_use_stays_and_the_refusal_names_the_storage_repo() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let (a, b) = (user.bucket("a").await, user.bucket("b").await);
    let first = user.repo("first", "NORMAL", json!([link(a, "x", true)])).await;
    let second = user.repo("second", "MIRROR", json!([link(b, "", true)])).await;
    let before = user.state().await;
    for (bucket, holder) in [(a, "`first`"), (b, "`second`")] {
        let refusal = user.delete_bucket(bucket).await.expect_err("in use");
        let (status, message) = refusal.plain();
        assert!(status == 403 && message.contains(holder), "{message}");
    }
    assert_eq!(before, user.state().await);
    user.change_repo(first, wanted("first", "NORMAL", json!([]))).await.expect("detached");
    user.delete_bucket(a).await.expect("free");
    user.delete_repo(second).await.expect("deleted");
    user.delete_bucket(b).await.expect("free");
    server.stop().await;
}

#[tokio::test]
async fn an_ai_llm_in_use_stays_and_the_refusal_names_the_storage_repo() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let llm = user.ai_llm("llm").await;
    let lists = json!({ "repoAiLlms": [{ "aiLlmId": llm }] });
    let body = with(wanted("holder", "NORMAL", json!([])), lists);
    let repo = user.create_repo(body).await.expect("made");
    let path = format!("/ai/llm/{llm}");
    let before = user.state().await;
    let (status, answer) = user.send("DELETE", &path, Value::Null).await;
    assert_eq!(status, 403, "{answer}");
    assert!(answer["message"].as_str().expect("text").contains("`holder`"), "{answer}");
    assert_eq!(before, user.state().await);
    user.delete_repo(repo).await.expect("deleted");
    assert_eq!(user.send("DELETE", &path, Value::Null).await.0, 200);
    assert_eq!(user.send("DELETE", &path, Value::Null).await.0, 404);
    let rename = json!({ "name": "x" });
    assert_eq!(user.send("PUT", &path, rename).await.0, 404);
    assert!(user.names("/ai/llm").await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_bucket_is_nowhere_and_its_credential_is_erased() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let secret = json!({ "key": "AK", "secret": "plain-text" });
    let id = user.create_bucket(with(local("a"), secret)).await.expect("made");
    let workspace = user.read_bucket(id).await.expect("read").workspace_id.to_string();
    user.delete_bucket(id).await.expect("deleted");
    let (bucket, no_body) = (format!("/bucket/{id}"), Value::Null);
    for (method, path, body) in [
        ("GET", bucket.clone(), no_body.clone()),
        ("PUT", bucket.clone(), json!({ "name": "b" })),
        ("DELETE", bucket.clone(), no_body.clone()),
        ("GET", format!("{bucket}/status"), no_body.clone()),
        ("POST", format!("{bucket}/validate"), no_body),
        ("POST", "/repo".to_owned(), wanted("r", "NORMAL", json!([link(id, "", true)]))),
    ] {
        let (status, answer) = user.send(method, &path, body).await;
        assert_eq!((status, &answer["success"]), (404, &json!(false)), "{method} {path}");
    }
    for list in ["/bucket", "/bucket/available"] {
        assert!(user.names(list).await.is_empty(), "{list}");
    }
    let kept = "SELECT COUNT(*) AS n FROM buckets WHERE id = $1
                AND (access_key IS NOT NULL OR sealed IS NOT NULL)";
    assert_eq!(count(&server, kept, id).await, 0);
    let contents = server.folder().join("disks").join(workspace).join("disk1/a");
    assert!(contents.is_dir(), "what is in the bucket is left alone");
    user.bucket("a").await;
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_storage_repo_is_nowhere_and_neither_are_its_keys() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let a = user.bucket("a").await;
    let id = user.repo("r", "MIRROR", json!([link(a, "", true)])).await;
    let (key, ai_key) = (user.access_key(id, "WRITE").await.expect("made"), user.ai_key(id).await);
    user.delete_repo(id).await.expect("deleted");
    let (repo, named) = (format!("/repo/{id}"), json!({ "name": "n", "aiType": "AWS" }));
    let access = json!({ "name": "n", "accessType": "READ" });
    for (method, path, body) in [
        ("GET", repo.clone(), Value::Null),
        ("PUT", repo.clone(), wanted("r", "MIRROR", json!([]))),
        ("DELETE", repo.clone(), Value::Null),
        ("POST", format!("{repo}/validate"), json!({ "mode": "NORMAL" })),
        ("GET", format!("{repo}/apikey"), Value::Null),
        ("POST", format!("{repo}/apikey"), access.clone()),
        ("PUT", format!("{repo}/apikey/{key}"), access),
        ("DELETE", format!("{repo}/apikey/{key}"), Value::Null),
        ("GET", format!("{repo}/ai/apikey"), Value::Null),
        ("POST", format!("{repo}/ai/apikey"), named.clone()),
        ("PUT", format!("{repo}/ai/apikey/{ai_key}"), json!({ "name": "n" })),
        ("DELETE", format!("{repo}/ai/apikey/{ai_key}"), Value::Null),
    ] {
        let (status, answer) = user.send(method, &path, body).await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
        assert_eq!(answer["error_code"], "NOT_FOUND", "{method} {path}");
    }
    for kept in [
        "SELECT COUNT(*) AS n FROM access_keys WHERE repo_id = $1",
        "SELECT COUNT(*) AS n FROM ai_keys WHERE repo_id = $1",
    ] {
        assert_eq!(count(&server, kept, id).await, 0, "{kept}");
    }
    assert!(user.names("/repo").await.is_empty());
    assert!(user.names(&format!("/repo?repoId={id}")).await.is_empty());
    assert_eq!(user.names("/bucket/available").await, ["a"], "free again");
    assert!(user.read_bucket(a).await.expect("read").repos.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_key_is_gone_and_is_reached_through_its_own_storage_repo_only() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let one = user.repo("one", "NORMAL", json!([])).await;
    let other = user.repo("other", "NORMAL", json!([])).await;
    let (key, ai_key) = (user.access_key(one, "READ").await.expect("made"), user.ai_key(one).await);
    let delete_ai_key = async |repo: Uuid| {
        let path = format!("/repo/{repo}/ai/apikey/{ai_key}");
        user.send("DELETE", &path, Value::Null).await.0
    };
    let missed = user.delete_access_key(other, key).await.expect_err("of another storage repo");
    assert_eq!((missed.status, delete_ai_key(other).await), (404, 404));
    let read = user.read_repo(one).await.expect("read");
    assert_eq!((read.api_keys.len(), read.ai_api_keys.len()), (1, 1));

    user.delete_access_key(one, key).await.expect("deleted");
    assert_eq!(delete_ai_key(one).await, 200);
    assert_eq!(user.delete_access_key(one, key).await.expect_err("gone").status, 404);
    assert_eq!(delete_ai_key(one).await, 404);
    let body: repoplane_client::types::UpdateAccessKeyRequest =
        typed(json!({ "name": "n", "accessType": "READ" }));
    let update = user.client.update_access_key().repo_id(one).key_id(key).body(body);
    assert_eq!(super::stage::answer(update.send().await).expect_err("gone").status, 404);
    let read = user.read_repo(one).await.expect("read");
    assert_eq!((read.api_keys.len(), read.ai_api_keys.len()), (0, 0));
    server.stop().await;
}

/// The `n` of a row about the thing with this id: what no answer shows any more.
async fn count(server: &Server, statement: &'static str, id: Uuid) -> i64 {
    let pool = sqlx::AnyPool::connect(&server.database_url()).await.expect("the test's database");
    let row = sqlx::query(statement).bind(id.to_string()).fetch_one(&pool).await.expect("a count");
    pool.close().await;
    row.get("n")
}
