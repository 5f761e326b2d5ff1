//! Secrets go in and never come out: not in an answer, a log line, a metric, a request to a cloud, nor
//! in plain text in anything that is kept.

mod canary;
mod stage;

use std::path::Path;

use serde_json::{Value, json};
use sqlx::Row;
use stage::{MARKER, Stage};

use crate::support::OWNER_TOKEN;
use crate::support::database::Database;

/// What the secrets belong to.
struct Made {
    bucket: String,
    repo: String,
    source_repo: String,
    commit: String,
    repo_token: String,
    workspace: String,
    job: String,
    import: String,
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let mut stage = Stage::start().await;
    let made = accepted(&mut stage).await;
    refused(&mut stage, &made).await;
    let asked = read_everything(&mut stage, &made).await;
    for path in ["/bucket", "/bucket/available", "/repo", "/ai/llm", "/systemevent"] {
        assert!(asked.iter().any(|asked| asked == path), "nobody asked for {path}");
    }
    for (what, body) in &stage.said {
        stage.canaries.absent_from(what, body.as_bytes(), "");
    }
    stage.canaries.absent_from("requests to the cloud", stage.cloud.sent().as_bytes(), MARKER);
    stage.canaries.absent_from("the data folder", &folder(&stage.place.data()), MARKER);
    if let Database::Postgres { .. } = stage.database {
        stage.canaries.absent_from("the database", tables(&stage).await.as_bytes(), MARKER);
    }

    let Stage { place, server, database, canaries, .. } = stage;
    let (printed, log) = server.stop().await;
    let log: String = log.iter().map(|entry| format!("{entry}\n")).collect();
    assert!(log.contains(r#""level":"TRACE""#), "the log is not at its most talkative");
    canaries.absent_from("the log", log.as_bytes(), &made.bucket);
    canaries.absent_from("standard output", printed.as_bytes(), "");
    canaries.absent_from("what is left on disk", &folder(&place.data()), MARKER);
    database.drop().await;
}

/// Brings in a secret wherever one is taken, and has the server make those that it makes.
async fn accepted(stage: &mut Stage) -> Made {
    let body = stage.bucket(MARKER);
    let bucket = text(&stage.done("POST", "/bucket", body).await["bucketId"]);
    let path = format!("/bucket/{bucket}");
    let secret = stage.canaries.secret("changed secret of the bucket");
    stage.done("PUT", &path, json!({"secret": secret})).await;
    let secret = stage.canaries.secret("secret to try");
    stage.done("POST", &format!("{path}/validate"), json!({"secret": secret})).await;
    let disk = json!({"name": "disk", "bucket": MARKER, "storageType": "S3", "endpoint": "file:d",
        "secret": stage.canaries.secret("secret of a disk")});
    stage.done("POST", "/bucket", disk).await;

    let llm = json!({"name": "llm", "aiType": "OPENAI", "key": stage.canaries.secret("AI key"),
        "secret": stage.canaries.secret("AI secret")});
    let llm = text(&stage.done("POST", "/ai/llm", llm).await["aiLlmId"]);
    let change = json!({"key": stage.canaries.secret("changed AI key"),
        "secret": stage.canaries.secret("changed AI secret")});
    stage.done("PUT", &format!("/ai/llm/{llm}"), change).await;

    let repo = json!({"name": "repo", "storageType": "S3", "mode": "NORMAL",
        "repoBuckets": [{"bucketId": bucket}], "repoAiLlms": [{"aiLlmId": llm}]});
    let repo = text(&stage.done("POST", "/repo", repo).await["repoId"]);
    let keys = format!("/repo/{repo}/apikey");
    let key = text(&stage.pair(&keys, json!({"name": "key", "accessType": "ADMIN"})).await);
    let change = json!({"name": "renamed", "accessType": "READ"});
    stage.done("PUT", &format!("{keys}/{key}"), change).await;
    stage.pair(&format!("/repo/{repo}/ai/apikey"), json!({"name": "ai", "aiType": "AWS"})).await;

    let source = json!({"type": "files", "files": [{"filename": "kept.txt", "content": MARKER}]});
    let source = json!({"source": source, "auto_index": true});
    let request = stage.request("POST", "/v1/repo").bearer_auth(OWNER_TOKEN).json(&source);
    let source: Value = request.send().await.expect("made").json().await.expect("JSON");
    let (source_repo, commit) = (text(&source["repo_id"]), text(&source["repo_head"]));
    let repo_token = told_and_shown(stage, &source_repo).await;
    let import = fetched(stage).await;
    let workspace = stage.request("GET", "/workspace").bearer_auth(OWNER_TOKEN).send().await;
    let workspaces: Value = workspace.expect("workspaces").json().await.expect("JSON");
    let workspace = text(&workspaces["workspaces"][0]["id"]);
    let scrub = format!("/repo/{repo}/mirror/scrub");
    let job = text(&stage.done("POST", &scrub, json!({})).await["jobIds"][0]);
    Made { bucket, repo, source_repo, commit, repo_token, workspace, job, import }
}

/// Has a repository fetched with a password, from where nobody listens. The id of the import.
async fn fetched(stage: &mut Stage) -> String {
    for (path, status) in [("/v1/repo", 400), ("/v1/repo_import", 202)] {
        let source = json!({"type": "git", "url": "http://127.0.0.1:1/none.git", "username": "ada",
            "password": stage.canaries.secret("password of a repository elsewhere")});
        let request = stage.request("POST", path).bearer_auth(OWNER_TOKEN);
        let request = request.json(&json!({"source": source}));
        assert_eq!(stage.hear(&format!("POST {path}"), request).await, status);
    }
    let (_, started) = stage.said.last().expect("the answer");
    text(&serde_json::from_str::<Value>(started).expect("JSON")["import_id"])
}

/// Has a repo token made, sets webhooks and has them told something. The id of the token.
async fn told_and_shown(stage: &mut Stage, source_repo: &str) -> String {
    let body = json!({"name": "token", "repo_ids": [source_repo]});
    let made = stage.shown("/v1/repo_token", body.clone(), "token").await;
    let by_itself = stage.shown("/v1/repo_token", body, "token").await;
    for (method, status) in [("GET", 200), ("DELETE", 204), ("GET", 404)] {
        let path = format!("/v1/repo_token/{}", text(&by_itself["token"]));
        let request = stage.request(method, &path).bearer_auth(OWNER_TOKEN);
        assert_eq!(stage.hear("a repo token by itself", request).await, status);
    }
    stage.hook("/v1/repo_webhook").await;
    stage.hook(&format!("/v1/repo/{source_repo}/webhook")).await;
    let write = stage.request("PUT", &format!("/v1/repo/{source_repo}/file/told.txt"));
    let write = write.header("content-type", "application/octet-stream").body(MARKER);
    let request = write.bearer_auth(text(&made["token"]));
    assert_eq!(stage.hear("an edit by a repo token", request).await, 201);
    for _ in 0..2 {
        stage.receiver.next().await;
    }
    text(&made["id"])
}

/// Brings in secrets with requests that are refused.
async fn refused(stage: &mut Stage, made: &Made) {
    let places = [
        json!({"bucket": "denied"}),
        json!({"bucket": "denied", "storageType": "GCS"}),
        json!({"storageType": "AZURE"}),
        json!({"endpoint": "http://10.0.0.1:9"}),
        json!({"endpoint": "http://169.254.169.254"}),
        json!({"endpoint": "http://127.0.0.1:1"}),
        json!({"endpoint": "ftp://127.0.0.1"}),
        json!({"endpoint": "file:../x"}),
        json!({"bucket": "no/name"}),
        json!({"name": MARKER}),
        json!({"name": ""}),
    ];
    for (number, place) in places.into_iter().enumerate() {
        let mut body = stage.bucket(&format!("refused {number}"));
        for (field, value) in place.as_object().expect("fields") {
            body[field] = value.clone();
        }
        stage.refused("POST", "/bucket", body).await;
    }
    let (path, denied) = (format!("/bucket/{}", made.bucket), "denied");
    for (method, path) in [("PUT", path.clone()), ("POST", format!("{path}/validate"))] {
        let secret = stage.canaries.secret("secret of a refused change");
        stage.refused(method, &path, json!({"bucket": denied, "secret": secret})).await;
    }

    let llm = stage.request("GET", "/ai/llm").bearer_auth(OWNER_TOKEN).send().await;
    let llms: Value = llm.expect("AI LLMs").json().await.expect("JSON");
    let llm = format!("/ai/llm/{}", text(&llms["aiLlms"][0]["id"]));
    let bucket = stage.bucket("mistaken");
    let new_llm = json!({"name": "mistaken", "aiType": "OPENAI"});
    stage.mistakes("POST", "/bucket", &bucket, "secret").await;
    stage.mistakes("PUT", &path, &json!({}), "secret").await;
    stage.mistakes("POST", &format!("{path}/validate"), &json!({}), "secret").await;
    let url = json!({"url": stage.receiver.url()});
    stage.mistakes("PUT", "/v1/repo_webhook", &url, "token").await;
    for field in ["key", "secret"] {
        stage.mistakes("POST", "/ai/llm", &new_llm, field).await;
        stage.mistakes("PUT", &llm, &json!({}), field).await;
    }
}

/// Asks for everything that the contract lets one read: the paths.
async fn read_everything(stage: &mut Stage, made: &Made) -> Vec<String> {
    let contract: Value =
        yaml_serde::from_str(include_str!("../../../openapi/openapi.yaml")).expect("YAML");
    let mut asked = Vec::new();
    for (template, operations) in contract["paths"].as_object().expect("paths") {
        // The events of a job say what the job says, until it ends.
        if operations.get("get").is_none() || template == "/job/{id}/events" {
            continue;
        }
        let path = template
            .replace("/workspace/{id}", &format!("/workspace/{}", made.workspace))
            .replace("/job/{id}", &format!("/job/{}", made.job))
            .replace("{bucketId}", &made.bucket)
            .replace("{repoId}", &made.repo)
            .replace("{repo_id}", &made.source_repo)
            .replace("{commit_id}", &made.commit)
            .replace("{import_id}", &made.import)
            .replace("{branch}", "main")
            .replace("{token}", &made.repo_token)
            .replace("{file_path}", "kept.txt")
            .replace("{by}", "buckets");
        let query = match template.rsplit('/').next() {
            Some("diff") => "?base=main",
            Some("grep") => "?pattern=e",
            Some("search") => "?query=e",
            _ if template.starts_with("/v2/stats/") => "?scope=org&window=24h",
            _ => "",
        };
        let path = format!("{path}{query}");
        assert!(!path.contains('{'), "this test does not know what to read as {template}");
        let request = stage.request("GET", &path).bearer_auth(OWNER_TOKEN);
        assert_eq!(stage.hear(&format!("GET {template}"), request).await, 200, "{path}");
        let (_, body) = stage.said.last().expect("the answer");
        let marked =
            template.starts_with("/bucket") || matches!(&**template, "/repo" | "/repo/{repoId}");
        let named = !template.ends_with("/status") && !template.ends_with("/stats");
        if marked && named {
            stage.canaries.absent_from(template, body.as_bytes(), MARKER);
        }
        if template == "/metrics" {
            stage.canaries.absent_from(template, body.as_bytes(), "/bucket/{bucketId}");
        }
        asked.push(template.clone());
    }
    stage.done("POST", "/systemevent", json!({})).await;
    let (_, audit) = stage.said.last().expect("the answer");
    stage.canaries.absent_from("the audit log", audit.as_bytes(), MARKER);
    asked.push("/systemevent".to_owned());
    asked
}

/// All that is below the folder, names and contents, but for the key that opens what is sealed.
fn folder(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(path).expect("a folder") {
        let path = entry.expect("entry").path();
        bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
        if path.is_dir() {
            bytes.extend(folder(&path));
        } else if !path.ends_with("master.key") {
            bytes.extend(std::fs::read(&path).expect("a file"));
        }
    }
    bytes
}

/// Every row of every table, its bytes in hex.
async fn tables(stage: &Stage) -> String {
    let pool = sqlx::AnyPool::connect(&stage.database.url(Path::new(""))).await.expect("database");
    let names = "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = 'public'";
    let names = sqlx::query(names).fetch_all(&pool).await.expect("tables");
    let mut text = String::new();
    for row in names {
        let name: &str = row.get("name");
        let rows = format!("SELECT CAST(row_to_json(t) AS TEXT) AS line FROM {name} t");
        for row in sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_all(&pool).await.expect("rows") {
            text += row.get::<&str, _>("line");
        }
    }
    pool.close().await;
    text
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
