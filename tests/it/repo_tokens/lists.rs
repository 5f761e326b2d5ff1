//! Lists of repo tokens, what a token may be made of, and the trail it leaves.

use repoplane::model::access::OrgRole;
use repoplane_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{make, read, revoke, token};
use crate::support::repo::{Repo, answer};
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn the_list_has_the_callers_own_live_tokens_newest_first() {
    let server = Server::start().await;
    let owner = server.owner();
    let (one, two) = (Repo::create(&owner, &[]).await, Repo::create(&owner, &[]).await);
    let mut made = Vec::new();
    for repos in [vec![one.id], vec![two.id], vec![one.id, two.id], vec![one.id], vec![two.id]] {
        made.push(token(&owner, &repos).await);
    }
    let gone = made.remove(1);
    revoke(&owner, gone.id).await.expect("revoked");
    made.reverse();
    let ids = |page: &types::RepoTokenPage| page.items.iter().map(|t| t.id).collect::<Vec<_>>();
    let expected: Vec<_> = made.iter().map(|token| token.id).collect();
    let page = async |start: i64, size: u32| {
        let size = std::num::NonZeroU32::new(size).expect("not zero");
        let page = owner.list_repo_tokens().page_start(start).page_size(size).send().await;
        answer(page).expect("a page")
    };
    let all = page(0, 100).await;
    assert_eq!((ids(&all), all.total_items, all.next_page), (expected.clone(), 4, None));
    for (token, listed) in made.iter().zip(&all.items) {
        let mut repos = token.repo_ids.clone();
        repos.sort();
        assert_eq!(listed.repo_ids, repos);
    }
    let first = page(0, 3).await;
    assert_eq!((ids(&first), first.next_page), (expected[..3].to_vec(), Some(3)));
    let last = page(3, 3).await;
    assert_eq!((ids(&last), last.next_page), (expected[3..].to_vec(), None));

    let admin = server.client(&server.user("a@x", OrgRole::Administrator, None).await);
    let theirs = answer(admin.list_repo_tokens().send().await).expect("a page");
    assert_eq!(theirs.total_items, 0);
    for which in [made[0].id.to_string(), made[0].token.clone()] {
        assert_eq!(read(&admin, &which).await.expect_err("not theirs").status, 404);
        assert_eq!(revoke(&admin, &which).await.expect_err("not theirs").status, 404);
    }
    // Account tokens are no repo tokens.
    assert_eq!(read(&owner, OWNER_TOKEN).await.expect_err("an account token").status, 404);
    assert_eq!(revoke(&owner, OWNER_TOKEN).await.expect_err("an account token").status, 404);
    server.stop().await;
}

#[tokio::test]
async fn what_a_token_cannot_be_is_refused() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await.id;
    let many: Vec<Uuid> = (0..101).map(|_| Uuid::new_v4()).collect();
    for (field, body) in [
        ("name", json!({"name": "", "repo_ids": [repo]})),
        ("name", json!({"name": "a\0b", "repo_ids": [repo]})),
        ("repo_ids", json!({"name": "n", "repo_ids": []})),
        ("repo_ids", json!({"name": "n", "repo_ids": many})),
        ("ttl_seconds", json!({"name": "n", "repo_ids": [repo], "ttl_seconds": 0})),
        ("ttl_seconds", json!({"name": "n", "repo_ids": [repo], "ttl_seconds": -1})),
        ("ttl_seconds", json!({"name": "n", "repo_ids": [repo], "ttl_seconds": 315_360_001})),
        ("access", json!({"name": "n", "repo_ids": [repo], "access": "ADMIN"})),
        ("scope", json!({"name": "n", "repo_ids": [repo], "scope": "READ"})),
    ] {
        let (status, answer) = post(&server, &body).await;
        assert_eq!(status, 422, "{body}: {answer}");
        assert!(answer["message"].as_str().expect("a message").contains(field), "{answer}");
    }
    let absent = json!({"name": "n", "repo_ids": [repo, Uuid::new_v4()]});
    assert_eq!(make(&server.owner(), absent).await.expect_err("an absent repo").status, 404);
    let longest = json!({"name": "n", "repo_ids": [repo], "ttl_seconds": 315_360_000});
    make(&server.owner(), longest).await.expect("a token for ten years");
    let null = json!({"name": "n", "repo_ids": [repo], "ttl_seconds": null, "access": null});
    assert_eq!(post(&server, &null).await.0, 201);
    server.stop().await;
}

#[tokio::test]
async fn the_audit_log_tells_of_repo_tokens_without_their_secrets() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let made = token(&server.owner(), &[repo.id]).await;
    revoke(&server.owner(), &made.token).await.expect("revoked");
    let filter = json!({"contextId": made.id});
    let filter: types::SystemEventQuery = serde_json::from_value(filter).expect("a filter");
    let page = server.owner().list_events().body(filter).send().await.expect("events");
    let actions: Vec<_> = page.events.iter().map(|event| event.event.to_string()).collect();
    assert_eq!(actions, ["deleted", "created"]);
    let text = format!("{:?}", page.events);
    assert!(text.contains(&repo.id.to_string()) && text.contains("WRITE"), "{text}");
    assert!(!text.contains(&made.token[8..]), "{text}");
    server.stop().await;
}

async fn post(server: &Server, body: &Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}/v1/repo_token", server.url()));
    let answer = request.bearer_auth(OWNER_TOKEN).json(body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}
