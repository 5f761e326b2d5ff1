//! Branches: making, deleting, editing them, and who is in whose way.

use futures::TryStreamExt;
use repoplane_client::types::{self, Branch};

use super::stage::{eventful, log};
use crate::support::Server;
use crate::support::repo::{Answer, Repo, answer, diff, file, write};

pub async fn create(repo: &Repo, name: &str, from: Option<&str>) -> Answer<Branch> {
    let from = from.map(|from| from.parse().expect("a revision"));
    let name = name.parse().expect("a name that the contract allows");
    let body = types::CreateBranchRequest { name, from };
    answer(repo.client.create_branch().repo_id(repo.id).body(body).send().await)
}

pub async fn head(repo: &Repo, name: &str) -> Answer<String> {
    answer(repo.client.get_branch().repo_id(repo.id).branch(name).send().await).map(|it| it.head)
}

/// One write on a branch.
pub async fn edit(repo: &Repo, branch: &str, path: &str, content: &str) -> Answer {
    let mut request = diff(vec![write(path, content)]);
    request.branch = Some(branch.parse().expect("a name"));
    repo.send(request).await
}

async fn names(repo: &Repo, size: u32) -> Vec<String> {
    let all = repo.client.list_branches().repo_id(repo.id).limit(size).stream();
    all.map_ok(|branch| branch.name).try_collect().await.expect("every page")
}

#[tokio::test]
async fn branches_come_and_go() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "1")]).await;
    let first = repo.head().await;
    let second = repo.diff(vec![write("a", "2")]).await.expect("an edit").repo_head;
    let made = create(&repo, "feature/one", None).await.expect("made");
    assert_eq!(
        (made.name.as_str(), made.head.as_str(), made.is_default),
        ("feature/one", second.as_str(), false)
    );
    create(&repo, "old", Some(&first)).await.expect("made");
    create(&repo, "copy", Some("old")).await.expect("made");
    for size in [1, 2, 1_000] {
        let mut found = names(&repo, size).await;
        found.sort();
        assert_eq!(found, ["copy", "feature/one", "main", "old"]);
    }
    assert_eq!(head(&repo, "copy").await.expect("a branch"), first);
    assert_eq!(head(&repo, "main").await.expect("a branch"), second);

    for (name, from, cause) in [
        ("old", None, (409, "conflict")),
        ("main", None, (409, "conflict")),
        ("feature", None, (409, "conflict")),
        ("old/below", None, (409, "conflict")),
        ("x", Some("nobody"), (404, "not_found")),
    ] {
        let refusal = create(&repo, name, from).await.expect_err(name);
        assert_eq!(refusal.cause(), cause, "{name}");
    }

    let delete = async |name: &str, expected: Option<&str>| {
        let mut request = repo.client.delete_branch().repo_id(repo.id).branch(name);
        if let Some(expected) = expected {
            request = request.expected_head(expected);
        }
        answer(request.send().await)
    };
    assert_eq!(delete("main", None).await.expect_err("default").cause(), (409, "conflict"));
    let moved = delete("old", Some(&second)).await.expect_err("another head");
    assert_eq!(moved.cause(), (409, "head_mismatch"));
    assert_eq!(moved.error.current_head.as_deref(), Some(first.as_str()));
    delete("old", Some(&first)).await.expect("deleted");
    assert_eq!(delete("old", None).await.expect_err("gone").cause(), (404, "not_found"));
    assert_eq!(head(&repo, "old").await.expect_err("gone").status, 404);
    assert!(log(&repo, &first, None, 10).await.len() == 1, "its commits can still be read");
    server.stop().await;
}

#[tokio::test]
async fn names_that_git_does_not_take_are_422() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let first = repo.head().await;
    // What the contract does not allow, the client does not send.
    let http = repoplane_client::reqwest::Client::new();
    let url = format!("{}/v1/repo/{}/branches", server.url(), repo.id);
    let long = "x".repeat(245);
    for name in [
        "",
        "a..b",
        "a/",
        "/a",
        "a//b",
        ".a",
        "a/.b",
        "a.",
        "a.lock",
        "a.lock/b",
        "a./b",
        "-a",
        "@",
        "HEAD",
        "a b",
        "a~b",
        "a^b",
        "a:b",
        "a?b",
        "a*b",
        "a[b",
        "a\\b",
        "a@{b",
        "a\u{7f}b",
        "a\0b",
        "a\nb",
        first.as_str(),
        long.as_str(),
    ] {
        assert!(name == long || name.parse::<types::BranchName>().is_err(), "{name:?}");
        let body = serde_json::json!({ "name": name }).to_string();
        let post = http.post(&url).bearer_auth(crate::support::OWNER_TOKEN).body(body);
        let answer = post.header("content-type", "application/json").send().await;
        assert_eq!(answer.expect("an answer").status().as_u16(), 422, "{name:?}");
    }
    for name in ["ü", "a.b", "a-b", "x@y", "a/b/c", "HEAD/x", "{", "lock"] {
        create(&repo, name, None).await.expect(name);
        let gone = repo.client.delete_branch().repo_id(repo.id).branch(name).send().await;
        answer(gone).expect(name);
    }
    server.stop().await;
}

#[tokio::test]
async fn edits_on_a_branch_leave_the_others_alone() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "1")]).await;
    let before = repo.head().await;
    create(&repo, "side", None).await.expect("made");
    let done = edit(&repo, "side", "b", "side").await.expect("an edit");
    assert_eq!(done.changed_files.as_deref(), Some(&["b".to_owned()][..]));
    assert_eq!(head(&repo, "side").await.expect("a branch"), done.repo_head);
    assert_eq!(repo.head().await, before, "main stays");
    assert_eq!(repo.read("b").await.expect_err("not on main").status, 404);
    // Files, too, and main in between.
    let put = repo.client.put_source_file().repo_id(repo.id).file_path("c").branch("side");
    answer(put.body("c").send().await).expect("written");
    repo.put("d", "main").await.expect("written");
    let delete = repo.client.delete_source_file().repo_id(repo.id).file_path("a").branch("side");
    let last = answer(delete.send().await).expect("deleted");
    let clone = repo.client.clone_source_repo().repo_id(repo.id).ref_("side").send().await;
    let found = crate::support::repo::by_path(answer(clone).expect("a clone"));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(log(&repo, "side", None, 10).await.len(), 4);
    assert_eq!(log(&repo, "main", None, 10).await.len(), 2);

    let nobody = edit(&repo, "nobody", "x", "x").await.expect_err("no branch");
    assert_eq!(nobody.cause(), (404, "not_found"));
    let mut stale = diff(vec![write("x", "x")]);
    stale.branch = Some("side".parse().expect("a name"));
    stale.expected_head = Some(before.parse().expect("an id"));
    let refusal = repo.send(stale).await.expect_err("moved");
    assert_eq!(refusal.error.current_head.as_deref(), Some(last.repo_head.as_str()));

    // All of it is in the database: a cache built again says the same.
    let client = repo.client.clone();
    drop(client);
    let (id, sides) = (repo.id, log(&repo, "side", None, 10).await.len());
    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("the cache");
    });
    let server = server.await;
    let repo = Repo { client: server.owner(), id };
    assert_eq!(log(&repo, "side", None, 10).await.len(), sides);
    assert_eq!(
        edit(&repo, "side", "e", "e").await.expect("an edit").changed_files.map(|it| it.len()),
        Some(1)
    );
    server.stop().await;
}

#[tokio::test]
async fn edits_of_many_branches_at_once_lose_nothing() {
    const BRANCHES: usize = 4;
    const EDITS: usize = 20;
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "1")]).await;
    for branch in 0..BRANCHES {
        create(&repo, &format!("b{branch}"), None).await.expect("made");
    }
    let one = async |branch: usize, n: usize| {
        let (branch, path) = (format!("b{branch}"), format!("f{n}"));
        edit(&repo, &branch, &path, &branch).await.expect("an edit")
    };
    let all = (0..BRANCHES * EDITS).map(|n| one(n % BRANCHES, n));
    futures::future::join_all(all).await;
    for branch in 0..BRANCHES {
        let name = format!("b{branch}");
        let commits = log(&repo, &name, None, 100).await;
        assert_eq!(commits.len(), EDITS + 1, "{name}");
        assert!(commits.iter().all(|commit| commit.parents.len() <= 1));
    }
    assert_eq!(log(&repo, "main", None, 100).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn branches_that_git_made_are_seen_and_edited() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    let tip = past.git(&["rev-parse", "side/line"]);
    assert_eq!(head(&repo, "side/line").await.expect("a branch"), tip);
    let done = edit(&repo, "side/line", "new", "new\n").await.expect("an edit");
    let commits = log(&repo, "side/line", None, 100).await;
    assert_eq!(
        (commits[0].id.as_str(), commits[0].parents[0].as_str()),
        (done.repo_head.as_str(), tip.as_str())
    );
    let files = repo.replace(vec![file("only", "one\n")]).await.expect("replaced");
    assert_ne!(files.repo_head, done.repo_head);
    server.stop().await;
}
