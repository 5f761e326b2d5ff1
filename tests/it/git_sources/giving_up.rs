//! What is too much, takes too long, or is not wanted any more.

use repoplane::config::Config;
use serde_json::json;

use super::{count, git, gone, import, incoming, pull, whole};
use crate::durability::Numbers;
use crate::support::repo::{Repo, write};
use crate::support::upstream::Upstream;
use crate::support::{OWNER_TOKEN, Server};

fn allow_loopback(config: &mut Config) {
    config.egress.allow = vec!["127.0.0.0/8".parse().expect("a network")];
}

#[tokio::test]
async fn a_fetch_has_a_size_limit() {
    let server = Server::start_with(|config| {
        allow_loopback(config);
        config.git.import_mib = 1;
    });
    let server = server.await;
    let owner = server.owner();
    let mut numbers = Numbers(7);
    let origin = Repo::create(&owner, &[("small", &numbers.text(300_000))]).await;
    let upstream = Upstream::start(server.url()).await;
    let url = upstream.url(origin.id);
    let made = import(&owner, git(&url)).await.expect("small enough");
    let head = made.head().await;
    origin.diff(vec![write("large", &numbers.text(2_500_000))]).await.expect("an edit");
    let repos = count(&owner).await;
    for refused in [import(&owner, whole(&url)).await.err(), pull(&made, &url).await.err()] {
        let refused = refused.expect("refused");
        assert_eq!(refused.cause(), (400, "source_failed"));
        assert!(refused.error.message.contains("larger than 1048576 bytes"), "{refused:?}");
    }
    assert_eq!((count(&owner).await, made.head().await), (repos, head));
    gone(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn one_too_many_at_once_is_told_to_come_back() {
    let server = Server::start_with(|config| {
        allow_loopback(config);
        config.git.imports = 0;
        config.git.wait_seconds = 0;
    });
    let server = server.await;
    let origin = Repo::create(&server.owner(), &[]).await;
    let upstream = Upstream::start(server.url()).await;
    let refused = import(&server.owner(), git(&upstream.url(origin.id))).await.err();
    let refused = refused.expect("refused");
    assert_eq!(refused.cause(), (503, "service_unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(upstream.visits(), 0);
    server.stop().await;
}

/// Its client hears of it before it gives up itself, and is told what to do.
#[tokio::test]
async fn a_request_does_not_wait_for_ever() {
    let server = Server::start_with(|config| {
        allow_loopback(config);
        config.limits.request_seconds = 3;
        config.git.idle_seconds = 1;
    });
    let server = server.await;
    let owner = server.owner();
    let origin = Repo::create(&owner, &[]).await;
    let upstream = Upstream::start(server.url()).await;
    upstream.falls_silent();
    let refused = import(&owner, git(&upstream.url(origin.id))).await.err().expect("refused");
    assert_eq!(refused.cause(), (400, "source_failed"));
    assert_eq!(count(&owner).await, 1);
    gone(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_leaves_nothing_behind() {
    let server = Server::start_with(|config| {
        allow_loopback(config);
        config.git.idle_seconds = 600;
    });
    let server = server.await;
    let origin = Repo::create(&server.owner(), &[]).await;
    let upstream = Upstream::start(server.url()).await;
    upstream.falls_silent();
    let canary = "canary-of-a-password-on-no-command-line";
    let source = json!({"type": "git", "url": upstream.url(origin.id), "password": canary});
    let post = reqwest::Client::new().post(format!("{}/v1/repo", server.url()));
    let post = post.bearer_auth(OWNER_TOKEN).json(&json!({"source": source}));
    let asking = tokio::spawn(post.send());
    upstream.visited().await;
    assert!(!incoming(&server).is_empty());
    for process in std::fs::read_dir("/proc").expect("processes").flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let found = line.windows(canary.len()).any(|part| part == canary.as_bytes());
        assert!(!found, "{}", String::from_utf8_lossy(&line));
    }
    asking.abort();
    gone(&server).await;
    assert_eq!(count(&server.owner()).await, 1);
    server.stop().await;
}
