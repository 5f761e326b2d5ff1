//! `GET /v1/repo/{repo_id}` (a token checked, a row read) beside a bare axum handler that
//! returns the same bytes, in the same run; then memory and start time with 10,000 repos.
//!
//! `cargo build --release && cargo bench --bench api`

mod load;

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use load::{Connection, Sample, Server, request};

const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const REPOS: usize = 10_000;
const BASELINE: &str = "--baseline";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == BASELINE) {
        return baseline(&arguments[place + 1], arguments[place + 2].clone()).await;
    }
    let server = Server::start();
    let mut connection = Connection::open(server.address).await;
    let id = create(&mut connection).await;
    let get = request("GET", &format!("/v1/repo/{id}"), "");
    let (status, body) = connection.send(&get).await;
    assert_eq!(status, 200);
    let body = String::from_utf8(body.to_vec()).expect("JSON");

    let address = load::free_address();
    let mut bare = Command::new(std::env::current_exe().expect("own path"))
        .args([BASELINE, &address.to_string(), &body])
        .stdout(Stdio::null())
        .spawn()
        .expect("baseline");
    load::wait_until_it_listens(address);
    for clients in [1, 16] {
        let (mut ours, mut theirs) = (0.0, 0.0);
        for _ in 0..ROUNDS {
            let own = hammer(server.address, clients, &get).await;
            let other = hammer(address, clients, &get).await;
            println!("{clients:2} clients   repoplane {own}   bare axum {other}");
            ours += own.per_second();
            theirs += other.per_second();
        }
        println!("{clients:2} clients   ratio {:.2}\n", ours / theirs);
    }
    bare.kill().expect("baseline ends");
    bare.wait().expect("baseline ends");

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

async fn baseline(address: &str, body: String) {
    use axum::http::header::CONTENT_TYPE;
    let body = bytes::Bytes::from(body);
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
    let router = axum::Router::new().route("/v1/repo/{id}", axum::routing::get(answer));
    let listener = tokio::net::TcpListener::bind(address).await.expect("address");
    use axum::serve::ListenerExt;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("TCP_NODELAY"));
    axum::serve(listener, router).await.expect("baseline");
}
