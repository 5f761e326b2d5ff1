//! What a repository elsewhere has on a branch is merged, all of it or nothing.

use std::collections::BTreeMap;

use repoplane_client::types;
use serde_json::json;

use super::{beside_upstream, body, git, import, incoming, pull, send, whole};
use crate::durability::Numbers;
use crate::history::stage::{commit, log};
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, write};

#[tokio::test]
async fn a_branch_with_nothing_of_its_own_moves_forward() {
    let (server, origin, upstream) = beside_upstream(2).await;
    let owner = server.owner();
    let url = upstream.url(origin.id);
    let made = import(&owner, whole(&url)).await.expect("a repo");
    let mut receiver = Receiver::start().await;
    let hook: types::SetWebhookRequest = body(json!({"url": receiver.url()}));
    let set = owner.set_source_repo_webhook().repo_id(made.id).body(hook);
    set.send().await.expect("a webhook");

    let before = made.head().await;
    let same = pull(&made, &url).await.expect("nothing to do");
    assert_eq!((same.repo_head, same.changed_files), (before.clone(), Some(vec![])));
    origin.diff(vec![write("new/file", "1"), write("n", "new\n")]).await.expect("an edit");
    let moved = pull(&made, &url).await.expect("moved");
    assert_eq!(moved.repo_head, origin.head().await);
    assert_eq!(moved.changed_files, Some(vec!["n".to_owned(), "new/file".to_owned()]));
    assert_eq!(made.files().await, origin.files().await);
    let told = receiver.next_event().await.data;
    assert_eq!(told.before, Some(before));
    assert_eq!(told.after, Some(moved.repo_head));
    assert_eq!(told.changed_files.map(|files| files.len()), Some(2));

    // More than is kept in a row, metadata with it, and onto a branch of its own.
    let mut numbers = Numbers(3);
    origin.diff(vec![write("large", &numbers.text(900_000))]).await.expect("an edit");
    let request = json!({"source": git(&url), "metadata": {"synced": "yes"}});
    let moved = send(&made, request).await.expect("moved");
    assert_eq!(moved.repo_head, origin.head().await);
    assert_eq!(made.metadata().await.expect("metadata")["synced"], "yes");
    let side: types::CreateBranchRequest = body(json!({"name": "side", "from": told.after}));
    owner.create_branch().repo_id(made.id).body(side).send().await.expect("a branch");
    let request = json!({"source": git(&url), "branch": "side", "metadata": {}});
    assert_eq!(send(&made, request).await.expect("moved").repo_head, moved.repo_head);
    assert_eq!(made.metadata().await, Some(BTreeMap::new()));
    let absent = send(&made, json!({"source": git(&url), "branch": "absent"})).await;
    assert_eq!(absent.expect_err("no such branch").status, 404);
    assert!(incoming(&server).is_empty());
    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("the cache");
    });
    let server = server.await;
    let made = made.seen_by(&server.owner());
    assert_eq!(made.files().await.len(), 4);
    server.stop().await;
}

#[tokio::test]
async fn two_lines_of_work_are_joined_in_a_commit() {
    let (server, origin, upstream) = beside_upstream(2).await;
    let owner = server.owner();
    let url = upstream.url(origin.id);
    let made = import(&owner, whole(&url)).await.expect("a repo");
    let ours = made.diff(vec![write("ours", "1")]).await.expect("an edit").repo_head;
    let theirs = origin.diff(vec![write("theirs", "1")]).await.expect("an edit").repo_head;

    let wrong = json!({"source": git(&url), "expected_head": theirs});
    let refused = send(&made, wrong).await.expect_err("another head");
    assert_eq!(refused.cause(), (409, "head_mismatch"));
    assert_eq!(refused.error.current_head, Some(ours.clone()));

    let request = json!({"source": git(&url), "expected_head": ours,
        "author": {"name": "Ada", "email": "ada@example.org"}});
    let joined = send(&made, request).await.expect("joined");
    assert_eq!(joined.changed_files, Some(vec!["theirs".to_owned()]));
    assert_eq!(made.files().await.len(), 4);
    let found = &log(&made, "main", None, 1).await[0];
    assert_eq!((&found.id, found.author.name.as_str()), (&joined.repo_head, "Ada"));
    assert_eq!(found.parents, [ours, theirs]);
    assert!(found.message.starts_with("Merge 127.0.0.1/v1/repo/"), "{}", found.message);

    // A large one, which takes two packs at once.
    let mut numbers = Numbers(5);
    made.diff(vec![write("ours", "2")]).await.expect("an edit");
    origin.diff(vec![write("large", &numbers.text(1_500_000))]).await.expect("an edit");
    let request = json!({"source": git(&url), "message": "Take it in"});
    let joined = send(&made, request).await.expect("joined");
    let found = commit(&made, &joined.repo_head).await.commit;
    assert_eq!(found.message.trim(), "Take it in");
    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("the cache");
    });
    let server = server.await;
    let made = made.seen_by(&server.owner());
    assert_eq!(made.files().await["large"].len(), 1_500_000);
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_fit_changes_nothing() {
    let (server, origin, upstream) = beside_upstream(2).await;
    let owner = server.owner();
    let url = upstream.url(origin.id);
    let made = import(&owner, whole(&url)).await.expect("a repo");
    made.diff(vec![write("n", "ours\n"), write("m", "ours\n")]).await.expect("an edit");
    origin.diff(vec![write("n", "theirs\n"), write("m", "theirs\n")]).await.expect("an edit");
    let state = async |repo: &Repo| (repo.head().await, repo.files().await, repo.metadata().await);
    let before = state(&made).await;
    let request = json!({"source": git(&url), "metadata": {"a": "b"}});
    let refused = send(&made, request).await.expect_err("a conflict");
    assert_eq!(refused.cause(), (400, "source_failed"));
    assert!(refused.error.message.contains("`m`, `n`"), "{}", refused.error.message);
    assert_eq!(state(&made).await, before);

    let stranger = Repo::create(&owner, &[("other", "other")]).await;
    let refused = pull(&made, &upstream.url(stranger.id)).await.expect_err("strangers");
    assert_eq!(refused.cause(), (400, "source_failed"));
    assert!(refused.error.message.contains("no commit in common"), "{}", refused.error.message);
    assert_eq!(state(&made).await, before);
    // What never held a file takes any history.
    let empty = Repo::create(&owner, &[]).await;
    let filled = pull(&empty, &url).await.expect("filled");
    assert_eq!(filled.repo_head, origin.head().await);
    assert_eq!(log(&empty, "main", None, 10).await.len(), 3);
    assert!(incoming(&server).is_empty());
    server.stop().await;
}

/// Nobody's commit is lost, whoever comes first.
#[tokio::test]
async fn edits_that_come_meanwhile_stay() {
    let (server, origin, upstream) = beside_upstream(1).await;
    let owner = server.owner();
    let url = upstream.url(origin.id);
    let made = import(&owner, whole(&url)).await.expect("a repo");
    for round in 0..4 {
        let path = format!("theirs-{round}");
        origin.diff(vec![write(&path, "1")]).await.expect("an edit");
        let edits = async {
            for edit in 0..5 {
                let path = format!("ours-{round}-{edit}");
                made.diff(vec![write(&path, "1")]).await.expect("an edit");
            }
        };
        let (pulled, ()) = tokio::join!(pull(&made, &url), edits);
        pulled.expect("merged");
    }
    let files = made.files().await;
    assert_eq!(files.len(), 2 + 4 + 20, "{:?}", files.keys());
    server.stop().await;
}
