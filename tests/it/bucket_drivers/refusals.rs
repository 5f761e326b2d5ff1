//! Each way in which a bucket cannot be used has its own answer.

use std::time::Duration;

use repoplane::backend::buckets::{BucketError, Buckets};
use repoplane::backend::egress::{Egress, EgressError};
use repoplane::model::bucket::StorageType;
use tokio::net::{TcpListener, TcpSocket};

use super::{SECRET, buckets, each_protocol, loopback, ping_error, probe_error, target};
use crate::support::clouds::Cloud;

#[tokio::test]
async fn moto_says_what_is_missing() {
    let Some(cloud) = Cloud::moto().await else { return };
    missing(&cloud).await;
}

#[tokio::test]
async fn rclone_says_what_is_wrong() {
    let Some(cloud) = Cloud::rclone().await else { return };
    missing(&cloud).await;
    wrong_credential(&cloud).await;
}

#[tokio::test]
async fn azurite_says_what_is_wrong() {
    let Some(cloud) = Cloud::azurite().await else { return };
    missing(&cloud).await;
    wrong_credential(&cloud).await;
}

#[tokio::test]
async fn fake_gcs_says_what_is_missing() {
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    missing(&cloud).await;
}

async fn missing(cloud: &Cloud) {
    let target = cloud.target("nowhere");
    assert!(matches!(probe_error(&buckets(), &target).await, BucketError::Missing));
    assert!(matches!(ping_error(&buckets(), &target).await, BucketError::Missing));
}

async fn wrong_credential(cloud: &Cloud) {
    cloud.make("bucket").await;
    let mut wrong_secret = cloud.target("bucket");
    wrong_secret.secret = Some(SECRET.into());
    let mut unknown_key = cloud.target("bucket");
    unknown_key.place.key = Some("nobody".to_owned());
    for target in [wrong_secret, unknown_key] {
        for error in [probe_error(&buckets(), &target).await, ping_error(&buckets(), &target).await]
        {
            assert!(matches!(error, BucketError::Credential), "{:?}: {error:?}", target.place.key);
        }
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    // Bound, so that nobody else listens there; not listening, so that nobody can connect.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let endpoint = format!("http://{}", socket.local_addr().expect("bound"));
    for target in each_protocol(&endpoint).await {
        for error in [probe_error(&buckets(), &target).await, ping_error(&buckets(), &target).await]
        {
            assert!(matches!(&error, BucketError::Unreachable(_)), "{error:?}");
            assert!(error.to_string().contains("refused"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_name_that_is_not_known_is_unreachable() {
    // Too long for a name, so that nobody is asked for it.
    let endpoint = format!("https://{}.invalid", "a".repeat(64));
    for target in each_protocol(&endpoint).await {
        let error = probe_error(&buckets(), &target).await;
        assert!(matches!(error, BucketError::Unreachable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn silence_ends_in_time() {
    // Connections are made by the kernel; nobody takes them.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("bound"));
    let buckets = buckets().with_probe_timeout(Duration::from_millis(50));
    for target in each_protocol(&endpoint).await {
        for error in [probe_error(&buckets, &target).await, ping_error(&buckets, &target).await] {
            assert!(matches!(error, BucketError::TimedOut), "{error:?}");
        }
    }
}

#[tokio::test]
async fn addresses_inside_are_refused() {
    let public = Buckets::new(Egress::new(vec![]), "disks".into());
    for (endpoint, metadata) in [("https://127.0.0.1", false), ("https://169.254.169.254", true)] {
        for target in each_protocol(endpoint).await {
            match probe_error(&public, &target).await {
                BucketError::Refused(EgressError::Internal(_)) => assert!(!metadata, "{endpoint}"),
                BucketError::Refused(EgressError::Metadata(_)) => assert!(metadata, "{endpoint}"),
                other => panic!("{endpoint}: {other:?}"),
            }
        }
    }
    for target in each_protocol("http://example.com").await {
        let plain = probe_error(&public, &target).await;
        assert!(matches!(plain, BucketError::Refused(EgressError::Scheme(..))), "{plain:?}");
    }
    for target in each_protocol(&format!("https://user:{SECRET}@example.com")).await {
        let error = probe_error(&public, &target).await;
        assert!(matches!(error, BucketError::Refused(EgressError::Credentials)), "{error:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_bucket_is_not_dialled() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let buckets = Buckets::new(loopback(), folder.path().join("disks"));
    let good = |storage_type| target(storage_type, "http://127.0.0.1:1");
    let mut targets = Vec::new();
    for storage_type in StorageType::ALL {
        for bucket in ["", "..", "a/b", "a?b", "a b"] {
            let mut target = good(storage_type);
            target.place.bucket = bucket.to_owned();
            targets.push(target.clone());
            target.place.endpoint = Some("file:disk".to_owned());
            targets.push(target);
        }
        let long = format!("file:{}", "d".repeat(65));
        for endpoint in
            ["host", "ftp:", "file:", "file:.", "file:..", "file:a/b", "file:A", "file:é", &long]
        {
            targets.push(target(storage_type, endpoint));
        }
        for secret in [None, Some("".into())] {
            targets.push(repoplane::backend::buckets::Target { secret, ..good(storage_type) });
        }
        let mut no_key = good(storage_type);
        no_key.place.key = None;
        targets.push(no_key);
    }
    let mut not_base64 = good(StorageType::Blob);
    not_base64.secret = Some("no base64!".into());
    let mut account = good(StorageType::Gcs);
    account.secret =
        Some(format!("{{\"private_key\": \"-----BEGIN PRIVATE KEY-----{SECRET}\"}}").into());
    let mut no_rsa_key = good(StorageType::Gcs);
    let file = format!(
        "{{\"client_email\": \"a\", \"token_uri\": \"http://127.0.0.1:1\", \"private_key\": \
         \"-----BEGIN PRIVATE KEY-----\\n{SECRET}\\n-----END PRIVATE KEY-----\"}}"
    );
    no_rsa_key.secret = Some(file.into());
    let mut bare_key = good(StorageType::Gcs);
    bare_key.secret = Some(format!("-----BEGIN PRIVATE KEY-----\n{SECRET}").into());
    targets.extend([not_base64, account, no_rsa_key, bare_key]);

    for target in targets {
        let error = probe_error(&buckets, &target).await;
        assert!(matches!(error, BucketError::Place(_)), "{target:?}: {error:?}");
    }
    assert!(!folder.path().join("disks").exists());
}
