//! Edits of source repos: each repo has one actor, which takes edits in order of arrival and
//! makes a whole batch of them durable at once. Nothing is answered before it is.

mod actor;
pub mod apply;
mod batch;
mod fill;
mod pending;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::backend::git::cache::Cache;
use crate::backend::objects::Objects;
use crate::model::access::Caller;
use crate::model::edit::{CommitId, Edit};
use crate::model::id::{SourceRepoId, WorkspaceId};
use crate::model::source_repo::Metadata;
use crate::service::{Error, Result};
use crate::store::Store;

pub use batch::committer;
pub use fill::blocking;
use pending::{Abandoned, Pending};

/// Most edits of one batch, and so of one transaction.
pub const BATCH_MAX: usize = 64;
/// Most edits of one repo that may wait; one more is told to come back.
pub const QUEUE_MAX: usize = 512;
/// Longest time an edit waits for those before it.
pub const WAIT_MAX: Duration = Duration::from_secs(15);
/// How long an actor with nothing to do keeps its repo open.
const IDLE: Duration = Duration::from_secs(60);

/// One edit with all that its commit and its audit line need.
pub struct Order {
    pub edit: Edit,
    pub metadata: Option<Metadata>,
    pub caller: Caller,
    pub workspace: WorkspaceId,
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
}

struct Shared {
    store: Store,
    objects: Objects,
    /// One folder per repo; may be deleted at any time while the server is down.
    folder: PathBuf,
    actors: Mutex<HashMap<SourceRepoId, mpsc::Sender<Request>>>,
}

impl Editors {
    /// Keeps its caches below `folder`, which is made when absent.
    pub fn new(store: Store, objects: Objects, folder: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        fill::empty_trash(&folder)?;
        let shared = Shared { store, objects, folder, actors: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), tracker: TaskTracker::new() })
    }

    /// Makes an edit; what it returns is durable.
    pub async fn edit(&self, repo: SourceRepoId, order: Order) -> Result<Edited> {
        let (pending, answer) = Pending::new(order);
        let waiting = pending.handle();
        self.send(repo, Request::Edit(pending)).await?;
        match answer.wait(waiting, WAIT_MAX).await {
            Ok(result) => result,
            Err(Abandoned) => Err(busy()),
        }
    }

    /// The repo's objects, up to date with the database at least as of now.
    pub async fn open(&self, repo: SourceRepoId) -> Result<Arc<Cache>> {
        self.ask(repo, Request::Open).await
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
        self.shared.actors().clear();
        self.tracker.close();
        self.tracker.wait().await;
    }

    async fn ask<T>(
        &self,
        repo: SourceRepoId,
        request: impl FnOnce(oneshot::Sender<Result<T>>) -> Request,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        self.send(repo, request(sender)).await?;
        receiver.await.map_err(Error::internal)?
    }

    async fn send(&self, repo: SourceRepoId, request: Request) -> Result<()> {
        // Cloned under the lock: an actor ends only while nobody else holds its sender.
        let sender = self
            .shared
            .actors()
            .entry(repo)
            .or_insert_with(|| {
                let (sender, receiver) = mpsc::channel(QUEUE_MAX);
                self.tracker.spawn(actor::run(self.shared.clone(), repo, receiver));
                sender
            })
            .clone();
        sender.try_send(request).map_err(|_| busy())
    }
}

impl Shared {
    fn actors(&self) -> std::sync::MutexGuard<'_, HashMap<SourceRepoId, mpsc::Sender<Request>>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, repo: SourceRepoId) -> PathBuf {
        let name = repo.to_string();
        // Version 7 ids of one day share their beginnings, so the folders go by the ends.
        let (_, last) = name.split_at(name.len() - 2);
        Path::new(&self.folder).join(last).join(format!("{name}.git"))
    }
}

fn busy() -> Error {
    Error::Locked(
        "The repo is busy with other edits. Nothing was changed; try again in 1 s.".into(),
    )
}
