//! SQLite's write-ahead log, as a file: what it holds is to survive a power cut.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

pub(super) struct Log {
    asks: mpsc::Sender<oneshot::Sender<io::Result<()>>>,
}

/// Ends when what was committed before it began is on the disk.
pub struct Synced(oneshot::Receiver<io::Result<()>>);

impl Log {
    pub fn open(file: PathBuf) -> io::Result<Self> {
        let (asks, queue) = mpsc::channel();
        thread::Builder::new().name("sync".to_owned()).spawn(move || serve(&file, &queue))?;
        Ok(Self { asks })
    }

    pub fn sync(&self) -> Synced {
        let (reply, synced) = oneshot::channel();
        // If nobody is there to hear it, whoever waits hears that.
        let _ = self.asks.send(reply);
        Synced(synced)
    }
}

impl Synced {
    /// Of what was waited for already.
    pub fn done() -> Self {
        let (reply, synced) = oneshot::channel();
        let _ = reply.send(Ok(()));
        Self(synced)
    }

    pub async fn wait(self) -> io::Result<()> {
        self.0.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

/// One turn is enough for all who asked before it.
fn serve(file: &Path, queue: &mpsc::Receiver<oneshot::Sender<io::Result<()>>>) {
    while let Ok(first) = queue.recv() {
        let asked: Vec<_> = std::iter::once(first).chain(queue.try_iter()).collect();
        // Closing it gives up no lock: SQLite locks the other two files. And it is there as long as a
        // connection is.
        let synced = File::open(file).and_then(|log| log.sync_data());
        for reply in asked {
            let told = synced.as_ref().copied();
            let _ =
                reply.send(told.map_err(|error| io::Error::new(error.kind(), error.to_string())));
        }
    }
}
