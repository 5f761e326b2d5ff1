//! History that was cut off when it was imported: everything else works, and says where it ends.

use repoplane_client::types;
use serde_json::json;

use super::{beside_upstream, body, git, import, pull, send};
use crate::durability::Numbers;
use crate::durability::compaction::compacted_to;
use crate::git::stage::{Work, url};
use crate::history::stage::{commit, log};
use crate::support::Server;
use crate::support::repo::{Repo, answer, write};

async fn ids(repo: &Repo) -> Vec<String> {
    log(repo, "main", None, 100).await.into_iter().map(|commit| commit.id).collect()
}

/// Clones it, checks the clone strictly, and counts its commits.
async fn cloned(server: &Server, repo: &Repo) -> (Work, usize) {
    let work = Work::clone(&url(server, repo), &[]).await;
    work.fsck().await;
    let commits = work.git(&["rev-list", "--all"]).await.well().lines().count();
    (work, commits)
}

#[tokio::test]
async fn the_log_ends_where_the_import_did() {
    let (server, origin, upstream) = beside_upstream(6).await;
    let owner = server.owner();
    let url = upstream.url(origin.id);
    let made = import(&owner, git(&url)).await.expect("a repo");
    let tip = origin.head().await;
    assert_eq!((ids(&made).await, made.files().await), (vec![tip.clone()], origin.files().await));
    let mut source = git(&url);
    source["depth"] = 3.into();
    let three = import(&owner, source).await.expect("three commits");
    assert_eq!(ids(&three).await, ids(&origin).await[..3]);
    assert_eq!(log(&three, "main", Some("kept"), 10).await.len(), 1);
    let (_, commits) = cloned(&server, &three).await;
    assert_eq!(commits, 3);

    // The one commit is a first one here; what it changed is not known.
    let first = commit(&made, &tip).await;
    assert_eq!((first.commit.parents.len(), first.diff.files.len()), (0, 2));
    let terms = || body::<types::CommitTerms>(json!({}));
    let revert = owner.revert_commit().repo_id(made.id).commit_id(tip.clone()).body(terms());
    let refused = answer(revert.send().await).expect_err("not known");
    assert_eq!(refused.status, 422);
    let edited = made.diff(vec![write("n", "mine\n")]).await.expect("an edit").repo_head;
    let revert = owner.revert_commit().repo_id(made.id).commit_id(edited.clone()).body(terms());
    answer(revert.send().await).expect("taken back");
    assert_eq!(made.files().await, origin.files().await);
    let reset = owner.reset_to_commit().repo_id(made.id).commit_id(edited).body(terms());
    answer(reset.send().await).expect("reset");
    let side: types::CreateBranchRequest = body(json!({"name": "side", "from": tip}));
    owner.create_branch().repo_id(made.id).body(side).send().await.expect("a branch");
    let edit = json!({"branch": "side", "source": {"type": "diff", "operations": [
        {"type": "write", "filename": "side", "content": "1"}]}});
    send(&made, edit).await.expect("an edit");
    let merge: types::MergeRequest = body(json!({"from": "side"}));
    let merged = answer(owner.merge_branch().repo_id(made.id).body(merge).send().await);
    assert_eq!(merged.expect("merged").changed_files, Some(vec!["side".to_owned()]));

    // Clients of git see the same, and push on top.
    let (work, commits) = cloned(&server, &made).await;
    assert_eq!(commits, 6);
    let pushed = work.commit(&[("pushed", "1")]).await;
    work.push(&["main"]).await.well();
    assert_eq!(made.head().await, pushed);
    // A commit from before the cut has no place here.
    let full = Work::clone(&crate::git::stage::url(&server, &origin), &[]).await;
    full.git(&["checkout", "-q", "-b", "old", "HEAD~3"]).await.well();
    let old = full.commit(&[("old", "1")]).await;
    full.git(&["remote", "set-url", "origin", &crate::git::stage::url(&server, &made)])
        .await
        .well();
    full.push(&["old"]).await;
    let (_, commits) = cloned(&server, &made).await;
    assert!(commits >= 7, "{commits} with {old}");
    server.stop().await;
}

#[tokio::test]
async fn the_cut_outlives_caches_copies_and_compaction() {
    let (server, origin, upstream) = beside_upstream(5).await;
    let owner = server.owner();
    let url = upstream.url(origin.id);
    let made = import(&owner, git(&url)).await.expect("a repo");
    origin.diff(vec![write("n", "next\n")]).await.expect("an edit");
    let moved = pull(&made, &url).await.expect("moved");
    assert_eq!(moved.repo_head, origin.head().await);
    assert_eq!(ids(&made).await, ids(&origin).await[..2]);
    made.diff(vec![write("ours", "1")]).await.expect("an edit");
    origin.diff(vec![write("theirs", "1")]).await.expect("an edit");
    pull(&made, &url).await.expect("joined");
    assert_eq!(ids(&made).await.len(), 5);

    let copy = import(&owner, json!({"type": "relace", "repo_id": made.id})).await.expect("a copy");
    let mut numbers = Numbers(9);
    made.diff(vec![write("large", &numbers.text(4_500_000))]).await.expect("an edit");
    compacted_to(&server, &made, 0).await;
    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("the cache");
    });
    let server = server.await;
    for (repo, expected) in [(made, 6), (copy, 5)] {
        let repo = repo.seen_by(&server.owner());
        assert_eq!(ids(&repo).await.len(), expected);
        let (work, commits) = cloned(&server, &repo).await;
        assert_eq!(commits, expected);
        work.commit(&[("pushed", "1")]).await;
        work.push(&["main"]).await.well();
        let (second, commits) = cloned(&server, &repo).await;
        assert_eq!((commits, second.tip("HEAD").await), (expected + 1, repo.head().await));
    }
    server.stop().await;
}
