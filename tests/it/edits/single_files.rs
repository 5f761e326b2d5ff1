//! Reading, writing and deleting one file.

use repoplane_client::reqwest;
use repoplane_client::types::FileMode;

use crate::support::fsck::git;
use crate::support::repo::{Repo, answer, files};
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn put_says_whether_the_file_is_new() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let put = async |content: &'static str| {
        let put = repo.client.put_source_file().repo_id(repo.id).file_path("d/a").body(content);
        let done = put.send().await.expect("a file");
        (done.status().as_u16(), done.into_inner())
    };
    let (status, made) = put("1").await;
    assert_eq!((status, made.changed_files), (201, Some(vec!["d/a".to_owned()])));
    let (status, changed) = put("2").await;
    assert_eq!((status, changed.changed_files), (200, Some(vec!["d/a".to_owned()])));
    let (status, same) = put("2").await;
    assert_eq!((status, same.changed_files), (200, Some(vec![])));
    assert_eq!(same.repo_head, changed.repo_head);
    server.stop().await;
}

#[tokio::test]
async fn any_bytes_come_back_as_they_went() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let every: Vec<u8> = (0..=255).collect();
    let large = every.repeat(20_000);
    for bytes in [vec![], every, large, b"{\"json\": true}".to_vec(), b"\r\n\xef\xbb\xbf".to_vec()]
    {
        repo.put("f", bytes.clone()).await.expect("a file");
        assert!(repo.read("f").await.expect("the file") == bytes);
    }
    server.stop().await;
}

#[tokio::test]
async fn put_conflicts_where_an_edit_would() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("f", "f"), ("d/a", "a")]).await;
    for path in ["d", "f/x"] {
        let refusal = repo.put(path, "1").await.expect_err("in the way");
        assert_eq!(refusal.cause(), (409, "conflict"), "{path}");
    }
    assert_eq!(repo.files().await, files(&[("f", "f"), ("d/a", "a")]));
    server.stop().await;
}

#[tokio::test]
async fn put_takes_raw_bytes_only() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let url = format!("{}/v1/repo/{}/file/a", server.url(), repo.id);
    for content_type in [None, Some("application/json"), Some("text/plain")] {
        let mut put = reqwest::Client::new().put(&url).bearer_auth(OWNER_TOKEN).body("x");
        if let Some(content_type) = content_type {
            put = put.header("content-type", content_type);
        }
        let status = put.send().await.expect("an answer").status();
        assert_eq!(status.as_u16(), 415, "{content_type:?}");
    }
    let put = reqwest::Client::new().put(&url).bearer_auth(OWNER_TOKEN);
    let put = put.header("content-type", "application/octet-stream; charset=binary");
    assert_eq!(put.body("x").send().await.expect("an answer").status().as_u16(), 201);
    server.stop().await;
}

#[tokio::test]
async fn put_sets_the_mode_when_asked() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let put = repo.client.put_source_file().repo_id(repo.id).file_path("run").body("1");
    put.mode(FileMode::X100755).send().await.expect("a file");
    repo.put("run", "2").await.expect("a file");
    let server = server.restart().await;
    let tree = git(&["-C", &server.cached(repo.id), "ls-tree", "main"]);
    assert!(tree.starts_with("100755 "), "{tree}");
    server.stop().await;
}

#[tokio::test]
async fn delete_takes_a_file_or_a_directory_and_what_is_absent_is_404() {
    let server = Server::start().await;
    let start = [("a", "a"), ("d/b", "b"), ("d/e/c", "c"), ("f", "f")];
    let repo = Repo::create(&server.owner(), &start).await;
    let delete = async |path: &'static str| {
        let delete = repo.client.delete_source_file().repo_id(repo.id).file_path(path);
        answer(delete.send().await).map(|done| done.changed_files.expect("changed files"))
    };
    assert_eq!(delete("a").await.expect("deleted"), ["a"]);
    assert_eq!(delete("d").await.expect("deleted"), ["d/b", "d/e/c"]);
    for absent in ["a", "d", "d/b", "f/x", "x"] {
        let refusal = delete(absent).await.expect_err("absent");
        assert_eq!(refusal.cause(), (404, "not_found"), "{absent}");
        let refusal = repo.read(absent).await.expect_err("absent");
        assert_eq!(refusal.cause(), (404, "not_found"), "{absent}");
    }
    assert_eq!(repo.files().await, files(&[("f", "f")]));
    server.stop().await;
}

#[tokio::test]
async fn a_directory_cannot_be_read_as_a_file() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("d/e/a", "a")]).await;
    for directory in ["d", "d/e"] {
        let refusal = repo.read(directory).await.expect_err("a directory");
        assert_eq!(refusal.cause(), (404, "not_found"), "{directory}");
    }
    server.stop().await;
}

/// Status, the headers that are about the content, and the bytes.
async fn get(
    repo: &Repo,
    server: &Server,
    headers: &[(&str, &str)],
) -> (u16, [String; 2], Vec<u8>) {
    let url = format!("{}/v1/repo/{}/file/d%2Ff", server.url(), repo.id);
    let mut request = reqwest::Client::new().get(url).bearer_auth(OWNER_TOKEN);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    let header = |name: &str| {
        let value = answer.headers().get(name).map(|value| value.to_str().expect("text"));
        value.unwrap_or_default().to_owned()
    };
    let about = [header("etag"), header("content-range")];
    (answer.status().as_u16(), about, answer.bytes().await.expect("the body").to_vec())
}

#[tokio::test]
async fn a_file_is_sent_in_parts_and_not_at_all_to_who_has_it() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("d/f", "0123456789")]).await;
    // What `git hash-object` says of it.
    let etag = "\"ad471007bd7f5983d273b9584e5629230150fd54\"".to_owned();
    let (status, about, bytes) = get(&repo, &server, &[]).await;
    assert_eq!(
        (status, about, &bytes[..]),
        (200, [etag.clone(), String::new()], &b"0123456789"[..])
    );
    for (range, expected, which) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=3-5", "345", "bytes 3-5/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-4", "6789", "bytes 6-9/10"),
    ] {
        let (status, about, bytes) = get(&repo, &server, &[("range", range)]).await;
        assert_eq!((status, about), (206, [etag.clone(), which.to_owned()]), "{range}");
        assert_eq!(bytes, expected.as_bytes());
    }
    let (status, about, _) = get(&repo, &server, &[("range", "bytes=10-")]).await;
    assert_eq!((status, &about[1][..]), (416, "bytes */10"));
    let (status, about, bytes) = get(&repo, &server, &[("if-none-match", &etag)]).await;
    assert_eq!((status, about, bytes.len()), (304, [etag.clone(), String::new()], 0));
    let ask = repo.client.get_source_file().repo_id(repo.id).file_path("d/f").range("bytes=2-3");
    let part = ask.send().await.expect("a part");
    assert_eq!(part.status().as_u16(), 206);

    repo.put("d/f", "other").await.expect("a file");
    let headers = [("if-none-match", etag.as_str()), ("if-range", &etag), ("range", "bytes=1-")];
    let (status, about, bytes) = get(&repo, &server, &headers).await;
    assert_eq!((status, &bytes[..]), (200, &b"other"[..]), "it is another file now");
    assert_ne!(about[0], etag);
    server.stop().await;
}
