//! The packs of a bare repository, which git may rewrite at any time; it must never hand out an
//! object whose hash it has not checked.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, PoisonError, RwLock};

use gix::ObjectId;
use gix::odb::pack::Bundle;
use gix::odb::pack::cache::Never;
use gix::odb::pack::data::decode::header::{Outcome, ResolvedBase};
use gix::zlib::Inflate;

use crate::backend::git::objects::{HASH, OBJECT_BYTES_MAX, Object, ObjectError};
use crate::backend::git::program::git;

pub struct Packs {
    folder: PathBuf,
    known: RwLock<Vec<Arc<Bundle>>>,
}

impl Packs {
    pub fn open(folder: PathBuf) -> Result<Self, ObjectError> {
        let packs = Self { folder, known: RwLock::default() };
        packs.reload()?;
        Ok(packs)
    }

    /// Looks for packs that came or went.
    pub fn reload(&self) -> Result<(), ObjectError> {
        let known = self.known();
        let mut found = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "idx") {
                continue;
            }
            match known.iter().find(|pack| pack.index.path() == path) {
                Some(pack) => found.push(pack.clone()),
                None => match open(&path) {
                    Ok(pack) => found.push(Arc::new(pack)),
                    // git has repacked since the folder was read.
                    Err(_) if !path.exists() => {}
                    Err(err) => return Err(err),
                },
            }
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    pub fn has(&self, id: &ObjectId) -> bool {
        self.known().iter().any(|pack| pack.index.lookup(id).is_some())
    }

    pub fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        let mut data = Vec::new();
        for pack in self.known() {
            if let Some(Outcome { object_size: size, .. }) = header(&pack, id)?
                && size > OBJECT_BYTES_MAX as u64
            {
                return Err(ObjectError::ObjectTooLarge { id: *id, size });
            }
            let found = pack.find(id, &mut data, &mut Inflate::default(), &mut Never);
            if let Some((object, _)) = found.map_err(|err| ObjectError::broken(id, err))? {
                let kind = object.kind;
                return Object::verified(id, kind, data).map(Some);
            }
        }
        Ok(None)
    }

    /// Kind and size of an object, without reading it as a whole.
    pub fn header(&self, id: &ObjectId) -> Result<Option<Outcome>, ObjectError> {
        for pack in self.known() {
            if let Some(found) = header(&pack, id)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Moves what is in another folder of packs here.
    pub fn adopt(&self, from: &Path) -> Result<(), ObjectError> {
        // The index last: it is what makes a pack count.
        for extension in ["pack", "rev", "idx"] {
            for file in fs::read_dir(from)? {
                let path = file?.path();
                if let Some(name) = path.file_name()
                    && path.extension().is_some_and(|found| found == extension)
                {
                    fs::rename(&path, self.folder.join(name))?;
                }
            }
        }
        self.reload()
    }

    /// Stores a pack of any size, deltas included, by way of git.
    pub fn install(&self, pack: &mut dyn Read) -> Result<(), ObjectError> {
        let mut child = git()
            .args(["index-pack", "--stdin"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().expect("stdin was asked for as a pipe");
        let copied = io::copy(pack, &mut stdin);
        drop(stdin);
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(ObjectError::PackRefused(words.trim().into()));
        }
        copied?;
        self.reload()
    }

    /// A snapshot, so that nobody inflates under the lock.
    pub fn known(&self) -> Vec<Arc<Bundle>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn header(pack: &Bundle, id: &ObjectId) -> Result<Option<Outcome>, ObjectError> {
    let Some(at) = pack.index.lookup(id) else {
        return Ok(None);
    };
    let entry = |at| pack.pack.entry(pack.index.pack_offset_at_index(at));
    let base = |id: &gix::oid| {
        pack.index.lookup(id).map(|at| entry(at).map(ResolvedBase::InPack)).transpose()
    };
    let found =
        entry(at).and_then(|found| pack.pack.decode_header(found, &mut Inflate::default(), &base));
    found.map(Some).map_err(|err| ObjectError::broken(id, err))
}

fn open(index: &Path) -> Result<Bundle, ObjectError> {
    let broken = |what: &dyn std::fmt::Display| ObjectError::broken(index.display(), what);
    let pack = Bundle::at(index, HASH).map_err(|err| broken(&err))?;
    // A file cut short by a power failure shows here, before anything is looked for in it.
    match pack.index.pack_checksum() == pack.pack.checksum() {
        true => Ok(pack),
        false => Err(broken(&"pack and index do not belong together")),
    }
}
