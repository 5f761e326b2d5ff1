//! PUT replaces: what it answers, which lists it leaves, and in which spellings they can be said.

use serde_json::json;
use uuid::Uuid;

use super::stage::{User, link, wanted, with};
use crate::support::Server;

#[tokio::test]
async fn a_change_answers_the_id_and_the_repo_with_the_time_of_the_change() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let id = user.repo("before", "NORMAL", json!([])).await;
    let made = user.read_repo(id).await.expect("read").created_at;
    let body = json!({ "name": "after", "storageType": "GCS", "mode": "BACKUP" });
    let (status, answer) = user.send("PUT", &format!("/repo/{id}"), body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let repo = json!({ "id": id, "name": "after", "storageType": "GCS", "mode": "BACKUP",
        "createdAt": answer["repo"]["createdAt"], "updatedAt": answer["repo"]["updatedAt"] });
    assert_eq!(answer, json!({ "success": true, "repoId": id, "repo": repo }));

    let again = user.change_repo(id, body).await.expect("changed").repo;
    assert_eq!(again.created_at, made);
    let first: chrono::DateTime<chrono::Utc> =
        repo["updatedAt"].as_str().expect("text").parse().expect("a time");
    assert!(made < first && first < again.updated_at);
    server.stop().await;
}

#[tokio::test]
async fn lists_that_are_left_out_stay_and_empty_ones_detach_all() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let (a, llm) = (user.bucket("a").await, user.ai_llm("llm").await);
    let lists = json!({ "repoAiLlms": [{ "aiLlmId": llm }] });
    let body = with(wanted("r", "MIRROR", json!([link(a, "x", true)])), lists);
    let id = user.create_repo(body).await.expect("made");
    let bare = json!({ "name": "r", "storageType": "S3", "mode": "MIRROR" });
    for (change, left) in [
        (json!({}), (1, 1)),
        (json!({ "repoBuckets": null, "repoAiLlms": null, "walletAddress": null }), (1, 1)),
        (json!({ "repoBuckets": [] }), (0, 1)),
        (json!({ "repoBuckets": [link(a, "x", true)] }), (1, 1)),
        (json!({ "repoAiLlms": [] }), (1, 0)),
        (json!({ "repoUnits": [] }), (0, 0)),
    ] {
        let (status, answer) =
            user.send("PUT", &format!("/repo/{id}"), with(bare.clone(), change.clone())).await;
        assert_eq!(status, 200, "{change}: {answer}");
        let repo = user.read_repo(id).await.expect("read");
        assert_eq!((repo.buckets.len(), repo.ai_llms.len()), left, "{change}");
    }
    assert_eq!(user.read(&format!("/bucket/{a}")).await["bucket"]["repos"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn buckets_and_ai_llms_are_named_by_id_by_name_or_by_what_a_list_answered() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let (a, llm) = (user.bucket("a").await, user.ai_llm("llm").await);
    let id = user.repo("r", "MIRROR", json!([])).await;
    let listed = user.read("/bucket").await["buckets"][0].clone();
    let other = json!({ "id": Uuid::new_v4() });
    for (list, named) in [
        ("repoBuckets", json!({ "bucketId": a })),
        ("repoBuckets", json!({ "bucketId": "a" })),
        ("repoBuckets", json!({ "bucket": listed })),
        ("repoBuckets", json!({ "bucketId": a, "bucket": other })),
        ("repoBuckets", json!({ "bucketId": null, "bucket": { "id": "a" } })),
        ("repoBuckets", json!({ "unitId": a })),
        ("repoUnits", json!({ "unitId": a })),
        ("repoUnits", json!({ "unit": listed })),
        ("repoUnits", json!({ "bucketId": a, "unitId": Uuid::new_v4() })),
    ] {
        user.change_repo(id, wanted("r", "MIRROR", json!([]))).await.expect("emptied");
        let entry = with(json!({ "folder": "x", "master": true }), named.clone());
        let body = json!({ "name": "r", "storageType": "S3", "mode": "MIRROR", list: [entry] });
        let (status, answer) = user.send("PUT", &format!("/repo/{id}"), body).await;
        assert_eq!(status, 200, "{list} {named}: {answer}");
        let held = user.read_repo(id).await.expect("read").buckets;
        let held: Vec<_> =
            held.iter().map(|held| (held.bucket_id, &*held.folder, held.master)).collect();
        assert_eq!(held, [(a, "x", true)], "{list} {named}");
    }
    for named in [json!({ "aiLlmId": "llm" }), json!({ "aiLlm": { "id": llm, "name": "x" } })] {
        let llms = json!({ "repoAiLlms": [named] });
        user.change_repo(id, with(wanted("r", "MIRROR", json!([])), llms)).await.expect("named");
        assert_eq!(user.read_repo(id).await.expect("read").ai_llms[0].ai_llm_id, llm);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_list_that_cannot_be_understood_is_refused() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let id = user.repo("r", "NORMAL", json!([])).await;
    let before = user.state().await;
    let base = json!({ "name": "r", "storageType": "S3", "mode": "NORMAL" });
    for (lists, word) in [
        (json!({ "repoBuckets": [], "repoUnits": [] }), "only one of them"),
        (json!({ "repoBuckets": [{ "folder": "x" }] }), "bucketId"),
        (json!({ "repoBuckets": [{ "bucketId": "" }] }), "bucketId"),
        (json!({ "repoBuckets": [{ "bucket": { "name": "a" } }] }), "bucketId"),
        (json!({ "repoAiLlms": [{}] }), "aiLlmId"),
        (json!({ "repoBuckets": [{ "bucketId": "a", "primary": true }] }), "primary"),
    ] {
        for (method, path) in [("POST", "/repo".to_owned()), ("PUT", format!("/repo/{id}"))] {
            let (status, answer) =
                user.send(method, &path, with(base.clone(), lists.clone())).await;
            assert_eq!((status, &answer["success"]), (400, &json!(false)), "{lists}: {answer}");
            assert!(answer["message"].as_str().expect("text").contains(word), "{lists}: {answer}");
        }
    }
    assert_eq!(before, user.state().await);
    server.stop().await;
}
