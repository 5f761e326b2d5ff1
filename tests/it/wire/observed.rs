//! Request ids and metrics.

use std::collections::BTreeSet;

use super::{anonymous, header, request, send};
use crate::support::Server;

#[tokio::test]
async fn a_usable_request_id_is_kept_and_any_other_replaced() {
    let server = Server::start().await;
    let longest = "a".repeat(128);
    for path in ["/workspace", "/v1/repo", "/healthz", "/nothing", "/docs/"] {
        for id in ["mine", "{\"odd\":1}", longest.as_str()] {
            let response = send(request(&server, "GET", path).header("x-request-id", id)).await;
            assert_eq!(header(&response, "x-request-id"), id, "{path}");
        }
        for id in ["", "two words", "tab\there", &format!("{longest}a"), "umläut"] {
            let response = send(request(&server, "GET", path).header("x-request-id", id)).await;
            let given = header(&response, "x-request-id");
            assert!(given.parse::<uuid::Uuid>().is_ok(), "{path}: {id:?} became {given:?}");
        }
    }
    let fresh = async || {
        header(&send(anonymous(&server, "GET", "/healthz")).await, "x-request-id").to_owned()
    };
    assert_ne!(fresh().await, fresh().await);
    server.stop().await;
}

#[tokio::test]
async fn requests_are_counted_under_labels_nobody_can_make_up() {
    let server = Server::start().await;
    let id = uuid::Uuid::new_v4();
    send(request(&server, "GET", &format!("/workspace/{id}"))).await;
    send(request(&server, "BREW", &format!("/nothing/{id}"))).await;
    send(request(&server, "BREW", "/workspace")).await;
    send(request(&server, "GET", &format!("/v1/repo/{id}/file/a/{id}"))).await;
    let response = send(anonymous(&server, "GET", "/metrics")).await;
    assert_eq!(header(&response, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let metrics = response.text().await.expect("text");
    for expected in [
        r#"repoplane_http_request_duration_seconds_count{method="GET",route="/workspace/{id}",status="404"} "#,
        r#"repoplane_http_request_duration_seconds_count{method="other",route="none",status="404"} "#,
        r#"repoplane_http_request_duration_seconds_count{method="other",route="/workspace",status="405"} "#,
        r#"route="/v1/repo/{repo_id}/file/{*file_path}",status="404"} "#,
    ] {
        assert!(metrics.contains(expected), "{expected} is not in\n{metrics}");
    }
    assert!(!metrics.contains(&id.to_string()) && !metrics.contains("BREW"), "{metrics}");
    let routes: BTreeSet<_> =
        metrics.split("route=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    // Operations of the gateway are as many as S3 has.
    let (of_s3, of_api): (Vec<&str>, Vec<&str>) =
        routes.iter().copied().partition(|route| route.starts_with("S3 "));
    assert!(of_api.len() < 128 && of_s3.len() < 128, "{routes:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_panic_is_a_500_in_the_envelope_of_its_half_and_the_server_lives() {
    async fn broken() {
        panic!("of the test");
    }
    let router = axum::Router::new()
        .route("/v1/broken", axum::routing::get(broken))
        .route("/broken", axum::routing::get(broken))
        .layer(axum::middleware::from_fn(repoplane::api::observe::observe));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    for (path, key) in [("/v1/broken", "code"), ("/broken", "success")] {
        let url = format!("http://{address}{path}");
        let response = reqwest::Client::new().get(url).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 500);
        let id = header(&response, "x-request-id").to_owned();
        let body: serde_json::Value = response.json().await.expect("JSON");
        let message = body["message"].as_str().expect("text");
        assert!(body.get(key).is_some() && message.contains(&id), "{body}");
        assert!(!message.contains("of the test"), "{body}");
    }
    served.abort();
}
