//! All files of a source repo as one download, made while it is sent. Holds little memory for
//! each, and ends with those who stop reading.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use crate::backend::git::objects::ObjectSource as _;
use crate::backend::git::{archive, log};
use crate::model::access::{Caller, Role};
use crate::model::history::ArchiveFormat;
use crate::model::id::SourceRepoId;
use crate::model::source_ref::Revision;
use crate::service::source_reading::read;
use crate::service::source_repos::require;
use crate::service::{Error, Result, Services};

/// Archives that this process makes at a time: each holds a thread.
const ARCHIVES_MAX: usize = 16;
/// Bytes sent at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that may wait for the client.
const CHUNKS_MAX: usize = 4;
/// How long the client may take for a chunk.
const STALL: Duration = Duration::from_secs(60);

/// The archives that are being made.
pub struct Archives(Arc<Semaphore>);

impl Default for Archives {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ARCHIVES_MAX)))
    }
}

/// An archive of the files at a commit: what to call it, and its bytes as they come.
pub async fn write(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    at: Option<Revision>,
    format: ArchiveFormat,
) -> Result<(String, impl Stream<Item = io::Result<Bytes>> + use<>)> {
    let repo = require(services, caller, id, Role::Read).await?;
    let turn = services.archives.0.clone().try_acquire_owned().map_err(|_| busy())?;
    let (cache, commit, root) = read(services, &repo, at, |cache, commit| {
        let root = cache.read(&commit.into())?.root_tree()?;
        Ok(Ok((cache.clone(), log::read(&**cache, commit)?, root)))
    })
    .await?;
    let name = format!("{id}-{}.{}", &commit.id.to_string()[..12], format.extension());
    let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
    let mut pipe = Pipe { sender, runtime: Handle::current(), buffer: Vec::new() };
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let seconds = commit.committer.seconds;
        let written = archive::write(&*cache, root, format, seconds, &mut pipe);
        if let Err(error) = written.and_then(|()| pipe.flush()) {
            let gone = error.kind() == io::ErrorKind::BrokenPipe;
            if !gone {
                tracing::warn!(repo = %id, %error, "an archive could not be finished");
            }
            // Breaks the answer off, so that nobody takes it for complete.
            let _ = pipe.send(Err(error));
        }
    });
    let bytes = futures::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    Ok((name, bytes))
}

/// From the thread that writes to the client that reads.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    buffer: Vec<u8>,
}

impl Pipe {
    fn send(&mut self, chunk: io::Result<Bytes>) -> io::Result<()> {
        let sending = self.sender.send_timeout(chunk, STALL);
        self.runtime.block_on(sending).map_err(|error| match error {
            mpsc::error::SendTimeoutError::Timeout(_) => io::ErrorKind::TimedOut.into(),
            mpsc::error::SendTimeoutError::Closed(_) => io::ErrorKind::BrokenPipe.into(),
        })
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.buffer) {
            empty if empty.is_empty() => Ok(()),
            full => self.send(Ok(full.into())),
        }
    }
}

fn busy() -> Error {
    Error::Unavailable(format!(
        "The server makes {ARCHIVES_MAX} archives already, which is the most. Try again in 1 s."
    ))
}
