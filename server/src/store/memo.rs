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

use super::source_repos::Found;
use super::tokens::Candidate;
use crate::model::id::{SourceRepoId, TokenId};

/// Bytes of the header, without its copy.
const HEADER_BYTES: usize = 48;
/// Answers of one kind kept at most; one more and all are forgotten.
const ANSWERS_MAX: usize = 10_000;

type Stamp = [u8; HEADER_BYTES];

/// All that is remembered.
pub struct Memos {
    /// Never closed: closing any handle of this file would drop the locks that SQLite holds
    /// on it for the whole process.
    header: Option<ManuallyDrop<File>>,
    pub callers: Memo<String, Candidate>,
    pub source_repos: Memo<(TokenId, SourceRepoId), Found>,
}

/// Answers to one kind of question.
pub struct Memo<K, V>(Mutex<(Stamp, HashMap<K, V>)>);

impl Memos {
    pub(super) fn open(url: &str) -> Self {
        let path = url.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches("//"));
        let file = path.and_then(|path| path.split('?').next()).map(|path| format!("{path}-shm"));
        let header = file.and_then(|file| File::open(file).ok()).map(ManuallyDrop::new);
        Self { header, callers: Memo::new(), source_repos: Memo::new() }
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
    fn new() -> Self {
        Self(Mutex::new(([0; HEADER_BYTES], HashMap::new())))
    }

    fn get(&self, stamp: &Stamp, key: &K) -> Option<V> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 == *stamp { kept.1.get(key).cloned() } else { None }
    }

    fn put(&self, stamp: Stamp, key: K, value: V) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != stamp || kept.1.len() >= ANSWERS_MAX {
            *kept = (stamp, HashMap::new());
        }
        kept.1.insert(key, value);
    }
}
