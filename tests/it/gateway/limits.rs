//! What the gateway bounds, and what it says of itself.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::gateway::Gateway;

#[tokio::test]
async fn one_request_too_many_is_told_to_slow_down() {
    let gateway = Gateway::start_with("MIRROR", |config| {
        config.limits.concurrent_requests = 1;
    })
    .await;
    let mut wire = gateway.ask("PUT", "/b1/key").body("content").signed();
    wire.add("expect", "100-continue");
    let mut slow = TcpStream::connect(wire.address).await.expect("connected");
    slow.write_all(&wire.head()).await.expect("a head");
    let mut said = [0; 64];
    let length = slow.read(&mut said).await.expect("it is admitted");
    assert!(said[..length].starts_with(b"HTTP/1.1 100"), "it takes the one slot");
    let late = gateway.ask("GET", "/b1").send().await;
    assert_eq!(late.refusal(), (503, "SlowDown"));
    assert_eq!(late.header("retry-after"), "1");
    assert_eq!(late.element("RequestId"), late.header("x-amz-request-id"));
    slow.write_all(&wire.body).await.expect("a body");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(gateway.read("/b1/key").await, "content");
    gateway.stop().await;
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_asked_for() {
    let gateway = Gateway::start().await;
    let reader = gateway.another("READ").await;
    let mut wire = gateway.ask_with(&reader, "PUT", "/b1/key").body("content").signed();
    wire.add("expect", "100-continue");
    let mut stream = TcpStream::connect(wire.address).await.expect("connected");
    stream.write_all(&wire.head()).await.expect("a head");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    gateway.stop().await;
}

#[tokio::test]
async fn heads_and_bodies_have_an_end() {
    let gateway = Gateway::start().await;
    let mut many = gateway.ask("GET", "/b1").signed();
    for number in 0..200 {
        many.add(&format!("x-{number}"), "1");
    }
    assert_eq!(many.send().await.status, 431);
    let mut long = gateway.ask("GET", "/b1").signed();
    long.add("x-long", &"x".repeat(200_000));
    assert_eq!(long.send().await.status, 431);
    let body = "x".repeat(4 * 1024 * 1024 + 1);
    let large = gateway.ask("POST", "/b1?delete").body(&body);
    let large = large.header("content-md5", &super::digests::md5(&body)).send().await;
    assert_eq!(large.refusal(), (400, "MaxMessageLengthExceeded"));
    gateway.stop().await;
}

#[tokio::test]
async fn every_answer_has_an_id_and_every_operation_is_counted() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/a-key-of-its-own", "content").await;
    let read = gateway.ask("GET", "/b1/a-key-of-its-own").send().await;
    let gone = gateway.ask("GET", "/b1/none").send().await;
    let anonymous = gateway.ask("GET", "/b1").unsigned().send().await;
    let ids = [&read, &gone, &anonymous].map(|answer| answer.header("x-amz-request-id"));
    assert!(ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1], "{ids:?}");
    let metrics = reqwest::get(format!("{}/metrics", gateway.server.url())).await.expect("metrics");
    let metrics = metrics.text().await.expect("text");
    for expected in [
        r#"{method="PUT",route="S3 PutObject",status="200"} "#,
        r#"{method="GET",route="S3 GetObject",status="404"} "#,
        r#"{method="GET",route="S3 none",status="403"} "#,
    ] {
        assert!(metrics.contains(expected), "{expected} is not in\n{metrics}");
    }
    assert!(!metrics.contains("a-key-of-its-own"));
    gateway.stop().await;
}

#[tokio::test]
async fn an_upload_under_way_is_finished_when_the_server_stops() {
    let gateway = Gateway::start().await;
    let mut wire = gateway.ask("PUT", "/b1/key").body("content").signed();
    wire.add("expect", "100-continue");
    let mut slow = TcpStream::connect(wire.address).await.expect("connected");
    slow.write_all(&wire.head()).await.expect("a head");
    let mut said = [0; 64];
    let length = slow.read(&mut said).await.expect("it is admitted");
    assert!(said[..length].starts_with(b"HTTP/1.1 100"), "it is under way");
    let finish = async {
        slow.write_all(&wire.body).await.expect("a body");
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    tokio::join!(gateway.stop(), finish);
}
