//! Memory of file contents that searches read again and again; it must never grow beyond its
//! bound, nor hand one repo's contents to another.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use super::objects::{ObjectError, ObjectSource};
use crate::model::id::SourceRepoId;

/// Contents kept in memory, of all repos together, in bytes.
pub const BLOB_BYTES_MAX: usize = 128 * 1024 * 1024;
/// A larger content is read each time, in bytes.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Default)]
pub struct Blobs(Mutex<Generations>);

/// The older one is dropped when the younger has filled its half, and what was asked for in
/// between has moved over.
#[derive(Default)]
struct Generations {
    young: Repos,
    old: Repos,
    young_bytes: usize,
}

type Repos = std::collections::HashMap<SourceRepoId, HashMap<ObjectId, Bytes>>;

impl Blobs {
    pub fn read(
        &self,
        repo: SourceRepoId,
        source: &dyn ObjectSource,
        id: &ObjectId,
    ) -> Result<Bytes, ObjectError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(repo, id);
        if let Some(content) = known {
            return Ok(content);
        }
        let object = source.read(id)?;
        object.expect(Kind::Blob)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(repo, *id, &object.data);
        Ok(object.data)
    }

    /// Drops what a repo that is gone had here.
    pub fn forget(&self, repo: SourceRepoId) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = kept.young.remove(&repo).unwrap_or_default();
        kept.young_bytes -= gone.values().map(Bytes::len).sum::<usize>();
        kept.old.remove(&repo);
    }

    pub fn bytes(&self) -> usize {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = kept.young.values().chain(kept.old.values());
        all.flat_map(|repo| repo.values()).map(Bytes::len).sum()
    }
}

impl Generations {
    fn get(&mut self, repo: SourceRepoId, id: &ObjectId) -> Option<Bytes> {
        if let Some(content) = self.young.get(&repo).and_then(|repo| repo.get(id)) {
            return Some(content.clone());
        }
        let content = self.old.get_mut(&repo)?.remove(id)?;
        self.put(repo, *id, &content);
        Some(content)
    }

    fn put(&mut self, repo: SourceRepoId, id: ObjectId, content: &Bytes) {
        if content.len() > KEPT_BYTES_MAX {
            return;
        }
        if self.young_bytes + content.len() > BLOB_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.entry(repo).or_default().insert(id, content.clone()).is_none() {
            self.young_bytes += content.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::git::objects::{Object, Objects};
    use crate::backend::git::read::Nothing;

    #[test]
    fn memory_is_bounded_and_each_repo_has_its_own() {
        let mut source = Objects::new(&Nothing);
        let blobs = Blobs::default();
        let (one, other) = (SourceRepoId::new(), SourceRepoId::new());
        let size = KEPT_BYTES_MAX;
        for n in 0..(2 * BLOB_BYTES_MAX / size) {
            let object = Object::new(Kind::Blob, vec![n as u8; size]).unwrap();
            let id = object.id;
            source.put(object);
            assert_eq!(blobs.read(one, &source, &id).unwrap().len(), size);
            assert_eq!(blobs.read(one, &Nothing, &id).unwrap()[0], n as u8);
            assert!(blobs.read(other, &Nothing, &id).is_err(), "not this repo's");
            assert!(blobs.bytes() <= BLOB_BYTES_MAX);
        }
        blobs.forget(one);
        assert_eq!(blobs.bytes(), 0);
    }
}
