//! A search as server-sent events, as the official clients read them: each has JSON as its data.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt as _};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::problem::Problem;
use crate::model::search::{FoundFile, Step};
use crate::service::source_ranking::{self, Ready};
use crate::service::{Result, Services};

/// How long a stream may be silent; the clients wait for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An event of a search.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"event": "tool", "data": "{\"name\":\"report_back\",\"explanation\":\"Of 26 files, 2 have words of it.\",\"files\":{\"src/main.py\":[[1,12]]}}"}))]
pub struct SearchEvent {
    /// `started`, `tool`, `done` or `prompt_error`.
    event: String,
    /// JSON, see `search_source_repo`.
    data: String,
}

/// The search, step by step.
pub fn stream(
    services: Arc<Services>,
    ready: Ready,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let started = SearchEvent::new("started", &json!({ "prompt_id": Uuid::new_v4() }));
    let steps = source_ranking::steps(services, ready).flat_map(|step| stream::iter(told(step)));
    let events = stream::iter([started]).chain(steps);
    let frames = events.map(|event| Ok(Event::default().event(event.event).data(event.data)));
    Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn told(step: Result<Step>) -> Vec<SearchEvent> {
    let tool = |data: Value| SearchEvent::new("tool", &data);
    match step {
        Ok(Step::Grep(text)) => vec![tool(json!({ "name": "grep_search", "command": text }))],
        Ok(Step::View(path)) => {
            vec![tool(json!({ "name": "view_file", "path": format!("/repo/{path}") }))]
        }
        Ok(Step::Report { explanation, files }) => {
            let files: Map<String, Value> = files.into_iter().map(ranges).collect();
            let report =
                json!({ "name": "report_back", "explanation": explanation, "files": files });
            vec![tool(report), SearchEvent::new("done", &json!({}))]
        }
        Err(error) => {
            let Problem { code, message, .. } = error.into();
            vec![SearchEvent::new("prompt_error", &json!({ "error": message, "code": code }))]
        }
    }
}

fn ranges(file: FoundFile) -> (String, Value) {
    let lines: Vec<_> = file.passages.iter().map(|it| json!([it.first, it.last])).collect();
    (file.path, lines.into())
}

impl SearchEvent {
    fn new(event: &str, data: &Value) -> Self {
        Self { event: event.to_owned(), data: data.to_string() }
    }
}
