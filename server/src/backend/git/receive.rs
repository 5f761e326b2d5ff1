//! Takes in the pack of a push, in a quarantine of its own: git checks every object strictly, and
//! that what they name is there. Nothing of it is in the repo before the cache adopts it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use gix::ObjectId;
use gix::objs::Kind;
use tempfile::TempDir;
use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};

use super::cache::CUTS_FILE;
use super::cache::packs::Packs;
use super::objects::{Object, ObjectError};
use super::program::git;

/// Blobs larger than this are checked piece by piece, and get no deltas; in bytes.
pub(super) const BIG_FILE: &str = "core.bigFileThreshold=16m";
/// Largest block of memory that git may ask for when it takes in a pack.
pub(super) const ALLOCATION_MAX: &str = "512m";
/// Most of git's words that are kept, in bytes.
const WORDS_BYTES_MAX: u64 = 8 * 1024;
/// Longest reason that is passed on, in characters.
const REASON_CHARS_MAX: usize = 400;

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// What was pushed cannot be taken; the text is for who pushed.
    #[error("{0}")]
    Refused(String),
    /// The sender stopped, or sent something that is no body.
    #[error(transparent)]
    Body(io::Error),
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// A pack that was found to be good. Deleted with the value, unless a cache adopts it.
pub struct Received {
    folder: TempDir,
    packs: Packs,
}

/// Reads a pack to its end; `repo` is the repository it is meant for, `folder` where quarantines are.
pub async fn receive(
    repo: &Path,
    folder: &Path,
    pack: &mut (impl AsyncBufRead + Unpin),
    bytes_max: u64,
) -> Result<Received, ReceiveError> {
    let quarantine = quarantine(Some(repo), folder).map_err(ObjectError::from)?;
    let mut child = index_pack(quarantine.path(), bytes_max).map_err(ObjectError::from)?;
    let mut stdin = child.stdin.take().expect("stdin was asked for as a pipe");
    let stderr = child.stderr.take().expect("stderr was asked for as a pipe");
    let feed = async move {
        let copied = tokio::io::copy_buf(pack, &mut stdin).await;
        // What git has not taken by the end, it does not want.
        let _ = stdin.shutdown().await;
        copied
    };
    let (copied, words, status) = tokio::join!(feed, words(stderr), child.wait());
    match copied {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(ReceiveError::Body(error));
        }
        _ => {}
    }
    let status = status.map_err(ObjectError::from)?;
    if !status.success() {
        return Err(ReceiveError::Refused(reason(&words, status)));
    }
    Ok(Received::open(quarantine)?)
}

/// A repository that finds in the other one, if there is one, what it does not have itself, and whose
/// history may end where that one's does.
pub(super) fn quarantine(repo: Option<&Path>, folder: &Path) -> io::Result<TempDir> {
    fs::create_dir_all(folder)?;
    let made = tempfile::tempdir_in(folder)?;
    let at = made.path();
    for folder in ["objects/info", "objects/pack", "refs"] {
        fs::create_dir_all(at.join(folder))?;
    }
    fs::write(at.join("HEAD"), "ref: refs/heads/main\n")?;
    fs::write(at.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")?;
    let Some(repo) = repo else { return Ok(made) };
    let objects = std::path::absolute(repo)?.join("objects");
    let alternates = [objects.as_os_str().as_encoded_bytes(), b"\n"].concat();
    fs::write(at.join("objects/info/alternates"), alternates)?;
    match fs::copy(repo.join(CUTS_FILE), at.join(CUTS_FILE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(made),
    }
}

fn index_pack(quarantine: &Path, bytes_max: u64) -> io::Result<Child> {
    let mut git = git();
    git.args(["-c", BIG_FILE, "index-pack", "--stdin", "--fix-thin", "--strict"])
        .arg(format!("--max-input-size={bytes_max}"))
        .env("GIT_DIR", ".")
        .env("GIT_ALLOC_LIMIT", ALLOCATION_MAX)
        .current_dir(quarantine)
        .stdin(Stdio::piped());
    Command::from(git).kill_on_drop(true).spawn()
}

/// What git says, up to a limit; the rest is read too, so that git need not wait.
async fn words(stderr: ChildStderr) -> String {
    let mut words = Vec::new();
    let mut start = stderr.take(WORDS_BYTES_MAX);
    // Words that cannot be read are as good as none.
    let _ = start.read_to_end(&mut words).await;
    let _ = tokio::io::copy(&mut start.into_inner(), &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&words).into_owned()
}

/// On one line, and nothing that a terminal would obey.
fn reason(words: &str, status: ExitStatus) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join("; ");
    let plain: String = line.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    if plain.is_empty() { format!("git index-pack ended with {status}") } else { plain }
}

fn packs_folder(quarantine: &Path) -> PathBuf {
    quarantine.join("objects/pack")
}

impl Received {
    pub(super) fn open(folder: TempDir) -> Result<Self, ObjectError> {
        let packs = Packs::open(packs_folder(folder.path()))?;
        Ok(Self { folder, packs })
    }

    pub(super) fn packs_folder(&self) -> PathBuf {
        packs_folder(self.folder.path())
    }

    /// Kind of an object that came with the push.
    pub fn kind(&self, id: &ObjectId) -> Result<Option<Kind>, ObjectError> {
        Ok(self.packs.header(id)?.map(|found| found.kind))
    }

    /// An object that came with the push.
    pub fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        self.packs.find(id)
    }

    /// The pack, unless there is nothing in it.
    pub fn pack(&self) -> Option<PathBuf> {
        let packs = self.packs.known();
        let full = packs.iter().find(|pack| pack.index.num_objects() > 0);
        full.map(|pack| pack.pack.path().to_owned())
    }

    /// All objects, if they are few and small.
    pub fn objects(
        &self,
        objects_max: usize,
        bytes_max: u64,
    ) -> Result<Option<Vec<Object>>, ObjectError> {
        let packs = self.packs.known();
        let ids: Vec<ObjectId> = packs
            .iter()
            .flat_map(|pack| pack.index.iter())
            .map(|entry| entry.oid)
            .take(objects_max + 1)
            .collect();
        if ids.len() > objects_max {
            return Ok(None);
        }
        let mut bytes = 0;
        for id in &ids {
            bytes += self.packs.header(id)?.map_or(0, |found| found.object_size);
            if bytes > bytes_max {
                return Ok(None);
            }
        }
        let read = |id: &ObjectId| {
            self.packs.find(id)?.ok_or_else(|| ObjectError::broken(id, "missing in its own pack"))
        };
        ids.iter().map(read).collect::<Result<_, _>>().map(Some)
    }
}
