//! Deletes of many objects at once.

use super::digests::md5;
use crate::support::gateway::{Answer, Gateway};

async fn delete(gateway: &Gateway, body: &str) -> Answer {
    let ask = gateway.ask("POST", "/b1?delete").body(body);
    ask.header("content-md5", &md5(body)).send().await
}

fn wanted(keys: &[&str], more: &str) -> String {
    let objects: String =
        keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
    format!("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{objects}{more}</Delete>")
}

#[tokio::test]
async fn many_objects_are_deleted_at_once() {
    let gateway = Gateway::start().await;
    for key in ["a", "b", "c%26d"] {
        gateway.put(&format!("/b1/{key}"), "content").await;
    }
    let answer = delete(&gateway, &wanted(&["a", "none", "c&amp;d"], "")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.elements("Key"), ["a", "none", "c&amp;d"]);
    let quiet = delete(&gateway, &wanted(&["b"], "<Quiet>true</Quiet>")).await;
    assert_eq!((quiet.status, quiet.element("Deleted")), (200, ""), "{}", quiet.text());
    assert_eq!(gateway.ask("GET", "/b1").send().await.elements("Key").len(), 0);
    gateway.stop().await;
}

#[tokio::test]
async fn what_cannot_be_deleted_is_told_apart_from_what_was() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/a", "content").await;
    gateway.put("/b1/b", "content").await;
    let etag = "<Object><Key>a</Key><ETag>\"other\"</ETag></Object>";
    let version = "<Object><Key>b</Key><VersionId>other</VersionId></Object>";
    let null = "<Object><Key>b</Key><VersionId>null</VersionId></Object>";
    let answer = delete(&gateway, &format!("<Delete>{etag}{version}{null}</Delete>")).await;
    assert_eq!(answer.elements("Code"), ["PreconditionFailed", "NoSuchVersion"]);
    assert_eq!(answer.elements("Deleted").len(), 1, "{}", answer.text());
    assert_eq!(gateway.read("/b1/a").await, "content");
    assert_eq!(gateway.ask("GET", "/b1/b").send().await.status, 404);
    gateway.stop().await;
}

#[tokio::test]
async fn a_list_of_what_to_delete_has_a_digest_and_an_end() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/a", "content").await;
    let body = wanted(&["a"], "");
    let ask = || gateway.ask("POST", "/b1?delete").body(&body);
    assert_eq!(ask().send().await.refusal(), (400, "InvalidRequest"));
    let other = ask().header("content-md5", &md5("other")).send().await;
    assert_eq!(other.refusal(), (400, "BadDigest"));
    let crc = super::chunks::crc32(b"other");
    let other = ask().header("x-amz-checksum-crc32", &crc).send().await;
    assert_eq!(other.refusal(), (400, "BadDigest"));
    for body in [wanted(&[], ""), wanted(&["a"; 1_001], ""), "<Delete>".to_owned(), String::new()] {
        let answer = delete(&gateway, &body).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    assert_eq!(gateway.read("/b1/a").await, "content");
    let right = super::chunks::crc32(body.as_bytes());
    let answer = ask().header("x-amz-checksum-crc32", &right).send().await;
    assert_eq!((answer.status, answer.element("Key")), (200, "a"));
    let all = delete(&gateway, &wanted(&["a"; 1_000], "")).await;
    assert_eq!(all.elements("Deleted").len(), 1_000);
    gateway.stop().await;
}

#[tokio::test]
async fn nothing_is_deleted_under_a_condition_that_cannot_be_read() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/a", "content").await;
    gateway.put("/b1/b", "content").await;
    let (size, time) = ("x-amz-if-match-size", "x-amz-if-match-last-modified-time");
    for (name, value) in [
        (size, "-7"),
        (size, "+7"),
        (size, "7.0"),
        (size, "seven"),
        (size, ""),
        (size, "99999999999999999999"),
        (time, "yesterday"),
        (time, "2030-01-01T00:00:00Z"),
        (time, "1893456000"),
        (time, ""),
    ] {
        let ask = gateway.ask("DELETE", "/b1/a").header(name, value);
        assert_eq!(ask.send().await.refusal(), (400, "InvalidArgument"), "{name}: {value}");
    }
    for condition in [
        "<Size>-7</Size>",
        "<Size>seven</Size>",
        "<Size></Size>",
        "<LastModifiedTime>yesterday</LastModifiedTime>",
        "<LastModifiedTime></LastModifiedTime>",
        "<LastAccessTime>Fri, 01 Jan 2100 00:00:00 GMT</LastAccessTime>",
    ] {
        let body = wanted(&["b"], &format!("<Object><Key>a</Key>{condition}</Object>"));
        assert_eq!(delete(&gateway, &body).await.refusal(), (400, "MalformedXML"), "{condition}");
    }
    let etag = gateway.ask("DELETE", "/b1/a").header("if-match", "\"grün\"");
    assert_eq!(etag.send().await.refusal(), (412, "PreconditionFailed"));
    assert_eq!(gateway.ask("GET", "/b1").send().await.elements("Key"), ["a", "b"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_time_is_compared_to_the_second() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    let date = gateway.ask("HEAD", "/b1/key").send().await.header("last-modified").to_owned();
    let time = chrono::DateTime::parse_from_rfc2822(&date).expect("a date");
    let one = chrono::TimeDelta::seconds(1);
    let ask = || gateway.ask("DELETE", "/b1/key");
    for other in [time - one, time + one] {
        let ask = ask().header("x-amz-if-match-last-modified-time", &other.to_rfc2822());
        assert_eq!(ask.send().await.refusal(), (412, "PreconditionFailed"), "{other} {date}");
    }
    let same = ask().header("x-amz-if-match-last-modified-time", &date).send().await;
    assert_eq!(same.status, 204, "{}", same.text());
    gateway.stop().await;
}
