//! Too much at once, too slow, or too much to ask of a server that is losing its database.

use std::num::NonZeroU32;
use std::time::Instant;

use repoplane_client::{Client, types};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{anonymous, answer, header, request, send};
use crate::isolation::stage::token;
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn a_token_over_its_rate_is_429_and_others_are_not() {
    let one = NonZeroU32::MIN;
    let server = Server::start_with(|config| {
        config.limits.requests_per_second = one;
        config.limits.burst = one;
    })
    .await;
    let scope = repoplane::service::tokens::Scope::default();
    let (_, other) = token(&server, "owner@localhost", &scope).await;
    let started = Instant::now();
    let mut passed = 0;
    for (path, key) in [("/workspace", "success"), ("/v1/repo", "code")].repeat(5) {
        let response = send(request(&server, "GET", path)).await;
        if response.status().as_u16() == 200 {
            passed += 1;
            continue;
        }
        assert_eq!(response.status().as_u16(), 429);
        assert_eq!(header(&response, "retry-after"), "1");
        let body: serde_json::Value = response.json().await.expect("JSON");
        assert_eq!(body["message"], "Too many requests. Try again in 1 s.");
        assert!([json!(false), json!("rate_limit_exceeded")].contains(&body[key]), "{body}");
    }
    let most = 1 + started.elapsed().as_secs();
    assert!((1..=most).contains(&passed), "{passed} of 10 passed, where {most} may");
    assert_eq!(answer(anonymous(&server, "GET", "/workspace").bearer_auth(other)).await.0, 200);
    assert_eq!(answer(anonymous(&server, "GET", "/healthz")).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn one_request_too_many_at_once_is_503_and_probes_still_answer() {
    let server = Server::start_with(|config| config.limits.concurrent_requests = 1).await;
    let mut slow = upload(&server, 10).await;
    // Readiness does not count, so a busy server is not taken for a broken one.
    assert_eq!(answer(anonymous(&server, "GET", "/readyz")).await.0, 200);
    for path in ["/workspace", "/v1/repo"] {
        let response = send(request(&server, "GET", path)).await;
        assert_eq!(response.status().as_u16(), 503);
        assert_eq!(header(&response, "retry-after"), "1");
    }
    slow.write_all(br#""a"}    "#).await.expect("the rest");
    assert_eq!(status(&mut slow).await, "HTTP/1.1 200 OK");
    assert_eq!(answer(request(&server, "GET", "/workspace")).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up_with_503() {
    let server = Server::start_with(|config| config.limits.request_seconds = 1).await;
    let mut slow = upload(&server, 10).await;
    assert_eq!(status(&mut slow).await, "HTTP/1.1 503 Service Unavailable");
    let list = server.owner().list_workspaces().send().await.expect("list").into_inner();
    assert_eq!(list.workspaces.len(), 1, "it has not happened");
    server.stop().await;
}

#[tokio::test]
async fn an_internal_error_tells_its_request_id_and_nothing_else() {
    let server = Server::start().await;
    let store = &server.services().store;
    sqlx::query("ALTER TABLE source_refs RENAME TO elsewhere")
        .execute(store.write_now())
        .await
        .expect("damaged");
    let expected = "Internal error. The server's log has the cause under request id id-of-mine.";
    let sent = request(&server, "GET", "/v1/repo").header("x-request-id", "id-of-mine");
    let (status, body) = answer(sent).await;
    let code = "internal_server_error";
    assert_eq!(status, 500);
    assert_eq!(body, json!({"error": expected, "code": code, "message": expected}));

    sqlx::query("ALTER TABLE workspaces RENAME TO elsewhere_too")
        .execute(store.write_now())
        .await
        .expect("damaged");
    let sent = request(&server, "GET", "/workspace").header("x-request-id", "id-of-mine");
    assert_eq!(answer(sent).await, (500, json!({"success": false, "message": expected})));
    server.stop().await;
}

#[tokio::test]
async fn without_its_database_the_server_lives_but_is_not_ready() {
    let server = Server::start().await;
    assert_eq!(answer(anonymous(&server, "GET", "/readyz")).await.0, 200);
    server.services().store.close().await;
    assert_eq!(answer(anonymous(&server, "GET", "/healthz")).await, (200, json!({"status": "ok"})));
    let checks = json!({"database": "failed", "storage": "ok"});
    let expected = json!({"status": "unavailable", "checks": checks});
    assert_eq!(answer(anonymous(&server, "GET", "/readyz")).await, (503, expected));
    for path in ["/workspace", "/v1/repo"] {
        let response = send(request(&server, "GET", path)).await;
        assert_eq!(response.status().as_u16(), 503);
        assert_eq!(header(&response, "retry-after"), "1");
    }
    server.stop().await;
}

/// The client's own view of a refusal by overload: typed, and not mistaken for success.
#[tokio::test]
async fn a_server_that_takes_no_requests_says_so_to_the_client() {
    let server = Server::start_with(|config| config.limits.concurrent_requests = 0).await;
    let client: Client = server.owner();
    let body = types::CreateWorkspaceRequest::builder().name("x");
    let sent = client.create_workspace().body(body).send().await;
    assert_eq!(crate::support::answer::refusal(sent).0, 503);
    server.stop().await;
}

/// A request to create a workspace whose body has begun and not ended.
async fn upload(server: &Server, rest: usize) -> tokio::net::TcpStream {
    let begin = br#"{"name":"#;
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.expect("connected");
    let head = format!(
        "POST /workspace HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OWNER_TOKEN}\r\n\
         Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        begin.len() + rest - 2
    );
    stream.write_all(head.as_bytes()).await.expect("head");
    // The server asks for the body only once it works on the request.
    assert_eq!(status(&mut stream).await, "HTTP/1.1 100 Continue");
    stream.write_all(begin).await.expect("begin");
    stream
}

/// The first line of the next answer.
async fn status(stream: &mut tokio::net::TcpStream) -> String {
    let mut said = [0; 4_096];
    let length = stream.read(&mut said).await.expect("an answer");
    let said = String::from_utf8_lossy(&said[..length]).into_owned();
    said.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn bodies_over_the_memory_allowed_wait_for_each_other() {
    const CLIENTS: usize = 6;
    let server = Server::start_with(|config| config.limits.body_mib = 1).await;
    let client = server.owner();
    let repo = client.create_source_repo().send().await.expect("created").repo_id;
    let uploads = (0..CLIENTS).map(|n| {
        let put = client.put_source_file().repo_id(repo).file_path(format!("f{n}"));
        // Each is larger than all that may be in memory, so they can only go one by one.
        put.body(vec![b'x'; 3 << 20]).send()
    });
    for upload in futures::future::join_all(uploads).await {
        assert_eq!(upload.expect("written").status().as_u16(), 201);
    }
    server.stop().await;
}
