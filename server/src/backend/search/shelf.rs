//! The indexes that are kept for the next search; it must never grow beyond its bound, nor hand
//! one repo's files to another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix::ObjectId;

use super::index::Index;
use crate::model::id::SourceRepoId;

/// Indexes that are kept of one repo.
const INDEXES_OF_REPO_MAX: usize = 4;

pub struct Shelf {
    kept: Mutex<Vec<Kept>>,
    /// Memory for the indexes of all repos together. What two of them share counts twice.
    bytes_max: usize,
}

/// In the order of use, the last used one last.
struct Kept {
    repo: SourceRepoId,
    /// The tree that is indexed.
    root: ObjectId,
    index: Arc<Index>,
}

impl Shelf {
    pub fn new(bytes_max: usize) -> Self {
        Self { kept: Mutex::default(), bytes_max }
    }

    /// Memory for one index: two of them are needed at once, when one is made with what another knows.
    pub fn index_bytes_max(&self) -> usize {
        self.bytes_max / 2
    }

    /// The index of a tree; it may be unfinished.
    pub fn get(&self, repo: SourceRepoId, root: ObjectId) -> Option<Arc<Index>> {
        let mut kept = self.lock();
        let place = kept.iter().position(|it| it.repo == repo && it.root == root)?;
        let found = kept.remove(place);
        let index = found.index.clone();
        kept.push(found);
        Some(index)
    }

    /// The indexes of other trees of a repo, the last used one first.
    pub fn others(&self, repo: SourceRepoId) -> Vec<Arc<Index>> {
        let kept = self.lock();
        let own = kept.iter().rev().filter(|it| it.repo == repo);
        own.map(|it| it.index.clone()).collect()
    }

    pub fn put(&self, repo: SourceRepoId, root: ObjectId, index: Arc<Index>) {
        let mut kept = self.lock();
        kept.retain(|it| it.repo != repo || it.root != root);
        kept.push(Kept { repo, root, index });
        let own = kept.iter().filter(|it| it.repo == repo).count();
        if own > INDEXES_OF_REPO_MAX
            && let Some(oldest) = kept.iter().position(|it| it.repo == repo)
        {
            kept.remove(oldest);
        }
        let mut bytes: usize = kept.iter().map(|it| it.index.size()).sum();
        while bytes > self.bytes_max {
            bytes -= kept.remove(0).index.size();
        }
    }

    /// Drops what a repo that is gone had here.
    pub fn forget(&self, repo: SourceRepoId) {
        self.lock().retain(|it| it.repo != repo);
    }

    /// Memory that is taken, in bytes.
    pub fn bytes(&self) -> usize {
        self.lock().iter().map(|it| it.index.size()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
