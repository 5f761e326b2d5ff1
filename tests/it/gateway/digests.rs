//! Digests of contents: those that clients give, and those they ask for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::gateway::Gateway;

/// Of the bytes `content`, from other programs.
const KNOWN: [(&str, &str); 5] = [
    ("x-amz-checksum-crc32", "/sUwqQ=="),
    ("x-amz-checksum-crc32c", "Ya91Mw=="),
    ("x-amz-checksum-crc64nvme", "lhVdXyVQTGE="),
    ("x-amz-checksum-sha1", "BA8G/XdAkkeNRQd09bowxdp4rMg="),
    ("x-amz-checksum-sha256", "7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M="),
];

pub fn md5(content: &str) -> String {
    STANDARD.encode(md5::Md5::digest(content))
}

#[tokio::test]
async fn a_digest_that_is_given_has_to_be_right_and_is_given_back() {
    let gateway = Gateway::start().await;
    for (name, value) in KNOWN {
        let put = |content: &str| gateway.ask("PUT", "/b1/key").body(content).header(name, value);
        assert_eq!(put("c0ntent").send().await.refusal(), (400, "BadDigest"), "{name}");
        assert_eq!(gateway.ask("HEAD", "/b1/key").send().await.status, 404, "{name}");
        let answer = put("content").send().await;
        assert_eq!((answer.status, answer.header(name)), (200, value), "{}", answer.text());
        assert_eq!(answer.header("x-amz-checksum-type"), "FULL_OBJECT");
        let head = || gateway.ask("HEAD", "/b1/key");
        assert_eq!(head().send().await.header(name), "", "nobody asked for {name}");
        let asked = head().header("x-amz-checksum-mode", "ENABLED").send().await;
        assert_eq!(asked.header(name), value);
        let part = gateway.ask("GET", "/b1/key").header("x-amz-checksum-mode", "ENABLED");
        let part = part.header("range", "bytes=0-1").send().await;
        assert_eq!(part.header(name), "", "it is not that of a part");
        gateway.ask("DELETE", "/b1/key").send().await;
    }
    let answer = gateway.put("/b1/key", "content").await;
    assert_eq!(answer.header("x-amz-checksum-crc64nvme"), "lhVdXyVQTGE=");
    gateway.stop().await;
}

#[tokio::test]
async fn digests_that_cannot_be_are_refused() {
    let gateway = Gateway::start().await;
    let put = || gateway.ask("PUT", "/b1/key").body("content");
    let [(crc32, value), _, _, (sha1, other), _] = KNOWN;
    for (ask, refusal) in [
        (put().header("content-md5", "short"), (400, "InvalidDigest")),
        (put().header("content-md5", "bWlzc2luZw=="), (400, "InvalidDigest")),
        (put().header("content-md5", &md5("c0ntent")), (400, "BadDigest")),
        (put().header(crc32, ""), (400, "InvalidRequest")),
        (put().header(crc32, "short"), (400, "InvalidRequest")),
        (put().header(crc32, other), (400, "InvalidRequest")),
        (put().header(crc32, value).header(sha1, other), (400, "InvalidRequest")),
        (put().header("x-amz-sdk-checksum-algorithm", "CRC32"), (400, "InvalidRequest")),
        (put().header("x-amz-sdk-checksum-algorithm", "CRC16"), (400, "InvalidRequest")),
        (
            put().header(crc32, value).header("x-amz-sdk-checksum-algorithm", "SHA1"),
            (400, "InvalidRequest"),
        ),
    ] {
        assert_eq!(ask.send().await.refusal(), refusal);
    }
    for [first, second] in [["c0ntent", "c0ntent"], ["content", "c0ntent"]] {
        let mut twice = put().header("x-amz-content-sha256", "UNSIGNED-PAYLOAD").signed();
        twice.add("content-md5", &md5(first));
        twice.add("content-md5", &md5(second));
        assert_eq!(twice.send().await.refusal(), (400, "InvalidDigest"));
    }
    assert_eq!(gateway.ask("HEAD", "/b1/key").send().await.status, 404);
    let right = put().header("content-md5", &md5("content")).send().await;
    assert_eq!(right.status, 200, "{}", right.text());
    gateway.stop().await;
}

/// The rest of a content that nobody has read would be taken for the next request.
#[tokio::test]
async fn a_connection_is_kept_unless_a_content_was_left_unread() {
    let gateway = Gateway::start().await;
    let next = gateway.ask("HEAD", "/b1/key").signed();
    for (digest, statuses) in [("/sUwqQ==", vec!["200", "200"]), ("short", vec!["400"])] {
        let put = gateway.ask("PUT", "/b1/key").body("content").header(KNOWN[0].0, digest).signed();
        let head = String::from_utf8(put.head()).expect("a head");
        let head = head.replace("connection: close\r\n", "");
        let both = [head.as_bytes(), &put.body, &next.head()].concat();
        let mut stream = tokio::net::TcpStream::connect(put.address).await.expect("connected");
        stream.write_all(&both).await.expect("two requests");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.expect("answers, and the end");
        let found: Vec<_> =
            answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
        assert_eq!(found, statuses, "{answers}");
        assert_eq!(answers.matches("connection: close").count(), 1, "{answers}");
    }
    gateway.stop().await;
}
