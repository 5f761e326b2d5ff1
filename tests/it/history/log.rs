//! The log against `git log`.

use futures::TryStreamExt;

use super::stage::{commit, eventful, log};
use crate::support::Server;
use crate::support::repo::{Repo, answer, write};

#[tokio::test]
async fn the_log_is_that_of_git_in_any_page_size() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    let ids = |commits: Vec<repoplane_client::types::Commit>| -> Vec<String> {
        commits.into_iter().map(|commit| commit.id).collect()
    };
    for at in ["main", "side/line", "v1", "light", "refs/tags/v1", "HEAD", &past.head()] {
        let expected = past.lines(&["log", "--format=%H", at, "--"]);
        for size in [1, 2, 100] {
            assert_eq!(ids(log(&repo, at, None, size).await), expected, "{at} by {size}");
        }
    }
    let paths = [
        "src",
        "src/numbers.txt",
        "side.txt",
        "main.txt",
        "README.md",
        "link",
        "absent",
        "src/leaf",
    ];
    for path in paths {
        let expected = past.lines(&["log", "--format=%H", "main", "--", path]);
        for size in [1, 100] {
            assert_eq!(ids(log(&repo, "main", Some(path), size).await), expected, "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_commit_says_who_when_and_why() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    for found in log(&repo, "main", None, 100).await {
        let format = "--format=%an%n%ae%n%at%n%cn%n%ce%n%ct%n%P%n%B";
        let expected = past.git(&["show", "--no-patch", format, &found.id]);
        let (author, committer) = (&found.author, &found.committer);
        let said = format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
            author.name,
            author.email,
            author.date.timestamp(),
            committer.name,
            committer.email,
            committer.date.timestamp(),
            found.parents.join(" "),
            found.message.trim_end(),
        );
        assert_eq!(said, expected);
        assert_eq!(commit(&repo, &found.id).await.commit.id, found.id);
    }
    server.stop().await;
}

#[tokio::test]
async fn edits_show_in_the_log_at_once() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "0")]).await;
    let mut expected = vec![repo.head().await];
    for n in 1..=5 {
        expected.push(repo.diff(vec![write("a", &n.to_string())]).await.expect("edit").repo_head);
    }
    expected.reverse();
    let all = repo.client.list_commits().repo_id(repo.id).limit(2).stream();
    let found: Vec<_> = all.map_ok(|it| it.id).try_collect().await.expect("every page");
    assert_eq!(found, expected);
    let detail = commit(&repo, &found[0]).await;
    assert_eq!(detail.commit.parents, [found[1].clone()]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_makes_no_sense_422() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "0")]).await;
    for name in ["nobody", "refs/heads/nobody", "refs/heads/../x", &"0".repeat(40), "-x", "ü"] {
        let list = repo.client.list_commits().repo_id(repo.id).ref_(name);
        assert_eq!(answer(list.send().await).expect_err(name).cause(), (404, "not_found"));
        let tree = repo.client.list_tree().repo_id(repo.id).ref_(name);
        assert_eq!(answer(tree.send().await).expect_err(name).cause(), (404, "not_found"));
        let diff = repo.client.diff_commits().repo_id(repo.id).base(name);
        assert_eq!(answer(diff.send().await).expect_err(name).cause(), (404, "not_found"));
    }
    let head = repo.head().await;
    let url = format!("{}/v1/repo/{}", server.url(), repo.id);
    let http = repoplane_client::reqwest::Client::new();
    for (path, status) in [
        ("commits?limit=0", 422),
        ("commits?limit=101", 422),
        ("commits?limit=x", 422),
        ("commits?cursor=x", 422),
        ("commits?cursor=!", 422),
        ("commits?ref=a%00b", 422),
        ("commits?path=..%2Fx", 200),
        ("commits?path=%2Fx", 422),
        ("commits?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAA", 404),
        ("commits/main", 422),
        ("commits/abc", 422),
        ("diff", 422),
        ("diff?base=main&head=nobody", 404),
        ("tree?limit=10001", 422),
        ("tree?cursor=main.YQ", 422),
        ("tree?path=a", 404),
        ("tree?path=absent", 404),
        (&format!("file/a?ref=main&commit={head}"), 422),
        ("file/a?ref=main", 200),
        ("file/a?ref=nobody", 404),
        ("clone?ref=main", 200),
    ] {
        let get = http.get(format!("{url}/{path}")).bearer_auth(crate::support::OWNER_TOKEN);
        assert_eq!(get.send().await.expect("an answer").status().as_u16(), status, "{path}");
    }
    server.stop().await;
}
