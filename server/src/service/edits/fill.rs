//! Fills a repo's cache from the packs in the database and the object store.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use gix::ObjectId;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use tokio_util::io::StreamReader;

use super::Shared;
use crate::backend::git::cache::Cache;
use crate::backend::git::objects::{Object, ObjectError};
use crate::backend::git::pack::{PackError, read_pack};
use crate::model::edit::CommitId;
use crate::model::id::SourceRepoId;
use crate::model::push::Refs;
use crate::model::source_repo::{DEFAULT_BRANCH, UNPACKED_BYTES_MAX};
use crate::service::{Error, Result};
use crate::store::source_packs::{self, Place};
use crate::store::source_refs;
use crate::store::source_repos::{self, Position};

impl Shared {
    /// Where the repo stands, with a cache that holds all of it.
    pub async fn fill(
        &self,
        repo: SourceRepoId,
        cache: Option<Arc<Cache>>,
    ) -> Result<(Arc<Cache>, Position)> {
        let gone = || Error::not_found("Source repo");
        if let Some(cache) = &cache {
            let position =
                source_repos::position(self.store.read(), repo).await?.ok_or_else(gone)?;
            if is_current(cache, &position).await {
                return Ok((cache.clone(), position));
            }
        }
        let (position, refs) = source_refs::all(self.store.read(), repo).await?.ok_or_else(gone)?;
        match self.catch_up(repo, cache, &position, &refs).await {
            Err(Error::Internal(error)) => {
                tracing::warn!(%repo, %error, "a cache is broken and built again");
                self.drop_cache(repo).await?;
                Ok((self.catch_up(repo, None, &position, &refs).await?, position))
            }
            other => Ok((other?, position)),
        }
    }

    /// Puts the packs in that the cache does not have yet; opens it first if need be.
    async fn catch_up(
        &self,
        repo: SourceRepoId,
        cache: Option<Arc<Cache>>,
        position: &Position,
        refs: &Refs,
    ) -> Result<Arc<Cache>> {
        let folder = self.folder(repo);
        let cache = match cache {
            Some(cache) => cache,
            None => {
                let cuts = source_repos::cuts(self.store.read(), repo).await?;
                let open = move || {
                    let cache = Cache::open_or_create(&folder)?;
                    cache.cut_at(&cuts)?;
                    Ok(Arc::new(cache))
                };
                blocking(open).await?
            }
        };
        let filled = i64::try_from(cache.seq().map_err(Error::internal)?).unwrap_or(i64::MAX);
        if filled > position.seq {
            return Err(Error::internal("the cache is ahead of the database"));
        }
        if filled < position.seq {
            for pack in source_packs::after(self.store.read(), repo, filled).await? {
                let cache = cache.clone();
                match pack.place {
                    Place::Object(key) if pack.bytes > UNPACKED_BYTES_MAX => {
                        // What is large goes to git as it comes, and is not taken apart in memory.
                        let mut pieces = Pieces::of(self.objects.read(&key).await?);
                        blocking(move || Ok(cache.install_pack(&mut pieces)?)).await?;
                    }
                    Place::Object(key) => {
                        let bytes = self.objects.get(&key).await?;
                        blocking(move || Ok(put_pack(&cache, &bytes)?)).await?;
                    }
                    Place::Row(bytes) => {
                        blocking(move || Ok(put_pack(&cache, &bytes)?)).await?;
                    }
                }
            }
        }
        let head: CommitId = position.head.parse().map_err(Error::internal)?;
        let seq = u64::try_from(position.seq).map_err(Error::internal)?;
        let refs = targets(refs);
        blocking(move || {
            let head = ObjectId::from(head);
            if !cache.has(&head)? || !cache.is_on_disk() {
                return Err(Error::internal(format!("the packs do not hold the head {head}")));
            }
            if cache.head()? != Some(head) {
                cache.set_ref(DEFAULT_BRANCH, Some(head))?;
            }
            cache.set_refs(refs);
            cache.set_seq(seq);
            Ok(cache)
        })
        .await
    }

    /// Moves the cache's folder out of the way at once, then deletes it.
    pub async fn drop_cache(&self, repo: SourceRepoId) -> Result<()> {
        let folder = self.folder(repo);
        let trash = self.trash();
        blocking(move || match std::fs::rename(&folder, &trash) {
            Ok(()) => Ok(remove(&trash)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        })
        .await
    }
}

/// Whether a cache is as the database has the repo, and still there.
async fn is_current(cache: &Arc<Cache>, position: &Position) -> bool {
    let (cache, position) = (cache.clone(), position.clone());
    let current = blocking(move || {
        let head: CommitId = position.head.parse().map_err(Error::internal)?;
        let filled = i64::try_from(cache.seq()?).map_err(Error::internal)?;
        let head = ObjectId::from(head);
        let same = filled == position.seq && cache.head()? == Some(head);
        Ok(same && cache.has(&head)? && cache.is_on_disk())
    });
    current.await.unwrap_or(false)
}

/// Refs as git has them.
pub fn targets(refs: &Refs) -> BTreeMap<String, ObjectId> {
    refs.iter().map(|(name, target)| (name.clone(), ObjectId::from(*target))).collect()
}

fn put_pack(cache: &Cache, bytes: &[u8]) -> Result<(), ObjectError> {
    let damaged = |error: PackError| ObjectError::PackRefused(error.to_string());
    let objects: Result<Vec<Object>, PackError> = read_pack(bytes).and_then(Iterator::collect);
    match objects {
        Ok(objects) => cache.put(&objects),
        Err(PackError::Delta | PackError::TooLarge) => cache.install_pack(&mut &bytes[..]),
        Err(error) => Err(damaged(error)),
    }
}

/// What comes from the object store, for a thread that waits for it.
struct Pieces {
    runtime: Handle,
    source: StreamReader<BoxStream<'static, std::io::Result<Bytes>>, Bytes>,
}

impl Pieces {
    fn of(pieces: BoxStream<'static, std::io::Result<Bytes>>) -> Self {
        Self { runtime: Handle::current(), source: StreamReader::new(pieces) }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.runtime.block_on(self.source.read(buffer))
    }
}

/// Git objects are read and written by blocking code.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

impl From<ObjectError> for Error {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Collision => Self::invalid("source", error.to_string()),
            too_large if !too_large.is_fault_of_cache() => {
                let message = format!("Too much for this API: {too_large}. Use git instead.");
                Self::invalid_at(&["path", "repo_id"], message)
            }
            fault => Self::internal(fault),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}

/// Removes what deleted caches of earlier runs left behind.
pub fn empty_trash(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("trash-") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Drops caches from before the machine was started. They are written without waiting for the
/// disk, and git, unlike the edits, does not look twice at what it reads there.
pub fn drop_older_than_boot(folder: &Path) -> std::io::Result<()> {
    const MARKER: &str = "boot-id";
    // Where there is no such file, machines have to be trusted.
    let boot = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let marker = folder.join(MARKER);
    if std::fs::read(&marker).is_ok_and(|known| known == boot) {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        remove(&entry?.path())?;
    }
    std::fs::write(marker, boot)
}

/// Removes what is in a folder, if there is one.
pub fn empty(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whatever stood where a cache should be.
pub fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}
