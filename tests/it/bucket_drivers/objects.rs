//! What is put into a bucket comes back as it was, and nothing else does.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use repoplane::backend::buckets::{
    Attributes, BucketDriver, BucketError, Buckets, ByteRange, KeyError,
};
use repoplane::model::bucket::StorageType;

use super::{all, broken, buckets, content, keys, loopback, target};
use crate::support::clouds::Cloud;

/// Keys that every bucket takes, and that are files to somebody who takes them for paths.
const KEYS: [&str; 8] =
    ["a", "a b", "%2F", "%", "c/d", "&+\u{e9}\"'<>?#[]@!$*,;:=", "\u{1f600}", "n\u{303}"];
/// Keys that are no paths.
const NO_PATHS: [&str; 7] = ["a//b", "dir/", "dir", "/x", "//", " a ", "a/b"];
/// Keys that only some can say.
const CONTROLS: [&str; 3] = ["tab\t", "\u{1}\u{7f}", "c\\d"];
const DOTS: [&str; 4] = ["../up", "a/./b", "..", "."];

/// What a peer cannot do, for all that its bucket could.
#[derive(Clone, Copy, Default)]
struct Lacks {
    /// Stores what has come when a request breaks off.
    breaks: bool,
    /// Does not keep this header.
    expires: bool,
    /// Has no last bytes where more are asked for than there are.
    suffixes: bool,
    /// Drops headers with an underscore in their name.
    underscores: bool,
}

#[tokio::test]
async fn a_disk_keeps_objects() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let buckets = Buckets::new(loopback(), folder.path().join("disks"));
    let driver = buckets.open(&target(StorageType::S3, "file:disk")).await.expect("a bucket");
    let names = [&KEYS[..], &NO_PATHS, &CONTROLS, &DOTS, &["\0", "new\nline", "a."]].concat();
    keeps_objects(driver.as_ref(), &names, &[], Lacks::default()).await;
}

#[tokio::test]
async fn moto_keeps_objects() {
    let Some(cloud) = Cloud::moto().await else { return };
    let names = [&KEYS[..], &NO_PATHS, &CONTROLS].concat();
    let lacks = Lacks { breaks: true, underscores: true, ..Lacks::default() };
    in_cloud(&cloud, &names, &[&DOTS[..], &["a\0"]].concat(), lacks).await;
}

#[tokio::test]
async fn rclone_keeps_objects() {
    let Some(cloud) = Cloud::rclone().await else { return };
    let lacks = Lacks { expires: true, suffixes: true, ..Lacks::default() };
    // Its keys are paths.
    in_cloud(&cloud, &KEYS, &DOTS, lacks).await;
}

#[tokio::test]
async fn azurite_keeps_objects() {
    let Some(cloud) = Cloud::azurite().await else { return };
    let names = [&KEYS[..], &NO_PATHS].concat();
    in_cloud(&cloud, &names, &[&CONTROLS[..], &DOTS, &["a./b", "a."]].concat(), Lacks::default())
        .await;
}

#[tokio::test]
async fn fake_gcs_keeps_objects() {
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    let dots = ["../up", "a/./b"];
    let names = [&KEYS[..], &NO_PATHS, &CONTROLS, &dots, &["a.", ".repoplane-parts"]].concat();
    let refused =
        ["..", ".", "a\0", "new\nline", ".repoplane-parts/a", ".well-known/acme-challenge/a"];
    in_cloud(&cloud, &names, &refused, Lacks::default()).await;
}

async fn in_cloud(cloud: &Cloud, names: &[&str], refused: &[&str], lacks: Lacks) {
    cloud.make("bucket").await;
    let driver = buckets().open(&cloud.target("bucket")).await.expect("a bucket");
    keeps_objects(driver.as_ref(), names, refused, lacks).await;
    let missing = buckets().open(&cloud.target("nowhere")).await.expect("a driver");
    let error = missing.head_object("a").await.expect_err("no bucket");
    assert!(matches!(error, BucketError::Missing), "{error:?}");
    let error =
        missing.put("a", 1, &Attributes::default(), content("a")).await.expect_err("no bucket");
    assert!(matches!(error, BucketError::Missing), "{error:?}");
}

async fn keeps_objects(driver: &dyn BucketDriver, names: &[&str], refused: &[&str], lacks: Lacks) {
    described(driver, lacks).await;
    in_ranges(driver, lacks).await;
    streamed(driver).await;
    bad_contents_leave_nothing(driver, lacks).await;
    assert_eq!(keys(driver).await, Vec::<String>::new());
    refuses(driver, refused).await;
    by_key(driver, names).await;
}

async fn by_key(driver: &dyn BucketDriver, names: &[&str]) {
    // As long as a key can be, in parts that fit into a folder.
    let longest = "long/".repeat(204) + "keys";
    let mut names: Vec<&str> = names.iter().copied().chain([longest.as_str()]).collect();
    names.sort_unstable();
    for name in &names {
        let length = name.len() as u64;
        let stored = driver.put(name, length, &Attributes::default(), content(name)).await;
        let stored = stored.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        assert!(!stored.etag.is_empty() && !stored.etag.contains('"'));
    }
    assert_eq!(keys(driver).await, names);
    for name in &names {
        let fetched =
            driver.get(name, None).await.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        assert_eq!(all(fetched).await, name.as_bytes());
        assert_eq!(driver.head_object(name).await.expect("a head").size, name.len() as u64);
    }
    for (at, name) in names.iter().enumerate() {
        driver.delete(name).await.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        driver.delete(name).await.expect("absent is fine");
        assert_eq!(keys(driver).await, names[at + 1..]);
        absent(driver, name).await;
    }
}

async fn absent(driver: &dyn BucketDriver, key: &str) {
    let error = driver.get(key, None).await.err().expect("no object");
    assert!(matches!(error, BucketError::NoSuchObject), "{key:?}: {error:?}");
    let error = driver.head_object(key).await.expect_err("no object");
    assert!(matches!(error, BucketError::NoSuchObject), "{key:?}: {error:?}");
}

async fn refuses(driver: &dyn BucketDriver, names: &[&str]) {
    let long = "k".repeat(1_025);
    for name in names.iter().copied().chain(["", &long]) {
        let refused: KeyError = driver.check_key(name).expect_err("a key that cannot be held");
        let error = driver.put(name, 1, &Attributes::default(), content("a")).await;
        let error = error.expect_err("a key that cannot be held");
        assert!(matches!(error, BucketError::Key(why) if why == refused), "{name:?}: {error:?}");
        let error = driver.get(name, None).await.err().expect("a key that cannot be held");
        assert!(matches!(error, BucketError::Key(_)), "{name:?}: {error:?}");
        let error = driver.delete(name).await.expect_err("a key that cannot be held");
        assert!(matches!(error, BucketError::Key(_)), "{name:?}: {error:?}");
    }
    for value in ["\u{e9}", " a", "a\n", &"v".repeat(2_048)] {
        let metadata = BTreeMap::from([("name".to_owned(), value.to_owned())]);
        let attributes = Attributes { metadata, ..Attributes::default() };
        let error = driver.put("a", 1, &attributes, content("a")).await.expect_err("bad metadata");
        assert!(matches!(error, BucketError::Attribute(_)), "{value:?}: {error:?}");
    }
}

async fn described(driver: &dyn BucketDriver, lacks: Lacks) {
    let said = |text: &str| Some(text.to_owned());
    let metadata = [("my-key", "a  b=;\"c\""), ("my_key", "2"), ("qed", "3"), ("x1", "4")];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut attributes = Attributes {
        cache_control: said("no-cache, max-age=0"),
        content_disposition: said("attachment; filename=\"a b.txt\""),
        content_encoding: said("gzip"),
        content_language: said("de, en"),
        content_type: said("text/plain; charset=utf-8"),
        expires: said("Thu, 01 Dec 2094 16:00:00 GMT"),
        metadata,
    };
    if lacks.expires {
        attributes.expires = None;
    }
    if lacks.underscores {
        attributes.metadata.remove("my_key");
    }
    let first = driver.put("a", 5, &attributes, content("first")).await.expect("an object");
    let head = driver.head_object("a").await.expect("a head");
    assert_eq!((head.size, &head.etag), (5, &first.etag));
    assert_eq!(head.attributes, attributes);
    let fetched = driver.get("a", None).await.expect("an object");
    assert_eq!(fetched.object, head);
    assert_eq!(all(fetched).await, b"first");
    let listed = driver.list("", None, 2).await.expect("a list");
    assert_eq!((listed.len(), listed[0].size, listed[0].etag.as_ref()), (1, 5, Some(&first.etag)));

    // Nothing of it is left when another takes its place.
    let second = driver.put("a", 0, &Attributes::default(), content("")).await.expect("an object");
    assert_ne!(second, first);
    let fetched = driver.get("a", None).await.expect("an object");
    assert_eq!((fetched.object.size, &fetched.object.etag), (0, &second.etag));
    let left = Attributes { content_type: None, ..fetched.object.attributes.clone() };
    assert_eq!(left, Attributes::default());
    assert_eq!(all(fetched).await, b"");
    driver.delete("a").await.expect("deleted");
}

async fn in_ranges(driver: &dyn BucketDriver, lacks: Lacks) {
    driver.put("a", 10, &Attributes::default(), content("0123456789")).await.expect("an object");
    for (range, part, from) in [
        (ByteRange::Span(0, 0), "0", 0),
        (ByteRange::Span(3, 6), "3456", 3),
        (ByteRange::Span(8, 20), "89", 8),
        (ByteRange::From(7), "789", 7),
        (ByteRange::Last(2), "89", 8),
        (ByteRange::Last(20), "0123456789", 0),
    ] {
        if lacks.suffixes && range == ByteRange::Last(20) {
            continue;
        }
        let fetched =
            driver.get("a", Some(range)).await.unwrap_or_else(|e| panic!("{range:?}: {e}"));
        assert_eq!((fetched.object.size, fetched.range.start), (10, from), "{range:?}");
        assert_eq!(all(fetched).await, part.as_bytes(), "{range:?}");
    }
    for range in [ByteRange::From(10), ByteRange::Span(10, 12), ByteRange::Last(0)] {
        let error = driver.get("a", Some(range)).await.err().expect("no such bytes");
        assert!(matches!(error, BucketError::Range), "{range:?}: {error:?}");
    }
    driver.delete("a").await.expect("deleted");
}

/// 16 MiB that are nowhere as a whole.
async fn streamed(driver: &dyn BucketDriver) {
    const CHUNK: usize = 64 * 1024;
    const CHUNKS: usize = 256;
    let chunk = |number: usize| Bytes::from(vec![(number % 251) as u8; CHUNK]);
    let content = stream::iter(0..CHUNKS).map(move |number| Ok(chunk(number))).boxed();
    let length = (CHUNK * CHUNKS) as u64;
    driver.put("big", length, &Attributes::default(), content).await.expect("an object");
    let fetched = driver.get("big", None).await.expect("an object");
    assert_eq!(fetched.object.size, length);
    let counted = fetched.body.try_fold(0, async |at, bytes| {
        let right = bytes.iter().enumerate();
        let right = right.into_iter().all(|(by, byte)| *byte as usize == (at + by) / CHUNK % 251);
        assert!(right, "other bytes after {at}");
        Ok(at + bytes.len())
    });
    assert_eq!(counted.await.expect("a body"), CHUNK * CHUNKS);
    driver.delete("big").await.expect("deleted");
}

async fn bad_contents_leave_nothing(driver: &dyn BucketDriver, lacks: Lacks) {
    let none = Attributes::default();
    for (length, bad) in [
        (7, content("short")),
        (4, content("longer")),
        (0, content("longer")),
        (6, broken("broken")),
        (9, broken("broken")),
        (0, broken("")),
    ] {
        let error = driver.put("bad", length, &none, bad).await.expect_err("a bad content");
        assert!(matches!(error, BucketError::Content(_)), "{error:?}");
        if !lacks.breaks {
            absent(driver, "bad").await;
        }
    }
    driver.put("bad", 3, &none, content("old")).await.expect("an object");
    driver.put("bad", 5, &none, broken("new")).await.expect_err("a bad content");
    if !lacks.breaks {
        assert_eq!(all(driver.get("bad", None).await.expect("an object")).await, b"old");
    }
    driver.delete("bad").await.expect("deleted");
}
