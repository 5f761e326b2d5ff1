//! What is too long, too many or too large; the largest that fits, fits.

use repoplane_client::types::EditSourceRepoRequest;
use serde_json::json;

use super::paths::raw_update;
use crate::support::Server;
use crate::support::repo::{Repo, diff, file, files, write};

#[tokio::test]
async fn an_edit_has_at_most_10_000_operations() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let operations = |count: usize| -> Vec<_> {
        (0..count).map(|n| write(&format!("d{}/{n}", n % 100), &n.to_string())).collect()
    };
    let refusal = repo.refuses(operations(10_001)).await;
    assert_eq!(refusal.cause(), (422, "validation_error"));
    assert_eq!(repo.changes(operations(10_000)).await.len(), 10_000);
    assert_eq!(repo.files().await.len(), 10_000);
    let listed = |count: usize| -> Vec<_> {
        (0..count).map(|n| file(&format!("e/{n}"), &n.to_string())).collect()
    };
    let refusal = repo.replace(listed(10_001)).await.expect_err("one too many");
    assert_eq!(refusal.cause(), (422, "validation_error"));
    repo.replace(listed(10_000)).await.expect("as many as there may be");
    assert_eq!(repo.files().await.len(), 10_000);
    server.stop().await;
}

#[tokio::test]
async fn messages_and_authors_are_measured_in_characters() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let longest = EditSourceRepoRequest {
        message: Some("ü".repeat(65_536).parse().expect("a message")),
        ..diff(vec![write("a", "1")])
    };
    repo.send(longest).await.expect("as long as it may be");
    let (name, email) = ("漢".repeat(255), format!("{}@x", "é".repeat(253)));
    let operations = json!([{"type": "write", "filename": "a", "content": "2"}]);
    let source = json!({"type": "diff", "operations": operations});
    let author = json!({"name": name, "email": email});
    let fits = json!({"source": source, "author": author});
    assert_eq!(raw_update(&server, &repo, &fits).await.0, 200);
    let head = repo.head().await;
    for (field, value) in [
        ("message", json!("m".repeat(65_537))),
        ("author", json!({"name": format!("{name}x"), "email": "e"})),
        ("author", json!({"name": "n", "email": format!("{email}x")})),
        ("author", json!({"name": "", "email": "e"})),
        ("author", json!({"name": " ", "email": "e"})),
        ("author", json!({"name": "a <b>", "email": "e"})),
        ("author", json!({"name": "n", "email": "a\nb"})),
        ("author", json!({"name": "n"})),
        ("expected_head", json!("main")),
        ("surprise", json!(1)),
    ] {
        let mut body = json!({"source": source});
        body[field] = value;
        let (status, answer) = raw_update(&server, &repo, &body).await;
        assert_eq!((status, &answer["code"]), (422, &json!("validation_error")), "{field}");
    }
    assert_eq!(repo.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn a_body_has_at_most_50_mib() {
    const LIMIT: usize = 50 * 1024 * 1024;
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let head = repo.head().await;
    let refusal = repo.put("large", vec![7; LIMIT + 1]).await.expect_err("one byte too many");
    assert_eq!(refusal.cause(), (413, "payload_too_large"));
    let refusal = repo.diff(vec![write("b", &"x".repeat(LIMIT))]).await.expect_err("too much");
    assert_eq!(refusal.cause(), (413, "payload_too_large"));
    assert_eq!((repo.head().await, repo.files().await), (head, files(&[("a", "a")])));
    repo.put("large", vec![7; LIMIT]).await.expect("as large as it may be");
    assert!(repo.read("large").await.expect("the file") == vec![7; LIMIT]);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_as_an_edit_is_422_or_415() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let operation = |operation| json!({"source": {"type": "diff", "operations": [operation]}});
    for body in [
        json!([]),
        json!({"source": {"type": "patch", "operations": []}}),
        json!({"source": {"operations": []}}),
        json!({"source": {"type": "diff"}}),
        json!({"source": {"type": "diff", "operations": [], "files": []}}),
        json!({"source": {"type": "files", "operations": []}}),
        operation(json!({"type": "chmod", "filename": "a"})),
        operation(json!({"type": 0, "filename": "a", "content": ""})),
        operation(json!({"type": "write", "filename": "a"})),
        operation(json!({"type": "write", "filename": "a", "content": null})),
        operation(json!({"type": "write", "filename": "a", "content": "", "mode": "120000"})),
        operation(json!({"type": "write", "filename": "a", "content": "", "mode": "100664"})),
        operation(json!({"type": "write", "filename": "a", "content": "", "encoding": "utf-16"})),
        operation(json!({"type": "rename", "old_filename": "a"})),
        operation(json!({"type": "delete"})),
    ] {
        let (status, answer) = raw_update(&server, &repo, &body).await;
        assert_eq!((status, &answer["code"]), (422, &json!("validation_error")), "{body}");
    }
    let url = format!("{}/v1/repo/{}/update", server.url(), repo.id);
    for (content_type, body, status) in [
        ("application/json", "{", 422),
        ("application/json", "{\"source\": null, \"source\": null}", 422),
        ("application/json", "", 422),
        ("text/plain", "{}", 415),
    ] {
        let post = repoplane_client::reqwest::Client::new().post(&url);
        let post = post.bearer_auth(crate::support::OWNER_TOKEN);
        let sent = post.header("content-type", content_type).body(body).send().await;
        assert_eq!(sent.expect("an answer").status().as_u16(), status, "{body:?}");
    }
    server.stop().await;
}
