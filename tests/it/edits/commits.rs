//! Message, author and committer, as real git shows them.

use repoplane_client::types::{CommitAuthor, EditSourceRepoRequest, ShortCommitMessage};

use crate::support::Server;
use crate::support::fsck::git;
use crate::support::repo::{Repo, delete, diff, rename, write};

const FORMAT: &str = "--format=%an <%ae>|%cn <%ce>|%B%x00";

/// Author, committer and message of every commit, newest first.
fn log(server: &Server, repo: &Repo) -> Vec<String> {
    let log = git(&["-C", &server.cached(repo.id), "log", FORMAT, "main"]);
    log.split('\0').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()
}

#[tokio::test]
async fn message_and_author_are_those_of_the_request() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let message = "Subject – ünï\n\nBody with 'quotes' and \"more\".\n\nSigned-off-by: x";
    let author =
        CommitAuthor::try_from(CommitAuthor::builder().name("Ada Ünï").email("ada@example.com"));
    let request = EditSourceRepoRequest {
        message: Some(message.parse().expect("a message")),
        author: Some(author.expect("an author")),
        ..diff(vec![write("a", "a")])
    };
    repo.send(request).await.expect("an edit");
    let server = server.restart().await;
    let committer = "Repoplane <repoplane@localhost>";
    assert_eq!(log(&server, &repo)[0], format!("Ada Ünï <ada@example.com>|{committer}|{message}"));
    server.stop().await;
}

#[tokio::test]
async fn without_them_the_author_is_the_caller_and_the_message_names_the_change() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a"), ("b", "b")]).await;
    let profile = server.owner().get_profile().send().await.expect("profile").into_inner().data;
    let blank = EditSourceRepoRequest {
        message: Some(" \n ".parse().expect("a message")),
        ..diff(vec![rename("b", "c"), delete("a")])
    };
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    repo.send(blank).await.expect("an edit");
    repo.diff(vec![delete("c")]).await.expect("an edit");
    repo.put("d/e", "x").await.expect("a file");
    repo.replace(vec![]).await.expect("an edit");
    let server = server.restart().await;
    let log = log(&server, &repo);
    let messages: Vec<_> = log.iter().map(|entry| entry.rsplit('|').next().unwrap_or("")).collect();
    assert_eq!(
        messages,
        [
            "Replace all files by 0",
            "Write d/e",
            "Delete c",
            "Make 2 changes",
            "Write a",
            "Create the repository"
        ]
    );
    let email = format!("<{}>|Repoplane <repoplane@localhost>|", profile.email.as_str());
    assert!(log.iter().all(|entry| entry.contains(&email)), "{email} {log:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_message_of_a_single_file_is_that_of_the_query() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let words = |text: &str| -> ShortCommitMessage { text.parse().expect("a message") };
    let put = repo.client.put_source_file().repo_id(repo.id).file_path("a").body("a");
    put.message(words("Put & say so")).send().await.expect("a file");
    let delete = repo.client.delete_source_file().repo_id(repo.id).file_path("a");
    delete.message(words("Gone?")).send().await.expect("no file");
    let server = server.restart().await;
    let log = log(&server, &repo);
    assert!(log[0].ends_with("|Gone?") && log[1].ends_with("|Put & say so"), "{log:?}");
    server.stop().await;
}
