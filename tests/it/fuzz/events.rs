//! Server-sent events, as the client reads them.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use repoplane_client::types::SourceImport;
use repoplane_client::{Client, FollowError};
use serde_json::{Value, json};

use super::mutants::Mutants;

/// What is answered to whoever follows an import.
#[derive(Clone)]
enum Said {
    /// Bytes, in these pieces.
    Pieces(Vec<Vec<u8>>),
    /// Events, as a server writes them.
    Written(Vec<String>),
}

impl Said {
    fn response(self) -> Response {
        match self {
            Self::Pieces(pieces) => {
                let pieces =
                    pieces.into_iter().map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
                let body = Body::from_stream(stream::iter(pieces));
                ([("content-type", "text/event-stream")], body).into_response()
            }
            Self::Written(events) => {
                let events =
                    events.into_iter().map(|data| Event::default().event("import").data(data));
                Sse::new(stream::iter(events.map(Ok::<_, Infallible>))).into_response()
            }
        }
    }
}

struct Speaker {
    client: Client,
    said: Arc<Mutex<Said>>,
}

impl Speaker {
    async fn start() -> Self {
        let said = Arc::new(Mutex::new(Said::Pieces(Vec::new())));
        let told = said.clone();
        let answer = async move || told.lock().expect("no panic").clone().response();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(axum::serve(listener, axum::Router::new().fallback(answer)).into_future());
        Self { client: Client::connect(&url, "rlc-any").expect("a URL"), said }
    }

    /// The imports that are heard, as JSON, and why there are no more.
    async fn heard(&self, said: Said) -> (Vec<Value>, Option<&'static str>) {
        *self.said.lock().expect("no panic") = said;
        let followed = self.client.follow_source_import().import_id(uuid::Uuid::nil()).stream();
        let (mut heard, mut end) = (Vec::new(), None);
        for now in followed.collect::<Vec<Result<SourceImport, _>>>().await {
            assert!(end.is_none(), "nothing comes after an error");
            match now {
                Ok(import) => heard.push(serde_json::to_value(import).expect("JSON")),
                Err(FollowError::Cut) => end = Some("cut"),
                Err(FollowError::Event(_)) => end = Some("no event"),
                Err(other) => panic!("{other:?}"),
            }
        }
        (heard, end)
    }
}

fn examples() -> Vec<Vec<u8>> {
    let import = |state: &str, finished: Option<&str>| {
        json!({
            "import_id": uuid::Uuid::nil(), "workspace_id": uuid::Uuid::nil(), "state": state,
            "phase": "receiving", "percent": 35, "objects": 500, "objects_total": 1000,
            "bytes": 1_048_576, "repo_id": null, "repo_head": null, "message": "é\n\"\\ \u{2028}",
            "created_at": "2026-01-15T10:30:00Z", "updated_at": "2026-01-15T10:30:05Z",
            "finished_at": finished,
        })
    };
    let (running, done) = (import("running", None), import("done", Some("2026-01-15T10:30:05Z")));
    let lines = serde_json::to_string_pretty(&running).expect("JSON").replace('\n', "\ndata: ");
    [
        format!("event: import\ndata: {running}\n\n:\n\nevent: done\ndata: {done}\n\n"),
        format!(
            "data:{running}\n\ndata: {lines}\n\n: alive\n\ndata: {running}\n\ndata: {done}\n\n"
        ),
        format!("id: 1\nretry: 5\ndata: {running}\n\n\n\ndata: {done}\n\ndata: {running}\n\n"),
    ]
    .map(String::into_bytes)
    .to_vec()
}

#[tokio::test]
async fn events_are_heard_alike_however_they_arrive() {
    let speaker = Speaker::start().await;
    let (mut mutants, mut accepted) = (Mutants::of(examples(), 150), 0);
    while let Some((_, bytes)) = mutants.next() {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let (heard, end) = speaker.heard(Said::Pieces(vec![bytes.clone()])).await;
        let (mut pieces, mut rest) = (Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(1 + mutants.number(rest.len().min(200)));
            pieces.push(piece.to_vec());
            rest = more;
        }
        let again = speaker.heard(Said::Pieces(pieces)).await;
        assert_eq!(again, (heard.clone(), end), "{shown}");
        let is_finished = |import: &Value| !import["finished_at"].is_null();
        assert_eq!(heard.last().is_some_and(is_finished), end.is_none(), "{shown}");
        // What was understood can be said again.
        let written = heard.iter().map(Value::to_string).collect();
        let (again, _) = speaker.heard(Said::Written(written)).await;
        assert_eq!(again, heard, "{shown}");
        accepted += usize::from(end.is_none());
    }
    mutants.tell(accepted);
}

#[tokio::test]
async fn an_event_without_an_end_is_given_up() {
    let speaker = Speaker::start().await;
    let endless = vec![vec![b'x'; 256 * 1024]; 5];
    assert_eq!(speaker.heard(Said::Pieces(endless)).await, (vec![], Some("no event")));
    assert_eq!(speaker.heard(Said::Pieces(vec![])).await, (vec![], Some("cut")));
}
