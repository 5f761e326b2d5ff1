//! A storage repo over clouds that fail, and what ought to be in it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use repoplane::backend::buckets::Content;
use repoplane::model::id::SpaceId;
use repoplane::model::storage_job::{Asked, JobState, StorageJob, StorageJobKind};
use repoplane::model::time::Timestamp;
use repoplane::service::objects::{ObjectError, Space, healing, roll_all};
use repoplane::store::{debts, intents, storage_jobs};
use serde_json::json;
use tokio::sync::{OwnedMutexGuard, oneshot};

use crate::objects::stage::Stage;
use crate::storage::stage::User;
use crate::support::Server;
use crate::support::faulty_cloud::FaultyCloud;

/// How long anything that has to happen some time may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Later than anything is put off or kept.
const AGES: Duration = Duration::from_hours(24 * 365);

/// What is acknowledged: contents by their keys.
pub type Known = BTreeMap<String, Vec<u8>>;

/// A storage repo, its buckets, and an access key.
pub type Made = (uuid::Uuid, Vec<uuid::Uuid>, String);

pub struct Broken<'s> {
    pub stage: Stage<'s>,
    pub clouds: &'s [FaultyCloud],
}

impl<'s> Broken<'s> {
    pub async fn over(server: &'s Server, clouds: &'s [FaultyCloud], mode: &str) -> Self {
        let user = User::owner(server);
        let mut buckets = vec![];
        for (number, cloud) in clouds.iter().enumerate() {
            let name = format!("bucket-{number}");
            let body = json!({ "name": name, "storageType": "S3", "bucket": name,
                "endpoint": cloud.url, "key": "key", "secret": "secret" });
            buckets.push(user.create_bucket(body).await.expect("a bucket"));
        }
        let stage = Stage::over(server, user, mode, buckets).await;
        stage.until_alike().await;
        Self { stage, clouds }
    }

    /// The same, after the server was started anew.
    pub fn again(server: &'s Server, clouds: &'s [FaultyCloud], made: Made) -> Self {
        let (repo, buckets, access_key) = made;
        let user = User::owner(server);
        Self { stage: Stage { server, user, repo, buckets, access_key }, clouds }
    }

    pub fn made(&self) -> Made {
        let stage = &self.stage;
        (stage.repo, stage.buckets.clone(), stage.access_key.clone())
    }

    pub async fn space(&self) -> std::sync::Arc<Space> {
        self.stage.space().await.1
    }

    pub async fn put(&self, key: &str, content: &[u8]) -> Result<(), ObjectError> {
        self.stage.put(key, content).await.map(drop)
    }

    /// Lets others have asked a bucket, if they were about to, before a sender gives up.
    pub async fn then_give_up(&self, sender: oneshot::Sender<()>, key: &str) {
        for _ in 0..10 {
            self.stage.get(key).await.expect("a read");
        }
        sender.send(()).expect("somebody who waits for a content");
    }

    /// Forgets that buckets failed, so that the next request asks all of them.
    pub async fn calm(&self) {
        for member in &self.space().await.members {
            member.health.answered();
        }
    }

    /// Keeps the healer away for as long as this is held, so that it meets no fault that others are to meet.
    pub async fn unhealed(&self) -> Vec<OwnedMutexGuard<()>> {
        let mut turns = vec![];
        for bucket in &self.stage.buckets {
            let turn = self.stage.services().plane.turn((*bucket).into());
            turns.push(turn.lock_owned().await);
        }
        turns
    }

    /// Writes although buckets failed, and while the healer does not fail with them.
    pub async fn put_calmly(&self, key: &str, content: &[u8]) {
        let _turns = self.unhealed().await;
        self.calm().await;
        self.put(key, content).await.expect("a write");
    }

    /// Makes everything well again, and waits until nobody owes anything and nothing is under way.
    pub async fn mend(&self) {
        self.clouds.iter().for_each(FaultyCloud::recover);
        let services = self.stage.services();
        intents::end_all(services.store.write_now()).await.expect("intents");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.calm().await;
            let space = self.space().await.id;
            let mut tx = services.store.begin().await.expect("a transaction");
            debts::release_held(&mut tx, space, Timestamp::now()).await.expect("debts");
            tx.commit().await.expect("a commit");
            roll_all(services).await.expect("intents that end");
            healing::heal(services).await.expect("debts that are paid");
            let (owed, busy) = (self.owed(space).await, self.busy().await);
            if owed == 0 && !busy {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{owed} debts left, busy: {busy}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Debts of all buckets, those that are held back included.
    pub async fn owed(&self, space: SpaceId) -> u64 {
        let mut owed = 0;
        for bucket in &self.stage.buckets {
            owed += self.owed_by(space, (*bucket).into()).await;
        }
        owed
    }

    pub async fn owed_by(&self, space: SpaceId, bucket: repoplane::model::id::BucketId) -> u64 {
        let (store, ages) = (self.stage.services().store.read(), Timestamp::now().plus(AGES));
        debts::owed(store, space, bucket, ages).await.expect("debts").debts
    }

    async fn busy(&self) -> bool {
        let store = self.stage.services().store.read();
        let ages = Timestamp::now().plus(AGES);
        !intents::run_out(store, ages, 1).await.expect("intents").is_empty()
    }

    /// Holds all buckets against the catalog; how many things were not as they should be.
    pub async fn scrub(&self, read: bool) -> i64 {
        let (services, space) = (self.stage.services(), self.space().await);
        let asked = || Asked { read, ..Asked::default() };
        let job = |bucket: &uuid::Uuid| {
            let bucket = Some((*bucket).into());
            StorageJob::new(space.repo, space.id, bucket, StorageJobKind::Survey, asked())
        };
        let jobs: Vec<_> = self.stage.buckets.iter().map(job).collect();
        let mut tx = services.store.begin().await.expect("a transaction");
        for job in &jobs {
            storage_jobs::add(&mut tx, job).await.expect("a job");
        }
        tx.commit().await.expect("a commit");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut found = 0;
        for job in jobs {
            loop {
                let now = storage_jobs::get(services.store.read(), job.id).await.expect("jobs");
                let now = now.expect("the job");
                if now.state.is_finished() {
                    assert_eq!(now.state, JobState::Done, "{:?}", now.message);
                    found += now.found;
                    break;
                }
                assert!(tokio::time::Instant::now() < deadline, "{:?}", now.message);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        found
    }

    /// What is read, listed, and held by every bucket is what is known.
    pub async fn check(&self, known: &Known) {
        let keys: Vec<_> = known.keys().cloned().collect();
        assert_eq!(self.stage.keys().await, keys);
        for (key, content) in known {
            let read = self.stage.get(key).await;
            assert!(read.as_ref().is_ok_and(|read| read == content), "{key}: {:?}", brief(&read));
        }
        for (number, cloud) in self.clouds.iter().enumerate() {
            let held = cloud.contents();
            assert_eq!(held.keys().cloned().collect::<Vec<_>>(), keys, "bucket {number}");
            assert!(held == *known, "bucket {number} holds other contents");
        }
    }

    /// Notes what has come of a write that may have failed: all of it or nothing.
    pub async fn note(&self, known: &mut Known, key: &str, new: &[u8]) {
        let old = known.get(key).cloned();
        let now = match self.stage.get(key).await {
            Ok(now) => Some(now),
            Err(ObjectError::NoSuchKey) => None,
            Err(error) => panic!("{key} cannot be read: {error}"),
        };
        assert!(now == old || now.as_deref() == Some(new), "{key} is neither old nor new");
        if let Some(now) = now {
            known.insert(key.to_owned(), now);
        }
    }
}

pub fn brief(read: &Result<Vec<u8>, ObjectError>) -> Result<usize, &ObjectError> {
    read.as_ref().map(Vec::len)
}

/// A content that no other name or size has.
pub fn content(name: &str, size: usize) -> Vec<u8> {
    format!("{name} ").bytes().cycle().take(size).collect()
}

/// A content of which nothing comes until its sender gives up.
pub fn silent() -> (oneshot::Sender<()>, Content) {
    let (give_up, given_up) = oneshot::channel();
    let gone = async {
        given_up.await.expect("somebody gives up");
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    (give_up, futures::stream::once(gone).boxed())
}
