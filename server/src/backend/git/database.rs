//! Lets gix read from a source of objects, within a budget: a small push can describe trees
//! without end. It must never read more than it was given.

use std::cell::{Cell, RefCell};

use gix::bstr::ByteSlice;
use gix::error::Error as GixError;
use gix::hashtable::HashMap;
use gix::objs::{Data, Find, FindHeader, Kind, Write};
use gix::{ObjectId, oid};

use super::objects::{HASH, Object, ObjectError, ObjectSource};

/// Bytes of objects that one comparison may read.
const READ_BYTES_MAX: usize = 512 * 1024 * 1024;

pub struct Database<'a> {
    source: &'a dyn ObjectSource,
    left: Cell<usize>,
    /// Why reading failed, in our words.
    fault: RefCell<Option<ObjectError>>,
    /// What gix made, which nobody else sees.
    written: RefCell<HashMap<ObjectId, Object>>,
}

impl<'a> Database<'a> {
    pub fn new(source: &'a dyn ObjectSource) -> Self {
        Self {
            source,
            left: Cell::new(READ_BYTES_MAX),
            fault: RefCell::default(),
            written: RefCell::default(),
        }
    }

    /// What went wrong here, where gix failed; otherwise what gix says.
    pub fn fault(&self, error: impl std::fmt::Display) -> ObjectError {
        self.fault.take().unwrap_or_else(|| ObjectError::broken("comparison", error))
    }

    /// An object that gix made.
    pub fn written(&self, id: &ObjectId) -> Option<Object> {
        self.written.borrow().get(id).cloned()
    }

    fn get(&self, id: &oid) -> Result<Option<Object>, GixError> {
        let found = self.find(&id.to_owned()).and_then(|found| {
            let size = found.as_ref().map_or(0, |object| object.data.len());
            let left = self.left.get().checked_sub(size).ok_or(ObjectError::TooMuchToCompare)?;
            self.left.set(left);
            Ok(found)
        });
        found.map_err(|error| {
            let said = std::io::Error::other(error.to_string());
            self.fault.replace(Some(error));
            GixError::from_error(said)
        })
    }
}

impl ObjectSource for Database<'_> {
    fn is_cut(&self, commit: &ObjectId) -> bool {
        self.source.is_cut(commit)
    }

    fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        match self.written(id) {
            Some(object) => Ok(Some(object)),
            // It need not be stored anywhere.
            None if id.is_empty_tree() => Object::new(Kind::Tree, "").map(Some),
            None => self.source.find(id),
        }
    }
}

impl Find for Database<'_> {
    fn try_find<'b>(
        &self,
        id: &oid,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<Data<'b>>, GixError> {
        let Some(object) = self.get(id)? else {
            return Ok(None);
        };
        buffer.clear();
        match object.kind == Kind::Commit && self.source.is_cut(&object.id) {
            true => write_without_parents(&object.data, buffer),
            false => buffer.extend_from_slice(&object.data),
        }
        Ok(Some(Data { kind: object.kind, object_hash: HASH, data: buffer }))
    }
}

/// A commit as it is to look where history was cut off.
fn write_without_parents(commit: &[u8], buffer: &mut Vec<u8>) {
    let headers = commit.find("\n\n").unwrap_or(commit.len());
    let (headers, message) = commit.split_at(headers);
    for line in headers.lines_with_terminator().filter(|line| !line.starts_with(b"parent ")) {
        buffer.extend_from_slice(line);
    }
    buffer.extend_from_slice(message);
}

impl FindHeader for Database<'_> {
    fn try_header(&self, id: &oid) -> Result<Option<gix::objs::Header>, GixError> {
        let header = |object: Object| gix::objs::Header {
            kind: object.kind,
            size: object.data.len() as u64,
        };
        Ok(self.get(id)?.map(header))
    }
}

impl Write for Database<'_> {
    fn write_stream(
        &self,
        kind: Kind,
        _: u64,
        from: &mut dyn std::io::Read,
    ) -> Result<ObjectId, GixError> {
        let mut data = Vec::new();
        from.read_to_end(&mut data).map_err(GixError::from_error)?;
        let object = Object::new(kind, data)
            .map_err(|error| GixError::from_error(std::io::Error::other(error.to_string())))?;
        let id = object.id;
        self.written.borrow_mut().insert(id, object);
        Ok(id)
    }

    fn write_buf_with_known_id(
        &self,
        kind: Kind,
        mut from: &[u8],
        _: ObjectId,
    ) -> Result<ObjectId, GixError> {
        self.write_stream(kind, from.len() as u64, &mut from)
    }

    fn write_stream_with_known_id(
        &self,
        kind: Kind,
        size: u64,
        from: &mut dyn std::io::Read,
        _: ObjectId,
    ) -> Result<ObjectId, GixError> {
        self.write_stream(kind, size, from)
    }
}
