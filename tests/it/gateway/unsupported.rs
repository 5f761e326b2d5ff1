//! What is asked for and not there is refused, and never passed over.

use crate::support::gateway::Gateway;

#[tokio::test]
async fn headers_that_ask_for_what_is_not_there_are_refused() {
    let gateway = Gateway::start().await;
    for (name, value, refusal) in [
        ("x-amz-server-side-encryption", "AES256", (501, "NotImplemented")),
        ("x-amz-server-side-encryption", "aws:kms", (501, "NotImplemented")),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256", (501, "NotImplemented")),
        ("x-amz-object-lock-mode", "GOVERNANCE", (501, "NotImplemented")),
        ("x-amz-object-lock-legal-hold", "ON", (501, "NotImplemented")),
        ("x-amz-grant-read", "id=1", (501, "NotImplemented")),
        ("x-amz-website-redirect-location", "/other", (501, "NotImplemented")),
        ("x-amz-write-offset-bytes", "7", (501, "NotImplemented")),
        ("x-amz-rename-source", "/b1/other", (501, "NotImplemented")),
        ("x-amz-checksum-md5", "AAAA", (501, "NotImplemented")),
        ("x-amz-acl", "public-read", (400, "AccessControlListNotSupported")),
        ("x-amz-storage-class", "GLACIER", (400, "InvalidStorageClass")),
    ] {
        let ask = gateway.ask("PUT", "/b1/key").body("content").header(name, value);
        assert_eq!(ask.send().await.refusal(), refusal, "{name}: {value}");
    }
    assert_eq!(gateway.ask("HEAD", "/b1/key").send().await.status, 404);
    for (name, value) in [
        ("x-amz-acl", "private"),
        ("x-amz-acl", "bucket-owner-full-control"),
        ("x-amz-storage-class", "STANDARD"),
        ("x-amz-request-payer", "requester"),
        ("x-amz-bucket-object-lock-enabled", "false"),
        ("x-amz-object-lock-legal-hold", "OFF"),
    ] {
        let ask = gateway.ask("PUT", "/b1/key").body("content").header(name, value);
        assert_eq!(ask.send().await.status, 200, "{name}: {value}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn there_is_one_version_and_it_is_called_null() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    for method in ["GET", "HEAD", "DELETE"] {
        let other = gateway.ask(method, "/b1/key?versionId=other").send().await;
        assert_eq!(other.status, 404, "{method}");
        let null = gateway.ask(method, "/b1/key?versionId=null").send().await;
        assert!(null.status < 300, "{method}: {}", null.text());
    }
    gateway.stop().await;
}

#[tokio::test]
async fn operations_that_are_not_there_say_so() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    for (method, path) in [
        ("PUT", "/b1?versioning"),
        ("PUT", "/b1?lifecycle"),
        ("PUT", "/b1?policy"),
        ("DELETE", "/b1?cors"),
        ("PUT", "/b1/key?retention"),
        ("GET", "/b1/key?torrent"),
        ("PUT", "/b1/key?encryption"),
        ("PUT", "/b1/key?renameObject"),
        ("PUT", "/b1/key?annotation"),
        ("DELETE", "/b1/key?annotation"),
        ("POST", "/b1/key?restore"),
        ("POST", "/b1/key?select&select-type=2"),
        ("POST", "/b1/key"),
        ("PATCH", "/b1/key"),
        ("POST", "/"),
    ] {
        let answer = gateway.ask(method, path).body("<A/>").send().await;
        assert!(matches!(answer.status, 400 | 405 | 501), "{method} {path}: {}", answer.status);
        assert!(!answer.element("Code").is_empty(), "{method} {path}: {}", answer.text());
    }
    assert_eq!(gateway.read("/b1/key").await, "content");
    gateway.stop().await;
}

#[tokio::test]
async fn settings_that_cannot_be_made_are_unset() {
    let gateway = Gateway::start().await;
    for (setting, code) in [
        ("cors", "NoSuchCORSConfiguration"),
        ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("ownershipControls", "OwnershipControlsNotFoundError"),
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("tagging", "NoSuchTagSet"),
        ("website", "NoSuchWebsiteConfiguration"),
    ] {
        let answer = gateway.ask("GET", &format!("/b1?{setting}")).send().await;
        assert_eq!(answer.refusal(), (404, code), "{setting}");
    }
    for (setting, root) in [
        ("versioning", "VersioningConfiguration"),
        ("logging", "BucketLoggingStatus"),
        ("accelerate", "AccelerateConfiguration"),
        ("notification", "NotificationConfiguration"),
        ("requestPayment", "RequestPaymentConfiguration"),
    ] {
        let answer = gateway.ask("GET", &format!("/b1?{setting}")).send().await;
        assert_eq!(answer.status, 200, "{setting}");
        assert!(answer.text().contains(&format!("<{root}")), "{setting}: {}", answer.text());
        assert!(!answer.text().contains("<Status>"), "{setting}: {}", answer.text());
    }
    gateway.stop().await;
}
