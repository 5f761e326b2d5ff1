//! Merges, edits and pushes of one repo on two servers at the same time: nobody's accepted commit is
//! lost.

use std::collections::HashSet;

use futures::future::join_all;
use repoplane_client::types::{
    BranchName, CreateBranchRequest, EditSource, EditSourceRepoRequest, MergeRequest,
};

use super::stage::{Work, url_of};
use crate::support::repo::{Repo, answer, write};
use crate::support::{OWNER_TOKEN, Server};

const MERGERS: usize = 3;
const EDITORS: usize = 2;
const PUSHERS: usize = 2;

fn rounds() -> usize {
    if std::env::var_os("TEST_LONG").is_some() { 60 } else { 6 }
}

/// Asks again for as long as it is told to come back.
async fn persist<T>(mut ask: impl AsyncFnMut() -> crate::support::repo::Answer<T>) -> T {
    loop {
        match ask().await {
            Ok(done) => return done,
            Err(refusal) => assert!(matches!(refusal.status, 409 | 423), "{refusal:?}"),
        }
    }
}

/// Edits a branch of its own and merges it into the default one; the heads of both after each round.
async fn merge(repos: &[Repo], client: usize) -> Vec<String> {
    let branch: BranchName = format!("topic/{client}").parse().expect("a name");
    let body = CreateBranchRequest { name: branch.clone(), from: None };
    let made = repos[0].client.create_branch().repo_id(repos[0].id).body(body).send().await;
    answer(made).expect("a branch");
    let mut accepted = Vec::new();
    for round in 0..rounds() {
        let at = |step: usize| &repos[(client + round + step) % repos.len()];
        let path = format!("merges/{client}/{round}");
        let edit = EditSourceRepoRequest {
            source: Some(EditSource::Diff { operations: vec![write(&path, &path)] }),
            branch: Some(branch.clone()),
            ..Default::default()
        };
        accepted.push(persist(async || at(0).send(edit.clone()).await).await.repo_head);
        let body = MergeRequest {
            from: branch.parse().expect("a revision"),
            branch: None,
            message: None,
            author: None,
            expected_head: None,
        };
        let merged = persist(async || {
            let request = at(1).client.merge_branch().repo_id(at(1).id).body(body.clone());
            answer(request.send().await)
        });
        accepted.push(merged.await.repo_head);
    }
    accepted
}

async fn edit(repos: &[Repo], client: usize) -> Vec<String> {
    let mut accepted = Vec::new();
    for round in 0..rounds() {
        let path = format!("edits/{client}/{round}");
        let repo = &repos[(client + round) % repos.len()];
        let edited = persist(async || repo.diff(vec![write(&path, &path)]).await).await;
        accepted.push(edited.repo_head);
    }
    accepted
}

async fn push(urls: &[String], client: usize) -> Vec<String> {
    let work = Work::clone(&urls[client % urls.len()], &[]).await;
    let mut accepted = Vec::new();
    for round in 0..rounds() {
        work.git(&["remote", "set-url", "origin", &urls[(client + round) % urls.len()]])
            .await
            .well();
        let path = format!("pushes/{client}/{round}");
        work.commit(&[(&path, &path)]).await;
        while !work.push(&["main"]).await.ok {
            work.git(&["fetch", "-q", "origin"]).await.well();
            work.git(&["rebase", "-q", "--rebase-merges", "origin/main"]).await.well();
        }
        accepted.push(work.tip("main").await);
    }
    accepted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merges_edits_and_pushes_of_two_servers_lose_nothing() {
    let server = Server::start().await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let repos = [repo.seen_by(&server.owner()), repo.seen_by(&second.owner())];
    let urls = [server.url(), second.url()].map(|base| url_of(&base, repo.id, OWNER_TOKEN));
    let merges = join_all((0..MERGERS).map(|client| merge(&repos, client)));
    let edits = join_all((0..EDITORS).map(|client| edit(&repos, client)));
    let pushes = join_all((0..PUSHERS).map(|client| push(&urls, client)));
    let (merges, edits, pushes) = tokio::join!(merges, edits, pushes);

    for url in &urls {
        let work = Work::clone(url, &["--mirror"]).await;
        work.fsck().await;
        let history = work.git(&["rev-list", "main"]).await.well();
        let history: HashSet<&str> = history.lines().collect();
        for commit in [&merges, &edits, &pushes].into_iter().flatten().flatten() {
            assert!(history.contains(commit.as_str()), "{commit} is lost");
        }
    }
    let files = repo.files().await;
    for (kind, clients) in [("merges", MERGERS), ("edits", EDITORS), ("pushes", PUSHERS)] {
        for (client, round) in (0..clients).flat_map(|c| (0..rounds()).map(move |r| (c, r))) {
            let path = format!("{kind}/{client}/{round}");
            assert_eq!(files.get(&path), Some(&path), "{path} is lost");
        }
    }
    second.stop().await;
    server.stop().await;
}
