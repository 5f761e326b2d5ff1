//! URLs that lead inside: refused when they are set, and again when they are dialled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::net::TcpListener;

use super::{deliveries, deliveries_when, set};
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, write};
use crate::support::{OWNER_TOKEN, Server};

/// The list that the egress guard itself is tested with.
const HOSTILE: &str = include_str!("../../../server/src/backend/egress_refused.txt");

/// Listens on every address of this machine, and counts who comes.
struct Canary {
    port: u16,
    visits: Arc<AtomicUsize>,
}

impl Canary {
    async fn start() -> Self {
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let listener = TcpListener::bind(any).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = visits.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, visits }
    }

    /// The URL as it is, and as one that leads here if it leads to this machine at all.
    fn baits(&self, url: &str) -> Vec<String> {
        let mut baits = vec![url.to_owned()];
        if let Ok(mut parsed) = url::Url::parse(url)
            && parsed.set_port(Some(self.port)).is_ok()
        {
            baits.push(parsed.to_string());
            baits.push(parsed.to_string().replacen("https://", "http://", 1));
        }
        baits
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn no_hostile_url_is_taken_or_dialled() {
    let (server, canary) = (Server::start().await, Canary::start().await);
    let repo = Repo::create(&server.owner(), &[]).await;
    let paths = ["/v1/repo_webhook".to_owned(), format!("/v1/repo/{}/webhook", repo.id)];
    let hostile = HOSTILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (http, mut refused) = (reqwest::Client::new(), 0);
    for url in hostile.flat_map(|url| canary.baits(url)) {
        for path in &paths {
            let put = http.put(format!("{}{path}", server.url())).bearer_auth(OWNER_TOKEN);
            let answer = put.json(&json!({"url": url})).send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), 422, "{url}");
            refused += 1;
        }
    }
    assert!(refused > 2 * 60 * 2, "{refused}");
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    assert_eq!(canary.visits(), 0);
    server.stop().await;
}

/// What was fine when it was set may lead elsewhere since, or the operator has changed their mind.
#[tokio::test]
async fn a_url_is_checked_again_when_it_is_dialled() {
    let (server, canary) = (Server::start().await, Canary::start().await);
    let owner = server.owner();
    let repo = Repo::create(&owner, &[]).await;
    set(&owner, Some(repo.id), "https://1.1.1.1/", None).await.expect("a public address");
    let inside = format!("https://127.0.0.1:{}/", canary.port);
    sqlx::query("UPDATE webhooks SET url = $1")
        .bind(inside)
        .execute(server.services().store.write_now())
        .await
        .expect("a URL that nobody checked");
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    let log =
        deliveries_when(&owner, Some(repo.id), |log| log.iter().any(|l| l.error.is_some())).await;
    let error = log[0].error.as_deref().expect("an error");
    assert!(error.contains("private network") && !error.contains("https"), "{error}");
    assert_eq!(canary.visits(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, canary) = (Server::beside_receivers().await, Canary::start().await);
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let repo = Repo::create(&owner, &[]).await;
    set(&owner, Some(repo.id), receiver.url(), Some("token")).await.expect("set");
    receiver.will_redirect(&format!("http://127.0.0.1:{}/", canary.port));
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    let first = receiver.next().await;
    // What follows is the next attempt.
    assert_eq!(receiver.next().await.id(), first.id());
    assert_eq!(canary.visits(), 0);
    assert_eq!(deliveries(&owner, Some(repo.id)).await.items.len(), 1);
    server.stop().await;
}
