//! Requests that are signed in their header. Each case changes one thing of a request that passes.

use crate::support::gateway::{Gateway, Wire};

type Change = fn(&mut Wire);

/// What is changed, and the code that refuses it.
const CASES: [(&str, &str, Change); 39] = [
    ("no signature", "AccessDenied", |wire| wire.remove("authorization")),
    ("another signature", "SignatureDoesNotMatch", |wire| {
        let digit = if wire.get("authorization").ends_with('0') { "1" } else { "0" };
        let before = wire.get("authorization");
        wire.set("authorization", &format!("{}{digit}", &before[..before.len() - 1]));
    }),
    ("a signature in upper case", "AuthorizationHeaderMalformed", |wire| {
        let before = wire.get("authorization");
        let (front, signature) = before.split_once("Signature=").expect("a signature");
        wire.set("authorization", &format!("{front}Signature=A{}", &signature[1..]));
    }),
    ("a short signature", "AuthorizationHeaderMalformed", |wire| {
        let before = wire.get("authorization");
        wire.set("authorization", &before[..before.len() - 1]);
    }),
    ("another method", "SignatureDoesNotMatch", |wire| wire.method = "DELETE".to_owned()),
    ("another key", "SignatureDoesNotMatch", |wire| wire.swap_target("/b1/key", "/b1/kez")),
    ("another bucket", "SignatureDoesNotMatch", |wire| wire.swap_target("/b1/", "/b2/")),
    ("a longer path", "SignatureDoesNotMatch", |wire| wire.swap_target("/b1/", "/b1//")),
    ("one more parameter", "SignatureDoesNotMatch", |wire| wire.target.push_str("&tagging=")),
    ("another parameter", "SignatureDoesNotMatch", |wire| wire.swap_target("PutObject", "Put")),
    ("no parameter", "SignatureDoesNotMatch", |wire| wire.swap_target("?x-id=PutObject", "")),
    ("another body", "XAmzContentSHA256Mismatch", |wire| wire.body[0] ^= 1),
    ("another hash of the body", "SignatureDoesNotMatch", |wire| {
        wire.set("x-amz-content-sha256", &"0".repeat(64));
    }),
    ("a hash that is none", "InvalidArgument", |wire| {
        wire.set("x-amz-content-sha256", "unsigned");
    }),
    ("no hash", "AccessDenied", |wire| wire.remove("x-amz-content-sha256")),
    ("an unsigned body", "SignatureDoesNotMatch", |wire| {
        wire.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    }),
    ("two hashes", "AccessDenied", |wire| wire.add("x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
    ("another host", "SignatureDoesNotMatch", |wire| wire.set("host", "elsewhere")),
    ("two hosts", "AccessDenied", |wire| wire.add("host", "elsewhere")),
    ("another date", "SignatureDoesNotMatch", |wire| {
        let before = wire.get("x-amz-date");
        let last = if before.ends_with("00Z") { "01Z" } else { "00Z" };
        wire.set("x-amz-date", &format!("{}{last}", &before[..before.len() - 3]));
    }),
    ("a date that is none", "AccessDenied", |wire| wire.set("x-amz-date", "20200101")),
    ("no date", "AccessDenied", |wire| wire.remove("x-amz-date")),
    ("two dates", "AccessDenied", |wire| wire.add("x-amz-date", "20200101T000000Z")),
    ("other signed metadata", "SignatureDoesNotMatch", |wire| wire.set("x-amz-meta-a", "2")),
    ("no signed metadata", "AccessDenied", |wire| wire.remove("x-amz-meta-a")),
    ("signed metadata twice", "AccessDenied", |wire| wire.add("x-amz-meta-a", "2")),
    ("unsigned metadata", "AccessDenied", |wire| wire.add("x-amz-meta-b", "2")),
    ("an unsigned copy source", "AccessDenied", |wire| {
        wire.add("x-amz-copy-source", "/b1/private");
    }),
    ("an unsigned access list", "AccessDenied", |wire| wire.add("x-amz-acl", "private")),
    ("an unsigned digest", "AccessDenied", |wire| {
        wire.add("x-amz-checksum-crc32", "AAAAAA==");
    }),
    ("two authorizations", "AuthorizationHeaderMalformed", |wire| {
        wire.add("authorization", &wire.get("authorization"));
    }),
    ("a field twice", "AuthorizationHeaderMalformed", |wire| {
        wire.swap("authorization", "SignedHeaders=", "SignedHeaders=host, SignedHeaders=");
    }),
    ("a field too many", "AuthorizationHeaderMalformed", |wire| {
        wire.swap("authorization", "SignedHeaders=", "Other=1, SignedHeaders=");
    }),
    ("an unknown access key", "InvalidAccessKeyId", |wire| {
        wire.swap("authorization", "Credential=RP", "Credential=XX");
    }),
    ("another service", "AuthorizationHeaderMalformed", |wire| {
        wire.swap("authorization", "/s3/", "/sts/");
    }),
    ("another region", "SignatureDoesNotMatch", |wire| {
        wire.swap("authorization", "/us-east-1/", "/eu-west-1/");
    }),
    ("another algorithm", "InvalidArgument", |wire| {
        wire.swap("authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1");
    }),
    ("fewer signed headers", "AccessDenied", |wire| {
        wire.swap("authorization", ";x-amz-meta-a", "");
    }),
    ("headers out of order", "AccessDenied", |wire| {
        wire.swap(
            "authorization",
            "SignedHeaders=content-length;host",
            "SignedHeaders=host;content-length",
        );
    }),
];

#[tokio::test]
async fn a_request_with_one_thing_changed_is_refused_and_changes_nothing() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/private", "private").await;
    let right = gateway.ask("PUT", "/b1/key?x-id=PutObject");
    let right = right.header("x-amz-meta-a", "1").body("content").signed();
    for (what, code, change) in CASES {
        let mut wire = right.clone();
        change(&mut wire);
        let answer = wire.send().await;
        assert_eq!(answer.element("Code"), code, "{what}: {} {}", answer.status, answer.text());
        assert!(matches!(answer.status, 400 | 403), "{what}: {}", answer.status);
        assert_eq!(answer.header("x-amz-request-id").len(), 32, "{what}");
        let found = gateway.ask("HEAD", "/b1/key").send().await;
        assert_eq!(found.status, 404, "{what} made an object");
    }
    let answer = right.send().await;
    assert_eq!(answer.status, 200, "what was changed was right: {}", answer.text());
    assert_eq!(gateway.read("/b1/key").await, "content");
    gateway.stop().await;
}

#[tokio::test]
async fn a_signature_is_good_for_a_quarter_of_an_hour() {
    let gateway = Gateway::start().await;
    for (later, status) in [(-880, 200), (880, 200), (-920, 403), (920, 403), (-86_400, 403)] {
        let answer = gateway.ask("GET", "/b1").later(later).send().await;
        assert_eq!(answer.status, status, "{later}: {}", answer.text());
        if status == 403 {
            assert_eq!(answer.element("Code"), "RequestTimeTooSkewed");
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn who_signs_the_date_of_http_needs_no_other() {
    let gateway = Gateway::start().await;
    let put = || gateway.ask("PUT", "/b1/key").dated().body("content");
    assert_eq!(put().send().await.status, 200);
    assert_eq!(gateway.read("/b1/key").await, "content");
    assert_eq!(put().later(-920).send().await.refusal(), (403, "RequestTimeTooSkewed"));
    let mut another = put().signed();
    another.set("date", "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(another.send().await.refusal(), (403, "SignatureDoesNotMatch"));
    let mut none = put().signed();
    none.set("date", "today");
    let answer = none.send().await;
    assert_eq!(answer.refusal(), (403, "AccessDenied"));
    assert!(answer.text().contains("x-amz-date"), "{}", answer.text());
    gateway.stop().await;
}

#[tokio::test]
async fn version_two_of_signatures_is_refused_in_every_form() {
    let gateway = Gateway::start().await;
    let key = &gateway.key.access;
    let mut header = gateway.ask("GET", "/b1").unsigned();
    header.add("authorization", &format!("AWS {key}:c2lnbmF0dXJl"));
    header.add("date", "Thu, 01 Jan 2099 00:00:00 GMT");
    let mut query = gateway.ask("GET", "/b1").unsigned();
    query.target = format!("/b1?AWSAccessKeyId={key}&Signature=c2lnbmF0dXJl&Expires=4070908800");
    let mut lower = query.clone();
    lower.target = lower.target.replace("AWSAccessKeyId", "awsaccesskeyid");
    let mut both = gateway.ask("GET", "/b1").signed();
    both.target = "/b1?Signature=c2lnbmF0dXJl".to_owned();
    for wire in [header, query, lower, both] {
        let answer = wire.send().await;
        assert_eq!(answer.refusal(), (400, "InvalidRequest"), "{}", wire.target);
        assert!(answer.text().contains("AWS4-HMAC-SHA256"), "{}", answer.text());
    }
    gateway.stop().await;
}

#[tokio::test]
async fn forms_of_browsers_and_session_tokens_are_refused() {
    let gateway = Gateway::start().await;
    let mut form = gateway.ask("POST", "/b1").unsigned();
    form.add("content-type", "Multipart/Form-Data; boundary=x");
    form.body =
        b"--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--x--\r\n".to_vec();
    form.add("content-length", &form.body.len().to_string());
    assert_eq!(form.send().await.refusal(), (501, "NotImplemented"));
    let token = gateway.ask("GET", "/b1").header("x-amz-security-token", "token").send().await;
    assert_eq!(token.refusal(), (400, "InvalidToken"));
    gateway.stop().await;
}

#[tokio::test]
async fn an_access_key_that_was_deleted_opens_nothing_any_more() {
    let gateway = Gateway::start().await;
    let key = gateway.another("READ").await;
    let ask = || gateway.ask_with(&key, "GET", "/b1");
    assert_eq!(ask().send().await.status, 200);
    let owner = gateway.server.owner();
    owner.delete_access_key().repo_id(gateway.repo).key_id(key.id).send().await.expect("deleted");
    assert_eq!(ask().send().await.refusal(), (403, "InvalidAccessKeyId"));
    gateway.stop().await;
}
