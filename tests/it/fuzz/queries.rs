//! Parameters in URLs.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::form_urlencoded;

use super::mutants::Mutants;
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};

/// Paths below a repo or not, and their parameters.
const TARGETS: [(&str, &str); 10] = [
    ("/v1/repo", "page_size=2&page_start=0&order_by=created_at&order_descending=true"),
    (
        "/v1/repo",
        "filter_metadata=%7B%22key%22%3A%22value%22%7D&created_after=2026-01-15T10%3A30%3A00Z",
    ),
    ("/v1/repo/ID/commits", "ref=main&path=dir%2Fc&limit=5"),
    ("/v1/repo/ID/tree", "recursive=true&ref=main&path=dir&limit=1"),
    ("/v1/repo/ID/grep", "pattern=al(pha|ef)&regex=true&ignore_case=true&path=*.rs&limit=10"),
    ("/v1/repo/ID/files/search", "query=where+is+alpha&path=*&limit=3"),
    ("/v1/repo/ID/diff", "base=main&head=refs%2Fheads%2Fmain&path=dir"),
    ("/v1/repo/ID/file/a.rs", "ref=main"),
    ("/v1/repo/ID/archive", "format=tar&ref=main&path=dir"),
    ("/repo", "limit=2"),
];

/// Sends a request as it is; the status, and the body.
async fn get(server: &Server, target: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    // In this version, a body is everything up to the end.
    let head = format!(" HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer {OWNER_TOKEN}\r\n\r\n");
    let request = [b"GET ", target, head.as_bytes()].concat();
    stream.write_all(&request).await.expect("sent");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.expect("an answer, and the end");
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let status = said.split(|byte| *byte == b' ').nth(1).and_then(|text| str::from_utf8(text).ok());
    let status = status.and_then(|text| text.parse().ok()).expect("a status");
    (status, said[end + 4..].to_vec())
}

/// The same parameters, as everybody writes them.
fn rewritten(query: &[u8]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form_urlencoded::parse(query))
        .finish()
}

#[tokio::test]
async fn queries_mean_what_they_say_or_are_refused() {
    let server = Server::start().await;
    let files = [("a.rs", "alpha\n"), ("b", "beta\n"), ("dir/c", "alef\n")];
    let repo = Repo::create(&server.owner(), &files).await;
    let id = repo.id.to_string();
    let examples = TARGETS.map(|(_, query)| query.as_bytes().to_vec()).to_vec();
    let (mut mutants, mut accepted) = (Mutants::of(examples, 300), 0);
    for (number, mut query) in mutants.by_ref() {
        // These end the query, which is no matter of its parser.
        query.iter_mut().filter(|byte| b" #\r\n".contains(byte)).for_each(|byte| *byte = b'+');
        let path = TARGETS[number].0.replace("ID", &id);
        let target = [path.as_bytes(), b"?", &query].concat();
        let shown = String::from_utf8_lossy(&target).into_owned();
        let (status, body) = get(&server, &target).await;
        if status < 300 {
            accepted += 1;
            let target = format!("{path}?{}", rewritten(&query));
            let again = get(&server, target.as_bytes()).await;
            assert!(again == (status, body), "{shown} is not {target}: {}", again.0);
            continue;
        }
        assert!((400..500).contains(&status), "{status} to {shown}");
        // What is no URL at all is not answered in words.
        if status != 400 || !body.is_empty() {
            let said: Value = serde_json::from_slice(&body).expect(&shown);
            assert!(said["message"].is_string(), "{said}");
        }
    }
    mutants.tell(accepted);
    server.stop().await;
}
