//! Buckets as S3 sees them.

use crate::support::gateway::Gateway;

#[tokio::test]
async fn buckets_are_listed_in_pages_and_by_prefix() {
    let gateway = Gateway::start().await;
    let all = gateway.ask("GET", "/").send().await;
    assert_eq!(all.elements("Name"), ["b1", "b2", "repo"]);
    assert_eq!(all.element("BucketRegion"), "local");
    assert_eq!(gateway.ask("GET", "/?prefix=b").send().await.elements("Name"), ["b1", "b2"]);
    let first = gateway.ask("GET", "/?max-buckets=2").send().await;
    assert_eq!(first.elements("Name"), ["b1", "b2"]);
    let token = first.element("ContinuationToken");
    let ask = gateway.ask("GET", "/?max-buckets=2").query("continuation-token", token);
    let second = ask.send().await;
    assert_eq!((second.elements("Name"), second.element("ContinuationToken")), (vec!["repo"], ""));
    for query in ["max-buckets=0", "max-buckets=10001", "continuation-token=!"] {
        let answer = gateway.ask("GET", &format!("/?{query}")).send().await;
        assert_eq!(answer.refusal(), (400, "InvalidArgument"), "{query}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_normal_repo_keeps_its_buckets_apart() {
    let gateway = Gateway::start_with("NORMAL", |_| {}).await;
    gateway.put("/b1/key", "one").await;
    gateway.put("/b2/key", "two").await;
    assert_eq!(gateway.read("/b1/key").await, "one");
    assert_eq!(gateway.read("/b2/key").await, "two");
    assert_eq!(gateway.ask("GET", "/repo/key").send().await.refusal(), (404, "NoSuchBucket"));
    assert_eq!(gateway.ask("GET", "/").send().await.elements("Name"), ["b1", "b2"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_bucket_is_made_once_more_only_where_s3_began() {
    for (region, refusal) in [("local", (409, "BucketAlreadyOwnedByYou")), ("us-east-1", (200, ""))]
    {
        let gateway =
            Gateway::start_with("NORMAL", |config| config.region = region.to_owned()).await;
        gateway.put("/b1/key", "content").await;
        let again = gateway.ask("PUT", "/b1").send().await;
        assert_eq!(again.refusal(), refusal, "{region}");
        assert_eq!(again.header("location"), if again.status == 200 { "/b1" } else { "" });
        assert_eq!(gateway.read("/b1/key").await, "content");
        assert_eq!(gateway.ask("PUT", "/B").send().await.refusal(), (400, "InvalidBucketName"));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_bucket_says_where_and_whose_it_is() {
    let gateway = Gateway::start().await;
    let head = gateway.ask("HEAD", "/b1").send().await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, "local"));
    assert_eq!(gateway.ask("HEAD", "/none").send().await.status, 404);
    let location = gateway.ask("GET", "/b1?location").send().await;
    assert!(location.text().contains(">local</LocationConstraint>"), "{}", location.text());
    gateway.put("/b1/key", "content").await;
    let owner = gateway.ask("GET", "/").send().await.element("ID").to_owned();
    for path in ["/b1?acl", "/b1/key?acl"] {
        let acl = gateway.ask("GET", path).send().await;
        assert_eq!(acl.elements("Permission"), ["FULL_CONTROL"], "{path}");
        assert_eq!(acl.elements("ID"), [owner.as_str(); 2], "{path}");
        let same = gateway.ask("PUT", path).body(acl.text()).send().await;
        assert_eq!(same.status, 200, "{path}: {}", same.text());
        let other = acl.text().replace(&owner, "other");
        let other = gateway.ask("PUT", path).body(other).send().await;
        assert_eq!(other.refusal(), (501, "NotImplemented"), "{path}");
        let canned = gateway.ask("PUT", path).header("x-amz-acl", "private").send().await;
        assert_eq!(canned.status, 200, "{path}: {}", canned.text());
        let public = gateway.ask("PUT", path).header("x-amz-acl", "public-read").send().await;
        assert_eq!(public.refusal(), (400, "AccessControlListNotSupported"), "{path}");
    }
    gateway.stop().await;
}
