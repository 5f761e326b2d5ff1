//! URLs that are signed. Each case changes one thing of a URL that works.

use crate::support::gateway::{Gateway, Wire};

type Change = fn(&mut Wire);

const CASES: [(&str, &str, Change); 24] = [
    ("another key", "SignatureDoesNotMatch", |wire| wire.swap_target("/b1/key", "/b1/kez")),
    ("another method", "SignatureDoesNotMatch", |wire| wire.method = "DELETE".to_owned()),
    ("a longer life", "SignatureDoesNotMatch", |wire| {
        wire.swap_target("X-Amz-Expires=60", "X-Amz-Expires=61");
    }),
    ("a life of more than a week", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("X-Amz-Expires=60", "X-Amz-Expires=604801");
    }),
    ("a life that is no number", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("X-Amz-Expires=60", "X-Amz-Expires=%2B60");
    }),
    ("a negative life", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("X-Amz-Expires=60", "X-Amz-Expires=-60");
    }),
    ("no life", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("&X-Amz-Expires=60", "");
    }),
    ("two lives", "AuthorizationQueryParametersError", |wire| {
        wire.target.push_str("&X-Amz-Expires=60");
    }),
    ("a date that is none", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("X-Amz-Date=20", "X-Amz-Date=");
    }),
    ("another algorithm", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1");
    }),
    ("no algorithm", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "");
    }),
    ("a misspelt parameter", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("X-Amz-Signature", "x-amz-signature");
    }),
    ("another service", "AuthorizationQueryParametersError", |wire| {
        wire.swap_target("%2Fs3%2F", "%2Fsts%2F");
    }),
    ("another access key", "InvalidAccessKeyId", |wire| {
        wire.swap_target("X-Amz-Credential=RP", "X-Amz-Credential=XX");
    }),
    ("a host that is not signed", "AccessDenied", |wire| {
        wire.swap_target("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=date");
    }),
    ("an access list", "AccessDenied", |wire| wire.add("x-amz-acl", "public-read")),
    ("metadata", "AccessDenied", |wire| wire.add("x-amz-meta-a", "1")),
    ("a copy source", "AccessDenied", |wire| wire.add("x-amz-copy-source", "/b1/private")),
    ("tags", "AccessDenied", |wire| wire.add("x-amz-tagging", "a=1")),
    ("a digest", "AccessDenied", |wire| wire.add("x-amz-checksum-crc32", "AAAAAA==")),
    ("a parameter that is a header", "SignatureDoesNotMatch", |wire| {
        wire.target.push_str("&x-amz-acl=private");
    }),
    ("a header of its own", "InvalidArgument", |wire| {
        wire.add(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/20200101/r/s3/aws4_request, \
            SignedHeaders=host, Signature=00",
        );
    }),
    ("a session token", "InvalidToken", |wire| wire.target.push_str("&X-Amz-Security-Token=t")),
    ("another body than its hash", "XAmzContentSHA256Mismatch", |wire| {
        wire.add("x-amz-content-sha256", &"0".repeat(64));
    }),
];

#[tokio::test]
async fn a_url_with_one_thing_changed_is_refused_and_changes_nothing() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/private", "private").await;
    let right = gateway.ask("PUT", "/b1/key").body("content").presigned(60);
    for (what, code, change) in CASES {
        let mut wire = right.clone();
        change(&mut wire);
        let answer = wire.send().await;
        assert_eq!(answer.element("Code"), code, "{what}: {} {}", answer.status, answer.text());
        let found = gateway.ask("HEAD", "/b1/key").send().await;
        assert_eq!(found.status, 404, "{what} made an object");
    }
    let answer = right.send().await;
    assert_eq!(answer.status, 200, "what was changed was right: {}", answer.text());
    assert_eq!(gateway.read("/b1/key").await, "content");
    gateway.stop().await;
}

#[tokio::test]
async fn a_url_ends_and_does_not_begin_before_its_time() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    for (later, expires, status) in
        [(-50, 60, 200), (-70, 60, 403), (-604_700, 604_800, 200), (880, 60, 200), (920, 60, 403)]
    {
        let answer = gateway.ask("GET", "/b1/key").later(later).presigned(expires).send().await;
        assert_eq!(answer.status, status, "{later} {expires}: {}", answer.text());
    }
    gateway.stop().await;
}

#[tokio::test]
async fn what_browsers_send_unsigned_is_taken() {
    let gateway = Gateway::start().await;
    let mut wire = gateway.ask("PUT", "/b1/key").body("content").presigned(60);
    wire.add("content-type", "text/plain");
    wire.add("origin", "http://localhost");
    wire.add("content-md5", "mgNkuembtIDdJfEmhHLP8Q==");
    wire.add("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    // Not the digest of the content, so it says that somebody looks at it.
    assert_eq!(wire.send().await.refusal(), (400, "BadDigest"));
    wire.remove("content-md5");
    assert_eq!(wire.send().await.status, 200);
    let answer = gateway.ask("GET", "/b1/key").presigned(60).send().await;
    assert_eq!((answer.header("content-type"), answer.text()), ("text/plain", "content"));
    gateway.stop().await;
}

#[tokio::test]
async fn what_a_url_says_in_its_query_counts_like_headers() {
    let gateway = Gateway::start().await;
    let put = gateway.ask("PUT", "/b1/key").body("content");
    // As libraries presign that have no body yet: its digest is of nothing.
    let put = put
        .query("x-amz-checksum-crc32", "AAAAAA==")
        .query("x-amz-sdk-checksum-algorithm", "CRC32")
        .query("x-amz-meta-a", "1")
        .query("x-id", "PutObject")
        .query("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
    let answer = put.presigned(60).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-amz-checksum-crc32"), "/sUwqQ==");
    let head = gateway.ask("HEAD", "/b1/key").send().await;
    assert_eq!(head.header("x-amz-meta-a"), "1");

    let wrong = gateway.ask("PUT", "/b1/other").body("content");
    let wrong = wrong.query("x-amz-checksum-crc32", "AAAAAQ==").presigned(60);
    assert_eq!(wrong.send().await.refusal(), (400, "BadDigest"));
    let encrypted = gateway.ask("PUT", "/b1/other").body("content");
    let encrypted = encrypted.query("x-amz-server-side-encryption", "aws:kms").presigned(60);
    assert_eq!(encrypted.send().await.refusal(), (501, "NotImplemented"));
    gateway.stop().await;
}
