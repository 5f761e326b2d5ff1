//! Two servers on one database change one repo at the same time.

use futures::future::join_all;
use repoplane::store::source_repos;
use repoplane_client::types::EditSourceRepoRequest;

use crate::git::stage::{Work, url_of};
use crate::support::repo::{Repo, delete, diff, files, pairs, rename, write};
use crate::support::{OWNER_TOKEN, Server};

const CLIENTS: usize = 8;
const EDITS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_edit_is_lost_between_two_servers() {
    let server = Server::start().await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let other = repo.seen_by(&second.owner());
    let client = async |client: usize| {
        for edit in 0..EDITS {
            let at = if (client + edit).is_multiple_of(2) { &repo } else { &other };
            let path = format!("{client}/{edit}");
            at.diff(vec![write(&path, &path)]).await.expect("an edit");
            // What one has answered, the other one knows.
            let there = if (client + edit).is_multiple_of(2) { &other } else { &repo };
            assert_eq!(there.read(&path).await.expect(&path), path.as_bytes());
        }
    };
    join_all((0..CLIENTS).map(client)).await;
    let all: Vec<_> = (0..CLIENTS)
        .flat_map(|client| (0..EDITS).map(move |edit| format!("{client}/{edit}")))
        .collect();
    let expected =
        files(&all.iter().map(|path| (path.as_str(), path.as_str())).collect::<Vec<_>>());
    assert!(repo.files().await == expected && other.files().await == expected);
    let store = &server.services().store;
    let position = source_repos::position(store.read(), repo.id.into()).await.expect("database");
    let batches = position.expect("the repo").seq - 1;
    assert!(batches <= (CLIENTS * EDITS) as i64, "{batches}");
    println!("{} edits in {batches} batches", CLIENTS * EDITS);
    for base in [server.url(), second.url()] {
        let clone = Work::clone(&url_of(&base, repo.id, OWNER_TOKEN), &[]).await;
        let count = clone.git(&["rev-list", "--count", "HEAD"]).await.well();
        assert_eq!(count, (CLIENTS * EDITS + 1).to_string(), "one commit per edit, in a line");
        assert_eq!(clone.git(&["rev-list", "--merges", "HEAD"]).await.well(), "");
    }
    second.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_edits_that_expect_one_head_exactly_one_happens() {
    let server = Server::start().await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let other = repo.seen_by(&second.owner());
    for round in 0..15 {
        let head = repo.head().await;
        let edit = async |client: usize| {
            let at = if client.is_multiple_of(2) { &repo } else { &other };
            let request = EditSourceRepoRequest {
                expected_head: Some(head.parse().expect("a commit id")),
                ..diff(vec![write("winner", &format!("{round} {client}"))])
            };
            at.send(request).await
        };
        let answers = join_all((0..CLIENTS).map(edit)).await;
        let won: Vec<_> = (0..CLIENTS).filter(|client| answers[*client].is_ok()).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert_eq!(repo.files().await["winner"], format!("{round} {}", won[0]));
        let present = repo.head().await;
        for refusal in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refusal.cause(), (409, "head_mismatch"));
            assert_eq!(refusal.error.current_head.as_ref(), Some(&present));
        }
    }
    second.stop().await;
    server.stop().await;
}

/// A server that has not seen the last edit must not answer from memory.
#[tokio::test]
async fn what_an_edit_comes_to_is_true_of_the_repo_as_it_is() {
    let server = Server::start().await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[("a", "1")]).await;
    let other = repo.seen_by(&second.owner());
    // Both have the repo open from here on.
    repo.diff(vec![write("b", "1")]).await.expect("an edit");
    other.diff(vec![write("c", "1")]).await.expect("an edit");

    // Not a no-op any more, since the other server has changed the file.
    repo.diff(vec![write("a", "2")]).await.expect("an edit");
    assert_eq!(other.changes(vec![write("a", "1")]).await, ["a"]);
    assert_eq!(repo.changes(vec![write("a", "2")]).await, ["a"]);
    // Not missing any more, and not there any more.
    other.diff(vec![rename("a", "z")]).await.expect("an edit");
    assert_eq!(repo.changes(vec![delete("z")]).await, ["z"]);
    assert_eq!(other.refuses(vec![delete("z")]).await.status, 404);
    // The expected head is the present one, whoever made it.
    let head = repo.diff(vec![write("d", "1")]).await.expect("an edit").repo_head;
    let metadata = EditSourceRepoRequest {
        expected_head: Some(head.parse().expect("a commit id")),
        metadata: Some(pairs(&[("k", "v")])),
        ..Default::default()
    };
    other.send(metadata.clone()).await.expect("the head is as expected");
    let head = other.diff(vec![write("d", "2")]).await.expect("an edit").repo_head;
    let refusal = repo.send(metadata).await.expect_err("the head has moved");
    assert_eq!(refusal.error.current_head, Some(head));
    // Nor does one serve what the other has deleted.
    other.delete().await.expect("deleted");
    assert_eq!(repo.diff(vec![]).await.expect_err("gone").status, 404);
    assert_eq!(repo.diff(vec![write("d", "2")]).await.expect_err("gone").status, 404);
    second.stop().await;
    server.stop().await;
}
