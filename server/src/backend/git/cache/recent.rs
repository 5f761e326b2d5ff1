//! Memory of the trees and commits that repeated edits read again and again; it must never grow
//! beyond its bound.

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use crate::backend::git::objects::Object;

/// Trees and commits kept inflated per repo, in bytes.
pub const RECENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Two generations: the older one is dropped when the
/// younger has filled its half, and what was asked for in between has moved over.
#[derive(Default)]
pub struct Recent {
    young: HashMap<ObjectId, Object>,
    old: HashMap<ObjectId, Object>,
    young_bytes: usize,
}

impl Recent {
    pub fn get(&mut self, id: &ObjectId) -> Option<Object> {
        if let Some(object) = self.young.get(id) {
            return Some(object.clone());
        }
        let object = self.old.remove(id)?;
        self.put(&object);
        Some(object)
    }

    pub fn put(&mut self, object: &Object) {
        let bytes = object.data.len();
        if object.kind == Kind::Blob || bytes > RECENT_BYTES_MAX / 4 {
            return;
        }
        if self.young_bytes + bytes > RECENT_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(object.id, object.clone()).is_none() {
            self.young_bytes += bytes;
        }
    }
}
