//! What is in a bucket is listed key for key, in the order of their bytes.

use futures::{StreamExt, stream};
use repoplane::backend::buckets::{BucketDriver, Buckets};
use repoplane::model::bucket::StorageType;

use super::{buckets, loopback, target};
use crate::support::clouds::Cloud;

/// Keys that mean something to a file system, a URL, XML or somebody's idea of order.
const KEYS: [&str; 10] =
    ["a", "a b", "a+b", "a/b", "%2F", "B", "Z/z", "\u{e9} &+\"'<", "\u{ffee}", "\u{1f600}"];
/// Keys that are no paths.
const NO_PATHS: [&str; 6] = ["a//b", "dir/", "dir", "/", " a ", "a/b/c"];

#[tokio::test]
async fn moto_is_listed_as_it_is() {
    let Some(cloud) = Cloud::moto().await else { return };
    listed_as_it_is(&cloud, &[&KEYS[..], &NO_PATHS].concat()).await;
}

#[tokio::test]
async fn rclone_is_listed_as_it_is() {
    let Some(cloud) = Cloud::rclone().await else { return };
    listed_as_it_is(&cloud, &KEYS.map(|key| if key == "a/b" { "c/b" } else { key })).await;
}

#[tokio::test]
async fn azurite_is_listed_as_it_is() {
    let Some(cloud) = Cloud::azurite().await else { return };
    // It orders by UTF-16, in which this one comes after the last.
    let keys = KEYS.iter().chain(&NO_PATHS).filter(|key| **key != "\u{ffee}");
    listed_as_it_is(&cloud, &keys.copied().collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn fake_gcs_is_listed_as_it_is() {
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    let odd = [".", "..", ".repoplane-parts", ".repoplane-parts0", "\u{1}"];
    listed_as_it_is(&cloud, &[&KEYS[..], &NO_PATHS, &odd].concat()).await;

    // Parts are not shown, whether a list begins before, among or behind them.
    let driver = buckets().open(&cloud.target("bucket")).await.expect("a bucket");
    for number in 0..3 {
        cloud.put("bucket", &format!(".repoplane-parts/{number}"), "").await;
    }
    for (prefix, after, wanted) in [
        (".repoplane-parts", None, &odd[2..4]),
        (".repoplane-parts", Some(".repoplane-parts"), &odd[3..4]),
        (".repoplane-parts", Some(".repoplane-parts/1"), &odd[3..4]),
        (".repoplane-parts", Some(".repoplane-parts0"), &[]),
        (".repoplane-parts/", None, &[]),
        (".repoplane-parts/1", None, &[]),
        ("", Some(".repoplane-parts/1"), &odd[3..4]),
    ] {
        let found = driver.list(prefix, after, 3).await.expect("a list");
        let found = found.iter().map(|object| object.key.as_str());
        assert!(found.take(wanted.len().max(1)).eq(wanted.iter().copied()), "{prefix} {after:?}");
    }
    let shown = driver.list("", None, 1_000).await.expect("a list");
    assert!(!shown.iter().any(|object| object.key.starts_with(".repoplane-parts/")));
}

#[tokio::test]
async fn a_bucket_on_a_disk_is_made_and_empty() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let buckets = Buckets::new(loopback(), folder.path().join("disks"));
    for storage_type in StorageType::ALL {
        let target = target(storage_type, "file:disk-1");
        buckets.ping(&target).await.expect("a bucket");
        let driver = buckets.open(&target).await.expect("a bucket");
        assert_eq!(driver.list("", None, 10).await.expect("a list"), []);
        // In a folder of its workspace, beside those of others.
        let disks = folder.path().join("disks").join(target.workspace.to_string());
        assert!(disks.join("disk-1/b").is_dir(), "{}", disks.display());
    }
}

async fn listed_as_it_is(cloud: &Cloud, keys: &[&str]) {
    cloud.make("bucket").await;
    let (buckets, target) = (buckets(), cloud.target("bucket"));
    buckets.ping(&target).await.expect("a ping");
    buckets.probe(&target).await.expect("a probe");
    let driver = buckets.open(&target).await.expect("a bucket");
    driver.head().await.expect("a bucket");
    assert_eq!(driver.list("", None, 10).await.expect("a list"), []);

    // As long as a key can be, in parts that fit into a folder.
    let longest = "long/".repeat(204) + "keys";
    assert_eq!(longest.len(), 1_024);
    let mut keys: Vec<&str> = keys.iter().copied().chain([longest.as_str()]).collect();
    for key in &keys {
        cloud.put("bucket", key, key).await;
    }
    keys.sort_unstable();

    let all = driver.list("", None, 1_000).await.expect("a list");
    let listed: Vec<&str> = all.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(listed, keys);
    for object in &all {
        assert_eq!(object.size, object.key.len() as u64, "{}", object.key);
        let etag = object.etag.as_deref().expect("an ETag");
        assert!(!etag.is_empty() && !etag.contains('"'), "{etag}");
    }
    assert_eq!(all, driver.list("", None, keys.len()).await.expect("a list"));

    for (at, key) in keys.iter().enumerate() {
        let next = driver.list("", Some(key), 2).await.expect("a list");
        assert_eq!(next, all[at + 1..].iter().take(2).cloned().collect::<Vec<_>>(), "after {key}");
    }
    part_by_prefix(driver.as_ref(), &keys).await;
}

async fn part_by_prefix(driver: &dyn BucketDriver, keys: &[&str]) {
    for (prefix, start_after) in [
        ("a", None),
        ("a", Some("a")),
        ("a", Some("")),
        ("a", Some("b")),
        ("a ", Some("a")),
        ("\u{e9} &", None),
        ("no", None),
    ] {
        let wanted = keys.iter().filter(|key| key.starts_with(prefix));
        let wanted = wanted.filter(|key| start_after.is_none_or(|after| **key > after));
        let wanted: Vec<&str> = wanted.copied().collect();
        let found = driver.list(prefix, start_after, 1_000).await.expect("a list");
        let found: Vec<&str> = found.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(found, wanted, "{prefix:?} after {start_after:?}");
    }
    assert_eq!(driver.list("", None, 0).await.expect("a list"), []);
}

#[tokio::test]
async fn s3_is_listed_page_by_page() {
    let Some(cloud) = Cloud::rclone().await else { return };
    listed_page_by_page(&cloud).await;
}

#[tokio::test]
async fn azure_is_listed_page_by_page() {
    let Some(cloud) = Cloud::azurite().await else { return };
    listed_page_by_page(&cloud).await;
}

#[tokio::test]
async fn google_is_listed_page_by_page() {
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    listed_page_by_page(&cloud).await;
}

/// A provider gives a thousand keys at once.
async fn listed_page_by_page(cloud: &Cloud) {
    cloud.make("bucket").await;
    let keys: Vec<String> = (0..1_002).map(|number| format!("{number:04}")).collect();
    let puts = stream::iter(&keys).map(|key| cloud.put("bucket", key, ""));
    puts.buffer_unordered(16).collect::<Vec<()>>().await;

    let driver = buckets().open(&cloud.target("bucket")).await.expect("a bucket");
    for (start_after, max) in [(None, 5_000), (None, 1_002), (None, 1_001), (Some("0000"), 1_001)] {
        let found = driver.list("", start_after, max).await.expect("a list");
        let wanted = keys.iter().filter(|key| start_after.is_none_or(|after| key.as_str() > after));
        assert!(
            found.iter().map(|object| &object.key).eq(wanted.take(max)),
            "{start_after:?} {max}"
        );
    }
}
