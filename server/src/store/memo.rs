//! Answers again what was asked before, as long as the database has not changed since: by this
//! process or by any other. Never answers what a committed change has made untrue.
//!
//! SQLite keeps a header in the `-shm` file beside the database that every commit of every
//! process changes (<https://sqlite.org/walformat.html>, "WAL-Index Header"). Reading it takes a
//! microsecond, a query many. PostgreSQL has nothing like it, so there every question is asked.

use std::collections::HashMap;
use std::fs::File;
use std::hash::Hash;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::source_repos::Found;
use super::tokens::Candidate;
use crate::model::id::{IdOrName, SourceRepoId, TokenId};
use crate::model::storage_repo::ListFilter;

/// Bytes of the header, without its copy.
const HEADER_BYTES: usize = 48;
/// Small answers of one kind kept at most.
const ANSWERS_MAX: usize = 10_000;
/// Bytes of whole pages kept at most.
const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

type Stamp = [u8; HEADER_BYTES];

/// All that is remembered.
pub struct Memos {
    /// Never closed: closing any handle of this file would drop the locks that SQLite holds
    /// on it for the whole process.
    header: Option<ManuallyDrop<File>>,
    pub callers: Memo<String, Candidate>,
    pub source_repos: Memo<(TokenId, SourceRepoId), Found>,
    /// Pages as they were written.
    pub storage_repos: Memo<(TokenId, ListFilter<IdOrName>), Bytes>,
}

/// Answers to one kind of question. One that is too much, and all others are forgotten.
pub struct Memo<K, V> {
    kept: Mutex<Kept<K, V>>,
    cost: fn(&V) -> usize,
    cost_max: usize,
}

struct Kept<K, V> {
    stamp: Stamp,
    answers: HashMap<K, V>,
    cost: usize,
}

impl Memos {
    pub(super) fn open(url: &str) -> Self {
        let header = super::beside(url, "-shm").and_then(|file| File::open(file).ok());
        let header = header.map(ManuallyDrop::new);
        Self {
            header,
            callers: Memo::new(|_| 1, ANSWERS_MAX),
            source_repos: Memo::new(|_| 1, ANSWERS_MAX),
            storage_repos: Memo::new(Bytes::len, PAGE_BYTES_MAX),
        }
    }

    /// What `read` finds, unless it is known; nothing found is not remembered.
    pub async fn get<K: Eq + Hash, V: Clone, E>(
        &self,
        memo: &Memo<K, V>,
        key: K,
        read: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<V>, E> {
        // Taken before reading: a change that comes meanwhile makes the answer old at once.
        let Some(stamp) = self.stamp() else { return read.await };
        if let Some(known) = memo.get(&stamp, &key) {
            return Ok(Some(known));
        }
        let found = read.await?;
        if let Some(value) = &found {
            memo.put(stamp, key, value.clone());
        }
        Ok(found)
    }

    fn stamp(&self) -> Option<Stamp> {
        let header = self.header.as_ref()?;
        // SQLite removes the file with its last connection, and a later one makes another.
        if header.metadata().ok()?.nlink() == 0 {
            return None;
        }
        let mut stamp = [0; HEADER_BYTES];
        header.read_exact_at(&mut stamp, 0).ok()?;
        Some(stamp)
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    fn new(cost: fn(&V) -> usize, cost_max: usize) -> Self {
        Self { kept: Mutex::new(Kept::since([0; HEADER_BYTES])), cost, cost_max }
    }

    fn get(&self, stamp: &Stamp, key: &K) -> Option<V> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.stamp == *stamp { kept.answers.get(key).cloned() } else { None }
    }

    fn put(&self, stamp: Stamp, key: K, value: V) {
        let cost = (self.cost)(&value);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.stamp != stamp || kept.cost + cost > self.cost_max {
            *kept = Kept::since(stamp);
        }
        if cost <= self.cost_max {
            kept.cost += cost;
            kept.answers.insert(key, value);
        }
    }
}

impl<K, V> Kept<K, V> {
    fn since(stamp: Stamp) -> Self {
        Self { stamp, answers: HashMap::new(), cost: 0 }
    }
}
