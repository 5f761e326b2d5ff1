//! Listings against `git ls-tree`, and files at a ref.

use super::stage::{eventful, tree};
use crate::support::Server;
use crate::support::repo::{answer, write};
use futures::TryStreamExt;
use repoplane_client::types::{EntryType, TreeEntry};

/// As `git ls-tree -z` writes it.
pub fn as_git(entries: &[TreeEntry]) -> Vec<String> {
    let line = |entry: &TreeEntry| {
        let kind = match entry.type_ {
            EntryType::File | EntryType::Symlink => "blob",
            EntryType::Directory => "tree",
            EntryType::Submodule => "commit",
        };
        assert_eq!(entry.type_ == EntryType::Symlink, entry.mode == "120000");
        format!("{} {kind} {}\t{}", entry.mode, entry.oid, entry.path)
    };
    entries.iter().map(line).collect()
}

#[tokio::test]
async fn listings_are_those_of_git_in_any_page_size() {
    let server = Server::start().await;
    let past = eventful();
    // Names that sort differently as files and as directories.
    for name in ["order/a", "order.b", "order-c", "order0/d", "order/z/x", "order/z.y", "ordeq"] {
        past.write(name, name);
    }
    past.git(&["add", "--all"]);
    past.git(&["commit", "--quiet", "-m", "Names"]);
    let repo = past.on(&server).await;
    for at in ["main", "v1", "side/line"] {
        for (path, recursive) in [
            (None, false),
            (None, true),
            (Some("src"), false),
            (Some("src"), true),
            (Some("src/deep/er"), true),
            (Some("order"), false),
            (Some("order"), true),
        ] {
            let tree_at = format!("{at}:{}", path.unwrap_or_default());
            if !past.try_run(&["rev-parse", "--verify", "--quiet", &tree_at]).0 {
                continue;
            }
            let mut arguments = vec!["ls-tree", "-z", "--full-tree"];
            arguments.extend(recursive.then_some("-r"));
            arguments.push(&tree_at);
            let prefix = path.map(|path| format!("{path}/")).unwrap_or_default();
            let written = past.git(&arguments);
            let expected: Vec<_> = written
                .split_terminator('\0')
                .map(|line| line.replacen('\t', &format!("\t{prefix}"), 1))
                .collect();
            assert!(!expected.is_empty());
            for size in [1, 3, 10_000] {
                let found = tree(&repo, at, path, recursive, size).await;
                assert_eq!(as_git(&found), expected, "{tree_at} {recursive} by {size}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn sizes_are_those_of_git_wherever_the_content_is() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    // Some are in a pack with deltas, one has just come and is in memory.
    let large = "line\n".repeat(1_000);
    repo.diff(vec![write("new", &large), write("none", "")]).await.expect("an edit");
    let sizes = |entries: &[TreeEntry]| -> Vec<(String, Option<i64>)> {
        entries.iter().map(|entry| (entry.path.clone(), entry.size)).collect()
    };
    let now = sizes(&tree(&repo, "main", None, true, 10_000).await);
    assert!(
        now.contains(&("new".to_owned(), Some(5_000)))
            && now.contains(&("none".to_owned(), Some(0)))
    );
    // From memory, and from loose files after a restart.
    let server = server.restart().await;
    let repo = repo.seen_by(&server.owner());
    assert_eq!(sizes(&tree(&repo, "main", None, true, 10_000).await), now);
    for at in ["v1", "side/line"] {
        let written = past.git(&["ls-tree", "-rlz", "--full-tree", at]);
        let expected: Vec<(String, Option<i64>)> = written
            .split_terminator('\0')
            .map(|line| {
                let (about, path) = line.split_once('\t').expect("a path");
                let size = about.split_whitespace().nth(3).expect("a size");
                (path.to_owned(), size.parse().ok())
            })
            .collect();
        assert!(expected.iter().any(|(_, size)| size.is_none()) || at != "v1", "a submodule");
        assert_eq!(sizes(&tree(&repo, at, None, true, 10_000).await), expected, "{at}");
    }
    let directory = tree(&repo, "v1", None, false, 100).await;
    assert!(directory.iter().all(|entry| entry.size.is_some()
        == (entry.type_ == EntryType::File || entry.type_ == EntryType::Symlink)));
    server.stop().await;
}

#[tokio::test]
async fn files_are_read_at_branches_tags_and_commits() {
    let server = Server::start().await;
    let past = eventful();
    let repo = past.on(&server).await;
    for at in ["main", "v1", "light", "side/line", &past.head()] {
        for path in ["README.md", "binary", "side.txt", "link", "module", "absent", "src"] {
            let read = repo.client.get_source_file().repo_id(repo.id).file_path(path).ref_(at);
            let found = answer(read.send().await);
            let entry = past.git(&["ls-tree", at, "--", path]);
            if entry.starts_with("100") {
                let found = found.expect("a file").into_inner();
                let chunks: Vec<_> = found.try_collect().await.expect("bytes");
                let content = chunks.concat();
                let expected = past.run(&["cat-file", "blob", &format!("{at}:{path}")], b"");
                assert_eq!(content, expected, "{at}:{path}");
            } else {
                assert_eq!(found.map(drop).expect_err("no file").status, 404, "{at}:{path}");
            }
        }
    }
    server.stop().await;
}
