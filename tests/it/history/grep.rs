//! Exact search against `git grep`.

use futures::TryStreamExt;
use repoplane_client::types::GrepMatch;

use super::stage::{Past, eventful};
use crate::support::Server;
use crate::support::repo::{Repo, answer};

#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    pattern: &'a str,
    regex: bool,
    ignore_case: bool,
    path: Option<&'a str>,
}

/// All matches, in pages of `size`.
async fn grep(repo: &Repo, at: &str, asked: Asked<'_>, size: u32) -> Vec<GrepMatch> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let mut request = repo.client.grep_source_repo().repo_id(repo.id).ref_(at).limit(size);
        request = request.pattern(asked.pattern).regex(asked.regex).ignore_case(asked.ignore_case);
        if let Some(path) = asked.path {
            request = request.path(path);
        }
        if let Some(cursor) = cursor {
            request = request.cursor::<String>(cursor);
        }
        let page = answer(request.send().await).expect("a page");
        assert!(page.items.len() <= size as usize);
        found.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return found;
        }
    }
}

fn as_git(found: &[GrepMatch]) -> Vec<String> {
    found.iter().map(|it| format!("{}:{}:{}:{}", it.path, it.line, it.column, it.text)).collect()
}

fn expected(past: &Past, at: &str, asked: Asked<'_>) -> Vec<String> {
    let mut arguments = vec!["-c", "core.quotePath=false", "grep", "-nI", "--column", "--no-color"];
    arguments.push(if asked.regex { "-E" } else { "-F" });
    arguments.extend(asked.ignore_case.then_some("-i"));
    arguments.extend(["-e", asked.pattern, at, "--"]);
    let glob = asked.path.map(|path| {
        if path.contains('/') { format!(":(glob){path}") } else { format!(":(glob)**/{path}") }
    });
    arguments.extend(glob.as_deref());
    // It fails when it finds nothing.
    let (_, found) = past.try_run(&arguments);
    let prefix = format!("{at}:");
    found.lines().map(|line| line.strip_prefix(&prefix).expect("the ref").to_owned()).collect()
}

#[tokio::test]
async fn matches_are_those_of_git_in_any_page_size() {
    let server = Server::start().await;
    let mut past = eventful();
    past.write("code/a.rs", "fn main() {\n    println!(\"Line 7\");\n}\n\nfn other() {}\n");
    past.write("code/deep/b.rs", "// fn main\r\nfn two() { fn nested() {} }\nno end of line 7");
    past.write("code/c.txt", "\n\n\nline 7 and Line 7\n");
    past.commit("Code");
    let repo = past.on(&server).await;
    let text = |pattern| Asked { pattern, ..Asked::default() };
    let regex = |pattern| Asked { pattern, regex: true, ..Asked::default() };
    for asked in [
        text("line 7"),
        text("fn main() {"),
        text("."),
        text("line"),
        text("é"),
        text("caf"),
        Asked { ignore_case: true, ..text("LINE 7") },
        Asked { path: Some("*.rs"), ..text("fn") },
        Asked { path: Some("code/*.rs"), ..text("fn") },
        Asked { path: Some("code/**"), ..text("line") },
        Asked { path: Some("**/b.rs"), ..text("fn") },
        Asked { path: Some("c?de/[ac].*"), ..text("line") },
        regex("^fn [a-z]+"),
        regex("line [0-9]$"),
        regex("(one|two)"),
        regex("l.ne 1.?$"),
        Asked { ignore_case: true, ..regex("^LINE [12]") },
    ] {
        for at in ["main", "side/line"] {
            let matches = expected(&past, at, asked);
            for size in [1, 7, 1_000] {
                let found = as_git(&grep(&repo, at, asked, size).await);
                let found: Vec<_> = found.iter().map(|line| line.trim_end_matches('\r')).collect();
                let matches: Vec<_> =
                    matches.iter().map(|line| line.trim_end_matches('\r')).collect();
                assert_eq!(found, matches, "{} {at} by {size}", asked.pattern);
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_line_is_answered_once_and_a_long_one_in_part() {
    let server = Server::start().await;
    let long = format!("{}needle{}", "x".repeat(5_000), "y".repeat(5_000));
    let repo = Repo::create(&server.owner(), &[("a", "aaa\n\n"), ("long", &long)]).await;
    let found = grep(&repo, "main", Asked { pattern: "a", ..Asked::default() }, 10).await;
    assert_eq!(as_git(&found), ["a:1:1:aaa"]);
    let all = repo.client.grep_source_repo().repo_id(repo.id).pattern("needle").limit(1).stream();
    let found: Vec<_> = all.try_collect().await.expect("every page");
    assert_eq!((found[0].line, found[0].column, found[0].text.len()), (1, 5_001, 1_000));
    assert!(found[0].text.contains("needle"));
    let every = Asked { pattern: "x*", regex: true, ..Asked::default() };
    assert_eq!(grep(&repo, "main", every, 10).await.len(), 3, "an empty match is one per line");
    server.stop().await;
}

#[tokio::test]
async fn patterns_that_cannot_be_used_are_422() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let url = format!("{}/v1/repo/{}/grep", server.url(), repo.id);
    let http = repoplane_client::reqwest::Client::new();
    let long = "x".repeat(1_001);
    for (query, status) in [
        ("", 422),
        ("pattern=", 422),
        ("pattern=(&regex=true", 422),
        ("pattern=(", 200),
        ("pattern=(a{1000}){1000}&regex=true", 422),
        (&format!("pattern={long}"), 422),
        (&format!("pattern=a&path={long}"), 422),
        ("pattern=a&limit=1001", 422),
        ("pattern=a&cursor=x", 422),
        ("pattern=a&cursor=0.0.0.0", 422),
        ("pattern=a&ref=nobody", 404),
        ("pattern=a&unknown=1", 422),
        ("pattern=a&path=[", 200),
    ] {
        let get = http.get(format!("{url}?{query}")).bearer_auth(crate::support::OWNER_TOKEN);
        assert_eq!(get.send().await.expect("an answer").status().as_u16(), status, "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_search_sees_every_edit_and_deleted_repos_are_gone() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "needle\n")]).await;
    let needle = Asked { pattern: "needle", ..Asked::default() };
    for n in 0..5 {
        let content = "needle\n".repeat(n + 1);
        repo.put("a", content).await.expect("written");
        assert_eq!(grep(&repo, "main", needle, 100).await.len(), n + 1);
    }
    repo.delete().await.expect("deleted");
    let ask = repo.client.grep_source_repo().repo_id(repo.id).pattern("needle");
    assert_eq!(answer(ask.send().await).map(drop).expect_err("gone").status, 404);
    server.stop().await;
}
