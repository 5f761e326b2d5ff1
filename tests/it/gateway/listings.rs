//! Lists of objects, in the three ways to ask for them.

use crate::support::gateway::{Answer, Gateway};

const KEYS: [&str; 7] = ["a", "b/1", "b/2", "b/c/3", "d e", "d+e", "z"];

async fn stocked() -> Gateway {
    let gateway = Gateway::start().await;
    for key in KEYS {
        gateway.put(&format!("/b1/{}", key.replace(' ', "%20").replace('+', "%2B")), key).await;
    }
    gateway
}

/// Keys and common prefixes of all pages.
async fn pages(gateway: &Gateway, path: &str, token: &str, next: &str) -> (Vec<String>, usize) {
    let (mut found, mut count, mut after) = (vec![], 0, String::new());
    loop {
        let ask = gateway.ask("GET", path);
        let ask = if after.is_empty() { ask } else { ask.query(token, &after) };
        let answer = ask.send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        found.extend(listed(&answer));
        count += 1;
        if answer.element("IsTruncated") == "false" {
            return (found, count);
        }
        after = match answer.element(next) {
            "" => answer.elements("Key").last().expect("a key").to_string(),
            next => next.to_owned(),
        };
    }
}

/// In the order of the answer: keys, then common prefixes.
fn listed(answer: &Answer) -> Vec<String> {
    let prefixes = answer.elements("CommonPrefixes").into_iter().map(|prefix| {
        prefix.trim_start_matches("<Prefix>").trim_end_matches("</Prefix>").to_owned()
    });
    answer.elements("Key").into_iter().map(str::to_owned).chain(prefixes).collect()
}

#[tokio::test]
async fn pages_of_any_size_make_the_whole_list() {
    let gateway = stocked().await;
    for size in [1, 2, 3, 7, 1_000] {
        for (path, token, next) in [
            ("/b1?", "marker", "NextMarker"),
            ("/b1?list-type=2&", "continuation-token", "NextContinuationToken"),
            ("/b1?versions&", "key-marker", "NextKeyMarker"),
        ] {
            let plain = format!("{path}max-keys={size}");
            let (found, count) = pages(&gateway, &plain, token, next).await;
            assert_eq!(found, KEYS, "{plain}");
            assert_eq!(count, 7_usize.div_ceil(size), "{plain}");
            let common = format!("{path}max-keys={size}&delimiter=/");
            let (mut found, _) = pages(&gateway, &common, token, next).await;
            found.sort();
            assert_eq!(found, ["a", "b/", "d e", "d+e", "z"], "{common}");
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn prefixes_delimiters_and_markers_narrow_a_list() {
    let gateway = stocked().await;
    for (query, expected) in [
        ("prefix=b/", vec!["b/1", "b/2", "b/c/3"]),
        ("prefix=b/&delimiter=/", vec!["b/1", "b/2", "b/c/"]),
        ("prefix=none", vec![]),
        ("delimiter=e", vec!["a", "b/1", "b/2", "b/c/3", "z", "d e", "d+e"]),
        ("start-after=b/2", vec!["b/c/3", "d e", "d+e", "z"]),
        ("start-after=b/1x&prefix=b/", vec!["b/2", "b/c/3"]),
        ("max-keys=0", vec![]),
    ] {
        let path = format!("/b1?list-type=2&{query}");
        let answer = gateway.ask("GET", &path).send().await;
        assert_eq!(listed(&answer), expected, "{query}");
        assert_eq!(answer.element("KeyCount"), expected.len().to_string(), "{query}");
        assert_eq!(answer.element("IsTruncated"), "false", "{query}");
    }
    let marker = gateway.ask("GET", "/b1?marker=d%2Be").send().await;
    assert_eq!(marker.status, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn a_list_says_what_it_was_asked_and_what_it_holds() {
    let gateway = stocked().await;
    let ask = gateway.ask("GET", "/b1?list-type=2&max-keys=2&encoding-type=url&start-after=d");
    let first = ask.query("prefix", "d").query("delimiter", "+").send().await;
    for (name, value) in [
        ("Name", "b1"),
        ("Prefix", "d"),
        ("Delimiter", "%2B"),
        ("StartAfter", "d"),
        ("MaxKeys", "2"),
        ("KeyCount", "2"),
        ("EncodingType", "url"),
        ("Key", "d%20e"),
        ("Size", "3"),
        ("StorageClass", "STANDARD"),
    ] {
        assert_eq!(first.element(name), value, "{name}: {}", first.text());
    }
    assert!(first.text().contains("<CommonPrefixes><Prefix>d%2B</Prefix></CommonPrefixes>"));
    assert!(first.element("LastModified").ends_with(".000Z"), "{}", first.text());
    assert_eq!(first.element("ETag").matches('"').count(), 2, "{}", first.text());
    assert_eq!(first.element("Owner"), "");
    let owned = gateway.ask("GET", "/b1?list-type=2&fetch-owner=true").send().await;
    assert_eq!(owned.elements("Owner").len(), KEYS.len());
    assert_eq!(gateway.ask("GET", "/b1").send().await.elements("Owner").len(), KEYS.len());
    let versions = gateway.ask("GET", "/b1?versions").send().await;
    assert_eq!(versions.elements("VersionId"), ["null"; 7]);
    assert_eq!(versions.elements("IsLatest"), ["true"; 7]);
    let many = gateway.ask("GET", "/b1?max-keys=5000").send().await;
    assert_eq!(many.element("MaxKeys"), "1000");
    gateway.stop().await;
}

#[tokio::test]
async fn lists_that_cannot_be_are_refused() {
    let gateway = Gateway::start().await;
    for query in [
        "max-keys=-1",
        "max-keys=a",
        "encoding-type=base64",
        "list-type=2&continuation-token=%21",
        "prefix=a&prefix=b",
    ] {
        let answer = gateway.ask("GET", &format!("/b1?{}", query.replace("%21", "!"))).send().await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    gateway.stop().await;
}
