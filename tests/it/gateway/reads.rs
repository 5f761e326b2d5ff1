//! Parts of objects, and reads under conditions.

use crate::support::gateway::Gateway;

#[tokio::test]
async fn ranges_are_what_http_says() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "0123456789").await;
    gateway.put("/b1/none", "").await;
    for (range, status, content, said) in [
        ("bytes=0-0", 206, "0", "bytes 0-0/10"),
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=-30", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=8-30", 206, "89", "bytes 8-9/10"),
        // Several at once, or what is no range: all of it.
        ("bytes=0-1,4-5", 200, "0123456789", ""),
        ("bytes=4-2", 200, "0123456789", ""),
        ("lines=1-2", 200, "0123456789", ""),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = gateway.ask(method, "/b1/key").header("range", range).send().await;
            assert_eq!(answer.status, status, "{method} {range}");
            assert_eq!(answer.header("content-range"), said, "{method} {range}");
            let length = content.len().to_string();
            assert_eq!(answer.header("content-length"), length, "{method} {range}");
            let expected = if method == "GET" { content } else { "" };
            assert_eq!(answer.text(), expected, "{method} {range}");
        }
    }
    for (path, range) in
        [("/b1/key", "bytes=10-"), ("/b1/key", "bytes=-0"), ("/b1/none", "bytes=0-")]
    {
        let answer = gateway.ask("GET", path).header("range", range).send().await;
        assert_eq!(answer.refusal(), (416, "InvalidRange"), "{path} {range}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_part_of_another_state_is_not_sent() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "0123456789").await;
    let head = gateway.ask("HEAD", "/b1/key").send().await;
    let (etag, date) = (head.header("etag"), head.header("last-modified"));
    for (known, status) in
        [(etag, 206), (date, 206), ("\"other\"", 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 200)]
    {
        let ask = gateway.ask("GET", "/b1/key").header("range", "bytes=0-1");
        let answer = ask.header("if-range", known).send().await;
        assert_eq!(answer.status, status, "{known}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn an_object_that_came_whole_is_its_own_first_part() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    let first = gateway.ask("GET", "/b1/key?partNumber=1").send().await;
    assert_eq!((first.status, first.text()), (206, "content"));
    assert_eq!(first.header("x-amz-mp-parts-count"), "");
    let second = gateway.ask("GET", "/b1/key?partNumber=2").send().await;
    assert_eq!(second.refusal(), (416, "InvalidPartNumber"));
    for part in ["0", "-1", "a"] {
        let answer = gateway.ask("GET", &format!("/b1/key?partNumber={part}")).send().await;
        assert_eq!(answer.refusal(), (400, "InvalidArgument"), "{part}");
    }
    let both = gateway.ask("GET", "/b1/key?partNumber=1").header("range", "bytes=0-1");
    assert_eq!(both.send().await.refusal(), (400, "InvalidRequest"));
    gateway.stop().await;
}

#[tokio::test]
async fn reads_can_be_conditional() {
    let gateway = Gateway::start().await;
    let put = gateway.ask("PUT", "/b1/key").header("cache-control", "max-age=60");
    put.body("content").send().await;
    let head = gateway.ask("HEAD", "/b1/key").send().await;
    let (etag, date) = (head.header("etag"), head.header("last-modified"));
    let (before, after) = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    for (name, value, status) in [
        ("if-match", etag, 200),
        ("if-match", "*", 200),
        ("if-match", "\"other\", \"another\"", 412),
        ("if-none-match", etag, 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", before, 200),
        ("if-modified-since", date, 304),
        ("if-modified-since", "yesterday", 200),
        ("if-unmodified-since", before, 412),
        ("if-unmodified-since", date, 200),
        ("if-unmodified-since", after, 200),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = gateway.ask(method, "/b1/key").header(name, value).send().await;
            assert_eq!(answer.status, status, "{method} {name}: {value}");
            if status == 304 {
                assert_eq!((answer.header("etag"), answer.body.len()), (etag, 0));
                assert_eq!(answer.header("last-modified"), date);
                assert_eq!(answer.header("cache-control"), "max-age=60");
            }
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_query_that_is_signed_sets_headers_of_the_answer() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    let set = [
        ("cache-control", "no-store"),
        ("content-disposition", "attachment; filename=\"a.txt\""),
        ("content-encoding", "identity"),
        ("content-language", "de"),
        ("content-type", "text/plain"),
        ("expires", "Fri, 01 Jan 2100 00:00:00 GMT"),
    ];
    for method in ["GET", "HEAD"] {
        let mut ask = gateway.ask(method, "/b1/key");
        for (name, value) in set {
            ask = ask.query(&format!("response-{name}"), value);
        }
        for answer in [ask.clone().send().await, ask.presigned(60).send().await] {
            for (name, value) in set {
                assert_eq!(answer.header(name), value, "{method} {name}");
            }
        }
    }
    gateway.stop().await;
}
