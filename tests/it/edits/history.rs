//! Reading a repo as it was.

use crate::support::Server;
use crate::support::repo::{Repo, answer, delete, files, rename, write};

#[tokio::test]
async fn every_commit_can_be_read_again() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "0")]).await;
    let mut history = vec![(repo.head().await, repo.files().await)];
    for operations in [
        vec![write("a", "1"), write("d/b", "b")],
        vec![rename("a", "c")],
        vec![delete("d")],
        vec![write("c", "2")],
    ] {
        let done = repo.diff(operations).await.expect("an edit");
        history.push((done.repo_head, repo.files().await));
    }
    for (commit, expected) in &history {
        assert_eq!(&repo.files_at(commit).await.expect("a clone"), expected, "{commit}");
        let read = repo.client.get_source_file().repo_id(repo.id).file_path("a");
        let found = answer(read.commit(commit.as_str()).send().await).map(drop);
        assert_eq!(found.is_ok(), expected.contains_key("a"), "{commit}");
    }
    let (newest, expected) = &history[4];
    assert_eq!(expected, &files(&[("c", "2")]));
    assert_eq!(newest, &repo.head().await);
    server.stop().await;
}

#[tokio::test]
async fn a_commit_the_repo_does_not_have_is_404() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let other = Repo::create(&server.owner(), &[("b", "b")]).await;
    // Git's name of the empty tree: an object, but not a commit.
    let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned();
    for commit in ["0".repeat(40), "f".repeat(40), other.head().await, tree] {
        let refusal = repo.files_at(&commit).await.expect_err("no such commit");
        assert_eq!(refusal.cause(), (404, "not_found"), "{commit}");
        let read = repo.client.get_source_file().repo_id(repo.id).file_path("a").commit(commit);
        assert_eq!(answer(read.send().await).map(drop).expect_err("no such commit").status, 404);
    }
    let url = format!("{}/v1/repo/{}/clone?commit=", server.url(), repo.id);
    let http = repoplane_client::reqwest::Client::new();
    for (name, status) in
        [("", 200), ("undefined", 200), ("main", 422), ("abc123", 422), (&"F".repeat(40), 422)]
    {
        let get = http.get(format!("{url}{name}")).bearer_auth(crate::support::OWNER_TOKEN);
        assert_eq!(get.send().await.expect("an answer").status().as_u16(), status, "{name:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_clone_is_in_path_order() {
    let server = Server::start().await;
    let start = [("b", ""), ("a/z", ""), ("a.b", ""), ("a0", ""), ("a/b/c", ""), ("A", "")];
    let repo = Repo::create(&server.owner(), &start).await;
    let clone = repo.client.clone_source_repo().repo_id(repo.id).send().await.expect("a clone");
    let names: Vec<_> = clone.files.iter().map(|file| file.filename.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!((names.len(), &names), (6, &sorted));
    server.stop().await;
}
