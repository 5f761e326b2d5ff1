//! Which files are found, in which order.

use futures::TryStreamExt;
use repoplane_client::types::FileHit;

use super::{indexed, paths, project};
use crate::support::Server;
use crate::support::repo::{Repo, delete, rename, write};

#[tokio::test]
async fn what_fits_best_comes_first() {
    let server = Server::start().await;
    let repo = project(&server.owner()).await;
    for (query, best) in [
        ("backoff_delay", "src/retry.rs"),
        ("backoffDelay", "src/retry.rs"),
        ("how long to wait between attempts", "src/retry.rs"),
        ("where are settings loaded", "src/config/loader.py"),
        ("parse settings", "src/config/parser.js"),
        ("settings documentation default", "docs/settings.md"),
        ("MAX_CONNECTIONS", "src/limits.rs"),
        ("logo", "assets/logo.svg"),
        ("`unwrap_or(3)`", "src/limits.rs"),
        ("\"for attempt in\"", "src/client.rs"),
        ("/pow\\(att.*\\)/", "src/retry.rs"),
        ("src/client.rs", "src/client.rs"),
    ] {
        assert_eq!(paths(&repo, query).await.first().map(String::as_str), Some(best), "{query}");
    }
    for query in ["nothing_like_that", "the of and", "  ", "/(/", "``", "\"", "漢字", "\u{0}"] {
        assert_eq!(paths(&repo, query).await, [""; 0], "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_file_is_shown_with_the_lines_that_fit() {
    let server = Server::start().await;
    let repo = project(&server.owner()).await;
    let ask = |query: &'static str| {
        let request = repo.client.search_source_files().repo_id(repo.id).query(query);
        async move { request.send().await.expect("a page").into_inner() }
    };
    let page = ask("backoff_delay").await;
    assert_eq!(page.commit, repo.head().await);
    let best = &page.items[0];
    assert!(best.score > page.items[1].score && best.score < 1.0, "{page:?}");
    let [passage] = &best.passages[..] else { panic!("{best:?}") };
    assert_eq!((passage.start_line, passage.end_line), (1, 6));
    let line = &passage.lines[0];
    assert_eq!((line.line, &*line.text), (4, "pub fn backoff_delay(attempt: u32) -> Duration {"));
    assert_eq!(&line.text[line.match_start as usize..line.match_end as usize], "backoff_delay");
    let by_path = ask("logo").await;
    assert_eq!(by_path.items[0].passages[0].lines.len(), 0, "only the path fits");
    server.stop().await;
}

/// All files that are found, in pages of `size`.
async fn found(repo: &Repo, at: &str, query: &str, size: u32) -> Vec<FileHit> {
    let request = repo.client.search_source_files().repo_id(repo.id).ref_(at).query(query);
    request.limit(size).stream().try_collect().await.expect("every page")
}

fn as_text(found: &[FileHit]) -> Vec<String> {
    found.iter().map(|file| format!("{file:?}")).collect()
}

/// However an index came about, by edits or at once, and in pages of any size.
#[tokio::test]
async fn the_same_files_have_the_same_answer() {
    let server = Server::start().await;
    let repo = project(&server.owner()).await;
    let first = repo.head().await;
    let before = found(&repo, "main", "settings", 100).await;
    repo.changes(vec![
        delete("docs"),
        write("src/config/loader.py", "settings = 1\n"),
        rename("src/limits.rs", "settings/limits.rs"),
        write("binary.settings", "\u{0}settings"),
        write("long/settings", &"settings\n".repeat(200)),
    ])
    .await;
    let whole = found(&repo, "main", "settings", 100).await;
    assert_eq!(whole.len(), 5, "{whole:?}");
    for size in [1, 2, 3] {
        assert_eq!(as_text(&found(&repo, "main", "settings", size).await), as_text(&whole));
    }
    let files = repo.files().await;
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let copy = indexed(&server.owner(), &files).await;
    assert_eq!(as_text(&found(&copy, "main", "settings", 100).await), as_text(&whole));
    assert_eq!(as_text(&found(&repo, &first, "settings", 100).await), as_text(&before));
    let binary = whole.iter().find(|file| file.path == "binary.settings").expect("by its path");
    assert_eq!(binary.passages.len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_glob_chooses_files() {
    let server = Server::start().await;
    let repo = project(&server.owner()).await;
    for (glob, expected) in [
        ("*.js", &["src/config/parser.js"][..]),
        ("src/config/*", &["src/config/loader.py", "src/config/parser.js"]),
        ("*.none", &[]),
    ] {
        let request = repo.client.search_source_files().repo_id(repo.id).query("settings");
        let page = request.path(glob).send().await.expect("a page").into_inner();
        let mut found: Vec<_> = page.items.iter().map(|file| file.path.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{glob}");
    }
    server.stop().await;
}
