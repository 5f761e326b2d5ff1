//! Serves clones and fetches by way of `git upload-pack`, which reads the cache and nothing else.
//! A client that stops reading, or a git that stops writing, holds nothing for long.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::program::git;

/// What clients may ask for, and how much work that may be. Of the filters, those are left out
/// that make the server read content to decide. Git sends the deltas there are and looks for no
/// others: what has none yet has not been put together, and is never more than a few MiB.
const SETTINGS: [&str; 13] = [
    "core.bigFileThreshold=16m",
    "pack.window=0",
    "transfer.hideRefs=refs",
    "transfer.hideRefs=!refs/heads",
    "transfer.hideRefs=!refs/tags",
    "transfer.hideRefs=!refs/notes",
    "uploadpack.allowFilter=true",
    "uploadpack.allowReachableSHA1InWant=true",
    "uploadpackfilter.allow=false",
    "uploadpackfilter.blob:none.allow=true",
    "uploadpackfilter.blob:limit.allow=true",
    "uploadpackfilter.tree.allow=true",
    "uploadpack.keepAlive=5",
];
/// Bytes read at once, and so most of one piece of an answer.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that wait for the client.
const PIECES_MAX: usize = 4;

/// An answer, piece by piece.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// How long to wait for whom.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until the other side does anything.
    pub idle: Duration,
    /// Until all is done.
    pub total: Duration,
}

/// What the repository can do and, before version 2 of the protocol, what it holds.
pub async fn advertise(repo: &Path, protocol: Option<&str>) -> io::Result<Vec<u8>> {
    let child = upload_pack(repo, protocol, &["--http-backend-info-refs"])?;
    let output = child.wait_with_output().await?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(io::Error::other(format!("git upload-pack ended with {}", output.status))),
    }
}

/// Answers one request. Whatever `held` holds is let go when git is done.
pub fn answer(
    repo: &Path,
    protocol: Option<&str>,
    request: Bytes,
    patience: Patience,
    held: impl Send + 'static,
) -> io::Result<Pieces> {
    let child = upload_pack(repo, protocol, &[])?;
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    tokio::spawn(async move {
        let pumped = timeout(patience.total, pump(child, request, &sender, patience.idle)).await;
        if let Err(error) = pumped.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            tracing::debug!(%error, "a fetch ended early");
            // The client must not take what it has for the whole. If it does not listen, never mind.
            let _ = sender.try_send(Err(error));
        }
        drop(held);
    });
    let pieces = futures::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    Ok(pieces.boxed())
}

/// Fails when one side is too slow or gone. Git then goes with its handle.
async fn pump(
    mut child: Child,
    request: Bytes,
    pieces: &mpsc::Sender<io::Result<Bytes>>,
    idle: Duration,
) -> io::Result<()> {
    let mut stdin = child.stdin.take().expect("stdin was asked for as a pipe");
    let mut stdout = child.stdout.take().expect("stdout was asked for as a pipe");
    let ask = async move {
        // Git may have heard enough before the end.
        let _ = stdin.write_all(&request).await;
        let _ = stdin.shutdown().await;
        drop(stdin);
        Ok::<_, io::Error>(())
    };
    let reply = async {
        loop {
            let mut piece = bytes::BytesMut::with_capacity(PIECE_BYTES);
            if timeout(idle, stdout.read_buf(&mut piece)).await?? == 0 {
                return Ok(());
            }
            let sent = timeout(idle, pieces.send(Ok(piece.freeze()))).await?;
            sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        }
    };
    tokio::try_join!(ask, reply)?;
    let status = timeout(idle, child.wait()).await??;
    match status.code() {
        // What git refuses it has told the client.
        Some(_) => Ok(()),
        None => Err(io::Error::other(format!("git upload-pack ended with {status}"))),
    }
}

fn upload_pack(repo: &Path, protocol: Option<&str>, arguments: &[&str]) -> io::Result<Child> {
    let mut git = git();
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git.args(["upload-pack", "--strict", "--stateless-rpc"])
        .args(arguments)
        .arg(".")
        .envs(protocol.map(|protocol| ("GIT_PROTOCOL", protocol)))
        .current_dir(repo)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    Command::from(git).kill_on_drop(true).spawn()
}
