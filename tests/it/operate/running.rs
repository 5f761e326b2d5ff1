//! A server that runs: what it logs when it fails, and how it stops.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::Place;

#[tokio::test]
async fn on_sigterm_requests_under_way_finish_and_new_ones_hear_that_it_stops() {
    let place = Place::new();
    let server = place.serve().await;
    let token = place.done(&["token", "create"]).await;
    let (begin, rest) = (r#"{"name":"#, r#""made while stopping"}"#);
    let mut slow = TcpStream::connect(server.address()).await.expect("connected");
    let head = format!(
        "POST /workspace HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        begin.len() + rest.len()
    );
    slow.write_all(head.as_bytes()).await.expect("head");
    let mut said = [0; 256];
    let length = slow.read(&mut said).await.expect("it reads the body");
    assert!(said[..length].starts_with(b"HTTP/1.1 100"), "the request is under way");
    slow.write_all(begin.as_bytes()).await.expect("begin");

    server.terminate().await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    // A connection that came with the signal may be cut before it has said anything.
    while !readiness(&server.url).await.is_ok_and(|status| status == 503) {
        assert!(std::time::Instant::now() < deadline, "the signal has not arrived");
    }
    let alive = reqwest::get(format!("{}/healthz", server.url)).await.expect("an answer");
    assert_eq!(alive.status(), 200);
    let late = server.client(&token).get_profile().send().await;
    let (status, message) = crate::support::answer::refusal(late);
    assert_eq!(status, 503);
    assert!(message.contains("shutting down"), "{message}");

    slow.write_all(rest.as_bytes()).await.expect("rest");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, log) = server.ended().await;
    assert_eq!(log.last().map(|entry| &entry["message"]), Some(&Value::from("stopped")));

    let server = place.serve().await;
    let list = server.client(&token).list_workspaces().send().await.expect("list").into_inner();
    let names: Vec<_> = list.workspaces.iter().map(|workspace| workspace.name.as_str()).collect();
    assert_eq!(names, ["Default", "made while stopping"]);
    server.stop().await;
}

#[tokio::test]
async fn an_internal_error_is_one_error_line_with_the_request_id_and_no_token() {
    let place = Place::new();
    let server = place.serve().await;
    let token = place.done(&["token", "create"]).await;
    let file = format!("sqlite:{}", place.data().join("repoplane.db").display());
    let store = repoplane::store::Store::open(&file).await.expect("the database");
    let damage = sqlx::query("ALTER TABLE source_refs RENAME TO elsewhere");
    damage.execute(store.write_now()).await.expect("damaged");
    store.close().await;

    let http = reqwest::Client::new();
    let request = http.get(format!("{}/v1/repo", server.url)).bearer_auth(&token);
    let answer = request.header("x-request-id", "find-me").send().await.expect("an answer");
    assert_eq!(answer.status(), 500);
    let (_, log) = server.stop().await;
    let errors: Vec<_> = log.iter().filter(|entry| entry["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["span"]["id"], "find-me");
    assert!(errors[0]["error"].as_str().expect("cause").contains("source_refs"), "{errors:?}");
    let lines = log.iter().filter(|entry| entry["message"] == "request answered");
    let answered: Vec<_> = lines.filter(|entry| entry["span"]["id"] == "find-me").collect();
    assert_eq!((answered.len(), &answered[0]["level"]), (1, &Value::from("WARN")));
    assert!(!format!("{log:?}").contains(&token[8..]), "the log holds a token");
}

async fn readiness(url: &str) -> reqwest::Result<u16> {
    Ok(reqwest::get(format!("{url}/readyz")).await?.status().as_u16())
}
