//! The files of a bare repository, loose objects among them; it must never leave half a file
//! under its final name.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, process};

use gix::zlib::Inflate;
use gix::{ObjectId, objs};

use crate::backend::git::objects::{OBJECT_BYTES_MAX, Object, ObjectError};
use crate::backend::git::zlib::Deflater;
use crate::model::source_repo::DEFAULT_BRANCH;

/// What files are called until they are complete; git, too, knows to ignore them.
const TEMPORARY: &str = "tmp_obj_";
/// Longest header of a loose object, in bytes: a kind, a size, a NUL.
const LOOSE_HEADER_BYTES_MAX: usize = 32;
/// Bytes of a file that hold its header for certain, deflated.
const LOOSE_BEGIN_BYTES: usize = 128;

/// One file for many refs; a file of a ref's own counts more.
const PACKED_REFS: &str = "packed-refs";

/// Paths are relative to the repository.
pub struct Files(pub PathBuf);

impl Files {
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ObjectError> {
        match fs::read(self.0.join(name)) {
            Ok(content) => Ok(Some(content)),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(ObjectError::broken(name, err)),
        }
    }

    /// Gives a file its content at once or not at all.
    pub fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = self.0.join(format!("objects/{TEMPORARY}{}_{unique}", process::id()));
        let target = self.0.join(name);
        fs::write(&temporary, content)?;
        let renamed = fs::rename(&temporary, &target).or_else(|err| {
            let folder =
                target.parent().filter(|_| err.kind() == ErrorKind::NotFound).ok_or(err)?;
            fs::create_dir_all(folder)?;
            fs::rename(&temporary, &target)
        });
        if renamed.is_err() {
            absent_is_fine(fs::remove_file(&temporary))?;
        }
        renamed
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        absent_is_fine(fs::remove_file(self.0.join(name)))
    }

    pub fn write_ref(&self, name: &str, target: Option<ObjectId>) -> io::Result<()> {
        if let Some(id) = target {
            return self.replace(name, format!("{id}\n").as_bytes());
        }
        self.unpack_ref(name)?;
        absent_is_fine(fs::remove_file(self.0.join(name)))?;
        // A folder left empty would keep a ref of that name from being made.
        let folders = Path::new(name).ancestors().skip(1);
        for folder in folders.take_while(|folder| folder.components().count() > 2) {
            if fs::remove_dir(self.0.join(folder)).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Makes these the only refs there are. All but the default branch, which edits move all the
    /// time, go into one file.
    pub fn write_refs(&self, refs: &BTreeMap<String, ObjectId>) -> io::Result<()> {
        let mut packed = "# pack-refs with: sorted\n".to_owned();
        for (name, id) in refs.iter().filter(|(name, _)| *name != DEFAULT_BRANCH) {
            packed.push_str(&format!("{id} {name}\n"));
        }
        self.replace(PACKED_REFS, packed.as_bytes())?;
        for name in self.loose_refs("refs")? {
            if name != DEFAULT_BRANCH {
                absent_is_fine(fs::remove_file(self.0.join(name)))?;
            }
        }
        self.write_ref(DEFAULT_BRANCH, refs.get(DEFAULT_BRANCH).copied())
    }

    /// Takes a ref out of the file of many.
    fn unpack_ref(&self, name: &str) -> io::Result<()> {
        let packed = match fs::read_to_string(self.0.join(PACKED_REFS)) {
            Ok(packed) => packed,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
            Err(err) => return Err(err),
        };
        let is_other = |line: &&str| line.split_once(' ').is_none_or(|(_, found)| found != name);
        let rest: String =
            packed.split_inclusive('\n').filter(|line| is_other(&line.trim_end())).collect();
        if rest.len() < packed.len() { self.replace(PACKED_REFS, rest.as_bytes()) } else { Ok(()) }
    }

    /// Names of all refs that have files of their own.
    fn loose_refs(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.0.join(folder))? {
            let entry = entry?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            match entry.file_type()?.is_dir() {
                true => found.extend(self.loose_refs(&name)?),
                false => found.push(name),
            }
        }
        Ok(found)
    }

    pub fn has_loose(&self, id: &ObjectId) -> bool {
        self.0.join(loose_name(id)).exists()
    }

    pub fn write_loose(&self, objects: &[Object]) -> io::Result<()> {
        let mut deflater = Deflater::new();
        let mut file = Vec::new();
        for object in objects {
            file.clear();
            let header = objs::encode::loose_header(object.kind, object.data.len() as u64);
            deflater.deflate(&[&header, &object.data], &mut file);
            self.replace(&loose_name(&object.id), &file)?;
        }
        Ok(())
    }

    pub fn find_loose(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        let Some(file) = self.read(&loose_name(id))? else {
            return Ok(None);
        };
        let broken = |what| ObjectError::broken(id, what);
        let mut inflate = Inflate::default();
        let mut start = [0; LOOSE_HEADER_BYTES_MAX];
        let (_, consumed, written) =
            inflate.prefix(&file, &mut start).map_err(|_| broken("not deflated"))?;
        let start = &start[..written];
        let (kind, size, header) =
            objs::decode::loose_header(start).map_err(|_| broken("no header"))?;
        if size > OBJECT_BYTES_MAX as u64 {
            return Err(ObjectError::ObjectTooLarge { id: *id, size });
        }
        if size < (written - header) as u64 {
            return Err(broken("longer than its header says"));
        }
        let mut data = Vec::new();
        inflate
            .rest(&file[consumed..], start, header, &mut data, size as usize)
            .map_err(|_| broken("cut short or damaged"))?;
        Object::verified(id, kind, data).map(Some)
    }

    /// How many bytes an object has, by the beginning of its file.
    pub fn loose_size(&self, id: &ObjectId) -> Result<Option<u64>, ObjectError> {
        let mut file = match fs::File::open(self.0.join(loose_name(id))) {
            Ok(file) => file,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(ObjectError::broken(id, err)),
        };
        let broken = |what| ObjectError::broken(id, what);
        let mut begin = [0; LOOSE_BEGIN_BYTES];
        let length = file.read(&mut begin).map_err(|_| broken("cannot be read"))?;
        let mut start = [0; LOOSE_HEADER_BYTES_MAX];
        let (_, _, written) = Inflate::default()
            .prefix(&begin[..length], &mut start)
            .map_err(|_| broken("not deflated"))?;
        let header = objs::decode::loose_header(&start[..written]);
        header.map(|(_, size, _)| Some(size)).map_err(|_| broken("no header"))
    }

    /// Removes the files that a crash kept from getting their final name.
    pub fn remove_leftovers(&self) -> io::Result<()> {
        for file in fs::read_dir(self.0.join("objects"))? {
            let file = file?;
            if file.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
                absent_is_fine(fs::remove_file(file.path()))?;
            }
        }
        Ok(())
    }
}

pub fn loose_name(id: &ObjectId) -> String {
    let hex = id.to_string();
    let (folder, file) = hex.split_at(2);
    format!("objects/{folder}/{file}")
}

fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|err| if err.kind() == ErrorKind::NotFound { Ok(()) } else { Err(err) })
}
