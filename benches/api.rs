//! `GET /v1/repo/{repo_id}` (a token checked, a row read) and `GET /repo` (100 of 1,000 storage
//! repos with 3 buckets each), each beside a bare axum handler that returns the same bytes, in the
//! same run; then memory and start time with 10,000 source repos.
//!
//! `cargo build --release && cargo bench --bench api`

mod load;

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use load::{Connection, Sample, Server, request};
use serde_json::{Value, json};

const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const REPOS: usize = 10_000;
const STORAGE_REPOS: usize = 1_000;
const BUCKETS_EACH: usize = 3;
/// Pages that are read after a change each.
const PAGES: usize = 200;
const BASELINE: &str = "--baseline";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == BASELINE) {
        return baseline(&arguments[place + 1], &arguments[place + 2]).await;
    }
    let server = Server::start();
    let mut connection = Connection::open(server.address).await;
    let id = create(&mut connection).await;
    println!("GET /v1/repo/{{repo_id}}");
    compare(&server, &request("GET", &format!("/v1/repo/{id}"), "")).await;
    let first = fill_storage(&mut connection).await;
    println!("GET /repo, 100 of {STORAGE_REPOS} storage repos of {BUCKETS_EACH} buckets");
    let page = request("GET", "/repo?limit=100", "");
    compare(&server, &page).await;
    after_changes(&mut connection, &first, &page).await;

    let filled = Instant::now();
    for _ in 1..REPOS {
        create(&mut connection).await;
    }
    println!(
        "{REPOS} source repos created, {:.0}/s",
        REPOS as f64 / filled.elapsed().as_secs_f64()
    );
    drop(connection);
    let folder = server.stop();
    let started = Instant::now();
    let server = Server::on(folder);
    let mut connection = Connection::open(server.address).await;
    let (status, _) = connection.send(&request("GET", "/readyz", "")).await;
    let ready = started.elapsed();
    assert_eq!(status, 200);
    println!(
        "start to ready {:.0} ms, idle {:.1} MiB resident",
        ready.as_secs_f64() * 1e3,
        server.rss_mib()
    );
    server.stop();
}

/// Our answers and a bare handler's with the same bytes, by turns.
async fn compare(server: &Server, get: &[u8]) {
    let mut connection = Connection::open(server.address).await;
    let (status, body) = connection.send(get).await;
    assert_eq!(status, 200);
    let file = server.folder.path().join("answer");
    std::fs::write(&file, body).expect("the answer kept");
    println!("{} bytes", body.len());

    let address = load::free_address();
    let mut bare = Command::new(std::env::current_exe().expect("own path"))
        .args([BASELINE, &address.to_string(), &file.display().to_string()])
        .stdout(Stdio::null())
        .spawn()
        .expect("baseline");
    load::wait_until_it_listens(address);
    for clients in [1, 16] {
        let (mut ours, mut theirs) = (0.0, 0.0);
        for _ in 0..ROUNDS {
            let own = hammer(server.address, clients, get).await;
            let other = hammer(address, clients, get).await;
            println!("{clients:2} clients   repoplane {own}   bare axum {other}");
            ours += own.per_second();
            theirs += other.per_second();
        }
        println!("{clients:2} clients   ratio {:.2}\n", ours / theirs);
    }
    bare.kill().expect("baseline ends");
    bare.wait().expect("baseline ends");
}

/// Storage repos with their buckets; the id of the first.
async fn fill_storage(connection: &mut Connection) -> String {
    let mut first = None;
    for repo in 0..STORAGE_REPOS {
        let mut members = Vec::new();
        for place in 0..BUCKETS_EACH {
            let bucket = json!({"name": format!("bucket {repo} {place}"), "bucket": "objects",
                "storageType": "S3", "endpoint": format!("file:disk{place}"), "region": "local",
                "key": "AKIAIOSFODNN7EXAMPLE", "secret": "a secret of forty characters, or about so"});
            let answer = post(connection, "/bucket", &bucket).await;
            members.push(json!({"bucketId": answer["bucketId"], "master": place == 0}));
        }
        let body = json!({"name": format!("repo {repo}"), "storageType": "S3", "mode": "MIRROR",
            "repoBuckets": members});
        let answer = post(connection, "/repo", &body).await;
        first.get_or_insert(answer["repoId"].as_str().expect("an id").to_owned());
    }
    first.expect("a storage repo")
}

/// Nothing can be answered again that was answered before: every page follows a change.
async fn after_changes(connection: &mut Connection, repo: &str, page: &[u8]) {
    let change = json!({"name": "repo 0", "storageType": "S3", "mode": "MIRROR"}).to_string();
    let change = request("PUT", &format!("/repo/{repo}"), &change);
    let mut latencies = Vec::new();
    for _ in 0..PAGES {
        assert_eq!(connection.send(&change).await.0, 200);
        let sent = Instant::now();
        assert_eq!(connection.send(page).await.0, 200);
        latencies.push(sent.elapsed());
    }
    let wall = latencies.iter().sum();
    println!("each after a change: {}\n", Sample::new(latencies, wall));
}

async fn post(connection: &mut Connection, path: &str, body: &Value) -> Value {
    let (status, answer) = connection.send(&request("POST", path, &body.to_string())).await;
    let answer: Value = serde_json::from_slice(answer).expect("JSON");
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn create(connection: &mut Connection) -> String {
    let (status, body) = connection.send(&request("POST", "/v1/repo", "{}")).await;
    assert_eq!(status, 201);
    let answer: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    answer["repo_id"].as_str().expect("an id").to_owned()
}

/// As many requests as go through within one round.
async fn hammer(address: SocketAddr, clients: usize, request: &[u8]) -> Sample {
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let request = request.to_vec();
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await;
                let mut latencies = Vec::new();
                while started.elapsed() < ROUND {
                    let sent = Instant::now();
                    let (status, _) = connection.send(&request).await;
                    assert_eq!(status, 200);
                    latencies.push(sent.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("a client"));
    }
    Sample::new(all, started.elapsed())
}

async fn baseline(address: &str, file: &str) {
    use axum::http::header::CONTENT_TYPE;
    let body = bytes::Bytes::from(std::fs::read(file).expect("the answer to return"));
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
    let router = axum::Router::new()
        .route("/v1/repo/{id}", axum::routing::get(answer.clone()))
        .route("/repo", axum::routing::get(answer));
    let listener = tokio::net::TcpListener::bind(address).await.expect("address");
    use axum::serve::ListenerExt;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("TCP_NODELAY"));
    axum::serve(listener, router).await.expect("baseline");
}
