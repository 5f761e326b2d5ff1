//! Contents that come in chunks, with and without signatures and trailers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::gateway::sign::Chain;
use crate::support::gateway::{Answer, Gateway, Wire};

const UNSIGNED: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const TRAILED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const CRC: &str = "x-amz-checksum-crc32";

pub fn crc32(content: &[u8]) -> String {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, content);
    STANDARD.encode(&crc.to_be_bytes()[4..])
}

/// A request for a content of this length, to which the body is still missing.
fn begun(gateway: &Gateway, kind: &str, length: usize) -> (Wire, Chain) {
    let mut ask = gateway.ask("PUT", "/b1/key").header("x-amz-content-sha256", kind);
    ask = ask.header("x-amz-decoded-content-length", &length.to_string());
    ask = ask.header("content-encoding", "aws-chunked");
    if kind != SIGNED {
        ask = ask.header("x-amz-trailer", CRC);
    }
    ask.seeded()
}

async fn sent(mut wire: Wire, body: &[u8]) -> Answer {
    wire.body = body.to_vec();
    wire.add("content-length", &body.len().to_string());
    wire.send().await
}

#[tokio::test]
async fn a_content_without_signatures_is_taken_if_its_trailer_is_right() {
    let gateway = Gateway::start().await;
    let right = crc32(b"content");
    for (body, code) in [
        (format!("7\r\ncontent\r\n0\r\n{CRC}:{right}\r\n\r\n"), ""),
        (format!("3\r\ncon\r\n4\r\ntent\r\n0\r\n{CRC}: {right}\r\n"), ""),
        (format!("7\r\ncontent\r\n0\r\n{CRC}:AAAAAA==\r\n\r\n"), "BadDigest"),
        ("7\r\ncontent\r\n0\r\n\r\n".to_owned(), "IncompleteBody"),
        ("7\r\ncontent\r\n0\r\n".to_owned(), "IncompleteBody"),
        ("7\r\ncontent\r\n".to_owned(), "IncompleteBody"),
        ("7\r\nconte".to_owned(), "IncompleteBody"),
        (format!("7\r\ncontent\r\n0\r\nx-amz-checksum-sha1:{right}\r\n\r\n"), "IncompleteBody"),
        (format!("7\r\ncontent\r\n0\r\n{CRC}:{right}\r\nother:1\r\n\r\n"), "IncompleteBody"),
        (format!("8\r\ncontent!\r\n0\r\n{CRC}:{right}\r\n\r\n"), "IncompleteBody"),
        (format!("6\r\nconten\r\n0\r\n{CRC}:{right}\r\n\r\n"), "IncompleteBody"),
        (format!("7\r\ncontent0\r\n{CRC}:{right}\r\n\r\n"), "InvalidRequest"),
        (format!("-7\r\ncontent\r\n0\r\n{CRC}:{right}\r\n\r\n"), "InvalidRequest"),
        ("content".to_owned(), "IncompleteBody"),
    ] {
        let (wire, _) = begun(&gateway, UNSIGNED, 7);
        let answer = sent(wire, body.as_bytes()).await;
        let status = if code.is_empty() { 200 } else { 400 };
        assert_eq!((answer.status, answer.element("Code")), (status, code), "{body:?}");
        let found = gateway.ask("HEAD", "/b1/key").send().await;
        assert_eq!(found.status == 200, code.is_empty(), "{body:?}");
        if code.is_empty() {
            assert_eq!(answer.header(CRC), right);
            assert_eq!(found.header("content-encoding"), "", "how it came is not what it is");
            assert_eq!(gateway.read("/b1/key").await, "content");
            gateway.ask("DELETE", "/b1/key").send().await;
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn one_long_chunk_is_taken_whole() {
    let gateway = Gateway::start().await;
    let content = vec![b'x'; 3 * 1024 * 1024 + 1];
    let (wire, _) = begun(&gateway, UNSIGNED, content.len());
    let head = format!("{:X}\r\n", content.len());
    let end = format!("\r\n0\r\n{CRC}:{}\r\n\r\n", crc32(&content));
    let answer = sent(wire, &[head.as_bytes(), &content, end.as_bytes()].concat()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(gateway.ask("GET", "/b1/key").send().await.body == content);
    gateway.stop().await;
}

#[tokio::test]
async fn chunks_with_signatures_are_taken_if_all_of_them_are_right() {
    type Change = fn(&mut Vec<u8>);
    let gateway = Gateway::start().await;
    let cases: [(&str, Change); 6] = [
        ("", |_| {}),
        ("SignatureDoesNotMatch", |body| {
            let at = body.windows(7).position(|seven| seven == b"content").expect("content");
            body[at] = b'k';
        }),
        ("SignatureDoesNotMatch", |body| {
            let at = body.iter().position(|byte| *byte == b'=').expect("a signature") + 1;
            body[at] = if body[at] == b'0' { b'1' } else { b'0' };
        }),
        ("IncompleteBody", |body| {
            let at = body.windows(3).rposition(|three| three == b"0;c").expect("the last chunk");
            body.truncate(at);
        }),
        ("InvalidRequest", |body| {
            let text = String::from_utf8_lossy(body).replacen(";chunk-signature", ";other", 1);
            *body = text.into_bytes();
        }),
        ("InvalidChunkSizeError", |body| {
            body.splice(0..1, *b"100001");
        }),
    ];
    for (number, (code, change)) in cases.into_iter().enumerate() {
        let (wire, mut chain) = begun(&gateway, SIGNED, 7);
        let mut body = chain.chunk(b"content");
        body.extend(chain.chunk(b""));
        change(&mut body);
        body.extend_from_slice(b"\r\n");
        if code == "IncompleteBody" {
            body.truncate(body.len() - 2);
        }
        let answer = sent(wire, &body).await;
        assert_eq!(answer.element("Code"), code, "{number}: {}", answer.text());
        let found = gateway.ask("HEAD", "/b1/key").send().await;
        assert_eq!(found.status == 200, code.is_empty(), "{number}");
        gateway.ask("DELETE", "/b1/key").send().await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_trailer_with_a_signature_is_taken_if_that_is_right() {
    let gateway = Gateway::start().await;
    for (value, other, code) in [
        (crc32(b"content"), None, ""),
        ("AAAAAA==".to_owned(), None, "BadDigest"),
        (crc32(b"content"), Some("AAAAAA=="), "SignatureDoesNotMatch"),
    ] {
        let (wire, mut chain) = begun(&gateway, TRAILED, 7);
        let mut body = chain.chunk(b"content");
        body.extend(chain.chunk(b""));
        let trailer = String::from_utf8(chain.trailer(CRC, &value)).expect("text");
        let trailer = other.map_or(trailer.clone(), |other| trailer.replace(&value, other));
        body.extend_from_slice(trailer.as_bytes());
        let answer = sent(wire, &body).await;
        assert_eq!(answer.element("Code"), code, "{value} {other:?}: {}", answer.text());
        let found = gateway.ask("HEAD", "/b1/key").send().await;
        assert_eq!(found.status == 200, code.is_empty(), "{value} {other:?}");
        gateway.ask("DELETE", "/b1/key").send().await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_said_of_chunks_beforehand_has_to_fit() {
    let gateway = Gateway::start().await;
    let ask = |kind: &str| gateway.ask("PUT", "/b1/key").header("x-amz-content-sha256", kind);
    let length = "x-amz-decoded-content-length";
    for (ask, refusal) in [
        (ask(SIGNED), (411, "MissingContentLength")),
        (ask(SIGNED).header(length, "7a"), (411, "MissingContentLength")),
        (ask(UNSIGNED).header(length, "7"), (400, "InvalidRequest")),
        (
            ask(UNSIGNED).header(length, "7").header("x-amz-trailer", "other"),
            (400, "InvalidRequest"),
        ),
        (ask(SIGNED).header(length, "7").header("x-amz-trailer", CRC), (400, "InvalidRequest")),
        (ask("UNSIGNED-PAYLOAD").header("x-amz-trailer", CRC), (400, "InvalidRequest")),
        (
            ask("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").header(length, "7"),
            (501, "NotImplemented"),
        ),
    ] {
        assert_eq!(sent(ask.signed(), b"").await.refusal(), refusal);
    }
    gateway.stop().await;
}
