//! The bare repository on local disk: a cache that is filled without fsync and may vanish at any
//! time; it must never be the only place of anything.
//!
//! Real git reads and serves it. One writer at a time, any number of readers. What is put is
//! seen by readers at once and written in batches: creating a file costs more than an edit does.

mod files;
pub(super) mod packs;
mod recent;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use gix::hashtable::{HashMap, HashSet};
use gix::{ObjectId, validate};

use self::files::Files;
use self::packs::Packs;
use self::recent::Recent;
use super::objects::{Object, ObjectError, ObjectSource};
use super::pack::{Pack, write_pack_and_index};
use super::receive::Received;
use crate::model::edit::CommitId;
use crate::model::source_repo::DEFAULT_BRANCH;

/// What is put stays in memory up to this many bytes ...
pub const PENDING_BYTES_MAX: usize = 2 * 1024 * 1024;
/// ... and this many objects, then it goes to disk. About twenty edits.
pub const PENDING_OBJECTS_MAX: usize = 256;
/// From this many objects on, one pack is cheaper than as many files.
const PACK_FROM_OBJECTS: usize = 32;
/// Largest content written as one pack, in bytes; the index we write has no offsets beyond 2 GiB.
const FLUSHED_PACK_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Rewritten at every start, so that nothing else in it is ever obeyed.
const CONFIG: &str = "\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
\thooksPath = /dev/null
\tfsync = none
[gc]
\tauto = 0
\tpackRefs = false
[maintenance]
\tauto = false
";
/// Says, to git as well, where history ends because the rest was left out.
pub(super) const CUTS_FILE: &str = "shallow";
/// Says up to which bundle the cache is filled.
const SEQ_FILE: &str = "bundle-seq";
/// Written when the cache is opened; its time says when that was, or when it was closed.
const HEAD_FILE: &str = "HEAD";

pub struct Cache {
    files: Files,
    packs: Packs,
    recent: Mutex<Recent>,
    pending: Mutex<Pending>,
    cuts: OnceLock<HashSet<ObjectId>>,
}

/// Put, but not yet on disk.
#[derive(Default)]
struct Pending {
    objects: HashMap<ObjectId, Object>,
    bytes: usize,
    /// What replaces all refs, if something does ...
    all_refs: Option<BTreeMap<String, ObjectId>>,
    /// ... and what changes then.
    refs: BTreeMap<String, Option<ObjectId>>,
    seq: Option<u64>,
}

impl Cache {
    /// Opens the cache in `dir`, which is made when absent. An empty cache has no head and seq 0.
    /// No other `Cache` may be at work in `dir`.
    pub fn open_or_create(dir: &Path) -> Result<Self, ObjectError> {
        for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            fs::create_dir_all(dir.join(folder))?;
        }
        let files = Files(dir.to_owned());
        files.remove_leftovers()?;
        files.replace("config", CONFIG.as_bytes())?;
        files.replace(HEAD_FILE, format!("ref: {DEFAULT_BRANCH}\n").as_bytes())?;
        Ok(Self {
            files,
            packs: Packs::open(dir.join("objects/pack"))?,
            recent: Mutex::default(),
            pending: Mutex::default(),
            cuts: OnceLock::new(),
        })
    }

    /// Lets history end at these commits. To be called once, before anybody looks at history.
    pub fn cut_at(&self, commits: &[CommitId]) -> Result<(), ObjectError> {
        let lines: String = commits.iter().map(|commit| format!("{commit}\n")).collect();
        match commits.is_empty() {
            // To git, an empty file would be a history that is cut off somewhere.
            true => self.files.remove(CUTS_FILE)?,
            false => self.files.replace(CUTS_FILE, lines.as_bytes())?,
        }
        let _ = self.cuts.set(commits.iter().map(|commit| ObjectId::from(*commit)).collect());
        Ok(())
    }

    /// The directory, for git to work in. Everything put so far is on disk.
    pub fn flushed_dir(&self) -> Result<&Path, ObjectError> {
        self.flush()?;
        Ok(&self.files.0)
    }

    /// Stores objects; the refs and the seq that need them are to be set afterwards.
    pub fn put(&self, objects: &[Object]) -> Result<(), ObjectError> {
        let mut pending = lock(&self.pending);
        let mut recent = lock(&self.recent);
        for object in objects {
            recent.put(object);
            if pending.objects.insert(object.id, object.clone()).is_none() {
                pending.bytes += object.data.len();
            }
        }
        let full = pending.bytes > PENDING_BYTES_MAX || pending.objects.len() > PENDING_OBJECTS_MAX;
        drop((pending, recent));
        if full { self.flush() } else { Ok(()) }
    }

    /// Brings everything put so far to disk. After an error it is kept, for the next try.
    pub fn flush(&self) -> Result<(), ObjectError> {
        let mut pending = lock(&self.pending);
        let objects: Vec<Object> = pending.objects.values().cloned().collect();
        if objects.len() < PACK_FROM_OBJECTS || pending.bytes > FLUSHED_PACK_BYTES_MAX {
            self.files.write_loose(&objects)?;
        } else {
            self.write_packed(&objects)?;
        }
        // In this order a crash leaves a ref without its seq, but never one without its objects.
        if let Some(refs) = &pending.all_refs {
            self.files.write_refs(refs)?;
        }
        for (name, target) in &pending.refs {
            self.files.write_ref(name, *target)?;
        }
        if let Some(seq) = pending.seq {
            self.files.replace(SEQ_FILE, format!("{seq}\n").as_bytes())?;
        }
        *pending = Pending::default();
        Ok(())
    }

    /// Brings everything to disk, and notes that the cache was in use until now.
    pub fn close(&self) -> Result<(), ObjectError> {
        self.flush()?;
        // Where it is gone by now, there is nothing to note.
        if let Ok(head) = fs::File::options().write(true).open(self.files.0.join(HEAD_FILE)) {
            head.set_modified(SystemTime::now())?;
        }
        Ok(())
    }

    fn write_packed(&self, objects: &[Object]) -> Result<(), ObjectError> {
        let Pack { bytes, index, name } = write_pack_and_index(objects);
        self.files.replace(&format!("objects/pack/pack-{name}.pack"), &bytes)?;
        self.files.replace(&format!("objects/pack/pack-{name}.idx"), &index)?;
        self.packs.reload()
    }

    /// Stores a pack of any size, deltas included, by way of git.
    pub fn install_pack(&self, pack: &mut dyn Read) -> Result<(), ObjectError> {
        self.packs.install(pack)
    }

    /// Takes over the pack of a push that has become durable.
    pub fn adopt(&self, received: &Received) -> Result<(), ObjectError> {
        self.packs.adopt(&received.packs_folder())
    }

    /// Whether git would still find a repository here. Others may delete it at any time.
    pub fn is_on_disk(&self) -> bool {
        self.files.0.join("config").exists() && self.packs.reload().is_ok()
    }

    /// The pack that holds an object, if one does.
    pub fn pack_with(&self, id: &ObjectId) -> Result<Option<PathBuf>, ObjectError> {
        self.packs.reload()?;
        let packs = self.packs.known();
        let pack = packs.iter().find(|pack| pack.index.lookup(id).is_some());
        Ok(pack.map(|pack| pack.pack.path().to_owned()))
    }

    /// The commit of the default branch; none before the first one.
    pub fn head(&self) -> Result<Option<ObjectId>, ObjectError> {
        {
            let pending = lock(&self.pending);
            if let Some(target) = pending.refs.get(DEFAULT_BRANCH) {
                return Ok(*target);
            }
            if let Some(refs) = &pending.all_refs {
                return Ok(refs.get(DEFAULT_BRANCH).copied());
            }
        }
        let Some(text) = self.files.read(DEFAULT_BRANCH)? else {
            return Ok(None);
        };
        let id = ObjectId::from_hex(text.trim_ascii())
            .map_err(|err| ObjectError::broken(DEFAULT_BRANCH, err))?;
        Ok(Some(id))
    }

    /// Points a ref at an object, or removes it.
    pub fn set_ref(&self, name: &str, target: Option<ObjectId>) -> Result<(), ObjectError> {
        if !name.starts_with("refs/") || validate::reference::name(name.into()).is_err() {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("`{name}` is no ref name"),
            )
            .into());
        }
        lock(&self.pending).refs.insert(name.to_owned(), target);
        Ok(())
    }

    /// Makes these the only refs there are.
    pub fn set_refs(&self, refs: BTreeMap<String, ObjectId>) {
        let mut pending = lock(&self.pending);
        pending.refs.clear();
        pending.all_refs = Some(refs);
    }

    /// The last bundle the cache was filled with.
    pub fn seq(&self) -> Result<u64, ObjectError> {
        if let Some(seq) = lock(&self.pending).seq {
            return Ok(seq);
        }
        let Some(text) = self.files.read(SEQ_FILE)? else {
            return Ok(0);
        };
        let seq = str::from_utf8(&text).ok().and_then(|text| text.trim_ascii().parse().ok());
        seq.ok_or_else(|| ObjectError::broken(SEQ_FILE, "not a number"))
    }

    /// To be called after the bundle's objects and refs are in.
    pub fn set_seq(&self, seq: u64) {
        lock(&self.pending).seq = Some(seq);
    }

    pub fn has(&self, id: &ObjectId) -> Result<bool, ObjectError> {
        let pending = lock(&self.pending).objects.contains_key(id);
        if pending || self.packs.has(id) || self.files.has_loose(id) {
            return Ok(true);
        }
        self.packs.reload()?;
        Ok(self.packs.has(id))
    }
}

impl ObjectSource for Cache {
    fn is_cut(&self, commit: &ObjectId) -> bool {
        self.cuts.get().is_some_and(|cuts| cuts.contains(commit))
    }

    fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        if let Some(object) = lock(&self.recent).get(id) {
            return Ok(Some(object));
        }
        let mut found = lock(&self.pending).objects.get(id).cloned();
        // As git does, the packs first: to miss there costs no call to the system.
        if found.is_none() {
            found = self.packs.find(id)?;
        }
        if found.is_none() {
            found = self.files.find_loose(id)?;
        }
        if found.is_none() {
            self.packs.reload()?;
            found = self.packs.find(id)?;
        }
        if let Some(object) = &found {
            lock(&self.recent).put(object);
        }
        Ok(found)
    }

    fn size(&self, id: &ObjectId) -> Result<Option<u64>, ObjectError> {
        if let Some(object) = lock(&self.pending).objects.get(id) {
            return Ok(Some(object.data.len() as u64));
        }
        if let Some(found) = self.packs.header(id)? {
            return Ok(Some(found.object_size));
        }
        match self.files.loose_size(id)? {
            Some(size) => Ok(Some(size)),
            // It may be in a pack that is new.
            None => Ok(self.find(id)?.map(|object| object.data.len() as u64)),
        }
    }
}

/// When the cache in `dir` was used last; long ago if it cannot be told.
pub fn last_used(dir: &Path) -> SystemTime {
    let about = fs::metadata(dir.join(HEAD_FILE)).and_then(|about| about.modified());
    about.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Nothing panics halfway through a change under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
