//! The two envelopes, status by status.

use repoplane::model::access::{OrgRole, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{anonymous, answer, header, request, send};
use crate::isolation::stage::{create_repo, create_workspace};
use crate::support::Server;

#[tokio::test]
async fn without_a_token_both_halves_name_the_scheme() {
    let server = Server::start().await;
    let message = "No bearer token was sent. Send one as `Authorization: Bearer <token>`.";
    for (path, expected) in [
        (
            "/workspace",
            format!(r#"{{"success":false,"message":"{message}","error_code":"NO_AUTH_USER"}}"#),
        ),
        (
            "/v1/repo",
            format!(r#"{{"error":"{message}","code":"missing_api_key","message":"{message}"}}"#),
        ),
    ] {
        for authorization in
            [None, Some("Bearer"), Some("Bearer "), Some("Basic abc"), Some("rlc-x")]
        {
            let mut request = anonymous(&server, "GET", path);
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let response = send(request).await;
            assert_eq!(response.status().as_u16(), 401, "{authorization:?}");
            assert_eq!(header(&response, "www-authenticate"), "Bearer");
            assert_eq!(header(&response, "content-type"), "application/json");
            assert_eq!(response.text().await.expect("body"), expected, "{authorization:?}");
        }
    }
    let unknown = anonymous(&server, "GET", "/v1/repo").bearer_auth("rlc-unknown");
    assert_eq!(answer(unknown).await.1["code"], "invalid_api_key");
    // The scheme is a word without case.
    let lower = anonymous(&server, "GET", "/workspace");
    let lower = lower.header("authorization", format!("bearer {}", crate::support::OWNER_TOKEN));
    assert_eq!(answer(lower).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_403_names_the_role_that_is_needed_and_the_one_held() {
    let server = Server::start().await;
    let owner = server.owner();
    let workspace = create_workspace(&owner).await;
    let repo = create_repo(&owner, workspace).await;
    let membership = Some((workspace.into(), Role::Read));
    let reader = server.user("r@x", OrgRole::User, membership).await;
    let sent = |method, path: String| anonymous(&server, method, &path).bearer_auth(&reader);

    let (status, body) = answer(sent("DELETE", format!("/workspace/{workspace}"))).await;
    let message = body["message"].as_str().expect("message").to_owned();
    assert_eq!((status, body), (403, json!({"success": false, "message": message})));
    assert!(message.contains("ADMIN") && message.contains("READ"), "{message}");

    let (status, body) = answer(sent("DELETE", format!("/v1/repo/{repo}"))).await;
    let message = body["message"].as_str().expect("message").to_owned();
    let expected = json!({
        "error": message, "code": "insufficient_permissions", "message": message,
    });
    assert_eq!((status, body), (403, expected));
    assert!(message.contains("WRITE") && message.contains("READ"), "{message}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_absent_is_404_in_the_envelope_of_its_half() {
    let server = Server::start().await;
    let id = Uuid::new_v4();
    for path in [
        format!("/workspace/{id}"),
        "/nothing".to_owned(),
        "/v1x".to_owned(),
        "/workspace/".to_owned(),
        "/".to_owned(),
        "/workspace/not-a-uuid".to_owned(),
        "/workspace/%ff".to_owned(),
        format!("/workspace/{id}/extra/much"),
    ] {
        let (status, body) = answer(request(&server, "GET", &path)).await;
        assert_eq!(status, 404, "{path}");
        assert_eq!(keys(&body), ["message", "success"], "{path}");
    }
    for path in [
        format!("/v1/repo/{id}"),
        "/v1".to_owned(),
        "/v1/nothing".to_owned(),
        "/v1/repo/".to_owned(),
        "/v1/repo/not-a-uuid".to_owned(),
        format!("/v1/repo/{id}/file/"),
    ] {
        let (status, body) = answer(request(&server, "GET", &path)).await;
        assert_eq!(status, 404, "{path}");
        assert_eq!(keys(&body), ["code", "error", "message"], "{path}");
        assert_eq!((&body["code"], &body["error"]), (&json!("not_found"), &body["message"]));
    }
    server.stop().await;
}

#[tokio::test]
async fn another_method_is_405_and_allow_lists_those_there_are() {
    let server = Server::start().await;
    let id = Uuid::new_v4();
    for (method, path, allow, code) in [
        ("PATCH", "/workspace".to_owned(), "GET,HEAD,POST", None),
        ("POST", format!("/workspace/{id}"), "DELETE,GET,HEAD,PUT", None),
        ("HEAD", "/systemevent".to_owned(), "POST", None),
        ("DELETE", "/healthz".to_owned(), "GET,HEAD", None),
        ("PUT", "/v1/repo".to_owned(), "GET,HEAD,POST", Some("method_not_allowed")),
        ("GET", format!("/v1/repo/{id}/update"), "POST", Some("method_not_allowed")),
        (
            "POST",
            format!("/v1/repo/{id}/file/a/b"),
            "DELETE,GET,HEAD,PUT",
            Some("method_not_allowed"),
        ),
        (
            "POST",
            format!("/v1/repo/{id}/file/a%2Fb"),
            "DELETE,GET,HEAD,PUT",
            Some("method_not_allowed"),
        ),
    ] {
        let response = send(request(&server, method, &path)).await;
        assert_eq!(response.status().as_u16(), 405, "{method} {path}");
        let mut allowed: Vec<_> = header(&response, "allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{method} {path}");
        if method != "HEAD" {
            let body: Value = response.json().await.expect("JSON");
            assert_eq!(body["code"].as_str(), code, "{body}");
            assert!(body["message"].as_str().expect("message").contains("Allow"), "{body}");
        }
    }
    server.stop().await;
}

fn keys(body: &Value) -> Vec<&str> {
    body.as_object().expect("an object").keys().map(String::as_str).collect()
}
