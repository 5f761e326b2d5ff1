//! What an edit answers, and the head it is made on.

use repoplane_client::types::EditSourceRepoRequest;

use crate::support::Server;
use crate::support::repo::{Repo, answer, delete, diff, pairs, rename, write};

#[tokio::test]
async fn changed_files_come_in_the_order_of_the_request_each_once() {
    let server = Server::start().await;
    let start = [("z", "z"), ("old", "o"), ("d/2", "2"), ("d/1", "1"), ("same", "s")];
    let repo = Repo::create(&server.owner(), &start).await;
    let operations = vec![
        write("z", "new"),
        rename("old", "fresh"),
        delete("d"),
        write("same", "s"),
        write("z", "newer"),
        write("a", "a"),
    ];
    assert_eq!(repo.changes(operations).await, ["z", "fresh", "d/1", "d/2", "a"]);
    server.stop().await;
}

#[tokio::test]
async fn an_edit_that_changes_nothing_keeps_the_head() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a"), ("b", "b")]).await;
    let (head, before) = (repo.head().await, repo.record().await.updated_at);
    for operations in [
        vec![],
        vec![write("a", "a")],
        vec![delete("a"), write("a", "a")],
        vec![rename("a", "a")],
        vec![write("c", "c"), rename("c", "a"), write("a", "x"), rename("a", "c"), delete("b")],
    ] {
        let last = operations.len() == 5;
        let done = repo.diff(operations).await.expect("an edit");
        if last {
            // The counterexample: here something does change.
            assert_ne!(done.repo_head, head);
        } else {
            assert_eq!((done.repo_head, done.changed_files), (head.clone(), Some(vec![])));
            assert_eq!(repo.record().await.updated_at, before, "nothing changed, so no update");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn an_edit_moves_the_head_and_the_time_of_the_update() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let before = repo.record().await;
    assert_eq!(before.updated_at, None);
    let done = repo.diff(vec![write("a", "a")]).await.expect("an edit");
    let after = repo.record().await;
    assert_eq!((done.repo_id, &done.repo_head), (repo.id, &after.repo_head));
    assert_ne!(before.repo_head, after.repo_head);
    assert!(after.updated_at > Some(before.created_at));
    server.stop().await;
}

#[tokio::test]
async fn an_edit_of_another_head_than_expected_is_refused_with_the_present_one() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let first = repo.head().await;
    let on = |head: &str, content: &str| EditSourceRepoRequest {
        expected_head: Some(head.parse().expect("a commit id")),
        ..diff(vec![write("a", content)])
    };
    let second = repo.send(on(&first, "b")).await.expect("the head is as expected").repo_head;
    // Even one that would change nothing, or that is only about metadata.
    let metadata = EditSourceRepoRequest {
        source: None,
        metadata: Some(pairs(&[("k", "v")])),
        ..on(&first, "")
    };
    for request in [on(&first, "c"), on(&first, "b"), metadata] {
        let refusal = repo.send(request).await.expect_err("another head");
        assert_eq!(refusal.cause(), (409, "head_mismatch"));
        assert_eq!(refusal.error.current_head.as_ref(), Some(&second));
        assert_eq!(refusal.headers["x-should-retry"], "false");
    }
    assert_eq!((repo.head().await, repo.metadata().await), (second.clone(), None));

    let put = repo.client.put_source_file().repo_id(repo.id).file_path("a").body("d");
    let refusal = answer(put.expected_head(id(&first)).send().await).expect_err("another head");
    assert_eq!(refusal.error.current_head.as_ref(), Some(&second));
    let delete = repo.client.delete_source_file().repo_id(repo.id).file_path("a");
    let refusal = answer(delete.expected_head(id(&first)).send().await).expect_err("another head");
    assert_eq!(refusal.error.current_head, Some(second));
    server.stop().await;
}

fn id(commit: &str) -> repoplane_client::types::CommitId {
    commit.parse().expect("a commit id")
}
