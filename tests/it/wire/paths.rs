//! Paths, queries and methods as clients really send them.

use uuid::Uuid;

use super::{answer, header, raw, request, send};
use crate::isolation::stage::{create_repo, create_workspace};
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn an_id_may_be_percent_encoded() {
    let server = Server::start().await;
    let id = create_workspace(&server.owner()).await.to_string();
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (status, body) = answer(request(&server, "GET", &format!("/workspace/{encoded}"))).await;
    assert_eq!((status, body["workspace"]["id"].as_str()), (200, Some(id.as_str())));
    server.stop().await;
}

#[tokio::test]
async fn empty_and_undefined_query_values_count_as_absent() {
    let server = Server::start().await;
    create_repo(&server.owner(), create_workspace(&server.owner()).await).await;
    let query = "page_size=&page_start=undefined&workspace_id=undefined&order_by=&created_after=\
                 &filter_metadata=undefined&order_descending=";
    let (status, body) = answer(request(&server, "GET", &format!("/v1/repo?{query}"))).await;
    assert_eq!((status, body["total_items"].as_u64()), (200, Some(1)), "{body}");
    for query in [
        "page_size=0",
        "page_size=101",
        "page_size=x",
        "unknown=1",
        "page_size=1&page_size=2",
        "workspace_id=x",
        "order_by=name",
        "filter_metadata=[]",
        "created_after=now",
    ] {
        let (status, body) = answer(request(&server, "GET", &format!("/v1/repo?{query}"))).await;
        assert_eq!((status, body["code"].as_str()), (422, Some("validation_error")), "{query}");
        assert_eq!(body["detail"][0]["loc"][0], "query", "{query}");
        let field = query.split('=').next().expect("a name");
        assert!(body["message"].as_str().expect("text").contains(field), "{body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn slashes_of_a_file_path_arrive_raw_and_encoded() {
    let server = Server::start().await;
    let repo = create_repo(&server.owner(), create_workspace(&server.owner()).await).await;
    let put = request(&server, "PUT", &format!("/v1/repo/{repo}/file/a/b.txt"));
    let put = put.header("content-type", "application/octet-stream").body("x");
    assert_eq!(answer(put).await.0, 201);
    for path in ["a/b.txt", "a%2Fb.txt", "a%2fb%2Etxt"] {
        let response = send(request(&server, "GET", &format!("/v1/repo/{repo}/file/{path}"))).await;
        assert_eq!(response.status().as_u16(), 200, "{path}");
        assert_eq!(header(&response, "content-type"), "application/octet-stream");
        assert_eq!(response.text().await.expect("text"), "x");
    }
    server.stop().await;
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let server = Server::start().await;
    let id = Uuid::new_v4();
    for (path, status) in [("/workspace", 200), (&format!("/v1/repo/{id}"), 404), ("/nothing", 404)]
    {
        let said = raw(
            &server,
            format!(
                "HEAD {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OWNER_TOKEN}\r\n\
                 Connection: close\r\n\r\n"
            )
            .as_bytes(),
        )
        .await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert!(said.contains("x-request-id: "), "{said}");
        assert!(said.ends_with("\r\n\r\n"), "{said}");
    }
    server.stop().await;
}
