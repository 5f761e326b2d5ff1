//! Pushes: their commands, and the pack behind them.

use std::collections::BTreeMap;

use reqwest::header::CONTENT_TYPE;

use super::mutants::Mutants;
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};

const NOWHERE: &str = "0000000000000000000000000000000000000000";
/// A pack with nothing in it.
const PACK: &[u8] = b"PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";
const WORDS: &str = "report-status side-band-64k atomic object-format=sha1";

fn frame(line: &str) -> String {
    format!("{:04x}{line}", line.len() + 4)
}

fn examples(head: &str) -> Vec<Vec<u8>> {
    let create = frame(&format!("{NOWHERE} {head} refs/heads/new\0{WORDS}"));
    let delete = frame(&format!("{head} {NOWHERE} refs/heads/new\0 report-status"));
    let tag = frame(&format!("{NOWHERE} {head} refs/tags/v1\n\0 report-status delete-refs"));
    let untag = frame(&format!("{head} {NOWHERE} refs/tags/v1"));
    let shallow = frame(&format!("shallow {head}"));
    vec![
        [create.as_bytes(), b"0000", PACK].concat(),
        [delete.as_bytes(), b"0000"].concat(),
        [shallow.as_bytes(), tag.as_bytes(), b"0000", PACK].concat(),
        [delete.as_bytes(), untag.as_bytes(), b"0000"].concat(),
        b"0000".to_vec(),
    ]
}

struct Door {
    http: reqwest::Client,
    url: String,
}

impl Door {
    async fn push(&self, body: Vec<u8>) -> (u16, String) {
        let post = self.http.post(format!("{}/git-receive-pack", self.url));
        let post = post.basic_auth("token", Some(OWNER_TOKEN));
        let post = post.header(CONTENT_TYPE, "application/x-git-receive-pack-request").body(body);
        let answer = post.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, String::from_utf8_lossy(&answer.bytes().await.expect("a body")).into_owned())
    }

    /// Where the refs point.
    async fn refs(&self) -> BTreeMap<String, String> {
        let get = self.http.get(format!("{}/info/refs?service=git-receive-pack", self.url));
        let answer = get.basic_auth("token", Some(OWNER_TOKEN)).send().await.expect("an answer");
        let text = answer.text().await.expect("text");
        let lines = text.lines().filter_map(|line| {
            let line = line.split('\0').next()?;
            let (target, name) = line.split_once(' ')?;
            let target = &target[target.len().checked_sub(40)?..];
            name.starts_with("refs/").then(|| (name.to_owned(), target.to_owned()))
        });
        lines.collect()
    }
}

#[tokio::test]
async fn pushes_change_what_the_report_says_and_nothing_else() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let head = repo.head().await;
    let url = format!("{}/v1/repo/{}.git", server.url(), repo.id);
    let door = Door { http: reqwest::Client::new(), url };
    let (mut mutants, mut accepted) = (Mutants::of(examples(&head), 120), 0);
    let mut before = door.refs().await;
    assert_eq!(before.get("refs/heads/main"), Some(&head));
    for (_, body) in mutants.by_ref() {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let (status, report) = door.push(body).await;
        assert!(status == 200 || (400..500).contains(&status), "{status} {report} to {shown}");
        let after = door.refs().await;
        let names: Vec<_> = before.keys().chain(after.keys()).collect();
        let changed: Vec<_> =
            names.into_iter().filter(|name| before.get(*name) != after.get(*name)).collect();
        for name in &changed {
            let is_told = report.contains(&format!("ok {name}\n")) || !report.contains("unpack");
            assert!(status == 200 && is_told, "{name} changed: {report} to {shown}");
            assert!(after.get(*name).is_none_or(|target| *target == head), "{shown}");
        }
        accepted += usize::from(!changed.is_empty());
        assert_eq!(after.get("refs/heads/main"), Some(&head), "{shown}");
        before = after;
    }
    mutants.tell(accepted);
    assert_eq!(repo.read("a").await.expect("the file"), b"a");
    server.stop().await;
}
