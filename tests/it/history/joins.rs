//! Merge, revert and reset against `git merge-tree`, `git revert` and `git read-tree`.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use repoplane_client::types;

use super::branches::{create, edit, head};
use super::stage::{Past, commit, log};
use crate::support::Server;
use crate::support::repo::{Answer, Repo, answer, write};

async fn merge(repo: &Repo, from: &str, into: &str) -> Answer {
    let body = types::MergeRequest {
        from: from.parse().expect("a revision"),
        branch: Some(into.parse().expect("a name")),
        message: None,
        author: None,
        expected_head: None,
    };
    answer(repo.client.merge_branch().repo_id(repo.id).body(body).send().await)
}

async fn revert(repo: &Repo, id: &str) -> Answer {
    let ask = repo.client.revert_commit().repo_id(repo.id).commit_id(id);
    answer(ask.body(types::CommitTerms::default()).send().await)
}

async fn reset(repo: &Repo, id: &str) -> Answer {
    let ask = repo.client.reset_to_commit().repo_id(repo.id).commit_id(id);
    answer(ask.body(types::CommitTerms::default()).send().await)
}

fn lines(count: usize, change: &[(usize, &str)]) -> String {
    let line = |n: usize| {
        let changed = change.iter().find(|(at, _)| *at == n);
        changed.map_or_else(|| format!("line {n}\n"), |(_, text)| format!("{text}\n"))
    };
    (0..count).map(line).collect()
}

#[tokio::test]
async fn a_branch_without_commits_of_its_own_moves_forward() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "1")]).await;
    create(&repo, "side", None).await.expect("made");
    let tip = edit(&repo, "side", "b", "2").await.expect("an edit").repo_head;
    let done = merge(&repo, "side", "main").await.expect("merged");
    assert_eq!(done.repo_head, tip, "no commit of its own");
    assert_eq!(done.changed_files.as_deref(), Some(&["b".to_owned()][..]));
    assert_eq!(repo.head().await, tip);
    let again = merge(&repo, "side", "main").await.expect("nothing to do");
    assert_eq!((again.repo_head, again.changed_files), (tip, Some(Vec::new())));
    // What comes next is on top, also after the cache was lost.
    let id = repo.id;
    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("the cache");
    });
    let server = server.await;
    let repo = Repo { client: server.owner(), id };
    repo.put("c", "3").await.expect("written");
    assert_eq!(log(&repo, "main", None, 10).await.len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn two_lines_become_one_commit_with_two_parents() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", &lines(20, &[])), ("gone", "x")]).await;
    create(&repo, "side", None).await.expect("made");
    edit(&repo, "side", "a", &lines(20, &[(2, "side")])).await.expect("an edit");
    let theirs = edit(&repo, "side", "new", "new\n").await.expect("an edit").repo_head;
    let ours = repo.diff(vec![write("a", &lines(20, &[(17, "main")]))]).await.expect("an edit");
    let done = merge(&repo, "side", "main").await.expect("merged");
    let files = vec!["a".to_owned(), "new".to_owned()];
    assert_eq!(done.changed_files, Some(files));
    let merged = commit(&repo, &done.repo_head).await.commit;
    assert_eq!(merged.parents, [ours.repo_head, theirs.clone()]);
    assert_eq!(merged.message, "Merge side\n");
    assert_eq!(repo.files().await["a"], lines(20, &[(2, "side"), (17, "main")]));
    assert_eq!(head(&repo, "side").await.expect("a branch"), theirs, "the other stays");
    let refusal = revert(&repo, &done.repo_head).await.expect_err("a merge");
    assert_eq!(refusal.cause(), (422, "validation_error"));
    server.stop().await;
}

#[tokio::test]
async fn a_conflict_names_its_paths_and_changes_nothing() {
    let server = Server::start().await;
    let start = lines(5, &[]);
    let repo = Repo::create(&server.owner(), &[("d/a", &start), ("b", &start)]).await;
    create(&repo, "side", None).await.expect("made");
    edit(&repo, "side", "d/a", &lines(5, &[(2, "side")])).await.expect("an edit");
    edit(&repo, "side", "b", &lines(5, &[(4, "side")])).await.expect("an edit");
    repo.put("d/a", lines(5, &[(2, "main")])).await.expect("written");
    let before = (repo.head().await, repo.files().await);
    let refusal = merge(&repo, "side", "main").await.expect_err("a conflict");
    assert_eq!(refusal.cause(), (409, "conflict"));
    assert!(refusal.error.message.contains("`d/a`"), "{}", refusal.error.message);
    assert!(!refusal.error.message.contains("`b`"), "{}", refusal.error.message);
    let nobody = merge(&repo, "nobody", "main").await.expect_err("no such branch");
    assert_eq!(nobody.cause(), (404, "not_found"));
    let nobody = merge(&repo, "side", "nobody").await.expect_err("no such branch");
    assert_eq!(nobody.cause(), (404, "not_found"));
    let stale = types::MergeRequest {
        from: "side".parse().expect("a revision"),
        expected_head: Some("1".repeat(40).parse().expect("an id")),
        branch: None,
        message: None,
        author: None,
    };
    let stale = repo.client.merge_branch().repo_id(repo.id).body(stale).send().await;
    assert_eq!(answer(stale).expect_err("stale").cause(), (409, "head_mismatch"));
    assert_eq!((repo.head().await, repo.files().await), before);
    server.stop().await;
}

#[tokio::test]
async fn a_revert_takes_back_one_commit_and_a_reset_all_since() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", &lines(20, &[]))]).await;
    let first = (repo.head().await, repo.files().await);
    let bad = repo.diff(vec![write("a", &lines(20, &[(3, "bad")])), write("b", "bad")]).await;
    let bad = bad.expect("an edit").repo_head;
    repo.put("a", lines(20, &[(3, "bad"), (15, "good")])).await.expect("written");
    let done = revert(&repo, &bad).await.expect("reverted");
    assert_eq!(done.changed_files, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(repo.files().await, [("a".to_owned(), lines(20, &[(15, "good")]))].into());
    let said = commit(&repo, &done.repo_head).await.commit.message;
    assert_eq!(said, format!("Revert {bad}\n"));
    let again = revert(&repo, &bad).await.expect("nothing is left to take back");
    assert_eq!((again.repo_head, again.changed_files), (done.repo_head, Some(Vec::new())));

    repo.put("a", lines(20, &[(15, "better")])).await.expect("written");
    let commits = log(&repo, "main", None, 10).await;
    let good = &commits[2].id;
    assert_eq!(revert(&repo, good).await.expect_err("a conflict").cause(), (409, "conflict"));
    let reset_to = reset(&repo, &first.0).await.expect("reset");
    assert_eq!(repo.files().await, first.1);
    assert_eq!(log(&repo, "main", None, 10).await.len(), commits.len() + 1, "nothing is lost");
    let again = reset(&repo, &first.0).await.expect("nothing differs");
    assert_eq!(again.repo_head, reset_to.repo_head);
    let refusal = reset(&repo, &"0".repeat(40)).await.expect_err("no such commit");
    assert_eq!(refusal.cause(), (404, "not_found"));
    // The very first commit can be taken back: then nothing is left.
    revert(&repo, &first.0).await.expect("reverted");
    assert!(repo.files().await.is_empty());
    server.stop().await;
}

/// Edits of two lines that both start from the same files.
fn sides() -> impl Strategy<Value = [Vec<(u8, u8, u8)>; 2]> {
    let change = (0..4_u8, 0..12_u8, 0..3_u8);
    [vec(change.clone(), 0..4), vec(change, 0..4)]
}

/// Makes the changes in the work tree: a line of a file, or the whole file gone, or a new one.
fn play(past: &mut Past, branch: &str, changes: &[(u8, u8, u8)]) {
    past.git(&["checkout", "--quiet", branch]);
    for (n, (name, line, what)) in changes.iter().enumerate() {
        let path = format!("d{}/f{name}", name % 2);
        let file = past.folder().join(&path);
        match (what, std::fs::read_to_string(&file)) {
            (0 | 1, Ok(content)) => {
                let mut lines: Vec<_> = content.lines().map(str::to_owned).collect();
                let at = usize::from(*line).min(lines.len().saturating_sub(1));
                lines[at] = format!("{branch} {n}");
                past.write(&path, lines.join("\n") + "\n");
            }
            (2, Ok(_)) => std::fs::remove_file(file).expect("a file"),
            _ => past.write(&path, format!("{branch}\n")),
        }
        past.commit(&format!("{branch} {n}"));
    }
}

#[test]
fn merges_and_reverts_come_to_what_git_makes_of_them() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start());
    let cases = if std::env::var_os("TEST_LONG").is_some() { 400 } else { 24 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (mut clean, mut open) = (0, 0);
    let counts = (&mut clean, &mut open);
    let counts = std::cell::RefCell::new(counts);
    let result = TestRunner::new_with_rng(config, rng).run(&sides(), |[ours, theirs]| {
        let mut past = Past::begin();
        for name in 0..4 {
            let content: String = (0..12).map(|n| format!("{name} line {n}\n")).collect();
            past.write(&format!("d{}/f{name}", name % 2), content);
        }
        past.commit("Begin");
        past.git(&["branch", "side"]);
        play(&mut past, "side", &theirs);
        play(&mut past, "main", &ours);
        let settled = runtime.block_on(check(&server, &past));
        let mut counts = counts.borrow_mut();
        *(if settled { &mut *counts.0 } else { &mut *counts.1 }) += 1;
        Ok(())
    });
    result.expect("every merge");
    assert!(clean > 3 && open > 3, "{clean} clean, {open} in conflict");
    runtime.block_on(server.stop());
}

/// Whether the merge was clean.
async fn check(server: &Server, past: &Past) -> bool {
    let repo = past.on(server).await;
    // Each commit of main, taken back on top of it.
    for id in past.lines(&["rev-list", "--no-merges", "main", "^side"]) {
        let parent = past.git(&["rev-parse", &format!("{id}^")]);
        let expected = merge_tree(past, &["--merge-base", &id, "main", &parent]);
        let found = revert(&repo, &id).await;
        compare(past, &repo, expected, found).await;
        reset(&repo, &past.git(&["rev-parse", "main"])).await.expect("reset");
    }
    let expected = merge_tree(past, &["main", "side"]);
    let clean = expected.is_ok();
    let found = merge(&repo, "side", "main").await;
    compare(past, &repo, expected, found).await;
    clean
}

/// The tree, or the paths in conflict.
fn merge_tree(past: &Past, arguments: &[&str]) -> Result<String, Vec<String>> {
    let mut all = vec!["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z"];
    all.extend(arguments);
    let (clean, output) = past.try_run(&all);
    let mut words = output.split_terminator('\0').map(str::to_owned);
    let tree = words.next().expect("a tree");
    if clean { Ok(tree) } else { Err(words.filter(|word| !word.is_empty()).collect()) }
}

async fn compare(past: &Past, repo: &Repo, expected: Result<String, Vec<String>>, found: Answer) {
    match (expected, found) {
        (Ok(tree), Ok(_)) => {
            let entries = past.git(&["ls-tree", "-rz", "--full-tree", &tree]);
            let entries: Vec<_> = entries.split_terminator('\0').collect();
            let made = super::stage::tree(repo, "main", None, true, 1_000).await;
            assert_eq!(super::trees::as_git(&made), entries);
        }
        (Err(paths), Err(refusal)) => {
            assert_eq!(refusal.cause(), (409, "conflict"));
            for path in paths {
                assert!(
                    refusal.error.message.contains(&format!("`{path}`")),
                    "{path}: {refusal:?}"
                );
            }
        }
        (expected, found) => panic!("git says {expected:?}, the server {found:?}"),
    }
}
