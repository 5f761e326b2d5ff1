//! A bucket is registered only when it can be reached: through the API, with servers that stand for
//! the clouds behind it.

use repoplane::model::bucket::StorageType;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};

use crate::support::clouds::Cloud;
use crate::support::service_account::ServiceAccount;
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn buckets_of_s3_and_of_gcs_are_reached_or_refused_with_the_reason() {
    let Some(cloud) = Cloud::rclone().await else { return };
    every_reason(&cloud, "S3").await;
    every_reason(&cloud, "GCS").await;
}

#[tokio::test]
async fn buckets_of_gcs_are_reached_by_the_key_of_a_service_account() {
    let Some(cloud) = Cloud::fake_gcs().await else { return };
    let (server, account) = (start().await, ServiceAccount::start(3_600).await);
    cloud.make("objects").await;
    let mut body = json!({"name": "bucket", "bucket": "objects", "storageType": "GCS",
        "endpoint": cloud.endpoint});
    for (secret, reason) in [
        (account.wrong_key(), "the secret is wrong"),
        ("{}".to_owned(), "enter the whole JSON file"),
        ("another-secret".to_owned(), "the key is missing"),
    ] {
        body["secret"] = secret.into();
        refused(&server, "POST", "/bucket", &body, reason).await;
    }
    body["secret"] = account.key().into();
    let (status, made) = send(&server, "POST", "/bucket", &body).await;
    assert_eq!((status, &made["status"]), (200, &json!("ONLINE")), "{made}");
    let id = made["bucketId"].as_str().expect("an id");
    assert_eq!(sight(&server, id).await["status"], "ONLINE");
    let path = format!("/bucket/{id}");
    let change = json!({"secret": account.wrong_key()});
    refused_change(&server, &path, &change, "the secret is wrong").await;
    server.stop().await;
}

#[tokio::test]
async fn containers_of_azure_are_reached_or_refused_with_the_reason() {
    let Some(cloud) = Cloud::azurite().await else { return };
    every_reason(&cloud, "BLOB").await;
    every_reason(&cloud, "AZURE").await;
}

#[tokio::test]
async fn an_open_cloud_is_reached_without_the_right_secret() {
    let Some(cloud) = Cloud::moto().await else { return };
    let server = start().await;
    cloud.make("objects").await;
    let mut bucket = bucket(&cloud, "S3");
    bucket["secret"] = "any".into();
    bucket["bucket"] = "nowhere".into();
    refused(&server, "POST", "/bucket", &bucket, "no such bucket").await;
    bucket["bucket"] = "objects".into();
    let (status, made) = send(&server, "POST", "/bucket", &bucket).await;
    assert_eq!(status, 200, "{made}");
    server.stop().await;
}

#[tokio::test]
async fn a_disk_is_made_where_it_is_missing_and_answers() {
    let server = start().await;
    let body = json!({"name": "b", "bucket": "objects", "storageType": "S3", "endpoint": "file:d"});
    let (status, made) = send(&server, "POST", "/bucket", &body).await;
    assert_eq!((status, &made["status"]), (200, &json!("ONLINE")), "{made}");
    let id = made["bucketId"].as_str().expect("an id");
    let workspace = stored(&server, id).await["workspaceId"].as_str().expect("an id").to_owned();
    let disk = server.folder().join("disks").join(workspace).join("d");
    assert!(disk.join("objects").is_dir());
    assert_eq!(sight(&server, id).await["status"], "ONLINE");

    // A disk that is there but is none.
    std::fs::remove_dir_all(&disk).expect("removed");
    std::fs::write(&disk, "in the way").expect("written");
    let seen = sight(&server, id).await;
    assert_eq!(seen["status"], "OFFLINE");
    assert_eq!(seen.get("latencyMs"), None);
    assert_eq!(stored(&server, id).await["status"], "OFFLINE");
    let (status, verdict) =
        send(&server, "POST", &format!("/bucket/{id}/validate"), &json!({})).await;
    assert_eq!(status, 400, "{verdict}");

    std::fs::remove_file(&disk).expect("removed");
    assert_eq!(sight(&server, id).await["status"], "ONLINE");
    assert_eq!(stored(&server, id).await["status"], "ONLINE");
    server.stop().await;
}

#[tokio::test]
async fn nobody_listens_or_answers() {
    let server = start().await;
    // Bound, so that nobody else listens there; not listening, so that nobody can connect.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let closed = socket.local_addr().expect("bound");
    let silent = silent.local_addr().expect("bound");
    for (address, reason) in [(closed, "cannot be reached"), (silent, "in time")] {
        let body = json!({"name": "b", "bucket": "objects", "storageType": "S3", "key": "k",
            "secret": "s", "endpoint": format!("http://{address}")});
        refused(&server, "POST", "/bucket", &body, reason).await;
    }
    let metadata = json!({"name": "b", "bucket": "objects", "storageType": "S3", "key": "k",
        "secret": "s", "endpoint": "http://169.254.169.254"});
    refused(&server, "POST", "/bucket", &metadata, "metadata").await;
    let closed = Server::start_with(|config| config.egress.public = false).await;
    let at_home =
        json!({"name": "b", "bucket": "objects", "storageType": "S3", "key": "k", "secret": "s"});
    refused(&closed, "POST", "/bucket", &at_home, "egress.public").await;
    closed.stop().await;
    server.stop().await;
}

/// Created, looked at, checked and changed; and refused for each reason there is, with nothing kept.
async fn every_reason(cloud: &Cloud, storage_type: &str) {
    let server = start().await;
    let [objects, others] = ["objects", "others"].map(|name| format!("{name}{storage_type}"));
    let [objects, others] = [objects, others].map(|name| name.to_lowercase());
    cloud.make(&objects).await;
    let mut good = bucket(cloud, storage_type);
    good["bucket"] = objects.into();
    for (field, value, reason) in [
        ("secret", wrong_secret(cloud), "the secret is wrong"),
        ("key", "nobody".to_owned(), "the secret is wrong"),
        ("bucket", "nowhere".to_owned(), "no such bucket"),
        ("endpoint", "ftp://127.0.0.1".to_owned(), "endpoint"),
    ] {
        let mut bad = good.clone();
        bad[field] = value.into();
        refused(&server, "POST", "/bucket", &bad, reason).await;
    }
    let (status, made) = send(&server, "POST", "/bucket", &good).await;
    assert_eq!((status, &made["status"]), (200, &json!("ONLINE")), "{made}");
    assert!(made["latency_ms"].is_u64(), "{made}");
    let id = made["bucketId"].as_str().expect("an id").to_owned();
    let before = stored(&server, &id).await;
    assert_eq!(before["storageType"], storage_type);

    let path = format!("/bucket/{id}");
    for (change, reason) in [
        (json!({"secret": wrong_secret(cloud)}), "the secret is wrong"),
        (json!({"bucket": "nowhere", "name": "changed"}), "no such bucket"),
    ] {
        refused_change(&server, &path, &change, reason).await;
        assert_eq!(stored(&server, &id).await, before);
    }
    let validate = format!("{path}/validate");
    let (status, verdict) = send(&server, "POST", &validate, &json!({})).await;
    assert_eq!((status, &verdict["status"]), (200, &json!("ONLINE")), "{verdict}");
    let (status, verdict) = send(&server, "POST", &validate, &json!({"bucket": "nowhere"})).await;
    assert_eq!(status, 400, "{verdict}");
    // What was only tried says nothing of what is stored.
    assert_eq!(stored(&server, &id).await["status"], "ONLINE");
    assert_eq!(sight(&server, &id).await["status"], "ONLINE");

    cloud.make(&others).await;
    let (status, changed) = send(&server, "PUT", &path, &json!({"bucket": others})).await;
    assert_eq!((status, &changed["status"]), (200, &json!("ONLINE")), "{changed}");
    let (status, renamed) = send(&server, "PUT", &path, &json!({"name": "renamed"})).await;
    assert_eq!((status, renamed.get("status")), (200, None), "{renamed}");
    server.stop().await;
}

async fn start() -> Server {
    Server::beside_a_cloud().await.0
}

fn bucket(cloud: &Cloud, storage_type: &str) -> Value {
    json!({"name": "bucket", "bucket": "objects", "storageType": storage_type,
        "endpoint": cloud.endpoint, "key": cloud.key, "secret": cloud.secret})
}

/// Of the form that the cloud's secrets have.
fn wrong_secret(cloud: &Cloud) -> String {
    match cloud.storage_type {
        StorageType::S3 => "another-secret".to_owned(),
        _ => "bm90IHRoZSBrZXk=".to_owned(),
    }
}

/// Refused with a reason, and nothing is there afterwards.
async fn refused(server: &Server, method: &str, path: &str, body: &Value, reason: &str) {
    let (status, answer) = send(server, method, path, body).await;
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!((status, message.contains(reason)), (400, true), "{body}: {answer}");
    let (_, list) = send(server, "GET", "/bucket", &Value::Null).await;
    assert_eq!(list["buckets"], json!([]));
}

async fn refused_change(server: &Server, path: &str, body: &Value, reason: &str) {
    let (status, answer) = send(server, "PUT", path, body).await;
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!((status, message.contains(reason)), (400, true), "{body}: {answer}");
}

async fn stored(server: &Server, id: &str) -> Value {
    let mut bucket = send(server, "GET", &format!("/bucket/{id}"), &Value::Null).await.1;
    bucket["bucket"].as_object_mut().expect("a bucket").remove("lastStatusAt");
    bucket["bucket"].take()
}

async fn sight(server: &Server, id: &str) -> Value {
    let (status, mut seen) =
        send(server, "GET", &format!("/bucket/{id}/status"), &Value::Null).await;
    assert_eq!((status, seen["bucketId"].as_str()), (200, Some(id)));
    seen["nodeStatus"][0].take()
}

async fn send(server: &Server, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let method = method.parse().expect("a method");
    let url = format!("{}{path}", server.url());
    let mut request = reqwest::Client::new().request(method, url).bearer_auth(OWNER_TOKEN);
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}
