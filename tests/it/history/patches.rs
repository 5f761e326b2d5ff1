//! Patches: what git writes has the effect it has in git, and what does not fit changes nothing.

use repoplane_client::types::{CommitTerms, EditSource, EditSourceRepoRequest};

use super::stage::{Past, eventful, tree};
use super::trees;
use crate::support::Server;
use crate::support::repo::{Answer, Repo, answer, files};

pub async fn patch(repo: &Repo, patch: &str) -> Answer {
    let source = Some(EditSource::Patch { patch: patch.parse().expect("some text") });
    repo.send(EditSourceRepoRequest { source, ..Default::default() }).await
}

/// Brings the repo to the files of a commit.
async fn reset(repo: &Repo, id: &str) {
    let ask = repo.client.reset_to_commit().repo_id(repo.id).commit_id(id);
    answer(ask.body(CommitTerms::default()).send().await).expect("reset");
}

/// Sends what git says is between two commits, and compares the files.
pub async fn follow(past: &Past, repo: &Repo, old: &str, new: &str) {
    for how in
        [&["-M"][..], &["--no-renames"], &["-C", "--find-copies-harder", "-U0"], &["-M", "-U8"]]
    {
        let mut arguments = vec!["diff", "--no-color", "--full-index"];
        arguments.extend(how);
        arguments.extend([old, new]);
        let text = String::from_utf8(past.run(&arguments, b"")).expect("text");
        reset(repo, old).await;
        if text.is_empty() {
            continue;
        }
        patch(repo, &text).await.unwrap_or_else(|refusal| panic!("{how:?} {refusal:?}\n{text}"));
        let expected = past.git(&["ls-tree", "-rz", "--full-tree", new]);
        let expected: Vec<_> = expected.split_terminator('\0').collect();
        let made = tree(repo, "main", None, true, 1_000).await;
        assert_eq!(trees::as_git(&made), expected, "{how:?}\n{text}");
    }
}

#[tokio::test]
async fn the_patches_of_a_history_lead_from_commit_to_commit() {
    let server = Server::start().await;
    let mut past = Past::begin();
    let numbers: String = (1..=60).map(|n| format!("line {n}\n")).collect();
    past.write("src/numbers.txt", &numbers);
    past.write("no newline", "one\ntwo");
    past.write("windows", "one\r\ntwo\r\n");
    past.write("ünïcode \"quoted\" x", "x\n");
    past.write("with space", "y\n");
    past.write("empty", "");
    let mut commits = vec![past.commit("Begin")];
    past.write("src/numbers.txt", numbers.replace("line 7\n", "seven\n").replace("line 50\n", ""));
    past.write("no newline", "one\ntwo\nthree");
    past.write("windows", "one\r\n2\r\n");
    past.write("with space", "z\n");
    commits.push(past.commit("Change"));
    past.write("no newline", "one\n");
    past.write("ünïcode \"quoted\" x", "");
    past.git(&["mv", "src/numbers.txt", "counted.txt"]);
    past.git(&["mv", "with space", "with more space"]);
    past.write("copy.txt", numbers.replace("line 7\n", "seven\n").replace("line 50\n", "50\n"));
    past.git(&["add", "--all"]);
    past.git(&["update-index", "--chmod=+x", "empty"]);
    past.git(&["commit", "--quiet", "-m", "Move, copy and mode"]);
    commits.push(past.head());
    past.git(&["rm", "--quiet", "--force", "empty", "windows"]);
    past.write("made", "made\n");
    past.write("made empty", "");
    past.git(&["add", "--all"]);
    past.git(&["commit", "--quiet", "-m", "Delete and make"]);
    commits.push(past.head());
    let repo = past.on(&server).await;
    for pair in commits.windows(2) {
        follow(&past, &repo, &pair[0], &pair[1]).await;
        follow(&past, &repo, &pair[1], &pair[0]).await;
    }
    follow(&past, &repo, &commits[0], &commits[3]).await;
    server.stop().await;
}

#[tokio::test]
async fn what_the_server_answers_as_a_diff_can_be_sent_as_a_patch() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    for id in past.lines(&["log", "--format=%H", "--no-merges", "side/line"]) {
        let Some(parent) = past.lines(&["rev-list", "--parents", "-n1", &id])[0]
            .split(' ')
            .nth(1)
            .map(str::to_owned)
        else {
            continue;
        };
        let found = super::stage::commit(&repo, &id).await;
        if found.diff.files.iter().any(|file| file.binary) {
            continue;
        }
        let text: String = found.diff.files.into_iter().filter_map(|file| file.patch).collect();
        reset(&repo, &parent).await;
        patch(&repo, &text).await.expect("it fits");
        let expected = past.git(&["ls-tree", "-rz", "--full-tree", &id]);
        let expected: Vec<_> = expected.split_terminator('\0').collect();
        assert_eq!(trees::as_git(&tree(&repo, "main", None, true, 1_000).await), expected);
    }
    server.stop().await;
}

const HEAD: &str = "--- a/a\n+++ b/a\n";

#[tokio::test]
async fn a_patch_that_does_not_fit_changes_nothing() {
    let server = Server::start().await;
    let repo =
        Repo::create(&server.owner(), &[("a", "1\n2\n3\n"), ("b", "b\n"), ("d/x", "x\n")]).await;
    let before = (repo.head().await, repo.files().await);
    let with = |rest: &str| format!("{HEAD}{rest}");
    for (text, cause, words) in [
        (
            with("@@ -1,3 +1,3 @@\n 1\n-x\n+y\n 3\n"),
            (409, "conflict"),
            "hunk 1 does not fit at line 2",
        ),
        (with("@@ -2,1 +2,1 @@\n-1\n+y\n"), (409, "conflict"), "hunk 1 does not fit at line 2"),
        (
            with("@@ -1 +1 @@\n-1\n+y\n@@ -1 +1 @@\n-1\n+y\n"),
            (409, "conflict"),
            "hunk 2 is not where",
        ),
        (with("@@ -9 +9 @@\n-1\n+y\n"), (409, "conflict"), "hunk 1 is not where"),
        (with("@@ -3 +3 @@\n-3\n\\ No newline at end of file\n+y\n"), (409, "conflict"), "line 3"),
        ("--- a/none\n+++ b/none\n@@ -1 +1 @@\n-1\n+y\n".to_owned(), (404, "not_found"), "`none`"),
        ("--- /dev/null\n+++ b/b\n@@ -0,0 +1 @@\n+y\n".to_owned(), (409, "conflict"), "exists"),
        ("--- a/b\n+++ /dev/null\n@@ -0,0 +0,0 @@\n".to_owned(), (409, "conflict"), "not have all"),
        ("--- /dev/null\n+++ b/b/c\n@@ -0,0 +1 @@\n+y\n".to_owned(), (409, "conflict"), "`b`"),
        ("--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+y\n".to_owned(), (409, "conflict"), "`d`"),
        (
            "--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+y\n".to_owned(),
            (422, "validation_error"),
            "..",
        ),
        (
            "--- /dev/null\n+++ b/.git/x\n@@ -0,0 +1 @@\n+y\n".to_owned(),
            (422, "validation_error"),
            ".git",
        ),
        (with("@@ -1 +1 @@\n-1\n+y\n").repeat(2), (409, "conflict"), "twice"),
        ("nothing".to_owned(), (422, "validation_error"), "no file"),
        (with("@@ -1,3 +1,3 @@\n 1\n"), (422, "validation_error"), "ends too early"),
        ("@@ -1 +1 @@\n-1\n+y\n".to_owned(), (422, "validation_error"), "before the name"),
        ("diff --git a/a b/a\nGIT binary patch\n".to_owned(), (422, "validation_error"), "binary"),
        (
            "diff --git a/l b/l\nnew file mode 120000\n".to_owned(),
            (422, "validation_error"),
            "120000",
        ),
    ] {
        let refusal = match patch(&repo, &text).await {
            Err(refusal) => refusal,
            // A file without hunks is left as it is.
            Ok(done) => {
                assert_eq!(done.changed_files, Some(Vec::new()), "{text}");
                continue;
            }
        };
        assert_eq!(refusal.cause(), cause, "{text}");
        assert!(refusal.error.message.contains(words), "{}: {words}", refusal.error.message);
        // One file that does not fit holds back those that do.
        let both = format!("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+c\n{text}");
        if cause.0 == 409 && !text.starts_with(HEAD) {
            assert_eq!(
                patch(&repo, &both).await.expect_err("all or nothing").status,
                409,
                "{text}"
            );
        }
    }
    assert_eq!((repo.head().await, repo.files().await), before);
    patch(&repo, &with("@@ -1,3 +1,4 @@\n 1\n 2\n+2.5\n 3"))
        .await
        .expect("its last end may be lost");
    assert_eq!(repo.files().await, files(&[("a", "1\n2\n2.5\n3\n"), ("b", "b\n"), ("d/x", "x\n")]));
    server.stop().await;
}
