//! How a storage repo's spaces lie over its buckets, kept as long as nothing about that changes; and
//! what this process knows of how the buckets do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::fan::Ahead;
use super::locks::Locks;
use super::recovering::Unsettled;
use super::{ObjectError, Result, Session};
use crate::backend::buckets::{BucketDriver, BucketError, TRANSFER_PATIENCE};
use crate::model::bucket::{Bucket, StorageType};
use crate::model::id::{BucketId, SpaceId, StorageRepoId};
use crate::model::mirror::Breaker;
use crate::model::storage_repo::{Mode, RETENTION_DAYS};
use crate::model::time::Timestamp;
use crate::service::{Services, bucket_reach};
use crate::store::Store;
use crate::store::ledger::Ledger;
use crate::store::spaces::{self, Plan};

/// Layouts, and sessions, that are kept; one more, and all are forgotten.
const LAYOUTS_MAX: usize = 10_000;
/// Failures in a row after which a bucket is left alone.
const FAILURES_MAX: u32 = 3;
/// How long a bucket that failed is left alone at first, and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How often to look whether a bucket has been imported.
const POLL: Duration = Duration::from_millis(25);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// How long a bucket may take nothing of an object that others take; how much longer than the others it
    /// may take in all, if that is more than a second per MiB; and how much longer to answer, if that is
    /// more than the others took.
    pub stall: Duration,
    /// How long a bucket may take to begin with an answer.
    pub patience: Duration,
    /// How long a bucket may do nothing while an object goes to it or comes from it.
    pub transfer: Duration,
    /// How long a request waits for another one that changes the same key.
    pub wait: Duration,
    /// How long a request waits for a bucket that is being imported.
    pub import_wait: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(2),
            patience: Duration::from_secs(10),
            transfer: TRANSFER_PATIENCE,
            wait: Duration::from_secs(5),
            import_wait: Duration::from_secs(5),
        }
    }
}

/// What the data plane of this process shares.
pub struct Plane {
    pub tuning: Tuning,
    /// This process, among all on the database.
    pub node: String,
    pub ledger: Ledger,
    /// Writes that go on when the client is gone.
    pub writes: TaskTracker,
    pub(super) locks: Locks,
    pub(super) unsettled: Unsettled,
    pub(super) ahead: Ahead,
    layouts: Mutex<HashMap<StorageRepoId, Arc<Layout>>>,
    health: Mutex<HashMap<BucketId, Arc<Health>>>,
    /// By access key, and good as long as nothing but objects has changed.
    sessions: Mutex<HashMap<String, (u64, Session)>>,
}

/// A storage repo, ready to be used.
pub struct Layout {
    pub plan: Plan,
    pub spaces: Vec<Arc<Space>>,
}

/// One namespace, and the buckets that hold its objects.
pub struct Space {
    pub id: SpaceId,
    pub repo: StorageRepoId,
    pub mode: Mode,
    pub created_at: Timestamp,
    /// Copies that a write needs before it is acknowledged.
    pub min_ack: usize,
    /// How long deleted objects stay in backups.
    pub retention: Duration,
    /// The primary comes first.
    pub members: Vec<Arc<Member>>,
}

/// A bucket of a space.
pub struct Member {
    pub bucket: Bucket,
    pub folder: String,
    pub primary: bool,
    pub surveyed_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub health: Arc<Health>,
    driver: tokio::sync::Mutex<Option<Arc<dyn BucketDriver>>>,
}

/// Whether a bucket has answered of late.
#[derive(Default)]
pub struct Health {
    state: Mutex<State>,
    /// Held by whoever pays what the bucket owes.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    failures: u32,
    pause: Duration,
    paused_until: Option<Instant>,
}

impl Plane {
    pub fn new(store: &Store, tuning: Tuning, unsettled: Unsettled) -> Self {
        Self {
            tuning,
            node: Uuid::now_v7().to_string(),
            ledger: Ledger::open(store),
            writes: TaskTracker::new(),
            locks: Locks::default(),
            unsettled,
            ahead: Ahead::default(),
            layouts: Mutex::default(),
            health: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// What was found of an access key, if nothing has changed since.
    pub(super) fn session(&self, access_key: &str, settings: u64) -> Option<Session> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, session) = sessions.get(access_key)?;
        (*then == settings).then(|| session.clone())
    }

    pub(super) fn keep(&self, access_key: &str, settings: u64, session: Session) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= LAYOUTS_MAX {
            sessions.clear();
        }
        sessions.insert(access_key.to_owned(), (settings, session));
    }

    /// The layout that a plan leads to.
    pub async fn layout(&self, services: &Services, plan: Plan) -> Result<Arc<Layout>> {
        let known = self.layouts().get(&plan.repo).cloned();
        if let Some(known) = known.filter(|known| known.plan.stamp == plan.stamp) {
            return Ok(known);
        }
        let copies = spaces::copies(services.store.read(), plan.repo).await?;
        let layout = Arc::new(self.lay_out(plan, copies));
        let mut layouts = self.layouts();
        if layouts.len() >= LAYOUTS_MAX {
            layouts.clear();
        }
        layouts.insert(layout.plan.repo, layout.clone());
        Ok(layout)
    }

    /// A space that is not set aside, for work that nobody in particular asked for.
    pub async fn space(&self, services: &Services, id: SpaceId) -> Result<Option<Arc<Space>>> {
        let Some(plan) = spaces::plan_of(services.store.read(), id).await? else {
            return Ok(None);
        };
        let layout = self.layout(services, plan).await?;
        Ok(layout.spaces.iter().find(|space| space.id == id).cloned())
    }

    /// Whether to use a bucket, see [`Health::admits`].
    pub(super) fn admits(&self, bucket: BucketId) -> bool {
        self.health(bucket).admits()
    }

    pub(super) fn is_paused(&self, bucket: BucketId) -> bool {
        self.health(bucket).is_paused()
    }

    /// For whoever pays what a bucket owes: one at a time.
    pub fn turn(&self, bucket: BucketId) -> Arc<tokio::sync::Mutex<()>> {
        self.health(bucket).turn.clone()
    }

    /// What this process thinks of a bucket.
    pub fn breaker(&self, bucket: BucketId) -> Breaker {
        self.health(bucket).breaker()
    }

    fn lay_out(&self, plan: Plan, copies: Vec<spaces::CopyRow>) -> Layout {
        let mut laid: Vec<Space> = vec![];
        for copy in copies {
            if laid.last().is_none_or(|space| space.id != copy.space.id) {
                laid.push(Space {
                    id: copy.space.id,
                    repo: plan.repo,
                    mode: plan.mode,
                    created_at: copy.space.created_at,
                    min_ack: plan.min_ack.unwrap_or(1).max(1),
                    retention: days(plan.retention_days.unwrap_or(RETENTION_DAYS)),
                    members: vec![],
                });
            }
            let health = self.health(copy.bucket.id);
            let member = Arc::new(Member {
                bucket: copy.bucket,
                folder: copy.folder,
                primary: copy.primary,
                surveyed_at: copy.surveyed_at,
                read_at: copy.read_at,
                health,
                driver: tokio::sync::Mutex::default(),
            });
            if let Some(space) = laid.last_mut() {
                let place = if member.primary { 0 } else { space.members.len() };
                space.members.insert(place, member);
            }
        }
        Layout { plan, spaces: laid.into_iter().map(Arc::new).collect() }
    }

    /// What is known of a bucket stays, however often it is laid out anew.
    fn health(&self, bucket: BucketId) -> Arc<Health> {
        let mut known = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(bucket).or_default().clone()
    }

    fn layouts(&self) -> std::sync::MutexGuard<'_, HashMap<StorageRepoId, Arc<Layout>>> {
        self.layouts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Space {
    /// Those who get an object while the client waits.
    pub fn written(&self) -> &[Arc<Member>] {
        match self.mode {
            Mode::Backup => &self.members[..self.members.len().min(1)],
            Mode::Normal | Mode::Mirror => &self.members,
        }
    }

    pub fn member(&self, bucket: BucketId) -> Option<&Arc<Member>> {
        self.members.iter().find(|member| member.bucket.id == bucket)
    }

    /// Whether it is known what the primary held before; only then is the catalog all there is.
    pub fn is_imported(&self) -> bool {
        self.members.first().is_none_or(|member| member.surveyed_at.is_some())
    }

    /// Waits until the catalog is all there is, but not for long.
    pub(super) async fn until_imported(&self, services: &Services) -> Result<()> {
        let deadline = Instant::now() + services.plane.tuning.import_wait;
        let mut imported = self.is_imported();
        while !imported {
            if Instant::now() >= deadline {
                return Err(ObjectError::Importing);
            }
            tokio::time::sleep(POLL).await;
            let now = services.plane.space(services, self.id).await?;
            imported = now.ok_or(ObjectError::NoSuchBucket)?.is_imported();
        }
        Ok(())
    }

    /// What keeps a key apart from the keys of other spaces.
    pub fn lane(&self, key: &str) -> String {
        format!("{}/{key}", self.id)
    }
}

impl Member {
    pub async fn driver(
        &self,
        services: &Services,
    ) -> std::result::Result<Arc<dyn BucketDriver>, BucketError> {
        let mut driver = self.driver.lock().await;
        if let Some(driver) = &*driver {
            return Ok(driver.clone());
        }
        let target = bucket_reach::target(services, &self.bucket)
            .map_err(|_| BucketError::Place("its secret cannot be opened".to_owned()))?;
        let opened: Arc<dyn BucketDriver> = services.buckets.open(&target).await?.into();
        *driver = Some(opened.clone());
        Ok(opened)
    }

    /// What the bucket calls a key.
    pub fn key(&self, key: &str) -> String {
        if self.folder.is_empty() { key.to_owned() } else { format!("{}/{key}", self.folder) }
    }

    /// What a key of the bucket is called in the space.
    pub fn stripped<'a>(&self, key: &'a str) -> Option<&'a str> {
        if self.folder.is_empty() {
            return Some(key);
        }
        key.strip_prefix(&self.folder)?.strip_prefix('/')
    }

    /// Whether its ETag of what came in one piece is the MD5 digest.
    pub fn tells_md5(&self) -> bool {
        self.bucket.place.storage_type == StorageType::S3 && !self.bucket.place.is_on_disk()
    }

    /// Notes how an exchange with the bucket ended.
    pub fn note<T>(&self, done: &std::result::Result<T, BucketError>) {
        match done {
            Err(BucketError::TimedOut) => self.health.failed(FAILURES_MAX),
            Err(
                BucketError::Unreachable(_)
                | BucketError::Unexpected(_)
                | BucketError::Credential
                | BucketError::Forbidden
                | BucketError::Missing
                | BucketError::Region(_)
                | BucketError::Refused(_)
                | BucketError::Place(_),
            ) => self.health.failed(1),
            // Whatever it said, it did answer.
            Ok(_) | Err(_) => self.health.answered(),
        }
    }
}

impl Health {
    /// What [`Self::admits`] would say.
    pub fn would_admit(&self) -> bool {
        self.state().paused_until.is_none_or(|until| until <= Instant::now())
    }

    /// Whether to use the bucket. Of those who ask after a pause, one is told to try.
    pub fn admits(&self) -> bool {
        let mut state = self.state();
        match state.paused_until {
            Some(until) if until > Instant::now() => false,
            Some(_) => {
                state.paused_until = Some(Instant::now() + state.pause);
                true
            }
            None => true,
        }
    }

    /// Whether the bucket is left alone for now.
    pub fn is_paused(&self) -> bool {
        self.state().paused_until.is_some()
    }

    pub fn breaker(&self) -> Breaker {
        let Some(until) = self.state().paused_until else { return Breaker::Closed };
        match until.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Breaker::Open(Timestamp::now().plus(left)),
            _ => Breaker::HalfOpen,
        }
    }

    pub fn answered(&self) {
        *self.state() = State::default();
    }

    fn failed(&self, weight: u32) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(weight);
        if state.failures >= FAILURES_MAX {
            state.pause = (state.pause * 2).clamp(PAUSE_FIRST, PAUSE_MAX);
            state.paused_until = Some(Instant::now() + state.pause);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn days(days: u32) -> Duration {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    DAY * days
}
