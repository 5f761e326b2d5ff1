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
    /// In bytes. Only for what writes or deletes.
    pub if_size: Option<u64>,
    /// To the second. Only for what writes or deletes.
    pub if_modified_at: Option<Timestamp>,
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
        let Some(object) = now else {
            // As in S3: only an ETag asks for something to be there.
            return if self.if_match.is_some() { Err(ObjectError::NoSuchKey) } else { Ok(()) };
        };
        let matches = |wanted: &Option<Matching>| wanted.as_ref().map(|all| all.holds(object));
        let modified = object.modified_at.seconds();
        let at = |time: Timestamp| modified == time.seconds();
        let not_after = |since: Timestamp| modified <= since.seconds();
        let held = [
            ("If-Match", matches(&self.if_match) != Some(false)),
            ("x-amz-if-match-size", self.if_size.is_none_or(|size| size == object.size)),
            ("x-amz-if-match-last-modified-time", self.if_modified_at.is_none_or(at)),
            ("If-Unmodified-Since", self.if_unmodified_since.is_none_or(not_after)),
            ("If-None-Match", matches(&self.if_none_match) != Some(true)),
        ];
        let failed = held.into_iter().find(|(_, holds)| !holds);
        failed.map_or(Ok(()), |(name, _)| Err(ObjectError::PreconditionFailed(name)))
    }
}
