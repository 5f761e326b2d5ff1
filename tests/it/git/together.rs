//! Edits and pushes of one repo at the same time: nobody's accepted commit is lost.

use std::collections::HashSet;

use futures::future::join_all;

use super::stage::{Work, url_of};
use crate::support::repo::{Repo, write};
use crate::support::{OWNER_TOKEN, Server};

/// Clients of each kind.
const EDITORS: usize = 4;
const PUSHERS: usize = 4;

fn rounds() -> usize {
    if std::env::var_os("TEST_LONG").is_some() { 125 } else { 12 }
}

/// What was accepted, and how often somebody was told to come back.
#[derive(Default)]
struct Done {
    /// On the default branch.
    main: Vec<String>,
    /// On a branch of the client's own.
    own: Vec<(String, String)>,
    refused: usize,
}

async fn edit(repos: &[Repo], client: usize) -> Done {
    let mut done = Done::default();
    for round in 0..rounds() {
        let repo = &repos[(client + round) % repos.len()];
        let path = format!("edits/{client}/{round}");
        loop {
            match repo.diff(vec![write(&path, &path)]).await {
                Ok(edited) => {
                    done.main.push(edited.repo_head);
                    break;
                }
                Err(refusal) => {
                    assert!(matches!(refusal.status, 409 | 423), "{refusal:?}");
                    done.refused += 1;
                }
            }
        }
    }
    done
}

async fn push(urls: &[String], client: usize) -> Done {
    let mut done = Done::default();
    let work = Work::clone(&urls[0], &[]).await;
    let branch = format!("refs/heads/own/{client}");
    for round in 0..rounds() {
        let at = &urls[(client + round) % urls.len()];
        work.git(&["remote", "set-url", "origin", at]).await.well();
        let path = format!("pushes/{client}/{round}");
        work.commit(&[(&path, &path)]).await;
        loop {
            let both = round % 3 == 0;
            let own = format!("+main:{branch}");
            let refs: &[&str] = if both { &["--atomic", "main", &own] } else { &["main"] };
            let said = work.push(refs).await;
            let tip = work.tip("main").await;
            if said.ok {
                done.main.push(tip.clone());
                if both {
                    done.own.push((branch.clone(), tip));
                }
                break;
            }
            assert!(
                said.words.contains("rejected") || said.words.contains("busy"),
                "{}",
                said.words
            );
            done.refused += 1;
            work.git(&["fetch", "-q", "origin"]).await.well();
            work.git(&["rebase", "-q", "origin/main"]).await.well();
        }
    }
    done
}

async fn all_together(repo: &Repo, repos: &[Repo], urls: &[String]) {
    let editors = join_all((0..EDITORS).map(|client| edit(repos, client)));
    let pushers = join_all((0..PUSHERS).map(|client| push(urls, client)));
    let (editors, pushers) = tokio::join!(editors, pushers);
    let work = Work::clone(&urls[0], &["--mirror"]).await;
    work.fsck().await;
    let history = work.git(&["rev-list", "main"]).await.well();
    let history: HashSet<&str> = history.lines().collect();
    let (mut accepted, mut refused) = (0, 0);
    for done in editors.iter().chain(&pushers) {
        for commit in &done.main {
            assert!(history.contains(commit.as_str()), "{commit} is lost");
        }
        if let Some((branch, commit)) = done.own.last() {
            assert_eq!(&work.tip(branch).await, commit);
        }
        accepted += done.main.len();
        refused += done.refused;
    }
    assert_eq!(accepted, (EDITORS + PUSHERS) * rounds());
    let files = repo.files().await;
    for client in 0..EDITORS {
        for round in 0..rounds() {
            for path in [format!("edits/{client}/{round}"), format!("pushes/{client}/{round}")] {
                assert_eq!(files.get(&path), Some(&path), "{path} is lost");
            }
        }
    }
    println!("{accepted} edits and pushes accepted, {refused} refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_and_pushes_lose_nothing() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let urls = [url_of(&server.url(), repo.id, OWNER_TOKEN)];
    all_together(&repo, &[repo.seen_by(&server.owner())], &urls).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_and_pushes_of_two_servers_lose_nothing() {
    let server = Server::start().await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let urls = [server.url(), second.url()].map(|base| url_of(&base, repo.id, OWNER_TOKEN));
    let repos = [repo.seen_by(&server.owner()), repo.seen_by(&second.owner())];
    all_together(&repo, &repos, &urls).await;
    second.stop().await;
    server.stop().await;
}
