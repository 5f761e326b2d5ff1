//! Names of objects and buckets: every byte counts, and none is taken for something else.

use serde_json::json;

use crate::support::gateway::{Gateway, bucket, key, repo};

/// Paths of keys, as they go over the wire, and the keys.
const KEYS: [(&str, &str); 19] = [
    ("a/b", "a/b"),
    ("a//b", "a//b"),
    ("a/", "a/"),
    ("/a", "/a"),
    ("//", "//"),
    ("a%2Fb%2F", "a/b/"),
    ("a%20b", "a b"),
    ("a%2Bb", "a+b"),
    ("a+b", "a+b"),
    ("a%25b", "a%b"),
    ("a%2525b", "a%25b"),
    ("%C3%BC", "ü"),
    ("u%CC%88", "u\u{308}"),
    ("..", ".."),
    ("a/../b", "a/../b"),
    ("a%3Fb%26c%3Dd%23e", "a?b&c=d#e"),
    ("%27%22%3C%3E", "'\"<>"),
    ("a~b!c(d)e*f", "a~b!c(d)e*f"),
    ("%F0%9F%90%99", "\u{1f419}"),
];

#[tokio::test]
async fn keys_are_kept_byte_by_byte() {
    let gateway = Gateway::start().await;
    let mut wanted: Vec<_> = KEYS.iter().map(|(_, key)| *key).collect();
    wanted.sort_unstable();
    wanted.dedup();
    for (path, key) in KEYS {
        gateway.put(&format!("/b1/{path}"), key).await;
    }
    for (path, key) in KEYS {
        assert_eq!(gateway.read(&format!("/b1/{path}")).await, key, "{path}");
        let copy =
            gateway.ask("PUT", "/b2/copy").header("x-amz-copy-source", &format!("b1/{path}"));
        assert_eq!(copy.send().await.status, 200, "{path}");
        assert_eq!(gateway.read("/b2/copy").await, key, "{path}");
    }
    gateway.ask("DELETE", "/b2/copy").send().await;
    let list = gateway.ask("GET", "/b1?list-type=2&encoding-type=url").send().await;
    let keys: Vec<_> = list
        .elements("Key")
        .into_iter()
        .map(|key| percent_encoding::percent_decode_str(key).decode_utf8_lossy().into_owned())
        .collect();
    assert_eq!(keys, wanted);
    for (path, _) in KEYS {
        gateway.ask("DELETE", &format!("/b1/{path}")).send().await;
        let gone = gateway.ask("GET", &format!("/b1/{path}")).send().await;
        assert_eq!(gone.refusal(), (404, "NoSuchKey"), "{path}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn characters_that_xml_has_not_are_listed_all_the_same() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/a%01b%0Ac", "content").await;
    let list = gateway.ask("GET", "/b1?encoding-type=url").send().await;
    assert_eq!(list.elements("Key"), ["a%01b%0Ac"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_key_has_1_to_1024_bytes_and_no_nul() {
    let gateway = Gateway::start().await;
    let longest = format!("/b1/{}", "%C3%BC".repeat(512));
    gateway.put(&longest, "content").await;
    assert_eq!(gateway.read(&longest).await, "content");
    let longer = gateway.ask("PUT", &format!("{longest}a")).body("content").send().await;
    assert_eq!(longer.refusal(), (400, "KeyTooLongError"));
    let nul = gateway.ask("PUT", "/b1/a%00b").body("content").send().await;
    assert_eq!(nul.refusal(), (400, "InvalidRequest"));
    assert_eq!(gateway.ask("GET", "/b1/a%00b").send().await.refusal(), (404, "NoSuchKey"));
    let no_text = gateway.ask("PUT", "/b1/%FF").body("content").send().await;
    assert_eq!(no_text.status, 400, "{}", no_text.text());
    gateway.stop().await;
}

#[tokio::test]
async fn any_name_of_a_bucket_will_do_and_so_will_that_of_the_repo() {
    let gateway = Gateway::start().await;
    let long = format!("A_{}", "b.".repeat(109) + "cd");
    assert_eq!(long.len(), 222);
    let bucket = bucket(&gateway.server, &long, "disk").await;
    let links = json!([{ "bucketId": bucket, "folder": "", "master": true }]);
    let other = repo(&gateway.server, "My repo/1", "MIRROR", links).await;
    let key = key(&gateway.server, other, "WRITE").await;
    let put = gateway.ask_with(&key, "PUT", &format!("/{long}/key")).body("content").send().await;
    assert_eq!(put.status, 200, "{}", put.text());
    let read = gateway.ask_with(&key, "GET", &format!("/{long}/key")).send().await;
    assert_eq!(read.text(), "content");
    // Both names lead to the one space of a MIRROR.
    gateway.put("/repo/key", "one").await;
    assert_eq!(gateway.read("/b1/key").await, "one");
    assert_eq!(gateway.read("/b2/key").await, "one");
    gateway.stop().await;
}

#[tokio::test]
async fn the_bucket_may_be_in_the_host() {
    let gateway = Gateway::start_with("MIRROR", |config| {
        config.s3_domain = Some("s3.example.org".to_owned());
    })
    .await;
    let host = "b1.s3.example.org:9000";
    let put = gateway.ask("PUT", "/dir/key").host(host).body("content").send().await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(gateway.read("/b1/dir/key").await, "content");
    let list = gateway.ask("GET", "/").host(host).send().await;
    assert_eq!(list.elements("Key"), ["dir/key"]);
    let names = gateway.ask("GET", "/").host("s3.example.org").send().await;
    assert_eq!(names.elements("Name"), ["b1", "b2", "repo"]);
    let path = gateway.ask("GET", "/b1/dir/key").host("s3.example.org").send().await;
    assert_eq!(path.text(), "content");
    gateway.stop().await;
}
