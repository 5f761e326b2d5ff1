//! An edit of type `files`: the list is the whole content afterwards.

use repoplane_client::types::FileMode;

use crate::support::Server;
use crate::support::repo::{Repo, file, files};

#[tokio::test]
async fn what_is_not_listed_is_deleted_whatever_it_holds() {
    let server = Server::start().await;
    let start = [("a", "a"), ("d/b", "b"), ("d/c", "c"), ("same", "s")];
    let repo = Repo::create(&server.owner(), &start).await;
    repo.put("binary", [0xff, 0x00]).await.expect("a binary file");
    let listed = vec![file("z", "z"), file("same", "s"), file("d/b", "new")];
    let done = repo.replace(listed).await.expect("a replacement");
    // The written ones in the order of the request, then the deleted ones in path order.
    assert_eq!(
        done.changed_files.expect("changed files"),
        ["z", "d/b", "a", "binary", "d/c"].map(str::to_owned)
    );
    assert_eq!(repo.files().await, files(&[("d/b", "new"), ("same", "s"), ("z", "z")]));
    assert_eq!(repo.read("binary").await.expect_err("deleted").cause(), (404, "not_found"));
    server.stop().await;
}

#[tokio::test]
async fn the_later_entry_of_a_path_counts_and_the_same_list_changes_nothing() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let listed = || vec![file("a", "1"), file("b", "b"), file("a", "2")];
    let done = repo.replace(listed()).await.expect("a replacement");
    assert_eq!(done.changed_files, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(repo.files().await, files(&[("a", "2"), ("b", "b")]));
    let again = repo.replace(listed()).await.expect("a replacement");
    assert_eq!((again.repo_head, again.changed_files), (done.repo_head, Some(vec![])));
    server.stop().await;
}

#[tokio::test]
async fn an_empty_list_empties_the_repo_and_files_may_take_the_place_of_directories() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a"), ("d/b", "b")]).await;
    repo.replace(vec![file("d", "d"), file("a/b", "b")]).await.expect("a replacement");
    assert_eq!(repo.files().await, files(&[("a/b", "b"), ("d", "d")]));
    let refusal =
        repo.replace(vec![file("x", "1"), file("x/y", "2")]).await.expect_err("x is both");
    assert_eq!(refusal.cause(), (409, "conflict"));
    assert_eq!(repo.files().await, files(&[("a/b", "b"), ("d", "d")]));
    let done = repo.replace(vec![]).await.expect("a replacement");
    assert_eq!(done.changed_files, Some(vec!["a/b".to_owned(), "d".to_owned()]));
    assert_eq!(repo.files().await, files(&[]));
    server.stop().await;
}

#[tokio::test]
async fn a_listed_file_keeps_its_mode() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let run = |mode| {
        let mut run = file("run", "1");
        run.mode = mode;
        vec![run]
    };
    repo.replace(run(Some(FileMode::X100755))).await.expect("a replacement");
    let same = repo.replace(run(None)).await.expect("a replacement");
    assert_eq!(same.changed_files, Some(vec![]), "the mode is kept");
    let plain = repo.replace(run(Some(FileMode::X100644))).await.expect("a replacement");
    assert_eq!(plain.changed_files, Some(vec!["run".to_owned()]));
    server.stop().await;
}
