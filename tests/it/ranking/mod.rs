//! Ranked search: what comes first, how it is told, and what is retrieved.

mod events;
mod files;
mod indexing;
mod memory;
mod refusals;
mod retrieving;

use repoplane_client::{Client, types};
use serde_json::json;

use crate::support::repo::{Repo, created};

/// A small project in several languages.
const PROJECT: [(&str, &str); 9] = [
    (
        "src/retry.rs",
        "//! Tries again.\n\n/// Waits between two attempts, longer each time.\npub fn backoff_delay(attempt: u32) -> Duration {\n    BASE * 2u32.pow(attempt)\n}\n",
    ),
    (
        "src/client.rs",
        "use crate::retry::backoff_delay;\n\npub fn send(request: Request) -> Response {\n    for attempt in 0..3 {\n        sleep(backoff_delay(attempt));\n    }\n}\n",
    ),
    (
        "src/config/loader.py",
        "def load_settings(path):\n    \"\"\"Reads the settings file and merges defaults.\"\"\"\n    return merge(DEFAULTS, parse(path))\n",
    ),
    (
        "src/config/parser.js",
        "export function parseSettings(text) {\n  return JSON.parse(text);\n}\n",
    ),
    ("docs/settings.md", "# Settings\n\nEvery setting has a default.\n"),
    ("src/limits.rs", "pub const MAX_CONNECTIONS: usize = 64;\nlet x = value.unwrap_or(3);\n"),
    ("assets/logo.svg", "<svg viewBox=\"0 0 1 1\"/>\n"),
    (
        "tests/retry_test.rs",
        "#[test]\nfn waits_longer_each_time() {\n    assert!(backoff_delay(2) > backoff_delay(1));\n}\n",
    ),
    ("empty", ""),
];

async fn project(client: &Client) -> Repo {
    Repo::create(client, &PROJECT).await
}

/// The same, to be retrieved from.
async fn indexed(client: &Client, files: &[(&str, &str)]) -> Repo {
    let files: Vec<_> =
        files.iter().map(|(path, content)| json!({"filename": path, "content": content})).collect();
    let body = json!({"source": {"type": "files", "files": files}, "auto_index": true});
    let body: types::CreateSourceRepoRequest = serde_json::from_value(body).expect("a body");
    let id = created(client.create_source_repo().body(body).send().await).repo_id;
    Repo { client: client.clone(), id }
}

/// The paths that are found, the best one first.
async fn paths(repo: &Repo, query: &str) -> Vec<String> {
    let found = repo.client.search_source_files().repo_id(repo.id).query(query).send().await;
    found.expect("a page").into_inner().items.into_iter().map(|file| file.path).collect()
}
