//! What is not a body the contract knows: the storage half says 400, the source half 422.

use serde_json::json;

use super::{answer, header, raw, request, send};
use crate::isolation::stage::{create_repo, create_workspace};
use crate::support::{OWNER_TOKEN, Server};

const LIMIT: usize = 50 * 1024 * 1024;

/// Bodies of `POST /workspace` that serde alone would partly let through.
const NO_WORKSPACE: [(&str, &str); 13] = [
    ("", "EOF"),
    ("{", "EOF"),
    (r#"{"name":"a"} x"#, "trailing"),
    (r#"{"name":"a",}"#, "trailing comma"),
    ("\"a\"", "invalid type"),
    ("null", "invalid type"),
    (r#"["a"]"#, "invalid type: sequence"),
    ("{}", "missing field `name`"),
    (r#"{"name":1}"#, "invalid type: integer"),
    (r#"{"name":null}"#, "invalid type: null"),
    (r#"{"name":"a","name":"b"}"#, "duplicate field `name`"),
    (r#"{"name":"a","nam":"b"}"#, "unknown field `nam`"),
    (r#"{"name":"\ud800"}"#, "hex escape"),
];

/// Bodies of an edit, likewise.
const NO_EDIT: [(&str, &str); 17] = [
    ("[]", "invalid type"),
    ("{", "EOF"),
    ("{}", "Neither"),
    (r#"{"metadata":{"a":"b"},"metadata":{}}"#, "duplicate field `metadata`"),
    (r#"{"metadata":{"a":"b","a":"c"}}"#, "duplicate field `a`"),
    (r#"{"metadata":{"a":1}}"#, "invalid type: integer"),
    (r#"{"metadata":[]}"#, "invalid type: sequence"),
    (r#"{"unknown":1}"#, "unknown field `unknown`"),
    (r#"{"source":{"type":0,"files":[]}}"#, "`type` must be a string"),
    (r#"{"source":["files",[]]}"#, "`type` must be a string"),
    (r#"{"source":{"type":"git","url":"x"}}"#, "URL"),
    (r#"{"source":{"type":"files","type":"files","files":[]}}"#, "duplicate field `type`"),
    (r#"{"source":{"type":"files","files":[["a","b"]]}}"#, "invalid type: sequence"),
    (r#"{"source":{"type":"files","files":[],"more":1}}"#, "unknown field `more`"),
    (
        r#"{"source":{"type":"diff","operations":[{"type":"delete","filename":"a","filename":"b"}]}}"#,
        "duplicate field",
    ),
    (
        r#"{"source":{"type":"files","files":[{"filename":"a","content":"","mode":{"100644":null}}]}}"#,
        "invalid type: map",
    ),
    (
        r#"{"source":{"type":"files","files":[{"filename":"a","content":"","encoding":0}]}}"#,
        "invalid type",
    ),
];

#[tokio::test]
async fn a_bad_body_is_400_in_the_storage_half_and_says_what_is_wrong() {
    let server = Server::start().await;
    for (body, word) in NO_WORKSPACE {
        let sent =
            request(&server, "POST", "/workspace").header("content-type", "application/json");
        let (status, said) = answer(sent.body(body)).await;
        assert_eq!((status, &said["success"]), (400, &json!(false)), "{body}: {said}");
        assert!(said["message"].as_str().expect("text").contains(word), "{body}: {said}");
    }
    let id = create_workspace(&server.owner()).await;
    for role in [r#"{"READ":null}"#, "0", "null", r#""read""#] {
        let user = uuid::Uuid::nil();
        let sent = request(&server, "POST", &format!("/workspace/{id}/users"))
            .header("content-type", "application/json")
            .body(format!(r#"{{"userId":"{user}","role":{role}}}"#));
        assert_eq!(answer(sent).await.0, 400, "{role}");
    }
    let list = server.owner().list_workspaces().send().await.expect("list").into_inner();
    assert_eq!(list.workspaces.len(), 2, "nothing came of the bad bodies");
    server.stop().await;
}

#[tokio::test]
async fn a_bad_body_is_422_in_the_source_half_and_names_the_place() {
    let server = Server::start().await;
    let owner = server.owner();
    let repo = create_repo(&owner, create_workspace(&owner).await).await;
    for (body, word) in NO_EDIT {
        let sent = request(&server, "POST", &format!("/v1/repo/{repo}/update"))
            .header("content-type", "application/json; charset=utf-8");
        let (status, said) = answer(sent.body(body)).await;
        assert_eq!((status, &said["code"]), (422, &json!("validation_error")), "{body}: {said}");
        assert!(said["message"].as_str().expect("text").contains(word), "{body}: {said}");
        assert_eq!(said["detail"][0]["loc"][0], "body", "{said}");
        assert_eq!(said["detail"][0]["msg"], said["message"]);
    }
    let sent = request(&server, "POST", &format!("/v1/repo/{repo}/update"));
    let (_, said) = answer(sent.json(&json!({"metadata": {"a": 1}}))).await;
    assert_eq!(said["detail"][0]["loc"], json!(["body", "metadata", "a"]), "{said}");
    let clone = owner.clone_source_repo().repo_id(repo).send().await.expect("files").into_inner();
    assert_eq!(clone.files.len(), 1, "nothing came of the bad bodies");
    server.stop().await;
}

#[tokio::test]
async fn another_content_type_is_415_and_the_right_one_is_named() {
    let server = Server::start().await;
    let owner = server.owner();
    let repo = create_repo(&owner, create_workspace(&owner).await).await;
    for (method, path, sent, wanted) in [
        ("POST", "/workspace".to_owned(), "text/plain", "application/json"),
        ("POST", "/workspace".to_owned(), "", "application/json"),
        ("POST", "/v1/repo".to_owned(), "application/x-www-form-urlencoded", "application/json"),
        ("PUT", format!("/v1/repo/{repo}/file/a"), "text/plain", "application/octet-stream"),
    ] {
        let mut sending = request(&server, method, &path).body("{}");
        if !sent.is_empty() {
            sending = sending.header("content-type", sent);
        }
        let (status, said) = answer(sending).await;
        assert_eq!(status, 415, "{path} {sent}");
        assert!(said["message"].as_str().expect("text").contains(wanted), "{said}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_over_50_mib_is_413_by_its_length_alone_and_when_it_has_none() {
    let server = Server::start().await;
    let head = format!(
        "POST /v1/repo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OWNER_TOKEN}\r\n\
         Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        LIMIT + 1
    );
    let said = raw(&server, head.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(said.contains(r#""code":"payload_too_large""#) && said.contains("52428800"), "{said}");

    // Not a byte more, since what is left unread would cut the connection under the answer.
    let chunks = (0..50).map(|_| vec![b' '; 1 << 20]).chain([vec![b' ']]);
    let chunks = futures::stream::iter(chunks.map(Ok::<_, std::io::Error>));
    let sent = request(&server, "POST", "/workspace").header("content-type", "application/json");
    let response = send(sent.body(reqwest::Body::wrap_stream(chunks))).await;
    assert_eq!(response.status().as_u16(), 413);
    assert_eq!(header(&response, "content-type"), "application/json");
    server.stop().await;
}
