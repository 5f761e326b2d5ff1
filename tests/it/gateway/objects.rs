//! Objects, written and deleted: what is said about them, and under which conditions.

use crate::support::gateway::Gateway;

#[tokio::test]
async fn what_is_said_about_an_object_comes_back() {
    let gateway = Gateway::start().await;
    let said = [
        ("content-type", "text/x-test; charset=utf-8"),
        ("cache-control", "max-age=60, public"),
        ("content-disposition", "attachment; filename=\"a b.txt\""),
        ("content-language", "de, en"),
        ("expires", "tomorrow, maybe"),
        ("x-amz-meta-one", "1"),
        ("x-amz-meta-two-2", "a  b, c"),
    ];
    let mut put = gateway.ask("PUT", "/b1/key").body("content");
    for (name, value) in said {
        put = put.header(name, value);
    }
    let put = put.header("content-encoding", "aws-chunked, gzip").send().await;
    assert_eq!(put.status, 200, "{}", put.text());
    let etag = put.header("etag").to_owned();
    assert!(etag.len() > 34 && etag.starts_with('"') || etag.len() == 34, "{etag}");
    for method in ["GET", "HEAD"] {
        let answer = gateway.ask(method, "/b1/key").send().await;
        for (name, value) in said {
            assert_eq!(answer.header(name), value, "{method} {name}");
        }
        assert_eq!(answer.header("content-encoding"), "gzip");
        assert_eq!(answer.header("etag"), etag);
        assert_eq!(answer.header("content-length"), "7");
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert!(answer.header("last-modified").ends_with(" GMT"));
        assert_eq!(answer.text(), if method == "GET" { "content" } else { "" });
    }
    gateway.put("/b1/key", "again").await;
    let answer = gateway.ask("GET", "/b1/key").send().await;
    assert_eq!(answer.header("content-type"), "binary/octet-stream");
    assert_eq!((answer.header("x-amz-meta-one"), answer.header("expires")), ("", ""));
    gateway.stop().await;
}

#[tokio::test]
async fn metadata_that_is_not_ascii_comes_back_in_words() {
    let gateway = Gateway::start().await;
    let put = gateway.ask("PUT", "/b1/key").body("content").header("x-amz-meta-a", "grün");
    assert_eq!(put.send().await.status, 200);
    let head = gateway.ask("HEAD", "/b1/key").send().await;
    assert_eq!(head.header("x-amz-meta-a"), "=?UTF-8?B?Z3LDvG4=?=");
    let words = gateway.ask("PUT", "/b1/key").body("content");
    let words = words.header("x-amz-meta-a", "=?UTF-8?Q?no word");
    assert_eq!(words.send().await.status, 200);
    let head = gateway.ask("HEAD", "/b1/key").send().await;
    assert_eq!(head.header("x-amz-meta-a"), "=?UTF-8?Q?no word");
    let long = gateway.ask("PUT", "/b1/long").header("x-amz-meta-a", &"x".repeat(2_048));
    assert_eq!(long.send().await.refusal(), (400, "MetadataTooLarge"));
    gateway.stop().await;
}

#[tokio::test]
async fn writes_and_deletes_can_be_conditional() {
    let gateway = Gateway::start().await;
    let put =
        |name: &str, value: &str| gateway.ask("PUT", "/b1/key").body("new").header(name, value);
    assert_eq!(put("if-match", "*").send().await.refusal(), (404, "NoSuchKey"));
    assert_eq!(put("if-none-match", "*").send().await.status, 200);
    assert_eq!(put("if-none-match", "*").send().await.refusal(), (412, "PreconditionFailed"));
    let mut twice = gateway.ask("PUT", "/b1/key").body("new").signed();
    twice.add("if-none-match", "*");
    twice.add("if-none-match", "*");
    assert_eq!(twice.send().await.refusal(), (412, "PreconditionFailed"));
    let etag = gateway.ask("HEAD", "/b1/key").send().await.header("etag").to_owned();
    assert_eq!(put("if-match", "\"other\"").send().await.refusal(), (412, "PreconditionFailed"));
    assert_eq!(put("if-match", &etag).send().await.status, 200);
    let delete = |value: &str| gateway.ask("DELETE", "/b1/key").header("if-match", value);
    assert_eq!(delete("\"other\"").send().await.refusal(), (412, "PreconditionFailed"));
    for (method, name) in [("PUT", "x-amz-meta-a"), ("PUT", "x-amz-copy-source")] {
        let ask = gateway.ask(method, "/b1/key").header(name, "/b1/key");
        let ask =
            ask.header("x-amz-metadata-directive", "REPLACE").header("x-amz-if-match-size", "4");
        assert_eq!(ask.send().await.refusal(), (412, "PreconditionFailed"), "{name}");
    }
    assert_eq!(put("x-amz-if-match-size", "3").send().await.status, 200);
    assert_eq!(
        put("x-amz-if-match-size", "three").send().await.refusal(),
        (400, "InvalidArgument")
    );
    assert_eq!(gateway.read("/b1/key").await, "new");
    assert_eq!(delete(&etag).send().await.status, 204);
    assert_eq!(gateway.ask("DELETE", "/b1/key").send().await.status, 204, "gone is gone");
    gateway.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_was_there() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "before").await;
    for kind in ["UNSIGNED-PAYLOAD", ""] {
        let mut ask = gateway.ask("PUT", "/b1/key").body("x".repeat(100_000));
        if !kind.is_empty() {
            ask = ask.header("x-amz-content-sha256", kind);
        }
        let mut wire = ask.signed();
        wire.body.truncate(90_000);
        let (head, body) = (wire.head(), wire.body.clone());
        let mut stream = tokio::net::TcpStream::connect(wire.address).await.expect("connected");
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        stream.write_all(&[head, body].concat()).await.expect("sent");
        stream.shutdown().await.expect("no more");
        let mut answer = String::new();
        // It may be cut, or be told.
        let _ = stream.read_to_string(&mut answer).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(gateway.read("/b1/key").await, "before");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_length_has_to_be_said_and_may_be_nothing() {
    let gateway = Gateway::start().await;
    let mut wire = gateway.ask("PUT", "/b1/key").header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let mut bare = wire.clone().signed();
    bare.remove("content-length");
    bare.add("transfer-encoding", "chunked");
    bare.body = b"1\r\na\r\n0\r\n\r\n".to_vec();
    assert_eq!(bare.send().await.refusal(), (411, "MissingContentLength"));
    wire = wire.header("content-type", "text/plain");
    assert_eq!(wire.send().await.status, 200);
    let read = gateway.ask("GET", "/b1/key").send().await;
    assert_eq!((read.status, read.header("content-length"), read.text()), (200, "0", ""));
    gateway.stop().await;
}
