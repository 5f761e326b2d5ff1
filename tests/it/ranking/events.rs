//! The stream of events that the official clients read, and the document beside it.

use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use super::project;
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};

/// Event and data of each frame; keep-alives are none.
async fn events(server: &Server, repo: &Repo, path: &str, body: Value) -> Vec<(String, Value)> {
    let url = format!("{}/v1/repo/{}/{path}", server.url(), repo.id);
    let request = reqwest::Client::new().post(url).bearer_auth(OWNER_TOKEN).json(&body);
    let answer = request.header(ACCEPT, "text/event-stream").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = answer.text().await.expect("to its end");
    let frames = text.split_terminator("\n\n").filter(|frame| !frame.starts_with(':'));
    let frame = |frame: &str| {
        let (event, data) = frame.split_once('\n').expect("two lines, whatever the data");
        let data = data.strip_prefix("data: ").expect("data");
        let event = event.strip_prefix("event: ").expect("an event");
        (event.to_owned(), serde_json::from_str(data).expect("JSON"))
    };
    frames.map(frame).collect()
}

#[tokio::test]
async fn a_search_tells_what_it_does_and_what_it_found() {
    let server = Server::start().await;
    let repo = project(&server.owner()).await;
    let body = json!({"query": "where is backoff_delay defined?"});
    let told = events(&server, &repo, "search", body).await;
    let names: Vec<_> = told.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(names[0], "started");
    assert!(told[0].1["prompt_id"].is_string());
    assert_eq!(told[1].1, json!({"name": "grep_search", "command": "backoff_delay"}));
    assert_eq!(told[2].1, json!({"name": "view_file", "path": "/repo/src/retry.rs"}));
    assert_eq!(told[told.len() - 1], ("done".to_owned(), json!({})));
    assert!(names[1..names.len() - 1].iter().all(|name| *name == "tool"), "{names:?}");
    let report = &told[told.len() - 2].1;
    assert_eq!(report["name"], "report_back");
    assert_eq!(report["files"]["src/retry.rs"], json!([[1, 6]]), "{report}");
    assert_eq!(report["files"].as_object().expect("files").len(), 3, "{report}");
    assert!(report["explanation"].as_str().expect("text").contains("src/retry.rs"), "{report}");

    let agent = json!({"agent_name": "relace-search", "continue": false,
        "agent_inputs": {"query": "where is backoff_delay defined?"},
        "overrides": {"max_turns": 3, "tools": null}});
    let by_agent = events(&server, &repo, "agent", agent).await;
    assert_eq!(by_agent[1..], told[1..]);
    let nothing = events(&server, &repo, "search", json!({"query": "nothing_like_that"})).await;
    assert_eq!(nothing[nothing.len() - 2].1["files"], json!({}));
    server.stop().await;
}

#[tokio::test]
async fn the_lines_come_as_json_where_that_is_accepted() {
    let server = Server::start().await;
    let repo = project(&server.owner()).await;
    let url = format!("{}/v1/repo/{}/search", server.url(), repo.id);
    let ask = async |accept: Option<&str>| {
        let request = reqwest::Client::new().post(&url).bearer_auth(OWNER_TOKEN);
        let request = request.json(&json!({"query": "MAX_CONNECTIONS"}));
        let request = accept.iter().fold(request, |it, accept| it.header(ACCEPT, *accept));
        request.send().await.expect("an answer")
    };
    let answer: Value = ask(Some("application/json")).await.json().await.expect("JSON");
    let line = json!({"filename": "src/limits.rs", "line_number": 1, "match_start": 10,
        "match_end": 25, "line_content": "pub const MAX_CONNECTIONS: usize = 64;"});
    assert_eq!(answer["results"][0], line);
    for accept in [None, Some("*/*"), Some("text/event-stream, application/json")] {
        let answer = ask(accept).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream", "{accept:?}");
    }
    server.stop().await;
}
