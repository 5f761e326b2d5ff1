//! Small questions to a source of objects.

use gix::ObjectId;
use gix::objs::{Kind, TagRef};

use super::objects::{HASH, Object, ObjectError, ObjectSource};
use crate::model::edit::CommitId;

/// Most tags of tags that are followed to a commit.
const TAG_DEPTH_MAX: usize = 10;

/// A source without any object, to build a first commit on.
pub struct Nothing;

impl ObjectSource for Nothing {
    fn find(&self, _: &ObjectId) -> Result<Option<Object>, ObjectError> {
        Ok(None)
    }
}

/// The commit that `id` is, or that the tag `id` is for; nothing if there is no such commit.
pub fn peel(source: &dyn ObjectSource, id: ObjectId) -> Result<Option<CommitId>, ObjectError> {
    let mut found = source.find(&id)?;
    for _ in 0..TAG_DEPTH_MAX {
        let Some(object) = found else { break };
        match object.kind {
            Kind::Commit => return Ok(Some(object.id.into())),
            Kind::Tag => {
                let tag = TagRef::from_bytes(&object.data, HASH)
                    .map_err(|err| ObjectError::broken(id, err))?;
                found = source.find(&tag.target())?;
            }
            Kind::Tree | Kind::Blob => break,
        }
    }
    Ok(None)
}
