//! How far access keys go, and that one storage repo knows nothing of another.

use serde_json::json;

use crate::support::gateway::{Gateway, bucket, key, repo};

const DELETE: &str = "<Delete><Object><Key>key</Key></Object></Delete>";
const TAGGING: &str = "<Tagging><TagSet></TagSet></Tagging>";

/// Requests, each with the least access it needs.
const REQUESTS: [(&str, &str, &str, &str); 18] = [
    ("READ", "GET", "/", ""),
    ("READ", "HEAD", "/b1", ""),
    ("READ", "GET", "/b1", ""),
    ("READ", "GET", "/b1?list-type=2", ""),
    ("READ", "GET", "/b1?versions", ""),
    ("READ", "GET", "/b1?location", ""),
    ("READ", "GET", "/b1?acl", ""),
    ("READ", "GET", "/b1/key", ""),
    ("READ", "HEAD", "/b1/key", ""),
    ("READ", "GET", "/b1/key?tagging", ""),
    ("READ", "GET", "/b1/key?acl", ""),
    ("WRITE", "PUT", "/b1/key", "content"),
    ("WRITE", "PUT", "/b1/key?tagging", TAGGING),
    ("WRITE", "DELETE", "/b1/key?tagging", ""),
    ("WRITE", "PUT", "/b1/key?acl", ""),
    ("WRITE", "POST", "/b1?delete", DELETE),
    ("WRITE", "DELETE", "/b1/other", ""),
    ("ADMIN", "PUT", "/b1?acl", ""),
];

#[tokio::test]
async fn an_access_key_does_what_its_access_says_and_no_more() {
    let gateway = Gateway::start().await;
    let order = ["READ", "WRITE", "ADMIN"];
    for (held, access) in order.iter().enumerate() {
        let key = gateway.another(access).await;
        for (needed, method, path, body) in REQUESTS {
            gateway.put("/b1/key", "content").await;
            let mut ask = gateway.ask_with(&key, method, path).body(body);
            if method == "POST" {
                ask = ask.header("content-md5", &super::digests::md5(body));
            }
            let answer = ask.send().await;
            let allowed = order.iter().position(|name| *name == needed) <= Some(held);
            assert_eq!(answer.status < 300, allowed, "{access} {method} {path}: {}", answer.text());
            if !allowed {
                assert_eq!(answer.refusal(), (403, "AccessDenied"), "{access} {method} {path}");
                assert_eq!(gateway.read("/b1/key").await, "content", "{method} {path}");
            }
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn another_storage_repo_is_as_if_it_were_not_there() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    let theirs = bucket(&gateway.server, "theirs", "disk").await;
    let links = json!([{ "bucketId": theirs, "folder": "", "master": true }]);
    let other = repo(&gateway.server, "other", "MIRROR", links).await;
    let key = key(&gateway.server, other, "ADMIN").await;
    for (method, path) in
        [("GET", "/b1/key"), ("PUT", "/b1/new"), ("GET", "/b1"), ("GET", "/repo"), ("GET", "/none")]
    {
        let answer = gateway.ask_with(&key, method, path).send().await;
        assert_eq!(answer.refusal(), (404, "NoSuchBucket"), "{method} {path}");
    }
    let copy = gateway.ask_with(&key, "PUT", "/theirs/key").header("x-amz-copy-source", "/b1/key");
    assert_eq!(copy.send().await.refusal(), (404, "NoSuchBucket"));
    let names = gateway.ask_with(&key, "GET", "/").send().await;
    assert_eq!(names.elements("Name"), ["other", "theirs"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_storage_repo_that_is_disabled_opens_to_nobody() {
    let gateway = Gateway::start().await;
    let change = |disabled| {
        let body = json!({ "disabled": disabled, "mode": "MIRROR", "name": "repo",
            "storageType": "S3" });
        gateway.change(body)
    };
    change(true).await;
    assert_eq!(gateway.ask("GET", "/b1").send().await.refusal(), (403, "AccessDenied"));
    change(false).await;
    assert_eq!(gateway.ask("GET", "/b1").send().await.status, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn a_bucket_that_should_have_another_owner_is_refused() {
    let gateway = Gateway::start().await;
    let owner = gateway.ask("GET", "/").send().await.element("ID").to_owned();
    for (expected, status) in [(owner.as_str(), 200), ("123456789012", 403)] {
        let ask = gateway.ask("GET", "/b1").header("x-amz-expected-bucket-owner", expected);
        assert_eq!(ask.send().await.status, status, "{expected}");
    }
    gateway.stop().await;
}
