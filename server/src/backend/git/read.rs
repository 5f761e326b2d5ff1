//! Small questions to a source of objects.

use gix::ObjectId;
use gix::objs::Kind;

use super::objects::{Object, ObjectError, ObjectSource};
use crate::model::edit::CommitId;

/// A source without any object, to build a first commit on.
pub struct Nothing;

impl ObjectSource for Nothing {
    fn find(&self, _: &ObjectId) -> Result<Option<Object>, ObjectError> {
        Ok(None)
    }
}

/// Whether `id` is there, and a commit.
pub fn is_commit(source: &dyn ObjectSource, id: CommitId) -> Result<bool, ObjectError> {
    Ok(source.find(&id.into())?.is_some_and(|object| object.kind == Kind::Commit))
}
