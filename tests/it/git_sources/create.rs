//! Repos made from what a repository elsewhere holds.

use std::net::SocketAddr;
use std::time::Duration;

use repoplane::backend::egress::{Checked, Egress};
use repoplane::backend::git::fetch::{Bounds, Fetcher, Place};
use repoplane::model::git_source::{History, Progress, Start, Wanted};
use repoplane_client::types;
use serde_json::json;

use super::{beside_upstream, body, count, git, import, incoming, whole};
use crate::git::stage::{Work, url};
use crate::history::stage::log;
use crate::support::repo::write;
use crate::support::{OWNER_TOKEN, Server};

async fn ids(repo: &crate::support::repo::Repo) -> Vec<String> {
    log(repo, "main", None, 100).await.into_iter().map(|commit| commit.id).collect()
}

#[tokio::test]
async fn all_of_the_history_comes_with_its_ids() {
    let (server, origin, upstream) = beside_upstream(5).await;
    let owner = server.owner();
    let next: types::CreateBranchRequest = body(json!({"name": "feature/next"}));
    owner.create_branch().repo_id(origin.id).body(next).send().await.expect("a branch");
    let edit = json!({"branch": "feature/next", "source": {"type": "diff", "operations": [
        {"type": "write", "filename": "next", "content": "next\n"}]}});
    let next = super::send(&origin, edit).await.expect("an edit").repo_head;

    let made = import(&owner, whole(&upstream.url(origin.id))).await.expect("a repo");
    assert_eq!(ids(&made).await, ids(&origin).await);
    assert_eq!(made.files().await, origin.files().await);
    assert_eq!(ids(&made).await.len(), 5);
    let work = Work::clone(&url(&server, &made), &[]).await;
    assert_eq!(work.tip("HEAD").await, origin.head().await);
    work.fsck().await;

    let mut source = whole(&upstream.url(origin.id));
    source["branch"] = "feature/next".into();
    let branch = import(&owner, source.clone()).await.expect("a branch");
    assert_eq!(branch.head().await, next);
    assert_eq!(ids(&branch).await.len(), 6);
    // A commit counts more than a branch, under both of its names.
    let third = ids(&origin).await[2].clone();
    for field in ["hash", "commit"] {
        let mut source = source.clone();
        source[field] = third.clone().into();
        let made = import(&owner, source).await.expect("a commit");
        assert_eq!(ids(&made).await, ids(&origin).await[2..]);
    }
    // What came is as good as what is written here.
    made.diff(vec![write("more", "more\n")]).await.expect("an edit");
    assert_eq!(ids(&made).await.len(), 6);
    assert!(incoming(&server).is_empty());
    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("the cache");
    });
    let server = server.await;
    let made = made.seen_by(&server.owner());
    assert_eq!(ids(&made).await.len(), 6);
    server.stop().await;
}

#[tokio::test]
async fn a_password_opens_what_is_closed_and_stays_nowhere() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let origin = crate::support::repo::Repo::create(&owner, &[("a", "a")]).await;
    let url = format!("{}/v1/repo/{}.git", server.url(), origin.id);
    for login in [json!({}), json!({"password": "rlc-wrongwrongwrongwrongwrongwrongwr"})] {
        let mut source = git(&url);
        source.as_object_mut().expect("an object").extend(login.as_object().expect("one").clone());
        let refused = import(&owner, source).await.err().expect("refused");
        assert_eq!(refused.cause(), (400, "source_failed"));
        assert!(refused.error.message.contains("password"), "{refused:?}");
    }
    let users = [json!({}), json!({"username": "somebody"})];
    for user in users {
        let mut source = git(&url);
        source["password"] = OWNER_TOKEN.into();
        source.as_object_mut().expect("an object").extend(user.as_object().expect("one").clone());
        let made = import(&owner, source).await.expect("a repo");
        assert_eq!(made.head().await, origin.head().await);
    }
    for (field, value) in [("username", json!("alone")), ("password", json!("a\nb"))] {
        let body = json!({"source": {"type": "git", "url": url, field: value}});
        let post = reqwest::Client::new().post(format!("{}/v1/repo", server.url()));
        let answer = post.bearer_auth(OWNER_TOKEN).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 422);
        assert!(!answer.text().await.expect("text").contains("a\\nb"));
    }
    let canary = "canary-of-a-password-that-is-seen-nowhere";
    let mut source = git(&url);
    source["password"] = canary.into();
    let refused = import(&owner, source).await.err().expect("refused");
    assert!(!format!("{refused:?}").contains(canary));
    let mut open = vec![server.folder().to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if let Ok(content) = std::fs::read(&path) {
            let found = content.windows(canary.len()).any(|part| part == canary.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_had_is_said_and_leaves_nothing() {
    let (server, origin, upstream) = beside_upstream(2).await;
    let owner = server.owner();
    let url = upstream.url(origin.id);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let closed = format!("http://{}/x.git", listener.local_addr().expect("an address"));
    drop(listener);
    let none = "d".repeat(40);
    for (source, said) in [
        (json!({"type": "git", "url": url, "branch": "absent"}), "no branch `absent`"),
        (json!({"type": "git", "url": url, "hash": none}), "no commit dddd"),
        (git(&upstream.url(uuid::Uuid::new_v4())), "cannot be fetched"),
        (git(&format!("{url}/HEAD")), "cannot be fetched"),
        (git(&closed), "Nobody answers"),
    ] {
        let refused = import(&owner, source.clone()).await.err().expect("refused");
        assert_eq!(refused.cause(), (400, "source_failed"), "{source}");
        assert!(refused.error.message.contains(said), "{source}: {}", refused.error.message);
        assert!(!refused.error.message.contains("/incoming"), "{}", refused.error.message);
    }
    for (source, place) in [
        (json!({"type": "git", "url": url, "shallow": false, "depth": 2}), "depth"),
        (json!({"type": "git", "url": url, "hash": none, "commit": "e".repeat(40)}), "commit"),
    ] {
        let refused = import(&owner, source).await.err().expect("refused");
        assert_eq!(refused.status, 422);
        assert_eq!(refused.error.detail[0].loc, ["body", "source", place]);
    }
    assert_eq!(count(&owner).await, 1);
    assert!(incoming(&server).is_empty());
    server.stop().await;
}

/// A resolver may say something else when git comes to ask; so git never asks.
#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let (server, origin, upstream) = beside_upstream(1).await;
    let url: url::Url = upstream.url(origin.id).parse().expect("a URL");
    let address = SocketAddr::from(([127, 0, 0, 1], url.port().expect("a port")));
    let mut named = url.clone();
    named.set_host(Some("pinned.invalid")).expect("a name that nobody can resolve");
    let bounds = Bounds {
        concurrent: 1,
        wait: Duration::from_secs(1),
        bytes_max: 1024 * 1024,
        idle: Duration::from_secs(5),
        total: Duration::from_secs(50),
        request: Duration::from_secs(50),
    };
    let fetcher = Fetcher::new(Egress::new(vec![]), bounds);
    let folder = tempfile::tempdir().expect("temporary folder");
    let wanted = Wanted { start: Start::Default, history: History::Whole };
    let place = || Place { folder: folder.path(), beside: None };
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    let checked = Checked { url: named, addresses: vec![address] };
    let fetched = fetcher.fetch((&checked, None), &wanted, place(), bounds.total, &progress).await;
    assert_eq!(fetched.expect("fetched").tip.to_string(), origin.head().await);
    // The other way round: what a name leads to now does not count, but what it led to.
    let visits = upstream.visits();
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], address.port()));
    let _silent = tokio::net::TcpListener::bind(elsewhere).await.expect("a port");
    let mut named = url;
    named.set_host(Some("localhost")).expect("a name");
    let checked = Checked { url: named, addresses: vec![elsewhere] };
    let fetched = fetcher.fetch((&checked, None), &wanted, place(), bounds.wait, &progress).await;
    assert!(fetched.is_err());
    assert_eq!(upstream.visits(), visits);
    server.stop().await;
}
