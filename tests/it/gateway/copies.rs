//! Copies of objects.

use crate::support::gateway::{Ask, Gateway};

fn copy(gateway: &Gateway, from: &str, to: &str) -> Ask {
    gateway.ask("PUT", to).header("x-amz-copy-source", from)
}

async fn stocked() -> Gateway {
    let gateway = Gateway::start().await;
    let put = gateway.ask("PUT", "/b1/from").body("content").header("content-type", "text/a");
    let put = put.header("x-amz-meta-a", "1").header("x-amz-tagging", "a=1");
    assert_eq!(put.send().await.status, 200);
    gateway
}

#[tokio::test]
async fn a_copy_is_like_its_source_unless_it_is_to_be_another() {
    let gateway = stocked().await;
    let answer = copy(&gateway, "/b1/from", "/b2/to").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.element("ETag").is_empty() && !answer.element("LastModified").is_empty());
    let same = gateway.ask("GET", "/b1/to").send().await;
    assert_eq!((same.text(), same.header("content-type")), ("content", "text/a"));
    assert_eq!((same.header("x-amz-meta-a"), same.header("x-amz-tagging-count")), ("1", "1"));

    let other = copy(&gateway, "b1/from", "/b1/to").header("x-amz-metadata-directive", "REPLACE");
    let other = other.header("content-type", "text/b").header("x-amz-tagging-directive", "REPLACE");
    assert_eq!(other.send().await.status, 200);
    let changed = gateway.ask("HEAD", "/b1/to").send().await;
    assert_eq!((changed.header("content-type"), changed.header("x-amz-meta-a")), ("text/b", ""));
    assert_eq!(changed.header("x-amz-tagging-count"), "");

    let digest = copy(&gateway, "b1/from", "/b1/to").header("x-amz-checksum-algorithm", "SHA256");
    let digest = digest.send().await;
    assert_eq!(digest.element("ChecksumSHA256"), "7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=");
    gateway.stop().await;
}

#[tokio::test]
async fn a_copy_onto_itself_has_to_change_something() {
    let gateway = stocked().await;
    let nothing = copy(&gateway, "b1/from", "/b2/from").send().await;
    assert_eq!(nothing.refusal(), (400, "InvalidRequest"));
    let changed = copy(&gateway, "b1/from", "/b1/from");
    let changed = changed.header("x-amz-metadata-directive", "REPLACE");
    assert_eq!(changed.header("x-amz-meta-b", "2").send().await.status, 200);
    let head = gateway.ask("HEAD", "/b1/from").send().await;
    assert_eq!((head.header("x-amz-meta-a"), head.header("x-amz-meta-b")), ("", "2"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_source_can_be_held_to_conditions() {
    let gateway = stocked().await;
    let etag = gateway.ask("HEAD", "/b1/from").send().await.header("etag").to_owned();
    let (before, after) = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    for (name, value, status) in [
        ("if-match", etag.as_str(), 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", etag.as_str(), 412),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", before, 200),
        ("if-unmodified-since", before, 412),
        ("if-unmodified-since", after, 200),
    ] {
        let ask = copy(&gateway, "b1/from", "/b1/to");
        let answer = ask.header(&format!("x-amz-copy-source-{name}"), value).send().await;
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.text());
    }
    gateway.stop().await;
}

#[tokio::test]
async fn sources_that_cannot_be_are_refused() {
    let gateway = stocked().await;
    for (source, refusal) in [
        ("b1/none", (404, "NoSuchKey")),
        ("none/from", (404, "NoSuchBucket")),
        ("b1", (400, "InvalidArgument")),
        ("b1/", (400, "InvalidArgument")),
        ("/", (400, "InvalidArgument")),
        ("b1/%FF", (400, "InvalidArgument")),
        ("b1/from?versionId=other", (404, "NoSuchVersion")),
    ] {
        let answer = copy(&gateway, source, "/b1/to").send().await;
        assert_eq!(answer.refusal(), refusal, "{source}: {}", answer.text());
    }
    let null = copy(&gateway, "b1/from?versionId=null", "/b1/to").send().await;
    assert_eq!(null.status, 200);
    let odd = copy(&gateway, "b1/from", "/b1/to").header("x-amz-metadata-directive", "KEEP");
    assert_eq!(odd.send().await.refusal(), (400, "InvalidArgument"));
    gateway.stop().await;
}
