//! Edits of source repos, and pushes: each repo has one actor, which takes them in order of arrival and
//! makes a whole batch of them durable at once. Nothing is answered before it is.

mod actor;
pub mod apply;
mod batch;
mod evict;
mod fill;
mod pending;
pub mod push;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use gix::ObjectId;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::backend::git::cache::Cache;
use crate::backend::objects::Objects;
use crate::model::access::Caller;
use crate::model::edit::{CommitId, Edit};
use crate::model::id::{SourceRepoId, WorkspaceId};
use crate::model::push::Outcomes;
use crate::model::source_repo::Metadata;
use crate::service::{Error, Result};
use crate::store::{Store, source_repos};

pub use batch::committer;
pub use evict::Trimmed;
pub use fill::blocking;
use pending::{Abandoned, Pending};

/// Most edits of one batch, and so of one transaction.
pub const BATCH_MAX: usize = 64;
/// Most bytes written by one batch; an edit that goes beyond is the last of its batch.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most edits of one repo that may wait; one more is told to come back.
pub const QUEUE_MAX: usize = 512;
/// How long an actor with nothing to do keeps its repo open ...
const IDLE: Duration = Duration::from_secs(60);
/// ... and how long when more than [`OPEN_MAX`] repos are open: each holds some MiB and files.
const IDLE_CROWDED: Duration = Duration::from_secs(1);
/// Open repos that are not yet a crowd.
const OPEN_MAX: usize = 256;

/// One edit with all that its commit and its audit line need.
pub struct Order {
    /// Full name of the branch it is for.
    pub branch: String,
    pub edit: Edit,
    pub metadata: Option<Metadata>,
    pub caller: Caller,
    pub workspace: WorkspaceId,
    /// Whether the default branch is indexed by itself.
    pub auto_index: bool,
}

/// What an edit came to.
#[derive(Clone, Debug)]
pub struct Edited {
    pub head: CommitId,
    pub changed_files: Vec<String>,
    /// Whether what a single write was for had been there before.
    pub existed: bool,
}

enum Request {
    Edit(Pending),
    Push(Pending<push::Order, Outcomes>),
    /// Brings the cache up to the database, and hands it out.
    Open(oneshot::Sender<Result<Arc<Cache>>>),
    /// Drops a cache that turned out to be broken, and builds it again.
    Rebuild(oneshot::Sender<Result<Arc<Cache>>>),
    /// Drops the cache of a repo that is gone.
    Forget(oneshot::Sender<Result<()>>),
}

/// The actors of this process.
pub struct Editors {
    shared: Arc<Shared>,
    tracker: TaskTracker,
    /// Longest time an edit waits for those before it.
    wait_max: Duration,
    /// What the caches may take on disk.
    cache_bytes_max: u64,
}

struct Shared {
    store: Store,
    objects: Objects,
    /// One folder per repo; may be deleted at any time while the server is down.
    folder: PathBuf,
    /// Nothing once the server shuts down: no actor may start then.
    actors: Mutex<Option<Actors>>,
    lent: Mutex<evict::Lent>,
}

type Actors = HashMap<SourceRepoId, Desk>;

/// Where to find an actor.
struct Desk {
    queue: mpsc::Sender<Request>,
    /// What the actor has open, for those who only read.
    cache: Weak<Cache>,
}

impl Editors {
    /// Keeps its caches below `folder`, which is made when absent.
    pub fn new(
        store: Store,
        objects: Objects,
        (folder, cache_bytes_max): (PathBuf, u64),
        wait_max: Duration,
    ) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        fill::empty_trash(&folder)?;
        fill::empty(&incoming(&folder))?;
        fill::drop_older_than_boot(&folder)?;
        let actors = Mutex::new(Some(Actors::new()));
        let lent = Mutex::default();
        let shared = Arc::new(Shared { store, objects, folder, actors, lent });
        Ok(Self { shared, tracker: TaskTracker::new(), wait_max, cache_bytes_max })
    }

    /// Makes an edit; what it returns is durable.
    pub async fn edit(&self, repo: SourceRepoId, order: Order) -> Result<Edited> {
        let (pending, answer) = Pending::new(order);
        self.send(repo, Request::Edit(pending))?;
        match answer.wait(self.wait_max).await {
            Ok(result) => result,
            Err(Abandoned) => Err(busy()),
        }
    }

    /// The repo's objects, with all of `wanted` and what was before them, if the repo has them.
    pub async fn open(&self, repo: SourceRepoId, wanted: &[ObjectId]) -> Result<Arc<Cache>> {
        // A cache holds whatever came before a commit that it holds, so that this reader need
        // not wait behind edits.
        if let Some(cache) = self.shared.opened(repo) {
            let (known, wanted) = (cache.clone(), wanted.to_vec());
            let has_all = move || wanted.iter().try_fold(true, |all, id| Ok(all && known.has(id)?));
            if blocking(has_all).await.unwrap_or(false) {
                return Ok(cache);
            }
        }
        self.ask(repo, Request::Open).await
    }

    /// Points refs elsewhere; what it returns is durable.
    pub async fn push(&self, repo: SourceRepoId, order: push::Order) -> Result<Outcomes> {
        let (pending, answer) = Pending::new(order);
        self.send(repo, Request::Push(pending))?;
        match answer.wait(self.wait_max).await {
            Ok(result) => result,
            Err(Abandoned) => Err(busy()),
        }
    }

    /// The repo with all its refs, as the database has it now, on disk for git to read.
    pub async fn serve(&self, repo: SourceRepoId) -> Result<Arc<Cache>> {
        let position = source_repos::position(self.shared.store.read(), repo)
            .await?
            .ok_or_else(|| Error::not_found("Source repo"))?;
        let seq = u64::try_from(position.seq).map_err(Error::internal)?;
        // Whoever is behind the database, or was deleted behind our back, is not for git to read.
        let ready = |cache: Arc<Cache>| {
            blocking(move || {
                let present = cache.seq()? >= seq && cache.is_on_disk();
                cache.flush()?;
                Ok(present.then_some(cache))
            })
        };
        if let Some(cache) = self.shared.opened(repo)
            && let Ok(Some(cache)) = ready(cache).await
        {
            return Ok(cache);
        }
        if let Ok(Some(cache)) = ready(self.ask(repo, Request::Open).await?).await {
            return Ok(cache);
        }
        let cache = self.rebuild(repo).await?;
        let flushed = cache.clone();
        blocking(move || Ok(flushed.flush()?)).await?;
        Ok(cache)
    }

    /// Where packs are kept until they are known to be good.
    pub fn incoming(&self) -> PathBuf {
        incoming(&self.shared.folder)
    }

    /// The repo's objects after [`Self::open`] handed out something broken.
    pub async fn rebuild(&self, repo: SourceRepoId) -> Result<Arc<Cache>> {
        self.ask(repo, Request::Rebuild).await
    }

    /// Drops what this process keeps of a repo.
    pub async fn forget(&self, repo: SourceRepoId) -> Result<()> {
        self.ask(repo, Request::Forget).await
    }

    /// Finishes what is under way and writes all caches out.
    pub async fn close(&self) {
        // With their last sender gone, the actors end.
        drop(self.shared.actors().take());
        self.tracker.close();
        self.tracker.wait().await;
    }

    async fn ask<T>(
        &self,
        repo: SourceRepoId,
        request: impl FnOnce(oneshot::Sender<Result<T>>) -> Request,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        self.send(repo, request(sender))?;
        receiver.await.map_err(Error::internal)?
    }

    /// Sent under the lock, so that an actor that ends has left nothing in its queue.
    fn send(&self, repo: SourceRepoId, request: Request) -> Result<()> {
        let mut actors = self.shared.actors();
        let desk = actors.as_mut().ok_or_else(shutting_down)?.entry(repo).or_insert_with(|| {
            let (queue, requests) = mpsc::channel(QUEUE_MAX);
            self.tracker.spawn(actor::run(self.shared.clone(), repo, requests));
            Desk { queue, cache: Weak::new() }
        });
        desk.queue.try_send(request).map_err(|_| busy())
    }
}

impl Shared {
    fn actors(&self) -> MutexGuard<'_, Option<Actors>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lent(&self) -> MutexGuard<'_, evict::Lent> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self, repo: SourceRepoId) -> Option<Arc<Cache>> {
        self.actors().as_ref()?.get(&repo)?.cache.upgrade()
    }

    /// Lets readers know what an actor has open.
    fn show(&self, repo: SourceRepoId, cache: Weak<Cache>) {
        if cache.strong_count() > 0 {
            self.lend(repo, &cache);
        }
        if let Some(desk) = self.actors().as_mut().and_then(|actors| actors.get_mut(&repo)) {
            desk.cache = cache;
        }
    }

    /// How long an actor waits for something to do.
    fn patience(&self) -> Duration {
        let open = self.actors().as_ref().map_or(0, HashMap::len);
        if open > OPEN_MAX { IDLE_CROWDED } else { IDLE }
    }

    fn folder(&self, repo: SourceRepoId) -> PathBuf {
        let name = repo.to_string();
        // Version 7 ids of one day share their beginnings, so the folders go by the ends.
        let (_, last) = name.split_at(name.len() - 2);
        Path::new(&self.folder).join(last).join(format!("{name}.git"))
    }

    /// Where to move what is to be deleted.
    fn trash(&self) -> PathBuf {
        self.folder.join(format!("trash-{}", uuid::Uuid::new_v4()))
    }
}

/// Beside the caches, so that what is in it can be moved there.
fn incoming(caches: &Path) -> PathBuf {
    caches.with_file_name("incoming")
}

fn busy() -> Error {
    Error::Locked(
        "The repo is busy with other edits. Nothing was changed; try again in 1 s.".into(),
    )
}

fn shutting_down() -> Error {
    Error::Unavailable("The server is shutting down. Nothing was changed; try again.".into())
}
