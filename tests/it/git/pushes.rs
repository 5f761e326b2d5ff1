//! Pushes: to branches and tags, and what the rest of the server makes of them.

use repoplane_client::types;

use super::stage::{Work, url};
use crate::support::Server;
use crate::support::repo::{Repo, files, write};

async fn start(files: &[(&str, &str)]) -> (Server, Repo, Work) {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), files).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    (server, repo, work)
}

#[tokio::test]
async fn a_push_is_what_the_api_reads_and_edits() {
    let (server, repo, work) = start(&[("a", "a")]).await;
    assert_eq!(repo.record().await.updated_at, None);
    let pushed = work.commit(&[("b/c", "ü")]).await;
    work.push(&["main"]).await.well();
    let record = repo.record().await;
    assert_eq!(record.repo_head, pushed);
    assert!(record.updated_at.is_some());
    assert_eq!(repo.files().await, files(&[("a", "a"), ("b/c", "ü")]));
    let edited = repo.diff(vec![write("a", "b")]).await.expect("an edit").repo_head;
    assert_eq!(repo.files_at(&pushed).await.expect("a clone"), files(&[("a", "a"), ("b/c", "ü")]));
    work.git(&["pull", "-q", "--ff-only"]).await.well();
    assert_eq!((work.tip("HEAD").await, work.tip("HEAD~1").await), (edited, pushed));
    let server = server.restart().await;
    let repo = repo.seen_by(&server.owner());
    assert_eq!(repo.files().await, files(&[("a", "b"), ("b/c", "ü")]));
    server.stop().await;
}

#[tokio::test]
async fn a_push_is_in_the_audit_log() {
    let (server, repo, work) = start(&[]).await;
    let pushed = work.commit(&[("a", "a")]).await;
    work.push(&["main", "main:refs/heads/b"]).await.well();
    let query = types::SystemEventQuery::default();
    let found = server.owner().list_events().body(query).send().await.expect("events").into_inner();
    let text = format!("{:?}", found.events.first().expect("a line"));
    assert!(text.contains(&repo.id.to_string()), "{text}");
    assert!(text.contains(&pushed) && text.contains("refs/heads/b"), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn branches_and_tags_come_and_go() {
    let (server, repo, work) = start(&[("a", "a")]).await;
    let main = work.tip("main").await;
    let side = work.commit(&[("a", "side")]).await;
    work.push(&["main:refs/heads/deep/side", "main:refs/heads/other"]).await.well();
    work.git(&["tag", "-a", "v1", "-m", "one"]).await.well();
    work.git(&["tag", "light", &main]).await.well();
    work.push(&["--tags"]).await.well();
    work.git(&["notes", "add", "-m", "a note", "main"]).await.well();
    work.push(&["refs/notes/commits"]).await.well();
    assert_eq!(repo.head().await, main, "the default branch is where it was");
    let expected = [
        ("HEAD", main.clone()),
        ("refs/heads/deep/side", side.clone()),
        ("refs/heads/main", main.clone()),
        ("refs/heads/other", side.clone()),
        ("refs/notes/commits", work.tip("refs/notes/commits").await),
        ("refs/tags/light", main.clone()),
        ("refs/tags/v1", work.tip("refs/tags/v1").await),
        ("refs/tags/v1^{}", side.clone()),
    ]
    .map(|(name, target)| (name.to_owned(), target));
    assert_eq!(work.remote_refs().await, expected);

    // What was only pushed to a branch can be read by its commit.
    assert_eq!(repo.files_at(&side).await.expect("a clone"), files(&[("a", "side")]));
    let server = server.restart().await;
    let at = url(&server, &repo);
    work.git(&["remote", "set-url", "origin", &at]).await.well();
    assert_eq!(work.remote_refs().await, expected);

    work.push(&["--delete", "deep/side", "light"]).await.well();
    assert_eq!(work.remote_tip("refs/heads/deep/side").await, None);
    assert_eq!(work.remote_tip("refs/tags/light").await, None);
    // In its place there is room for a branch of the folder's name.
    work.push(&["main:refs/heads/deep"]).await.well();
    assert_eq!(work.remote_tip("refs/heads/deep").await, Some(side));
    let again = Work::clone(&at, &[]).await;
    again.fsck().await;
    server.stop().await;
}

#[tokio::test]
async fn a_push_that_would_lose_commits_needs_force_and_a_fresh_look() {
    let (server, repo, work) = start(&[("a", "0")]).await;
    let base = work.tip("main").await;
    let other = Work::clone(&url(&server, &repo), &[]).await;
    let first = work.commit(&[("a", "1")]).await;
    work.push(&["main"]).await.well();

    let second = other.commit(&[("a", "2")]).await;
    assert!(other.push(&["main"]).await.refused().contains("rejected"));
    let lease = format!("--force-with-lease=main:{base}");
    assert!(other.push(&[&lease, "main"]).await.refused().contains("stale info"));
    assert_eq!(repo.head().await, first);
    let lease = format!("--force-with-lease=main:{first}");
    other.push(&[&lease, "main"]).await.well();
    assert_eq!(repo.head().await, second);
    work.push(&["--force", "main"]).await.well();
    assert_eq!(repo.head().await, first);
    assert_eq!(repo.files().await, files(&[("a", "1")]));
    // The default branch has to be somewhere.
    let said = work.push(&["--delete", "main"]).await.refused();
    assert!(said.contains("the default branch cannot be deleted"), "{said}");
    assert_eq!(repo.head().await, first);
    server.stop().await;
}

#[tokio::test]
async fn refs_are_decided_one_by_one_unless_all_or_none_is_asked_for() {
    let (server, _repo, work) = start(&[("a", "0")]).await;
    work.commit(&[("a", "1")]).await;
    work.push(&["main:refs/heads/taken"]).await.well();
    let refs = ["main:refs/heads/free", "main:refs/heads/taken/below"];
    let said = work.push(&[&["--atomic"], &refs[..]].concat()).await.refused();
    assert!(said.contains("atomic push") && said.contains("is in the way"), "{said}");
    assert_eq!(work.remote_tip("refs/heads/free").await, None);
    let said = work.push(&refs).await.refused();
    assert!(said.contains("`refs/heads/taken` is in the way"), "{said}");
    assert!(work.remote_tip("refs/heads/free").await.is_some());
    // Names that git clients use for themselves are not for the server.
    for name in ["refs/remotes/x/y", "refs/pull/1/head", "refs/replace/x"] {
        let said = work.push(&[&format!("main:{name}")]).await.refused();
        assert!(said.contains("only branches, tags and notes"), "{said}");
    }
    server.stop().await;
}

#[tokio::test]
async fn any_history_can_be_pushed_to_an_empty_repo() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let at = url(&server, &repo);
    let work = Work::new(&at).await;
    let (first, second) = (work.commit(&[("a", "1")]).await, work.commit(&[("a", "2")]).await);
    let late = Work::new(&at).await;
    late.commit(&[("b", "1")]).await;
    work.push(&["-u", "main"]).await.well();
    assert_eq!(repo.head().await, second);
    assert_eq!(repo.files_at(&first).await.expect("a clone"), files(&[("a", "1")]));
    // Only once: now there is something to lose.
    assert!(late.push(&["main"]).await.refused().contains("rejected"));
    repo.changes(vec![write("a", "3")]).await;
    work.git(&["pull", "-q", "--ff-only"]).await.well();

    // Nor is there a need to begin anew: what was cloned empty can be pushed to as well.
    let repo = Repo::create(&server.owner(), &[]).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    let pushed = work.commit(&[("a", "1")]).await;
    work.push(&["main"]).await.well();
    assert_eq!(repo.head().await, pushed);
    // An edit makes a repo one that is not empty.
    let repo = Repo::create(&server.owner(), &[]).await;
    repo.changes(vec![write("a", "1")]).await;
    let work = Work::new(&url(&server, &repo)).await;
    work.commit(&[("a", "2")]).await;
    assert!(work.push(&["main"]).await.refused().contains("rejected"));
    server.stop().await;
}

#[tokio::test]
async fn a_first_push_of_master_says_where_the_api_looks() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let (before, work) = (repo.head().await, Work::new(&url(&server, &repo)).await);
    let pushed = work.commit(&[("a", "1")]).await;
    work.git(&["branch", "-m", "master"]).await.well();
    let said = work.git(&["push", "origin", "master"]).await;
    assert!(said.words.contains("The default branch is `main`"), "{said:?}");
    said.well();
    assert_eq!(work.remote_tip("refs/heads/master").await.as_ref(), Some(&pushed));
    assert_eq!(repo.head().await, before);
    work.push(&["master:main"]).await.well();
    assert_eq!(repo.head().await, pushed);
    server.stop().await;
}

/// Git knows most of an object when it sends the rest of it.
#[tokio::test]
async fn a_push_may_build_on_what_only_the_server_has_whole() {
    let text = |n: usize| {
        (0..2_000).map(|line| format!("{line} {}\n", line * 7)).collect::<String>() + &n.to_string()
    };
    let (server, repo, work) = start(&[("large", &text(0))]).await;
    for number in 1..4 {
        let pushed = work.commit(&[("large", &text(number))]).await;
        work.push(&["main"]).await.well();
        assert_eq!(repo.head().await, pushed);
        assert_eq!(repo.files().await["large"], text(number));
        repo.changes(vec![write("large", &text(number + 100))]).await;
        work.git(&["pull", "-q", "--ff-only"]).await.well();
    }
    server.stop().await;
}

/// Whatever git can hold may be pushed; the API shows what is text.
#[tokio::test]
async fn links_modules_and_binaries_are_kept_and_never_followed() {
    let (server, repo, work) = start(&[("a", "a")]).await;
    std::os::unix::fs::symlink("/etc/passwd", work.tree().join("link")).expect("a link");
    std::fs::write(work.tree().join("binary"), [0, 159, 146, 150]).expect("a file");
    let head = work.tip("HEAD").await;
    let module = format!("160000,{head},module");
    work.git(&["update-index", "--add", "--cacheinfo", &module]).await.well();
    work.git(&["add", "link", "binary"]).await.well();
    work.git(&["update-index", "--chmod=+x", "a"]).await.well();
    work.git(&["commit", "-q", "-m", "odd"]).await.well();
    work.push(&["main"]).await.well();
    assert_eq!(repo.files().await, files(&[("a", "a")]));
    assert_eq!(repo.read("binary").await.expect("bytes"), [0, 159, 146, 150]);
    for path in ["link", "module"] {
        assert_eq!(repo.read(path).await.expect_err("no file").status, 404, "{path}");
    }
    repo.changes(vec![write("b", "b")]).await;
    let again = Work::clone(&url(&server, &repo), &[]).await;
    let listed = again.git(&["ls-tree", "HEAD"]).await.well();
    for (mode, name) in [
        ("100755", "a"),
        ("100644", "b"),
        ("100644", "binary"),
        ("120000", "link"),
        ("160000", "module"),
    ] {
        let kept = |line: &str| line.starts_with(mode) && line.ends_with(&format!("\t{name}"));
        assert!(listed.lines().any(kept), "{mode} {name}: {listed}");
    }
    server.stop().await;
}

#[tokio::test]
async fn many_refs_go_in_one_push_and_more_than_enough_in_none() {
    use repoplane::model::push::UPDATES_MAX;
    let (server, repo, work) = start(&[("a", "a")]).await;
    let head = work.tip("HEAD").await;
    let many = |count: usize| -> String {
        (0..count).map(|number| format!("create refs/tags/t{number} {head}\n")).collect()
    };
    work.git_with(&["update-ref", "--stdin"], many(1_000).as_bytes()).await.well();
    work.push(&["--tags"]).await.well();
    let again = Work::clone(&url(&server, &repo), &[]).await;
    assert_eq!(again.git(&["tag"]).await.well().lines().count(), 1_000);
    work.git_with(
        &["update-ref", "--stdin"],
        many(UPDATES_MAX + 1_001).replace("create", "update").as_bytes(),
    )
    .await
    .well();
    let said = work.push(&["--tags"]).await.refused();
    assert!(said.contains("413"), "{said}");
    server.stop().await;
}
