//! Uploads whose parts go to clouds, each with its own ways, and to a disk beside them.

use std::net::SocketAddr;

use bytes::Bytes;
use futures::StreamExt as _;
use repoplane::model::upload::Part;
use repoplane::service::objects::uploads::{self, ListParts, NewPart};
use repoplane::service::objects::{ObjectError, Promised};
use serde_json::json;
use tokio::sync::oneshot;

use super::stage::{Place, Uploads, block, etag};
use crate::objects::stage::Stage;
use crate::storage::stage::User;
use crate::support::Server;
use crate::support::clouds::Cloud;
use crate::support::proxy::Proxy;

async fn beside_clouds() -> Server {
    let loopback = "127.0.0.0/8".parse().expect("a network");
    Server::start_with(|config| config.egress.allow = vec![loopback]).await
}

/// A bucket of a cloud, under an endpoint that leads there.
async fn bucket(user: &User, cloud: &Cloud, name: &str, endpoint: &str) -> uuid::Uuid {
    cloud.make(name).await;
    let body = json!({
        "name": name,
        "storageType": cloud.storage_type.as_str(),
        "bucket": name,
        "endpoint": endpoint,
        "key": cloud.key,
        "secret": cloud.secret,
    });
    user.create_bucket(body).await.expect("a bucket")
}

/// The first bucket in a cloud, the second on the disk.
async fn mirrored<'s>(server: &'s Server, cloud: &Cloud) -> Uploads<'s> {
    let user = User::owner(server);
    let far = bucket(&user, cloud, "bucket-0", &cloud.endpoint).await;
    let near = user.bucket("bucket-1").await;
    Uploads::on(Stage::over(server, user, "MIRROR", vec![far, near]).await).await
}

/// Sends two parts and completes them, and looks at what becomes of them in each bucket.
async fn passes(uploads: &Uploads<'_>, key: &str, numbers: [u32; 2], seed: u8) {
    let place = uploads.begin(key).await;
    let first = block(seed);
    uploads.send(place, numbers[0], &block(seed + 1)).await.expect("a part that is replaced");
    let last = uploads.send(place, numbers[1], b"end").await.expect("a part");
    let one = uploads.send(place, numbers[0], &first).await.expect("a part");
    let object = uploads.complete(place, &[one, last]).await.expect("an object");
    assert_eq!(object.etag, etag(&[&first, b"end"]));
    let content = [first, b"end".to_vec()].concat();
    assert!(uploads.stage.get(key).await.expect("a read") == content);
    uploads.stage.until_alike().await;
    for bucket in 0..uploads.stage.buckets.len() {
        assert!(uploads.stage.copy(bucket, key).await.as_ref() == Some(&content), "{bucket}");
    }
}

/// Sends the first part, of which most waits until the gate is open.
async fn send_slowly(
    uploads: &Uploads<'_>,
    place: Place<'_>,
    content: &[u8],
    gate: oneshot::Receiver<()>,
) -> Part {
    let length = content.len() as u64;
    let (head, tail) = content.split_at(9);
    let (head, tail) = (Bytes::copy_from_slice(head), Bytes::copy_from_slice(tail));
    let rest = async move {
        gate.await.expect("opened");
        Ok(tail)
    };
    let content = futures::stream::iter([Ok(head)]).chain(futures::stream::once(rest)).boxed();
    let (session, space) = uploads.stage.space().await;
    let new = NewPart { number: 1, length, promised: Promised::default() };
    let services = uploads.stage.services();
    let sent = uploads::part(services, &session, &space, place, new, content).await;
    sent.expect("a part")
}

#[tokio::test]
async fn s3_and_a_disk_take_the_same_parts() {
    let Some(cloud) = Cloud::moto().await else { return };
    let server = beside_clouds().await;
    let uploads = mirrored(&server, &cloud).await;
    passes(&uploads, "a//b", [3, 9_000], 1).await;
    let place = uploads.begin("gone").await;
    uploads.send(place, 1, b"end").await.expect("a part");
    uploads.abort(place).await.expect("aborted");
    assert_eq!(uploads.stage.keys().await, ["a//b"]);
    server.stop().await;
}

/// It takes no number twice, and no gaps between them: it is lost to the upload, and brought the object.
#[tokio::test]
async fn a_server_of_s3_that_takes_no_gaps_is_brought_the_object() {
    let Some(cloud) = Cloud::rclone().await else { return };
    let server = beside_clouds().await;
    let uploads = mirrored(&server, &cloud).await;
    passes(&uploads, "gaps", [2, 7], 1).await;
    server.stop().await;
}

#[tokio::test]
async fn alone_it_has_the_upload_begun_again() {
    let Some(cloud) = Cloud::rclone().await else { return };
    let server = beside_clouds().await;
    let user = User::owner(&server);
    let only = bucket(&user, &cloud, "bucket-0", &cloud.endpoint).await;
    let uploads = Uploads::on(Stage::over(&server, user, "NORMAL", vec![only]).await).await;
    let place = uploads.begin("gaps").await;
    let parts = [
        uploads.send(place, 2, &block(1)).await.expect("a part"),
        uploads.send(place, 7, b"end").await.expect("a part"),
    ];
    let error = uploads.complete(place, &parts).await.expect_err("gaps");
    assert!(matches!(error, ObjectError::NoSuchUpload), "{error:?}");
    assert!(uploads.stage.keys().await.is_empty());
    let place = uploads.begin("none").await;
    let parts = [
        uploads.send(place, 1, &block(1)).await.expect("a part"),
        uploads.send(place, 2, b"end").await.expect("a part"),
    ];
    uploads.complete(place, &parts).await.expect("an object");
    assert_eq!(uploads.stage.keys().await, ["none"]);
    server.stop().await;
}

#[tokio::test]
async fn google_and_a_disk_take_the_same_parts() {
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    let server = beside_clouds().await;
    let uploads = mirrored(&server, &cloud).await;
    passes(&uploads, "a//b", [3, 9_000], 1).await;
    assert_eq!(cloud.names("bucket-0").await, ["a//b"]);
    server.stop().await;
}

/// Azure drops the parts of an upload when something else comes to its key.
#[tokio::test]
async fn an_upload_that_azure_has_dropped_is_completed_elsewhere() {
    let Some(cloud) = Cloud::azurite().await else { return };
    let server = beside_clouds().await;
    let uploads = mirrored(&server, &cloud).await;
    passes(&uploads, "a", [3, 9_000], 1).await;
    let place = uploads.begin("a").await;
    let part = uploads.send(place, 1, b"later").await.expect("a part");
    passes(&uploads, "a", [1, 2], 3).await;
    uploads.stage.put("a", b"between").await.expect("a write");
    uploads.complete(place, &[part]).await.expect("an object");
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"later");
    uploads.stage.until_alike().await;
    assert_eq!(uploads.stage.copy(0, "a").await.as_deref(), Some(&b"later"[..]));
    server.stop().await;
}

/// The ETag of a part is told by S3, if there are two who tell it; it is right when one of them fails.
#[tokio::test]
async fn a_cloud_may_be_cut_off_between_parts() {
    let Some(cloud) = Cloud::moto().await else { return };
    let target: SocketAddr =
        cloud.endpoint.strip_prefix("http://").expect("a URL").parse().expect("an address");
    let proxy = Proxy::to(target).await;
    let endpoint = format!("http://{}", proxy.address);
    let server = beside_clouds().await;
    let user = User::owner(&server);
    let cut = bucket(&user, &cloud, "bucket-0", &endpoint).await;
    let whole = bucket(&user, &cloud, "bucket-1", &cloud.endpoint).await;
    let disk = user.bucket("bucket-2").await;
    let buckets = vec![cut, whole, disk];
    let uploads = Uploads::on(Stage::over(&server, user, "MIRROR", buckets).await).await;

    let place = uploads.begin("a").await;
    let first = uploads.send(place, 1, &block(1)).await.expect("a part");
    proxy.cut();
    let second = uploads.send(place, 2, &block(2)).await.expect("a part");
    let last = uploads.send(place, 3, b"end").await.expect("a part");
    let object = uploads.complete(place, &[first, second, last]).await.expect("an object");
    assert_eq!(object.etag, etag(&[&block(1), &block(2), b"end"]));
    assert_eq!(uploads.owed(0).await, 1);
    proxy.mend();
    uploads.stage.until_alike().await;
    let content = [block(1), block(2), b"end".to_vec()].concat();
    for bucket in [0, 1, 2] {
        assert!(uploads.stage.copy(bucket, "a").await.as_ref() == Some(&content), "{bucket}");
    }
    server.stop().await;
}

/// Only S3 would tell the ETag, and does not live to: nobody could compute it any more then.
#[tokio::test]
async fn a_cloud_may_be_cut_off_in_the_middle_of_a_part() {
    let Some(cloud) = Cloud::moto().await else { return };
    let target = cloud.endpoint.strip_prefix("http://").expect("a URL").parse();
    let proxy = Proxy::to(target.expect("an address")).await;
    let server = beside_clouds().await;
    let user = User::owner(&server);
    let endpoint = format!("http://{}", proxy.address);
    let far = bucket(&user, &cloud, "bucket-0", &endpoint).await;
    let near = user.bucket("bucket-1").await;
    let uploads = Uploads::on(Stage::over(&server, user, "MIRROR", vec![far, near]).await).await;
    let place = uploads.begin("a").await;
    let (go, gate) = oneshot::channel();
    let content = block(1);
    let slowly = send_slowly(&uploads, place, &content, gate);
    let cut = async {
        proxy.cut();
        go.send(()).expect("somebody waits");
    };
    let (part, ()) = tokio::join!(slowly, cut);
    let object = uploads.complete(place, &[part]).await.expect("an object");
    assert_eq!(object.etag, etag(&[&content]));
    proxy.mend();
    uploads.stage.until_alike().await;
    assert!(uploads.stage.copy(0, "a").await == Some(content));
    server.stop().await;
}

/// Of one number, all buckets have the content that the catalog knows.
#[tokio::test]
async fn a_number_may_come_twice_at_the_same_time() {
    const ROUNDS: usize = 16;
    let Some(cloud) = Cloud::moto().await else { return };
    let server = beside_clouds().await;
    let uploads = mirrored(&server, &cloud).await;
    for round in 0..ROUNDS {
        let key = format!("key-{round}");
        let place = uploads.begin(&key).await;
        let sent = ["one", "two", "six"].map(|text| uploads.send(place, 1, text.as_bytes()));
        futures::future::try_join_all(sent).await.expect("parts");
        let (session, space) = uploads.stage.space().await;
        let (services, first) = (uploads.stage.services(), ListParts { after: 0, limit: 1 });
        let listed = uploads::list_parts(services, &session, &space, place, first).await;
        uploads.complete(place, &listed.expect("a list").parts).await.expect("an object");
        assert_eq!((uploads.owed(0).await, uploads.owed(1).await), (0, 0), "{round}");
        assert_eq!(uploads.stage.copy(0, &key).await, uploads.stage.copy(1, &key).await);
    }
    server.stop().await;
}

/// One bucket goes by what came last under a number, the other by what is named: they have to agree.
#[tokio::test]
async fn of_two_contents_for_one_number_the_one_that_ends_last_is_the_part() {
    let Some(cloud) = Cloud::moto().await else { return };
    let server = beside_clouds().await;
    let uploads = mirrored(&server, &cloud).await;
    let place = uploads.begin("a").await;
    let (go, gate) = oneshot::channel();
    let slow = block(1);
    let slowly = send_slowly(&uploads, place, &slow, gate);
    let quickly = async {
        let quick = uploads.send(place, 1, &block(2)).await.expect("a part");
        go.send(()).expect("somebody waits");
        quick
    };
    let (last, quick) = tokio::join!(slowly, quickly);
    let error = uploads.complete(place, &[quick]).await.expect_err("an old part");
    assert!(matches!(error, ObjectError::InvalidPart(1)), "{error:?}");
    uploads.complete(place, &[last]).await.expect("an object");
    assert_eq!((uploads.owed(0).await, uploads.owed(1).await), (0, 0));
    for bucket in [0, 1] {
        assert!(uploads.stage.copy(bucket, "a").await.as_ref() == Some(&slow), "{bucket}");
    }
    server.stop().await;
}
