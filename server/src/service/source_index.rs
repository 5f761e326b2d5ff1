//! Indexes of source repos: made when they are needed, kept in this process, and made again
//! whenever that is gone. Nothing but the speed of a search may depend on them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::backend::git::cache::Cache;
use crate::backend::git::objects::{ObjectError, ObjectSource as _};
use crate::backend::search::index::Index;
use crate::backend::search::shelf::Shelf;
use crate::model::access::{Caller, Role};
use crate::model::edit::CommitId;
use crate::model::id::SourceRepoId;
use crate::model::search::IndexProgress;
use crate::model::source_ref::Revision;
use crate::model::source_repo::SourceRepo;
use crate::service::edits::blocking;
use crate::service::source_reading::read;
use crate::service::source_repos::require;
use crate::service::{Error, Result, Services};
use crate::store::source_repos;

/// Indexes that this process makes at a time: each may use every core.
const BUILDS_MAX: usize = 2;
/// How long whoever asks how far an index is may read files.
const TIME_OF_STATUS: Duration = Duration::from_secs(1);

/// The indexes of this process.
pub struct Indexes {
    shelf: Arc<Shelf>,
    turns: Semaphore,
    /// How long one request may read files.
    time: Duration,
}

/// What the operator sets.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Memory for all indexes together.
    pub bytes_max: usize,
    /// How long one request may read files; what was read is kept for the next one. Before that, it
    /// waits for its turn, for half as long.
    pub time: Duration,
}

impl Indexes {
    pub fn new(bounds: Bounds) -> Self {
        let shelf = Arc::new(Shelf::new(bounds.bytes_max));
        Self { shelf, turns: Semaphore::new(BUILDS_MAX), time: bounds.time }
    }

    /// Waits until this process makes few enough others.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let turn = tokio::time::timeout(self.time / 2, self.turns.acquire()).await;
        turn.map_err(|_| busy())?.map_err(Error::internal)
    }

    /// Memory that they take.
    pub fn bytes(&self) -> usize {
        self.shelf.bytes()
    }

    /// Drops what this process remembers of a repo.
    pub fn forget(&self, repo: SourceRepoId) {
        self.shelf.forget(repo);
    }

    /// How many of a repo are kept.
    pub fn count(&self, repo: SourceRepoId) -> usize {
        self.shelf.others(repo).len()
    }
}

/// The finished index of a commit.
pub async fn at(
    services: &Services,
    repo: &SourceRepo,
    at: Option<Revision>,
) -> Result<(CommitId, Arc<Index>)> {
    let time = services.searches.indexes.time;
    let (commit, index) = come_further(services, repo, at, time).await?;
    match index.progress() {
        (_, 0) => Ok((commit, index)),
        (done, pending) => Err(Error::Unavailable(format!(
            "The files are being indexed, {done} of {}. Try again in 1 s.",
            done + pending
        ))),
    }
}

/// How far the index of a commit is; it comes further whenever somebody asks.
pub async fn progress(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    at: Option<Revision>,
) -> Result<IndexProgress> {
    let repo = require(services, caller, id, Role::Read).await?;
    require_auto(&repo)?;
    let time = services.searches.indexes.time.min(TIME_OF_STATUS);
    let (commit, index) = come_further(services, &repo, at, time).await?;
    let (done, pending) = index.progress();
    Ok(IndexProgress { commit, done: done as u64, pending: pending as u64 })
}

/// Retrieval is for repos that were created for it.
pub fn require_auto(repo: &SourceRepo) -> Result<()> {
    match repo.auto_index {
        true => Ok(()),
        false => Err(Error::NotFound(
            "The repo has no index for retrieval, since it was created without `auto_index`. \
             Search it instead, or copy it into a new repo with `auto_index`."
                .into(),
        )),
    }
}

async fn come_further(
    services: &Services,
    repo: &SourceRepo,
    at: Option<Revision>,
    time: Duration,
) -> Result<(CommitId, Arc<Index>)> {
    let indexes = &services.searches.indexes;
    let (id, shelf) = (repo.id, indexes.shelf.clone());
    let (commit, known) = read(services, repo, at, move |cache, commit| {
        let root = cache.read(&commit.into())?.root_tree()?;
        Ok(Ok((commit, shelf.get(id, root).filter(|index| index.is_finished()))))
    })
    .await?;
    if let Some(index) = known {
        return Ok((commit, index));
    }
    let _turn = indexes.turn().await?;
    let shelf = indexes.shelf.clone();
    let index = read(services, repo, Some(Revision::Id(commit)), move |cache, commit| {
        Ok(Ok(build(&shelf, cache, id, commit, time)?))
    })
    .await?;
    Ok((commit, index))
}

/// Indexes the head of a repo, for the worker: nobody in particular asks, so it checks no access.
pub async fn index(services: &Services, repo: &str) -> Result<()> {
    let id: SourceRepoId = repo.parse().map_err(Error::internal)?;
    let Some(position) = source_repos::position(services.store.read(), id).await? else {
        return Ok(());
    };
    let head: CommitId = position.head.parse().map_err(Error::internal)?;
    let cache = services.editors.open(id, &[head.into()]).await?;
    let indexes = &services.searches.indexes;
    loop {
        let turn = indexes.turns.acquire().await.map_err(Error::internal)?;
        let (shelf, cache, time) = (indexes.shelf.clone(), cache.clone(), indexes.time);
        let index = blocking(move || Ok(build(&shelf, &cache, id, head, time)?)).await?;
        drop(turn);
        if index.is_finished() {
            return Ok(());
        }
    }
}

/// Goes on with the index of a commit. Somebody else may have finished it meanwhile.
fn build(
    shelf: &Shelf,
    cache: &Cache,
    repo: SourceRepoId,
    commit: CommitId,
    time: Duration,
) -> Result<Arc<Index>, ObjectError> {
    let root = cache.read(&commit.into())?.root_tree()?;
    if let Some(done) = shelf.get(repo, root).filter(|index| index.is_finished()) {
        return Ok(done);
    }
    let (known, deadline) = (shelf.others(repo), Instant::now() + time);
    let index = Index::build(cache, root, &known, shelf.index_bytes_max(), deadline)?;
    let index = Arc::new(index);
    shelf.put(repo, root, index.clone());
    Ok(index)
}

fn busy() -> Error {
    Error::Unavailable("The server is busy with other indexes. Try again in 1 s.".into())
}
