//! Lets gix read from a source of objects, within a budget: a small push can describe trees
//! without end. It must never read more than it was given.

use std::cell::{Cell, RefCell};

use gix::error::Error as GixError;
use gix::objs::{Data, Find, FindHeader};
use gix::oid;

use super::objects::{HASH, Object, ObjectError, ObjectSource};

/// Bytes of objects that one comparison may read.
const READ_BYTES_MAX: usize = 512 * 1024 * 1024;

pub struct Database<'a> {
    source: &'a dyn ObjectSource,
    left: Cell<usize>,
    /// Why reading failed, in our words.
    fault: RefCell<Option<ObjectError>>,
}

impl<'a> Database<'a> {
    pub fn new(source: &'a dyn ObjectSource) -> Self {
        Self { source, left: Cell::new(READ_BYTES_MAX), fault: RefCell::default() }
    }

    /// What went wrong here, where gix failed; otherwise what gix says.
    pub fn fault(&self, error: impl std::fmt::Display) -> ObjectError {
        self.fault.take().unwrap_or_else(|| ObjectError::broken("comparison", error))
    }

    fn read(&self, id: &oid) -> Result<Option<Object>, GixError> {
        let found = self.source.find(&id.to_owned()).and_then(|found| {
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

impl Find for Database<'_> {
    fn try_find<'b>(
        &self,
        id: &oid,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<Data<'b>>, GixError> {
        let Some(object) = self.read(id)? else {
            return Ok(None);
        };
        buffer.clear();
        buffer.extend_from_slice(&object.data);
        Ok(Some(Data { kind: object.kind, object_hash: HASH, data: buffer }))
    }
}

impl FindHeader for Database<'_> {
    fn try_header(&self, id: &oid) -> Result<Option<gix::objs::Header>, GixError> {
        let header = |object: Object| gix::objs::Header {
            kind: object.kind,
            size: object.data.len() as u64,
        };
        Ok(self.read(id)?.map(header))
    }
}
