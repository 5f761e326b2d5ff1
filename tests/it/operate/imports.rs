//! `repoplane source create --from-url`: repositories elsewhere, taken over by a server that runs.

use repoplane_client::types::SourceImport;

use super::process::{Ended, Place};
use crate::git_sources::{beside_upstream, count, gone};
use crate::support::{OWNER_TOKEN, Server};

fn beside(server: &Server) -> Place {
    let mut place = Place::new();
    place.set("REPOPLANE_URL", server.url());
    place.set("REPOPLANE_TOKEN", OWNER_TOKEN);
    place
}

/// Runs `repoplane source create --from-url URL` with the words of `line`.
async fn create(place: &Place, url: &str, line: &str) -> Ended {
    place.run(&words(url, line)).await
}

fn words<'a>(url: &'a str, line: &'a str) -> Vec<&'a str> {
    let begin = ["source", "create", "--from-url", url];
    begin.into_iter().chain(line.split_whitespace()).collect()
}

/// How many commits the repo has whose id was printed.
async fn commits(place: &Place, made: &Ended) -> usize {
    assert!(made.success, "{made:?}");
    place.done(&["source", "log", made.out.trim_end()]).await.lines().count() - 1
}

#[tokio::test]
async fn a_url_becomes_a_repo_with_as_much_of_its_past_as_was_asked_for() {
    let (server, origin, upstream) = beside_upstream(5).await;
    let (place, url) = (beside(&server), upstream.url(origin.id));
    let made = create(&place, &url, "--name taken --full").await;
    assert_eq!(commits(&place, &made).await, 5);
    let lines: Vec<_> = made.err.lines().map(str::trim_end).collect();
    assert_eq!(lines.last(), Some(&"import: done 100 %"), "{made:?}");
    assert_eq!(place.done(&["source", "cat", "taken", "n"]).await, "4");
    let second = place.done(&["source", "log", "taken", "-n", "2"]).await;
    let second = second.lines().nth(2).and_then(|line| line.split_whitespace().next());
    let second = second.expect("a commit").to_owned();

    assert_eq!(commits(&place, &create(&place, &url, "").await).await, 1);
    assert_eq!(commits(&place, &create(&place, &url, "--depth 3").await).await, 3);
    place.done(&["source", "branch", "create", &origin.id.to_string(), "older"]).await;
    let branch = create(&place, &url, "--branch older --full").await;
    assert_eq!(commits(&place, &branch).await, 5);
    let line = format!("--commit {second} --full");
    assert_eq!(commits(&place, &create(&place, &url, &line).await).await, 4);
    let printed = create(&place, &url, "--json").await;
    let import: SourceImport = serde_json::from_str(&printed.out).expect("the import");
    assert_eq!((import.state.as_str(), import.repo_head), ("done", Some(origin.head().await)));

    let repos = count(&server.owner()).await;
    let failed = create(&place, &url, "--branch absent").await;
    assert!(!failed.success && failed.out.is_empty(), "{failed:?}");
    assert!(failed.err.ends_with("error: The URL has no branch `absent`.\n"), "{failed:?}");
    let failed = create(&place, &url, "--branch absent --json").await;
    let import: SourceImport = serde_json::from_str(&failed.out).expect("the import");
    assert_eq!((failed.success, import.state.as_str()), (false, "failed"));
    let refused = create(&place, "https://10.0.0.1/x.git", "").await;
    assert!(!refused.success && refused.err.contains("validation_error"), "{refused:?}");
    for line in ["--full --depth 2", "--from folder", "--branch a --commit b"] {
        assert!(!create(&place, &url, line).await.success, "{line}");
    }
    let alone = place.refused(&["source", "create", "--branch", "main"]).await;
    assert!(alone.contains("--from-url"), "{alone}");
    assert_eq!(count(&server.owner()).await, repos, "nothing was made");
    server.stop().await;
}

#[tokio::test]
async fn a_password_comes_from_a_variable_a_file_or_the_input() {
    let server = Server::beside_receivers().await;
    let mut place = beside(&server);
    let id = place.done(&["source", "create"]).await;
    let url = format!("{}/v1/repo/{id}.git", server.url());
    let closed = create(&place, &url, "").await;
    assert!(!closed.success && closed.err.contains("user name and password"), "{closed:?}");

    let fed = place.fed(&words(&url, "--password-file -"), &format!("{OWNER_TOKEN}\n")).await;
    assert_eq!(commits(&place, &fed).await, 1);
    std::fs::write(place.path().join("password"), OWNER_TOKEN).expect("a file");
    let read = create(&place, &url, "--username ada --password-file password").await;
    assert_eq!(commits(&place, &read).await, 1);
    place.set("REPOPLANE_GIT_PASSWORD", OWNER_TOKEN);
    assert_eq!(commits(&place, &create(&place, &url, "").await).await, 1);

    place.set("REPOPLANE_GIT_PASSWORD", "hunter2\nhunter3");
    let refused = create(&place, &url, "").await;
    assert!(!refused.success && !refused.err.contains("hunter"), "{refused:?}");
    assert!(refused.err.contains("one line"), "{refused:?}");
    server.stop().await;
}

#[tokio::test]
async fn whoever_interrupts_it_cancels_the_import() {
    let server = Server::start_with(|config| {
        config.egress.allow = vec!["127.0.0.0/8".parse().expect("a network")];
        config.git.idle_seconds = 1;
    });
    let server = server.await;
    let place = beside(&server);
    let upstream = crate::support::upstream::Upstream::start(server.url()).await;
    upstream.falls_silent();
    let url = upstream.url(uuid::Uuid::new_v4());
    let ended = place.interrupted(&words(&url, "--json"), upstream.visited()).await;
    assert!(!ended.success, "{ended:?}");
    assert!(ended.err.ends_with("error: It was cancelled. No repo was made.\n"), "{ended:?}");
    let import: SourceImport = serde_json::from_str(&ended.out).expect("the import");
    assert_eq!(import.state, "cancelled");
    gone(&server).await;
    assert_eq!(count(&server.owner()).await, 0);
    server.stop().await;
}
