//! What the product's TypeScript client puts on the wire, and what it needs to read back.

use repoplane::model::access::Role;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{User, link, local, wanted, with};
use crate::support::Server;

#[tokio::test]
async fn parameters_that_are_undefined_or_empty_count_as_absent() {
    let server = Server::start().await;
    let user = User::owner(&server);
    user.bucket("a").await;
    user.repo("r", "NORMAL", json!([])).await;
    user.ai_llm("l").await;
    for (path, names) in [
        ("/bucket?workspaceId=undefined&walletAddress=undefined", ["a"]),
        ("/bucket?workspaceId=Default&walletAddress=undefined", ["a"]),
        ("/bucket?workspaceId=&walletAddress=", ["a"]),
        ("/bucket/available?workspaceId=undefined", ["a"]),
        ("/repo?workspaceId=undefined&repoId=undefined&walletAddress=undefined", ["r"]),
        ("/repo?workspaceId=&repoId=&limit=&cursor=", ["r"]),
        ("/ai/llm?workspaceId=undefined", ["l"]),
    ] {
        assert_eq!(user.names(path).await, names, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_list_of_one_repo_holds_it_or_nothing() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let id = user.repo("r", "NORMAL", json!([])).await;
    user.repo("s", "NORMAL", json!([])).await;
    assert_eq!(user.names(&format!("/repo?repoId={id}")).await, ["r"]);
    let upper = id.to_string().to_uppercase();
    assert_eq!(user.names(&format!("/repo?repoId={upper}&workspaceId=Default")).await, ["r"]);
    assert!(user.names(&format!("/repo?repoId={}", Uuid::new_v4())).await.is_empty());
    let other = user.workspace("other").await;
    assert!(user.names(&format!("/repo?repoId={id}&workspaceId={other}")).await.is_empty());
    let stranger = User::member(&server, other, Role::Admin).await;
    assert!(stranger.names(&format!("/repo?repoId={id}")).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn what_is_deleted_answers_200_with_success() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let (bucket, repo) = (user.bucket("a").await, user.repo("r", "NORMAL", json!([])).await);
    let key = user.access_key(repo, "READ").await.expect("made");
    let (ai_key, llm) = (user.ai_key(repo).await, user.ai_llm("l").await);
    for path in [
        format!("/repo/{repo}/apikey/{key}"),
        format!("/repo/{repo}"),
        format!("/bucket/{bucket}"),
        format!("/ai/llm/{llm}"),
    ] {
        let answer = user.send("DELETE", &path, Value::Null).await;
        assert_eq!(answer, (200, json!({ "success": true })), "{path}");
    }
    let repo = user.repo("r", "NORMAL", json!([])).await;
    let gone = user.send("DELETE", &format!("/repo/{repo}/ai/apikey/{ai_key}"), Value::Null).await;
    assert_eq!(gone.0, 404, "it went with its storage repo");
    let path = format!("/repo/{repo}/ai/apikey/{}", user.ai_key(repo).await);
    let (status, answer) = user.send("DELETE", &path, Value::Null).await;
    assert_eq!((status, &answer["success"]), (200, &json!(true)));
    assert!(answer["message"].is_string(), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn errors_are_json_and_say_that_they_are() {
    let server = Server::start_with(|config| config.limits.buckets = 1).await;
    let user = User::owner(&server);
    let held = user.bucket("held").await;
    let repo = user.repo("r", "NORMAL", json!([link(held, "", true)])).await;
    let stranger = User::of(&server, "rlc-nobody");
    let absent = format!("/repo/{}", Uuid::new_v4());
    let text = user.request("POST", "/repo", &Value::Null).header(CONTENT_TYPE, "text/plain");
    for (request, expected) in [
        (user.request("POST", "/bucket", &json!({})), 400),
        (user.bytes("POST", "/repo", "{"), 400),
        (user.request("GET", "/repo/not-an-id", &Value::Null), 404),
        (stranger.request("GET", "/bucket", &Value::Null), 401),
        (user.request("DELETE", &format!("/bucket/{held}"), &Value::Null), 403),
        (user.request("GET", &absent, &Value::Null), 404),
        (user.request("PATCH", &format!("/repo/{repo}"), &json!({})), 405),
        (text.body("{}"), 415),
        (user.request("POST", "/bucket", &local("one-too-many")), 429),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), expected);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json", "{expected}");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body["success"], false, "{body}");
        assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_repo_id_that_clients_repeat_in_a_body_is_the_one_in_the_path() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let (id, other) =
        (user.repo("r", "NORMAL", json!([])).await, user.repo("s", "NORMAL", json!([])).await);
    let key = json!({ "name": "key", "accessType": "READ" });
    let check = json!({ "mode": "NORMAL", "repoBuckets": [] });
    for (path, body) in
        [(format!("/repo/{id}/apikey"), key), (format!("/repo/{id}/validate"), check.clone())]
    {
        let repeated = with(body.clone(), json!({ "repoId": id }));
        let (status, answer) = user.send("POST", &path, repeated).await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{path}: {answer}");
        let before = user.state().await;
        let (status, answer) =
            user.send("POST", &path, with(body, json!({ "repoId": other }))).await;
        assert_eq!(status, 400, "{path}: {answer}");
        assert!(answer["message"].as_str().expect("text").contains("repoId"), "{answer}");
        assert_eq!(before, user.state().await);
    }
    for nothing in ["", "new", "undefined"] {
        let (status, answer) = user
            .send("POST", "/repo/validate", with(check.clone(), json!({ "repoId": nothing })))
            .await;
        assert_eq!(
            (status, &answer["error_code"]),
            (200, &json!("SUCCESS")),
            "{nothing}: {answer}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_secret_key_is_answered_once_and_never_listed() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let id = user.repo("r", "NORMAL", json!([])).await;
    for (path, body, field) in [
        ("apikey", json!({ "repoId": id, "name": "k", "accessType": "WRITE" }), "keys"),
        ("ai/apikey", json!({ "name": "k", "aiType": "OPENAI" }), "apiKeys"),
    ] {
        let path = format!("/repo/{id}/{path}");
        let (status, made) = user.send("POST", &path, body).await;
        assert_eq!((status, &made["success"]), (200, &json!(true)), "{made}");
        let (key, secret) = (made["key"].as_str().expect("text"), made["secret"].as_str());
        let secret = secret.expect("text");
        let list = user.read(&path).await;
        assert_eq!(
            (&list["success"], list[field].as_array().expect("a list").len()),
            (&json!(true), 1)
        );
        assert_eq!((&list[field][0]["id"], &list[field][0]["key"]), (&made["id"], &json!(key)));
        for text in [list.to_string(), user.read("/repo").await.to_string()] {
            assert!(text.contains(key) && !text.contains(secret), "{text}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_is_checked_as_stored_without_a_body_and_as_proposed_with_one() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let id = user.bucket("a").await;
    let path = format!("/bucket/{id}/validate");
    let proposal = json!({ "bucket": "b", "key": "k", "secret": "s", "endpoint": "file:disk2" });
    for body in [Value::Null, json!({}), json!({ "bucket": "a" }), proposal] {
        let (status, answer) = user.send("POST", &path, body).await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
        assert_eq!(answer["status"], "ONLINE");
        assert!(answer["message"].is_string() && answer["latency_ms"].is_u64(), "{answer}");
    }
    let before = user.read(&format!("/bucket/{id}")).await;
    for body in [
        json!({ "bucket": "b", "endpoint": "https://127.0.0.1:1", "key": "k", "secret": "s" }),
        json!({ "endpoint": "file:../up" }),
        json!({ "bucket": "not a name" }),
    ] {
        let (status, answer) = user.send("POST", &path, body).await;
        assert_eq!((status, &answer["success"]), (400, &json!(false)), "{answer}");
    }
    assert_eq!(before, user.read(&format!("/bucket/{id}")).await, "a proposal is not kept");
    let status = user.read(&format!("/bucket/{id}/status")).await;
    assert_eq!(status.get("success"), None);
    assert_eq!(
        (&status["bucketId"], &status["nodeStatus"][0]["status"]),
        (&json!(id), &json!("ONLINE"))
    );
    server.stop().await;
}

#[tokio::test]
async fn bodies_as_the_clients_types_have_them_are_understood() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let workspace = user.workspace("w").await;
    let bucket = json!({ "name": "a", "bucket": "a", "storageType": "S3", "workspaceId": workspace,
        "key": "AK", "secret": "s", "endpoint": "file:disk1", "region": "us-east-1",
        "walletAddress": "G" });
    let (status, made) = user.send("POST", "/bucket", bucket.clone()).await;
    assert_eq!((status, &made["success"]), (200, &json!(true)), "{made}");
    let id = made["bucketId"].as_str().expect("an id").to_owned();
    let (status, changed) = user.send("PUT", &format!("/bucket/{id}"), bucket).await;
    assert_eq!((status, &changed["bucketId"]), (200, &made["bucketId"]), "{changed}");

    let listed = user.read("/bucket").await["buckets"][0].clone();
    let item = json!({ "folder": "f", "master": true, "bucketId": id, "bucket": listed });
    let repo = json!({ "name": "r", "storageType": "S3", "mode": "MIRROR", "workspaceId": workspace,
        "repoBuckets": [item], "repoAiLlms": [], "walletAddress": "G" });
    let (status, made) = user.send("POST", "/repo", repo.clone()).await;
    assert_eq!((status, &made["success"]), (200, &json!(true)), "{made}");
    let path = format!("/repo/{}", made["repoId"].as_str().expect("an id"));
    // What a list answers goes back as it is.
    let listed = user.read("/repo").await["repos"][0]["buckets"].clone();
    let body = with(repo, json!({ "repoBuckets": listed }));
    let (status, changed) = user.send("PUT", &path, body).await;
    assert_eq!((status, &changed["repoId"]), (200, &made["repoId"]), "{changed}");
    let check = json!({ "repoId": made["repoId"], "mode": "MIRROR", "repoBuckets": listed });
    assert_eq!(user.send("POST", &format!("{path}/validate"), check).await.1["success"], true);
    server.stop().await;
}

#[tokio::test]
async fn available_buckets_are_a_bare_list() {
    let server = Server::start().await;
    let user = User::owner(&server);
    assert_eq!(user.read("/bucket/available").await, json!([]));
    user.bucket("a").await;
    let found = user.read("/bucket/available").await;
    assert_eq!(found, user.read("/bucket").await["buckets"]);
    server.stop().await;
}

#[tokio::test]
async fn a_base_url_that_ends_with_a_slash_leads_nowhere() {
    let server = Server::start().await;
    let user = User::owner(&server);
    user.repo("r", "NORMAL", json!([])).await;
    for (method, body) in [("GET", Value::Null), ("POST", wanted("s", "NORMAL", json!([])))] {
        let (status, answer) = user.send(method, "//repo", body).await;
        assert_eq!((status, &answer["success"]), (404, &json!(false)), "{answer}");
    }
    assert_eq!(user.names("/repo").await, ["r"]);
    server.stop().await;
}
