//! The server is killed at random moments under load, while buckets come and go: nothing that it
//! acknowledged is lost, replaced by what was before, or back after it was deleted.
//!
//! `TEST_LONG=1` kills it twenty times as often.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use repoplane::model::time::Timestamp;
use repoplane::store::{Store, debts, intents};
use repoplane_client::{reqwest, types};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::json;
use tokio::sync::Notify;

use super::stage::content;
use crate::durability::Numbers;
use crate::durability::process::Process;
use crate::storage::stage::typed;
use crate::support::database::Database;
use crate::support::faulty_cloud::FaultyCloud;

const CLIENTS: usize = 4;
const KEYS_PER_CLIENT: u64 = 6;
/// How long a signed request is good for.
const TTL: Duration = Duration::from_secs(300);
/// How long the healer may take for what is left in the end.
const PATIENCE: Duration = Duration::from_secs(120);
/// Later than anything is put off.
const AGES: Duration = Duration::from_hours(24 * 365);

/// What a key may hold: what was acknowledged last, and what was tried since.
type May = BTreeMap<String, Vec<Option<Vec<u8>>>>;

/// A client of the gateway, with keys of its own.
struct Client {
    name: usize,
    http: reqwest::Client,
    bucket: Bucket,
    credentials: Credentials,
    numbers: Numbers,
    may: May,
}

/// The server is gone, or was when it should have answered.
struct Gone;

impl Client {
    fn key(&mut self) -> String {
        format!("{}/{}", self.name, self.numbers.below(KEYS_PER_CLIENT))
    }

    fn may(&mut self, key: &str) -> &mut Vec<Option<Vec<u8>>> {
        self.may.entry(key.to_owned()).or_insert_with(|| vec![None])
    }

    /// One request; whether it was acknowledged.
    async fn step(&mut self, number: usize) -> Result<(), Gone> {
        let key = self.key();
        let credentials = Some(&self.credentials);
        let to = match self.numbers.below(10) {
            0..5 => {
                let size = [10, 3_000, 300_000][self.numbers.below(3) as usize];
                Some(Some(content(&format!("{key} {number}"), size)))
            }
            5..7 => Some(None),
            _ => None,
        };
        let request = match &to {
            Some(Some(content)) => {
                let url = self.bucket.put_object(credentials, &key).sign(TTL);
                self.http.put(url).body(content.clone())
            }
            Some(None) => self.http.delete(self.bucket.delete_object(credentials, &key).sign(TTL)),
            None => return self.read(&key).await.map(drop),
        };
        let to = to.expect("a change");
        // Whether or not it is answered, it may happen from now on.
        self.may(&key).push(to.clone());
        let answer = request.send().await.map_err(|_| Gone)?;
        if answer.status().is_success() {
            *self.may(&key) = vec![to];
        }
        Ok(())
    }

    /// Reads a key; nobody answers with what it cannot hold.
    async fn read(&mut self, key: &str) -> Result<Option<Option<Vec<u8>>>, Gone> {
        let url = self.bucket.get_object(Some(&self.credentials), key).sign(TTL);
        let answer = self.http.get(url).send().await.map_err(|_| Gone)?;
        let now = match answer.status().as_u16() {
            200 => Some(answer.bytes().await.map_err(|_| Gone)?.to_vec()),
            404 => None,
            503 | 409 => return Ok(None),
            status => panic!("{key}: {status}"),
        };
        let allowed = self.may(key).contains(&now);
        assert!(allowed, "{key} has {:?} bytes", now.map(|now| now.len()));
        Ok(Some(now))
    }
}

/// Works until the server does not answer any more.
async fn load(mut client: Client, left: Arc<(AtomicUsize, Notify)>) -> (Numbers, May) {
    for number in 0.. {
        if client.step(number).await.is_err() {
            break;
        }
        if left.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            left.1.notify_one();
        }
    }
    (client.numbers, client.may)
}

/// A MIRROR repo of a local disk and a cloud, and an access key to it.
async fn prepare(server: &Process, cloud: &FaultyCloud) -> Credentials {
    let owner = server.owner();
    let mut links = vec![];
    for (name, endpoint) in [("disk", "file:disk"), ("cloud", cloud.url.as_str())] {
        let secret = (name == "cloud").then_some("secret");
        let body: types::CreateBucketRequest =
            typed(json!({ "name": name, "storageType": "S3", "bucket": name,
                "endpoint": endpoint, "key": secret, "secret": secret }));
        let made = owner.create_bucket().body(body).send().await.expect("a bucket").bucket_id;
        links.push(json!({ "bucketId": made, "folder": "", "master": name == "disk" }));
    }
    let body: types::CreateStorageRepoRequest = typed(
        json!({ "name": "repo", "storageType": "S3", "mode": "MIRROR", "repoBuckets": links }),
    );
    let repo = owner.create_storage_repo().body(body).send().await.expect("a repo").repo_id;
    let body: types::CreateAccessKeyRequest =
        typed(json!({ "name": "key", "accessType": "ADMIN" }));
    let made = owner.create_access_key().repo_id(repo).body(body).send().await;
    let made = made.expect("an access key").into_inner();
    Credentials::new(made.key, made.secret)
}

fn bucket(server: &Process) -> Bucket {
    let url = server.s3.as_ref().expect("a gateway").parse().expect("a URL");
    Bucket::new(url, UrlStyle::Path, "disk".to_owned(), "us-east-1".to_owned()).expect("a bucket")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_object_is_lost_when_the_server_is_killed() {
    let long = std::env::var("TEST_LONG").is_ok_and(|value| value == "1");
    let kills = if long { 100 } else { 5 };
    let folder = tempfile::tempdir().expect("temporary folder");
    let database = Database::create().await;
    let url = database.url(folder.path());
    let cloud = FaultyCloud::start().await;
    let mut numbers = Numbers(7);
    let mut server = Process::with_gateway(folder.path(), &url).await;
    let credentials = prepare(&server, &cloud).await;
    let mut known: Vec<_> = (0..CLIENTS).map(|name| (Numbers(name as u64), May::new())).collect();
    let mut requests = 0;
    for kill in 0..kills {
        let enough = 50 + numbers.below(200) as usize;
        requests += enough;
        let left = Arc::new((AtomicUsize::new(enough), Notify::new()));
        let clients: Vec<_> = known
            .drain(..)
            .enumerate()
            .map(|(name, (numbers, may))| {
                let (http, bucket) = (reqwest::Client::new(), bucket(&server));
                let credentials = credentials.clone();
                let client = Client { name, http, bucket, credentials, numbers, may };
                tokio::spawn(load(client, left.clone()))
            })
            .collect();
        // The cloud is away half of the time, and comes back in the middle of the work.
        if kill % 2 == 1 {
            cloud.fall();
        }
        left.1.notified().await;
        server.kill();
        cloud.recover();
        for client in clients {
            known.push(client.await.expect("a client"));
        }
        forget_leases(&url).await;
        server = Process::with_gateway(folder.path(), &url).await;
        let slow = check(&server, &credentials, &mut known).await;
        assert!(slow, "nothing could be read after a kill");
    }
    settle(&url).await;
    let mut held = BTreeMap::new();
    for (name, (numbers, may)) in known.drain(..).enumerate() {
        let (http, bucket) = (reqwest::Client::new(), bucket(&server));
        let credentials = credentials.clone();
        let mut client = Client { name, http, bucket, credentials, numbers, may };
        for key in client.may.keys().cloned().collect::<Vec<_>>() {
            let now = client.read(&key).await.ok().flatten().expect("an answer");
            held.extend(now.map(|now| (key, now)));
        }
    }
    assert!(cloud.contents() == held, "the cloud holds something else than the catalog");
    // What the disk holds is all there is now.
    cloud.fall();
    let client = reqwest::Client::new();
    for (key, content) in &held {
        let read = client.get(bucket(&server).get_object(Some(&credentials), key).sign(TTL));
        let read = read.send().await.expect("an answer");
        assert_eq!(read.status(), 200, "{key}");
        assert!(read.bytes().await.expect("a content") == content, "{key} on the disk");
    }
    println!("{requests} requests, {kills} kills, {} objects", held.len());
    server.kill();
    drop(server);
    database.drop().await;
}

/// Reads all that is known; whether anything could be read.
async fn check(server: &Process, credentials: &Credentials, known: &mut [(Numbers, May)]) -> bool {
    let (mut read, mut all) = (0, 0);
    for (name, (_, may)) in known.iter_mut().enumerate() {
        let (http, bucket) = (reqwest::Client::new(), bucket(server));
        let (credentials, numbers) = (credentials.clone(), Numbers(0));
        let mut client = Client { name, http, bucket, credentials, numbers, may: may.clone() };
        for key in may.keys() {
            all += 1;
            let answer = client.read(key).await.ok().expect("a server that answers");
            read += usize::from(answer.is_some());
        }
    }
    read > 0 || all == 0
}

/// A process that shares its database cannot know that its last one is dead; time tells it.
async fn forget_leases(url: &str) {
    let store = Store::open(url).await.expect("the database");
    intents::end_all(store.write_now()).await.expect("intents");
    store.close().await;
}

/// Waits until nobody owes anything, and nothing is under way.
async fn settle(url: &str) {
    let store = Store::open(url).await.expect("the database");
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let ages = Timestamp::now().plus(AGES);
        let owing = debts::debtors(store.read(), ages).await.expect("debts");
        let busy = intents::run_out(store.read(), ages, 1).await.expect("intents");
        if owing.is_empty() && busy.is_empty() {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{owing:?} {busy:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store.close().await;
}
