//! Questions that cannot be asked.

use serde_json::{Value, json};

use super::indexed;
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn bodies_that_make_no_question_are_422() {
    let server = Server::start().await;
    let repo = indexed(&server.owner(), &[("a", "alpha")]).await;
    let long = "x".repeat(16_001);
    let most = "é".repeat(16_000);
    let agent = |name: Value, inputs: Value| json!({"agent_name": name, "agent_inputs": inputs});
    let asked = json!({"query": "alpha"});
    let cases = [
        ("search", json!({}), 422),
        ("search", json!({"query": ""}), 422),
        ("search", json!({"query": null}), 422),
        ("search", json!({"query": long}), 422),
        ("search", json!({"query": most}), 200),
        ("search", json!({"query": "a", "more": 1}), 422),
        ("agent", asked.clone(), 422),
        ("agent", agent(json!("relace-search"), asked.clone()), 200),
        ("agent", agent(json!("code_review"), asked.clone()), 422),
        ("agent", agent(json!("relace-search"), json!({})), 422),
        ("agent", agent(json!("relace-search"), json!({"query": ""})), 422),
        ("agent", agent(json!("relace-search"), json!("alpha")), 422),
        ("retrieve", asked.clone(), 200),
        ("retrieve", json!({"query": ""}), 422),
        ("retrieve", json!({"query": "a", "score_threshold": 1.01}), 422),
        ("retrieve", json!({"query": "a", "score_threshold": -0.01}), 422),
        ("retrieve", json!({"query": "a", "token_limit": -1}), 422),
        ("retrieve", json!({"query": "a", "token_limit": 5_000_001}), 422),
        ("retrieve", json!({"query": "a", "hash": "abc"}), 422),
        ("retrieve", json!({"query": "a", "hash": "0".repeat(40)}), 404),
        ("retrieve", json!({"query": "a", "branch": "nobody"}), 404),
        ("retrieve", json!({"query": "a", "branch": "a..b"}), 422),
    ];
    let http = reqwest::Client::new();
    for (path, body, status) in cases {
        let url = format!("{}/v1/repo/{}/{path}", server.url(), repo.id);
        let answer = http.post(url).bearer_auth(OWNER_TOKEN).json(&body).send().await;
        let answer = answer.expect("an answer");
        let shown: String = body.to_string().chars().take(80).collect();
        assert_eq!(answer.status().as_u16(), status, "{path} {shown}");
    }
    server.stop().await;
}

#[tokio::test]
async fn queries_that_make_no_question_are_422() {
    let server = Server::start().await;
    let repo = indexed(&server.owner(), &[("a", "alpha")]).await;
    let long = "x".repeat(1_001);
    let cases = [
        ("files/search", 422),
        ("files/search?query=", 422),
        ("files/search?query=alpha", 200),
        (&format!("files/search?query={long}"), 422),
        (&format!("files/search?query=a&path={long}"), 422),
        ("files/search?query=a&path=[", 200),
        ("files/search?query=a&limit=0", 422),
        ("files/search?query=a&limit=101", 422),
        ("files/search?query=a&cursor=x", 422),
        ("files/search?query=a&cursor=0.0", 422),
        (&format!("files/search?query=alpha&cursor={}.{}", "0".repeat(40), 1), 404),
        (&format!("files/search?query=alpha&cursor={}.{}", "0".repeat(40), -1), 422),
        ("files/search?query=a&ref=nobody", 404),
        ("files/search?query=a&unknown=1", 422),
        ("embedding_status", 200),
        ("embedding_status?branch=&hash=", 200),
        ("embedding_status?branch=nobody", 404),
        ("embedding_status?hash=abc", 422),
        ("embedding_status?unknown=1", 422),
    ];
    let http = reqwest::Client::new();
    for (query, status) in cases {
        let url = format!("{}/v1/repo/{}/{query}", server.url(), repo.id);
        let answer = http.get(url).bearer_auth(OWNER_TOKEN).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{query:.60}");
    }
    server.stop().await;
}
