//! Tags of objects.

use crate::support::gateway::Gateway;

fn tagging(tags: &[(&str, &str)]) -> String {
    let tags: String = tags
        .iter()
        .map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"))
        .collect();
    format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
}

#[tokio::test]
async fn tags_are_set_read_and_taken_away() {
    let gateway = Gateway::start().await;
    let put = gateway.ask("PUT", "/b1/key").body("content");
    assert_eq!(put.header("x-amz-tagging", "a=1&b%20c=d%2Be").send().await.status, 200);
    let etag = gateway.ask("HEAD", "/b1/key").send().await.header("etag").to_owned();
    let read = || gateway.ask("GET", "/b1/key?tagging").send();
    let tags = read().await;
    assert_eq!(
        (tags.elements("Key"), tags.elements("Value")),
        (vec!["a", "b c"], vec!["1", "d+e"])
    );
    let set = gateway.ask("PUT", "/b1/key?tagging").body(tagging(&[("x", ""), ("y", "2")]));
    assert_eq!(set.send().await.status, 200);
    let tags = read().await;
    assert_eq!((tags.elements("Key"), tags.elements("Value")), (vec!["x", "y"], vec!["", "2"]));
    assert_eq!(gateway.ask("DELETE", "/b1/key?tagging").send().await.status, 204);
    assert_eq!(read().await.elements("Key"), Vec::<&str>::new());
    let head = gateway.ask("HEAD", "/b1/key").send().await;
    assert_eq!((head.header("etag"), head.header("x-amz-tagging-count")), (etag.as_str(), ""));
    gateway.stop().await;
}

#[tokio::test]
async fn tags_that_cannot_be_are_refused() {
    let gateway = Gateway::start().await;
    gateway.put("/b1/key", "content").await;
    let many: Vec<_> = (0..11).map(|n| format!("k{n}")).collect();
    let many: Vec<_> = many.iter().map(|key| (key.as_str(), "v")).collect();
    let (long, longer) = ("k".repeat(129), "v".repeat(257));
    for tags in
        [&many[..], &[("", "v")], &[(&long, "v")], &[("k", &longer)], &[("k", "1"), ("k", "2")]]
    {
        let answer = gateway.ask("PUT", "/b1/key?tagging").body(tagging(tags)).send().await;
        assert_eq!(answer.refusal(), (400, "InvalidTag"), "{tags:?}");
    }
    let twice = gateway.ask("PUT", "/b1/key").body("c").header("x-amz-tagging", "a=1&a=2");
    assert_eq!(twice.send().await.refusal(), (400, "InvalidTag"));
    let none = gateway.ask("GET", "/b1/none?tagging").send().await;
    assert_eq!(none.refusal(), (404, "NoSuchKey"));
    gateway.stop().await;
}
