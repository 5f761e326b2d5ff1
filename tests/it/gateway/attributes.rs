//! What is known of an object, in one answer.

use crate::support::gateway::Gateway;

#[tokio::test]
async fn the_attributes_that_are_asked_for_are_told() {
    let gateway = Gateway::start().await;
    let put = gateway.ask("PUT", "/b1/key").body("content");
    let put = put.header("x-amz-checksum-sha1", "BA8G/XdAkkeNRQd09bowxdp4rMg=").send().await;
    let ask = |names: &str| {
        let ask = gateway.ask("GET", "/b1/key?attributes");
        if names.is_empty() { ask } else { ask.header("x-amz-object-attributes", names) }
    };
    let all = ask("ETag,Checksum, ObjectParts,StorageClass,ObjectSize").send().await;
    assert_eq!(all.status, 200, "{}", all.text());
    assert_eq!(all.element("ETag"), put.header("etag").trim_matches('"'));
    assert_eq!(all.element("ChecksumSHA1"), "BA8G/XdAkkeNRQd09bowxdp4rMg=");
    assert_eq!(all.element("ChecksumType"), "FULL_OBJECT");
    assert_eq!((all.element("ObjectSize"), all.element("StorageClass")), ("7", "STANDARD"));
    assert!(!all.text().contains("ObjectParts"), "it came whole");
    let size = ask("ObjectSize").send().await;
    assert!(!size.text().contains("ETag") && !size.text().contains("Checksum"));
    for names in ["", "Other", "ETag,Other"] {
        assert_eq!(ask(names).send().await.refusal(), (400, "InvalidArgument"), "{names:?}");
    }
    let list = gateway.ask("GET", "/b1?attributes").send().await;
    assert_eq!(list.element("ETag"), put.header("etag"), "only attributes are said without quotes");
    gateway.stop().await;
}
