//! Edits as JSON.

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::mutants::Mutants;
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};

const FILES: [(&str, &str); 3] = [("a", "1\n"), ("b", "2\n"), ("dir/c", "3\n")];

fn examples() -> Vec<Vec<u8>> {
    let write = json!({"type": "write", "filename": "a", "content": "1\n"});
    let rename = json!({"type": "rename", "old_filename": "a", "new_filename": "dir/é"});
    let delete = json!({"type": "delete", "filename": "dir/é"});
    let author = json!({"name": "Ada", "email": "ada@example.org"});
    let binary =
        json!({"filename": "x", "content": "AP8=", "encoding": "base64", "mode": "100755"});
    let patch = "--- a/new\n+++ b/new\n@@ -0,0 +1,2 @@\n+1\n+2\n";
    let patch = format!("diff --git a/new b/new\nnew file mode 100644\n{patch}");
    [
        json!({"source": {"type": "diff", "operations": [write, rename, delete, write]}}),
        json!({"source": {"type": "files", "files": [binary, {"filename": "a", "content": ""}]},
            "message": "Start anew \u{1f600}", "author": author}),
        json!({"source": {"type": "diff", "operations": [write]}, "branch": "main"}),
        json!({"source": {"type": "patch", "patch": patch}}),
        json!({"metadata": {"key": "value", "number": "12"}}),
        json!({"source": {"type": "diff", "operations": []}, "metadata": {}}),
        json!({"source": {"type": "files", "files": []}, "expected_head": "a".repeat(40)}),
    ]
    .map(|example| example.to_string().into_bytes())
    .to_vec()
}

/// One of two repos that are told the same.
struct Twin<'a> {
    server: &'a Server,
    http: reqwest::Client,
    repo: Repo,
}

impl Twin<'_> {
    async fn send(&self, body: Vec<u8>) -> (u16, Value) {
        let url = format!("{}/v1/repo/{}/update", self.server.url(), self.repo.id);
        let post = self.http.post(url).bearer_auth(OWNER_TOKEN);
        let post = post.header(CONTENT_TYPE, "application/json").body(body);
        let answer = post.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn get(&self, what: &str) -> Value {
        let url = format!("{}/v1/repo/{}{what}", self.server.url(), self.repo.id);
        let get = self.http.get(url).bearer_auth(OWNER_TOKEN);
        get.send().await.expect("an answer").json().await.expect("JSON")
    }

    /// What an edit makes, but for what only this repo can have.
    async fn content(&self) -> (Value, Value, Value) {
        let tree = self.get("/tree?recursive=true").await;
        let record = self.get("").await;
        let log = self.get("/commits?limit=1").await;
        let last = &log["items"][0];
        assert!(tree["items"].is_array() && record["repo_head"].is_string() && last.is_object());
        let said = json!([last["message"], last["author"]["name"], last["author"]["email"]]);
        (tree["items"].clone(), record["metadata"].clone(), said)
    }
}

#[tokio::test]
async fn edits_do_what_they_say_or_nothing() {
    let server = Server::start().await;
    let http = reqwest::Client::new();
    let (one, other) =
        (Repo::create(&server.owner(), &FILES).await, Repo::create(&server.owner(), &FILES).await);
    let one = Twin { server: &server, http: http.clone(), repo: one };
    let other = Twin { server: &server, http, repo: other };
    let (mut mutants, mut accepted) = (Mutants::of(examples(), 150), 0);
    let mut before = one.get("").await;
    for (_, body) in mutants.by_ref() {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let (status, answer) = one.send(body.clone()).await;
        let after = one.get("").await;
        if status < 300 {
            accepted += 1;
            assert_eq!(answer["repo_head"], after["repo_head"], "{shown}");
            // The same in other words of JSON is the same edit.
            let read: Value = serde_json::from_slice(&body).expect(&shown);
            let (same, said) = other.send(read.to_string().into_bytes()).await;
            assert_eq!(
                (same, &said["changed_files"]),
                (status, &answer["changed_files"]),
                "{shown}"
            );
            assert_eq!(one.content().await, other.content().await, "{shown}");
            before = after;
            continue;
        }
        assert!((400..500).contains(&status), "{status} {answer} to {shown}");
        assert!(answer["code"].is_string() && answer["message"].is_string(), "{answer}");
        assert_eq!(before, after, "{status} to {shown}");
    }
    mutants.tell(accepted);
    server.stop().await;
}
