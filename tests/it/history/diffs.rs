//! Diffs against git: the same files and counts, and patches that git applies to the same end.

use repoplane_client::types::{FileDiff, FileStatus, SourceDiff};

use super::stage::{Past, commit, eventful};
use crate::support::Server;
use crate::support::repo::{Repo, answer};

/// As `git diff --raw -M` says it: modes, status and paths.
fn as_git(file: &FileDiff) -> String {
    let none = "000000".to_owned();
    let (old, new) = (&file.old_mode, &file.new_mode);
    let replaced = matches!((old, new), (Some(old), Some(new)) if old[..3] != new[..3]);
    let status = match file.status {
        FileStatus::Added => "A",
        FileStatus::Deleted => "D",
        FileStatus::Renamed => "R",
        FileStatus::Modified if replaced => "T",
        FileStatus::Modified => "M",
    };
    let from = file.old_path.as_ref().map(|path| format!("{path}\0")).unwrap_or_default();
    let mode = |mode: &Option<String>| mode.clone().unwrap_or(none.clone());
    format!("{} {} {status}\0{from}{}", mode(old), mode(new), file.path)
}

/// What git says of the same two trees.
fn expected(past: &Past, old: &str, new: &str) -> Vec<String> {
    let raw = past.git(&["diff-tree", "-r", "-M", "-z", "--raw", "--no-abbrev", old, new]);
    let mut words = raw.split_terminator('\0');
    let mut found = Vec::new();
    while let Some(head) = words.next() {
        let fields: Vec<_> = head.trim_start_matches(':').split(' ').collect();
        let status = &fields[4][..1];
        let mut line = format!("{} {} {status}", fields[0], fields[1]);
        for _ in 0..(if status == "R" { 2 } else { 1 }) {
            line.push('\0');
            line.push_str(words.next().expect("a path"));
        }
        found.push(line);
    }
    found
}

/// Checks that the patches turn the old tree into the new one, as far as they are text.
pub fn check_patches(past: &Past, old: &str, new: &str, diff: &SourceDiff) {
    past.git(&["read-tree", "--reset", old]);
    let patch: String = diff.files.iter().filter_map(|file| file.patch.as_deref()).collect();
    if !patch.is_empty() {
        past.git_fed(&["apply", "--cached", "--whitespace=nowarn", "-"], patch.as_bytes());
    }
    for file in diff.files.iter().filter(|file| file.patch.is_none()) {
        let path = file.old_path.as_ref().unwrap_or(&file.path);
        past.git(&["update-index", "--force-remove", "--", path]);
        let entry = past.git(&[
            "ls-tree",
            "-z",
            "--full-tree",
            new,
            "--",
            &format!(":(literal){}", file.path),
        ]);
        past.git_fed(&["update-index", "-z", "--index-info"], entry.as_bytes());
    }
    let tree = past.git(&["rev-parse", &format!("{new}^{{tree}}")]);
    assert_eq!(past.git(&["write-tree"]), tree, "{old}..{new}:\n{patch}");
}

const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

#[tokio::test]
async fn every_commit_changes_what_git_says_it_changes() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    for id in past.lines(&["log", "--format=%H", "main"]) {
        let parents = past.git(&["show", "--no-patch", "--format=%P", &id]);
        let parent = parents.split(' ').next().filter(|id| !id.is_empty()).unwrap_or(EMPTY_TREE);
        let found = commit(&repo, &id).await;
        assert!(!found.diff.truncated);
        let said: Vec<_> = found.diff.files.iter().map(as_git).collect();
        assert_eq!(said, expected(&past, parent, &id), "{}", found.commit.message);
        for file in &found.diff.files {
            assert!(!file.truncated);
            assert_eq!(file.patch.is_none(), file.binary || file.path == "module", "{}", file.path);
        }
        check_patches(&past, parent, &id, &found.diff);
    }
    server.stop().await;
}

#[tokio::test]
async fn any_two_commits_are_compared_as_git_does() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    let commits = past.lines(&["log", "--format=%H", "main"]);
    for base in ["side/line", "v1", &commits[commits.len() - 1]] {
        for head in ["main", "light", &commits[1]] {
            let ask = repo.client.diff_commits().repo_id(repo.id).base(base).head(head);
            let found = answer(ask.send().await).expect("a comparison");
            let said: Vec<_> = found.diff.files.iter().map(as_git).collect();
            assert_eq!(said, expected(&past, base, head), "{base}..{head}");
            assert_eq!(found.head, past.git(&["rev-parse", &format!("{head}^{{commit}}")]));
            check_patches(&past, base, head, &found.diff);
            let numbers = past.git(&["diff", "-M", "--numstat", "-z", base, head]);
            for file in found.diff.files.iter().filter(|file| file.patch.is_some()) {
                let counts = format!("{}\t{}\t", file.additions, file.deletions);
                assert!(numbers.contains(&counts), "{} {counts}: {numbers}", file.path);
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_comparison_can_be_about_one_path() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    let first = past.git(&["rev-list", "--max-parents=0", "main"]);
    for (path, files) in [
        ("src", vec!["counted.txt", "src/leaf"]),
        ("README.md", vec!["README.md"]),
        ("sr", vec![]),
        ("counted.txt", vec!["counted.txt"]),
    ] {
        let ask = repo.client.diff_commits().repo_id(repo.id).base(first.as_str()).path(path);
        let found = answer(ask.send().await).expect("a comparison");
        let paths: Vec<_> = found.diff.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, files, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn too_much_is_left_out_and_says_so() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let empty = repo.head().await;
    // Over the limit of one patch, over the limit of one file, and far too many files.
    let line = "x".repeat(99) + "\n";
    repo.put("patch", line.repeat(11_000)).await.expect("written");
    repo.put("file", line.repeat(43_000)).await.expect("written");
    let diff = compare(&repo, &empty).await;
    let shapes: Vec<_> = diff
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.truncated, file.patch.is_some(), file.additions))
        .collect();
    assert_eq!(shapes, [("file", true, false, 0), ("patch", true, false, 11_000)]);

    let base = repo.head().await;
    let many = (0..1_001).map(|n| crate::support::repo::write(&format!("many/{n:04}"), "1\n"));
    repo.diff(many.collect()).await.expect("written");
    let diff = compare(&repo, &base).await;
    assert_eq!((diff.files.len(), diff.truncated), (1_000, true));

    let base = repo.head().await;
    let large =
        (0..6).map(|n| crate::support::repo::write(&format!("large/{n}"), &line.repeat(9_000)));
    repo.diff(large.collect()).await.expect("written");
    let diff = compare(&repo, &base).await;
    let whole = diff.files.iter().filter(|file| file.patch.is_some()).count();
    assert_eq!((diff.files.len(), whole), (6, 4), "4 MiB of patches");
    server.stop().await;
}

async fn compare(repo: &Repo, base: &str) -> SourceDiff {
    answer(repo.client.diff_commits().repo_id(repo.id).base(base).send().await)
        .expect("a diff")
        .diff
}
