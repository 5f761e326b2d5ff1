//! Objects in parts: only what was completed is there, with the parts that were named.

use futures::{StreamExt, stream};
use repoplane::backend::buckets::{Attributes, BucketDriver, BucketError, Buckets, Part, Upload};
use repoplane::model::bucket::StorageType;

use super::{all, broken, buckets, content, keys, loopback, target};
use crate::support::clouds::Cloud;

/// The smallest that S3 takes for any part but the last, in bytes.
const PART_BYTES: usize = 5 * 1024 * 1024;

#[tokio::test]
async fn a_disk_takes_parts() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let buckets = Buckets::new(loopback(), folder.path().join("disks"));
    let target = target(StorageType::S3, "file:disk");
    let driver = buckets.open(&target).await.expect("a bucket");
    takes_parts(driver.as_ref(), true).await;
    // Ids are given here; one that was not is no path to somewhere else.
    let upload = Upload { key: "a".into(), id: "../..".into(), attributes: Attributes::default() };
    let error = driver.abort_multipart(&upload).await.expect_err("no upload");
    assert!(matches!(error, BucketError::NoSuchUpload), "{error:?}");
    let bucket = folder.path().join("disks").join(target.workspace.to_string()).join("disk/b");
    for leftover in ["uploads", "incoming"] {
        let left = std::fs::read_dir(bucket.join(leftover)).expect("a folder").count();
        assert_eq!(left, 0, "{leftover}");
    }
}

#[tokio::test]
async fn moto_takes_parts() {
    let Some(cloud) = Cloud::moto().await else { return };
    in_cloud(&cloud, true).await;
}

#[tokio::test]
async fn rclone_takes_parts() {
    let Some(cloud) = Cloud::rclone().await else { return };
    in_cloud(&cloud, false).await;
}

#[tokio::test]
async fn azurite_takes_parts() {
    let Some(cloud) = Cloud::azurite().await else { return };
    in_cloud(&cloud, true).await;
}

#[tokio::test]
async fn fake_gcs_takes_parts() {
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    in_cloud(&cloud, true).await;
    assert_eq!(cloud.names("bucket").await, Vec::<String>::new());
}

/// More than one request puts together, and than one puts together what others did.
#[tokio::test]
async fn google_puts_many_parts_together_in_their_order() {
    const PARTS: u32 = 32 * 32 + 1;
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    cloud.make("bucket").await;
    let driver = buckets().open(&cloud.target("bucket")).await.expect("a bucket");
    let upload = driver.create_multipart("a", &Attributes::default()).await.expect("an upload");
    let other = driver.create_multipart("a", &Attributes::default()).await.expect("an upload");
    let kept = part(driver.as_ref(), &other, 1, "kept").await;
    let text = |number: u32| format!("{number:04}");
    let parts = stream::iter(1..=PARTS).map(|number| {
        let (driver, upload) = (driver.as_ref(), &upload);
        async move { part(driver, upload, number, &text(number)).await }
    });
    let parts: Vec<Part> = parts.buffered(16).collect().await;
    driver.complete_multipart(&upload, &parts).await.expect("an object");
    let found = all(driver.get("a", None).await.expect("an object")).await;
    assert_eq!(String::from_utf8(found).expect("text"), (1..=PARTS).map(text).collect::<String>());

    // Nothing is left of the upload, and all of the other.
    assert_eq!(cloud.names("bucket").await.len(), 2);
    driver.complete_multipart(&other, &[kept]).await.expect("an object");
    assert_eq!(all(driver.get("a", None).await.expect("an object")).await, b"kept");
    assert_eq!(cloud.names("bucket").await, ["a"]);
    for id in ["../a", "", "%2e"] {
        let upload = Upload { id: id.to_owned(), ..upload.clone() };
        let error = driver.abort_multipart(&upload).await.expect_err("no upload");
        assert!(matches!(error, BucketError::NoSuchUpload), "{error:?}");
    }
}

async fn in_cloud(cloud: &Cloud, fully: bool) {
    cloud.make("bucket").await;
    let driver = buckets().open(&cloud.target("bucket")).await.expect("a bucket");
    takes_parts(driver.as_ref(), fully).await;
}

/// `fully` is whether the peer can leave numbers out, take one again, and keeps the ETag it gave.
async fn takes_parts(driver: &dyn BucketDriver, fully: bool) {
    let [low, high] = if fully { [2, 7] } else { [1, 2] };
    let metadata = [("my-key".to_owned(), "1".to_owned())].into();
    let attributes =
        Attributes { content_type: Some("text/x".to_owned()), metadata, ..Attributes::default() };
    let upload = driver.create_multipart("c&d", &attributes).await.expect("an upload");
    let first = "1".repeat(PART_BYTES);
    // In any order, and the one that is named is meant.
    if fully {
        part(driver, &upload, low, "old").await;
    }
    let last = part(driver, &upload, high, "end").await;
    let one = part(driver, &upload, low, &first).await;
    let bad = driver.upload_part(&upload, 3, 6, broken("broken")).await.expect_err("a bad part");
    assert!(matches!(bad, BucketError::Content(_)), "{bad:?}");
    assert!(keys(driver).await.is_empty());

    for parts in [&[][..], &[last.clone(), one.clone()]] {
        let error = driver.complete_multipart(&upload, parts).await.expect_err("bad parts");
        assert!(matches!(error, BucketError::NoSuchUpload), "{error:?}");
    }
    let stored = driver.complete_multipart(&upload, &[one, last]).await.expect("an object");
    let fetched = driver.get("c&d", None).await.expect("an object");
    assert!(!fully || fetched.object.etag == stored.etag, "{}", stored.etag);
    assert_eq!(fetched.object.attributes, attributes);
    assert!(all(fetched).await == (first + "end").as_bytes());
    assert_eq!(keys(driver).await, ["c&d"]);
    driver.delete("c&d").await.expect("deleted");

    let upload = driver.create_multipart("gone", &attributes).await.expect("an upload");
    part(driver, &upload, 1, "part").await;
    driver.abort_multipart(&upload).await.expect("aborted");
    driver.abort_multipart(&upload).await.expect("absent is fine");
    assert!(keys(driver).await.is_empty());
    for number in [0, driver.limits().part_number_max + 1] {
        let error = driver.upload_part(&upload, number, 1, content("a")).await;
        assert!(matches!(error, Err(BucketError::PartNumber(_))), "{error:?}");
    }
}

async fn part(driver: &dyn BucketDriver, upload: &Upload, number: u32, text: &str) -> Part {
    let part = driver.upload_part(upload, number, text.len() as u64, content(text)).await;
    part.expect("a part")
}
