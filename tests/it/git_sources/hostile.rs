//! URLs that lead inside, or to something that is no web server: none is dialled, nothing is stored.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::net::TcpListener;

use super::{beside_upstream, count, git, import, incoming, pull};
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};

/// The list that the egress guard itself is tested with.
const HOSTILE: &str = include_str!("../../../server/src/backend/egress_refused.txt");
/// What git, rather than a web client, might make something of. PORT is the canary's.
const FOR_GIT: [&str; 40] = [
    "--upload-pack=touch /dev/null",
    "-u/bin/sh",
    "--",
    "-",
    ".",
    "..",
    "../..",
    "~",
    "a:b",
    "git@127.0.0.1:x.git",
    "127.0.0.1:PORT/x.git",
    "ssh://127.0.0.1:PORT/x.git",
    "ssh://-oProxyCommand=id/x.git",
    "git+ssh://127.0.0.1:PORT/x.git",
    "git+http://127.0.0.1:PORT/x.git",
    "git://127.0.0.1:PORT/x.git",
    "ftp://127.0.0.1:PORT/x.git",
    "ftps://127.0.0.1:PORT/x.git",
    "rsync://127.0.0.1:PORT/x.git",
    "ext::nc 127.0.0.1 PORT",
    "fd::17/x",
    "http::https://127.0.0.1:PORT/x.git",
    "https::http://127.0.0.1:PORT/x.git",
    "file://localhost/etc",
    "file:///proc/self/cwd",
    "bundle:x",
    "persistent-https://127.0.0.1:PORT/x.git",
    "HTTP://127.0.0.1:PORT/x.git",
    "hTTps://127.0.0.1:PORT/x.git",
    "https:127.0.0.1:PORT/x.git",
    "https:\\\\127.0.0.1:PORT\\x.git",
    "https:///127.0.0.1:PORT/x.git",
    "https://127.0.0.1:PORT\r\nHost: a/x.git",
    "https://127.0.0.1\t:PORT/x.git",
    "https://127\u{3002}0\u{3002}0\u{3002}1:PORT/x.git",
    "https://\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}:PORT/x.git",
    "https://localhost.:PORT/x.git",
    "https://LOCALHOST:PORT/x.git",
    "https://a:b@127.0.0.1:PORT/x.git",
    "https://example.com@127.0.0.1:PORT/x.git",
];

/// Listens on every address of this machine, and counts who comes.
async fn canary() -> (u16, Arc<AtomicUsize>) {
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
    (port, visits)
}

/// The URL as it is, and as one that leads to the canary if it leads to this machine at all.
fn baits(url: &str, port: u16) -> Vec<String> {
    let mut baits = vec![url.replace("PORT", &port.to_string())];
    if let Ok(mut parsed) = url::Url::parse(&baits[0])
        && parsed.set_port(Some(port)).is_ok()
    {
        baits.push(parsed.to_string());
    }
    baits
}

#[tokio::test]
async fn no_hostile_url_is_dialled() {
    let server = Server::start().await;
    let (port, visits) = canary().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let head = repo.head().await;
    let long = format!("https://127.0.0.1:PORT/{}", "x".repeat(2_083));
    let listed = HOSTILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let all = listed.chain(FOR_GIT).chain([long.as_str(), ""]);
    let paths = [
        "/v1/repo".to_owned(),
        format!("/v1/repo/{}/update", repo.id),
        "/v1/repo_import".to_owned(),
    ];
    let (http, mut refused) = (reqwest::Client::new(), 0);
    for url in all.flat_map(|url| baits(url, port)) {
        for path in &paths {
            let post = http.post(format!("{}{path}", server.url())).bearer_auth(OWNER_TOKEN);
            let body = json!({"source": {"type": "git", "url": url}});
            let answer = post.json(&body).send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), 422, "{path} {url}");
            refused += 1;
        }
    }
    assert!(refused > 3 * 150, "{refused}");
    assert_eq!(visits.load(Ordering::Relaxed), 0);
    assert_eq!((count(&server.owner()).await, repo.head().await), (1, head));
    assert!(incoming(&server).is_empty());
    server.stop().await;
}

/// Nor where a server that may be dialled leads.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, origin, upstream) = beside_upstream(1).await;
    let (port, visits) = canary().await;
    let owner = server.owner();
    let repo = Repo::create(&owner, &[("a", "a")]).await;
    let url = upstream.url(origin.id);
    let paths = ["/x.git/info/refs?service=git-upload-pack", "/info/refs", "/"];
    for to in paths.map(|path| format!("http://127.0.0.1:{port}{path}")) {
        upstream.leads_to(&to);
        let answers = [import(&owner, git(&url)).await.err(), pull(&repo, &url).await.err()];
        for refused in answers {
            let refused = refused.expect("refused");
            assert_eq!(refused.cause(), (400, "source_failed"));
            assert!(refused.error.message.contains("redirects are not followed"), "{refused:?}");
        }
    }
    assert!(upstream.visits() >= 6);
    assert_eq!(visits.load(Ordering::Relaxed), 0);
    assert_eq!(count(&owner).await, 2);
    server.stop().await;
}
