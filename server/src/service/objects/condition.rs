//! Conditions of a request, held against the catalog: whatever a cloud thinks is not asked.

use super::{ObjectError, Result};
use crate::model::object::Object;
use crate::model::time::Timestamp;

/// Which states of an object are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    Any,
    /// ETags without quotes.
    Etags(Vec<String>),
}

impl Matching {
    fn holds(&self, object: &Object) -> bool {
        match self {
            Self::Any => true,
            Self::Etags(etags) => etags.contains(&object.etag),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    pub if_match: Option<Matching>,
    pub if_none_match: Option<Matching>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// For what reads an object, or copies it. The order is that of RFC 9110, section 13.2.2.
    pub fn check_read(&self, object: &Object) -> Result<()> {
        let modified = object.modified_at.seconds();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(matching), _) if !matching.holds(object) => {
                return Err(ObjectError::PreconditionFailed("If-Match"));
            }
            (None, Some(since)) if modified > since.seconds() => {
                return Err(ObjectError::PreconditionFailed("If-Unmodified-Since"));
            }
            _ => {}
        }
        let known = match (&self.if_none_match, self.if_modified_since) {
            (Some(matching), _) => matching.holds(object),
            (None, Some(since)) => modified <= since.seconds(),
            (None, None) => false,
        };
        if known { Err(ObjectError::NotModified(Box::new(object.clone()))) } else { Ok(()) }
    }

    /// For what writes or deletes; `now` is what is there, unless that is deleted.
    pub fn check_write(&self, now: Option<&Object>) -> Result<()> {
        match (&self.if_match, now) {
            (Some(_), None) => return Err(ObjectError::NoSuchKey),
            (Some(matching), Some(object)) if !matching.holds(object) => {
                return Err(ObjectError::PreconditionFailed("If-Match"));
            }
            _ => {}
        }
        if let (Some(since), Some(object)) = (self.if_unmodified_since, now)
            && object.modified_at.seconds() > since.seconds()
        {
            return Err(ObjectError::PreconditionFailed("If-Unmodified-Since"));
        }
        match (&self.if_none_match, now) {
            (Some(matching), Some(object)) if matching.holds(object) => {
                Err(ObjectError::PreconditionFailed("If-None-Match"))
            }
            _ => Ok(()),
        }
    }
}
