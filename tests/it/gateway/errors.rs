//! What every error says, whoever made it.

use crate::support::gateway::Gateway;

#[tokio::test]
async fn an_error_says_what_it_is_about_and_the_id_of_its_request() {
    let gateway = Gateway::start().await;
    let mut forged = gateway.ask("GET", "/b1/key").signed();
    forged.swap("authorization", "Signature=", "Signature=0");
    let mut other = gateway.ask("GET", "/b1/key").signed();
    other.set("host", "other");
    for (what, wire, code, resource) in [
        ("no object", gateway.ask("GET", "/b1/a%26b").signed(), "NoSuchKey", "/b1/a%26b"),
        ("no bucket", gateway.ask("GET", "/b3").signed(), "NoSuchBucket", "/b3"),
        ("no operation", gateway.ask("PATCH", "/b1/key").signed(), "NotImplemented", "/b1/key"),
        ("no signature", gateway.ask("GET", "/b1/a&b").unsigned(), "AccessDenied", "/b1/a&amp;b"),
        ("half a signature", forged, "AuthorizationHeaderMalformed", "/b1/key"),
        ("another signature", other, "SignatureDoesNotMatch", "/b1/key"),
    ] {
        let answer = wire.send().await;
        assert_eq!(answer.element("Code"), code, "{what}: {}", answer.text());
        assert_eq!(answer.elements("RequestId"), [answer.header("x-amz-request-id")], "{what}");
        assert_eq!(answer.elements("Resource"), [resource], "{what}");
        assert!(answer.text().ends_with("</Error>"), "{what}: {}", answer.text());
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{what}");
        assert_eq!(answer.header("content-type"), "application/xml", "{what}");
    }
    let head = gateway.ask("HEAD", "/b1/key").send().await;
    assert_eq!((head.status, head.text()), (404, ""));
    assert_eq!(head.header("x-amz-request-id").len(), 32);
    gateway.stop().await;
}
