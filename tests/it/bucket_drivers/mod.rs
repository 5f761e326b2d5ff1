//! One behaviour of all bucket drivers, against servers that stand for the clouds.

mod accounts;
mod broken;
mod listing;
mod multipart;
mod objects;
mod odd_servers;
mod refusals;
mod sweeping;

use std::path::PathBuf;

use futures::{StreamExt, TryStreamExt, stream};
use repoplane::backend::buckets::{BucketDriver, BucketError, Buckets, Content, Fetched, Target};
use repoplane::backend::egress::Egress;
use repoplane::model::bucket::{Place, StorageType};
use repoplane::model::id::WorkspaceId;

use crate::support::service_account::ServiceAccount;

/// A credential that must not turn up in anything that is said.
const SECRET: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5";

/// Buckets that may be on loopback, and have no folder for local disks.
fn buckets() -> Buckets {
    Buckets::new(loopback(), PathBuf::new())
}

fn loopback() -> Egress {
    Egress::new(vec!["127.0.0.0/8".parse().expect("a network")])
}

/// A bucket `b` of this type at a server that knows nobody.
fn target(storage_type: StorageType, endpoint: &str) -> Target {
    let place = Place {
        storage_type,
        bucket: "b".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        region: None,
        key: Some("key".to_owned()),
    };
    Target { workspace: WorkspaceId::new(), place, secret: Some(SECRET.into()) }
}

/// A bucket `b` at a server that knows nobody, once for each protocol.
async fn each_protocol(endpoint: &str) -> [Target; 3] {
    let account = ServiceAccount::start(3_600).await;
    let [s3, azure] =
        [StorageType::S3, StorageType::Azure].map(|storage_type| target(storage_type, endpoint));
    [s3, azure, opened_by(account.key(), endpoint)]
}

/// A bucket `b` of Google's, for the service account that has this key.
fn opened_by(key: String, endpoint: &str) -> Target {
    let mut target = Target { secret: Some(key.into()), ..target(StorageType::Gcs, endpoint) };
    target.place.key = None;
    target
}

/// Why a probe fails, without the secret or anything signed with it.
async fn probe_error(buckets: &Buckets, target: &Target) -> BucketError {
    quiet(buckets.probe(target).await.expect_err("a probe that fails"))
}

async fn ping_error(buckets: &Buckets, target: &Target) -> BucketError {
    quiet(buckets.ping(target).await.expect_err("a ping that fails"))
}

fn quiet(error: BucketError) -> BucketError {
    for said in [error.to_string(), format!("{error:?}")] {
        for secret in [SECRET, "ignature", "X-Amz", "SharedKey"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    error
}

/// A content in chunks of a few bytes.
fn content(text: &str) -> Content {
    let chunks: Vec<_> = text.as_bytes().chunks(3).map(|chunk| Ok(chunk.to_vec().into())).collect();
    stream::iter(chunks).boxed()
}

/// A content that breaks off with an error.
fn broken(text: &str) -> Content {
    content(text).chain(stream::iter([Err(std::io::Error::other("it broke off"))])).boxed()
}

async fn all(fetched: Fetched) -> Vec<u8> {
    let length = fetched.range.end - fetched.range.start;
    let chunks: Vec<bytes::Bytes> = fetched.body.try_collect().await.expect("a body");
    let all = chunks.concat();
    assert_eq!(all.len() as u64, length);
    all
}

async fn keys(driver: &dyn BucketDriver) -> Vec<String> {
    let listed = driver.list("", None, 1_000).await.expect("a list");
    listed.into_iter().map(|object| object.key).collect()
}
