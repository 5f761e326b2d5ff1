//! Keeps the caches on this machine's disk below a bound: those that nobody has used for longest go, and
//! those of repos that are gone. Must never touch one that somebody reads or writes.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::SystemTime;

use super::fill::{blocking, remove};
use super::{Editors, Shared};
use crate::backend::git::cache::{Cache, last_used};
use crate::model::id::SourceRepoId;
use crate::service::Result;
use crate::store::source_repos;

/// Part of the bound that is left in use once it is reached, in percent, so that not every round
/// has something to remove.
const KEPT_PERCENT: u64 = 90;
/// Repos that are looked for in the database at once.
const LOOKED_FOR_MAX: usize = 200;
/// Bytes of a block, as file systems count them.
const BLOCK_BYTES: u64 = 512;

/// Caches that somebody may still hold after their actor has ended, by repo.
pub(super) type Lent = HashMap<SourceRepoId, Vec<Weak<Cache>>>;

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes that the caches take now.
    pub bytes: u64,
    pub removed: u64,
}

/// A cache on disk.
struct Cached {
    repo: SourceRepoId,
    bytes: u64,
    used: SystemTime,
}

impl Editors {
    /// Removes what need not be there.
    pub async fn trim(&self) -> Result<Trimmed> {
        self.shared.settle();
        let folder = self.shared.folder.clone();
        let mut caches = blocking(move || Ok(survey(&folder)?)).await?;
        let mut known = HashSet::new();
        for some in caches.chunks(LOOKED_FOR_MAX) {
            let ids: Vec<_> = some.iter().map(|cached| cached.repo).collect();
            known.extend(source_repos::present(self.shared.store.read(), &ids).await?);
        }
        let mut trimmed =
            Trimmed { bytes: caches.iter().map(|cached| cached.bytes).sum(), removed: 0 };
        let bound = match trimmed.bytes > self.cache_bytes_max {
            true => self.cache_bytes_max / 100 * KEPT_PERCENT,
            false => u64::MAX,
        };
        // Those of repos that are gone first.
        caches.sort_by_key(|cached| (known.contains(&cached.repo), cached.used));
        for cached in caches {
            if known.contains(&cached.repo) && trimmed.bytes <= bound {
                break;
            }
            let shared = self.shared.clone();
            if blocking(move || Ok(shared.evict(cached.repo)?)).await? {
                trimmed.bytes -= cached.bytes;
                trimmed.removed += 1;
            }
        }
        Ok(trimmed)
    }
}

impl Shared {
    /// Removes a cache, unless it is in use.
    fn evict(&self, repo: SourceRepoId) -> std::io::Result<bool> {
        let trash = {
            // No actor can begin as long as this is held.
            let actors = self.actors();
            let idle = actors.as_ref().is_some_and(|actors| !actors.contains_key(&repo));
            if !idle || self.is_lent(repo) {
                return Ok(false);
            }
            let trash = self.trash();
            match std::fs::rename(self.folder(repo), &trash) {
                Ok(()) => trash,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            }
        };
        remove(&trash).map(|()| true)
    }

    /// Remembers who may use a cache for longer than its actor runs.
    pub(super) fn lend(&self, repo: SourceRepoId, cache: &Weak<Cache>) {
        let mut lent = self.lent();
        let holders = lent.entry(repo).or_default();
        holders.retain(|held| held.strong_count() > 0);
        if !holders.iter().any(|held| held.ptr_eq(cache)) {
            holders.push(cache.clone());
        }
    }

    fn is_lent(&self, repo: SourceRepoId) -> bool {
        let lent = self.lent();
        lent.get(&repo).is_some_and(|holders| holders.iter().any(|held| held.strong_count() > 0))
    }

    /// Forgets what was given back.
    fn settle(&self) {
        self.lent().retain(|_, holders| {
            holders.retain(|held| held.strong_count() > 0);
            !holders.is_empty()
        });
    }
}

/// All caches there are.
fn survey(folder: &Path) -> std::io::Result<Vec<Cached>> {
    let mut found = Vec::new();
    for shelf in subfolders(folder)? {
        for path in subfolders(&shelf)? {
            let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".git"));
            let Some(repo) = name.and_then(|name| name.parse().ok()) else { continue };
            found.push(Cached { repo, bytes: size(&path), used: last_used(&path) });
        }
    }
    Ok(found)
}

/// None where there is no folder any more.
fn subfolders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let folders = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        entry.file_type().ok()?.is_dir().then(|| entry.path())
    });
    Ok(folders.collect())
}

/// What a folder takes on disk. Files come and go meanwhile.
fn size(folder: &Path) -> u64 {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(about) = entry.metadata() else { continue };
            bytes += about.blocks() * BLOCK_BYTES;
            if about.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    bytes
}
