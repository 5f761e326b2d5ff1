//! Fetches from a repository that a user names, by way of `git fetch`, into a quarantine. What is
//! dialled is the very address that the egress guard has checked; git follows no redirect, asks
//! nobody for a password, and obeys no configuration but what is said here.

mod remote;
mod said;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gix::ObjectId;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::io::BufReader;
use tokio::process::{Child, ChildStderr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use self::said::Said;
use super::cache::CUTS_FILE;
use super::objects::ObjectError;
use super::receive::{Received, quarantine};
use crate::backend::egress::{Checked, Egress, EgressError};
use crate::model::edit::CommitId;
use crate::model::git_source::{Progress, Start, Wanted};

pub use remote::{Login, Remote};

/// What is fetched is called so in the quarantine.
const TIP: &str = "refs/import/head";
/// How often to look how much has come.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Refused(#[from] EgressError),
    /// The other side cannot or will not give it; the text is for the user.
    #[error("{0}")]
    Failed(String),
    #[error(
        "What the URL holds is larger than {0} bytes, which is the most that is fetched at once. Fetch less of \
         its history, or push it in parts."
    )]
    TooLarge(u64),
    #[error("The URL's content was not fetched within {} s.", .0.as_secs())]
    TimedOut(Duration),
    #[error("The server fetches all it can from elsewhere. Try again in 1 s.")]
    Busy,
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// What the operator sets.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Fetches under way at the same time.
    pub concurrent: usize,
    /// How long one more waits for its turn.
    pub wait: Duration,
    /// Most bytes of what one fetch brings.
    pub bytes_max: u64,
    /// How long the other side may send nothing.
    pub idle: Duration,
    /// How long a fetch may take that nobody waits for, and one that a request waits for.
    pub total: Duration,
    pub request: Duration,
}

/// All that is fetched from elsewhere goes through here.
pub struct Fetcher {
    egress: Egress,
    slots: Arc<Semaphore>,
    pub bounds: Bounds,
}

/// What was fetched: good as far as git has checked it, and not yet part of any repo.
pub struct Fetched {
    pub received: Received,
    /// The commit that was asked for, or a tag of it.
    pub tip: ObjectId,
    /// Commits whose parents were left out.
    pub cuts: Vec<CommitId>,
}

/// Where to put it.
pub struct Place<'a> {
    /// Where quarantines are.
    pub folder: &'a Path,
    /// The repository that is to have it, so that only what it lacks is fetched.
    pub beside: Option<&'a Path>,
}

impl Fetcher {
    pub fn new(egress: Egress, bounds: Bounds) -> Self {
        Self { egress, slots: Arc::new(Semaphore::new(bounds.concurrent)), bounds }
    }

    /// Whether the URL may be dialled as of now, and where that leads.
    pub async fn check(&self, url: &str) -> Result<Checked, EgressError> {
        remote::check(&self.egress, url).await
    }

    /// Fetches. If nobody waits for the answer any more, git is stopped and nothing stays.
    pub async fn fetch(
        &self,
        (checked, login): (&Checked, Option<&Login>),
        wanted: &Wanted,
        place: Place<'_>,
        total: Duration,
        progress: &watch::Sender<Progress>,
    ) -> Result<Fetched, FetchError> {
        let begun = Instant::now();
        let slot = tokio::time::timeout(self.bounds.wait, self.slots.clone().acquire_owned());
        let Ok(Ok(slot)) = slot.await else { return Err(FetchError::Busy) };
        let address = remote::reach(checked).await?;
        let folder = quarantine(place.beside, place.folder).map_err(ObjectError::from)?;
        let git = remote::fetch(folder.path(), checked, address, wanted, self.bounds.idle, login);
        let child = git.spawn_child().map_err(ObjectError::from)?;
        let running = Running {
            child,
            folder,
            bytes_max: self.bounds.bytes_max,
            total: total.saturating_sub(begun.elapsed()),
            progress: progress.clone(),
            start: wanted.start.clone(),
            _slot: slot,
        };
        let (answer, answered) = oneshot::channel();
        tokio::spawn(running.run(answer));
        answered.await.map_err(|_| ObjectError::from(io::Error::other("a fetch was lost")))?
    }
}

struct Running {
    child: Child,
    folder: TempDir,
    bytes_max: u64,
    total: Duration,
    progress: watch::Sender<Progress>,
    start: Start,
    _slot: OwnedSemaphorePermit,
}

type Answer = oneshot::Sender<Result<Fetched, FetchError>>;

impl Running {
    async fn run(mut self, mut answer: Answer) {
        let stderr = self.child.stderr.take().expect("stderr was asked for as a pipe");
        let mut stderr = BufReader::new(stderr);
        let mut said = Said::default();
        let ended = tokio::select! {
            status = end(&mut self.child, &mut stderr, &mut said, &self.progress) => Some(status),
            () = outgrow(self.folder.path(), self.bytes_max, &self.progress) => {
                Some(Err(FetchError::TooLarge(self.bytes_max)))
            }
            () = tokio::time::sleep(self.total) => Some(Err(FetchError::TimedOut(self.total))),
            () = answer.closed() => None,
        };
        let status = match ended {
            Some(Ok(status)) => status,
            other => {
                if let Some(Err(error)) = other {
                    let _ = answer.send(Err(error));
                }
                kill(&self.child);
                // Whoever is not gone yet holds on to the pipe. Slot and folder stay until then.
                let _ = said.read(&mut stderr, &self.progress).await;
                return;
            }
        };
        let start = self.start.clone();
        let fetched = match status.success() {
            false => Err(FetchError::Failed(said.reason(&start, status))),
            true => open(self.folder, self.bytes_max),
        };
        let _ = answer.send(fetched);
    }
}

/// Ends git, and what it has started.
fn kill(git: &Child) {
    // A process that was not waited for keeps its number.
    let number = git.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(group) = number {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Waits for the end of all that writes to the pipe.
async fn end(
    child: &mut Child,
    stderr: &mut BufReader<ChildStderr>,
    said: &mut Said,
    progress: &watch::Sender<Progress>,
) -> Result<ExitStatus, FetchError> {
    said.read(stderr, progress).await.map_err(ObjectError::from)?;
    Ok(child.wait().await.map_err(ObjectError::from)?)
}

/// Waits until more has come than may.
async fn outgrow(folder: &Path, bytes_max: u64, progress: &watch::Sender<Progress>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let objects = folder.join("objects");
        let size = tokio::task::spawn_blocking(move || size(&objects));
        let Ok(Ok(bytes)) = size.await else { continue };
        progress.send_if_modified(|progress| {
            let more = bytes > progress.bytes;
            progress.bytes = progress.bytes.max(bytes);
            more
        });
        if bytes > bytes_max {
            return;
        }
    }
}

/// Bytes of objects below a folder, without the indexes that are made of them.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_index = name.starts_with("tmp_idx")
            || name.starts_with("tmp_rev")
            || name.ends_with(".idx")
            || name.ends_with(".rev");
        // Files come and go while git is at work.
        bytes += match entry.metadata() {
            Ok(found) if found.is_dir() => size(&entry.path()).unwrap_or(0),
            Ok(found) if !is_index => found.len(),
            _ => 0,
        };
    }
    Ok(bytes)
}

fn open(folder: TempDir, bytes_max: u64) -> Result<Fetched, FetchError> {
    let at = folder.path();
    let bytes = size(&at.join("objects")).map_err(ObjectError::from)?;
    if bytes > bytes_max {
        return Err(FetchError::TooLarge(bytes_max));
    }
    let tip = fs::read(at.join(TIP)).map_err(ObjectError::from)?;
    let tip = ObjectId::from_hex(tip.trim_ascii()).map_err(|err| ObjectError::broken(TIP, err))?;
    let cuts = cuts(&at.join(CUTS_FILE))?;
    Ok(Fetched { received: Received::open(folder)?, tip, cuts })
}

/// The commits that git notes when it cuts history off.
fn cuts(file: &Path) -> Result<Vec<CommitId>, ObjectError> {
    match fs::read_to_string(file) {
        Ok(text) => {
            let ids = text.split_ascii_whitespace().map(str::parse);
            ids.collect::<Result<_, _>>().map_err(|err| ObjectError::broken(CUTS_FILE, err))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
