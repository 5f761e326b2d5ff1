//! What can go wrong with an object, without a word of HTTP or XML.

use crate::backend::buckets::BucketError;
use crate::model::object::Object;
use crate::service::Error;

pub type Result<T, E = ObjectError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("The storage repo has no bucket of this name.")]
    NoSuchBucket,
    #[error("There is no object with this key.")]
    NoSuchKey,
    #[error("There is no such upload; it may have been completed or aborted.")]
    NoSuchUpload,
    #[error("{0}")]
    Denied(String),
    /// Which one, as the client calls it.
    #[error("The condition {0} of the request does not hold.")]
    PreconditionFailed(&'static str),
    #[error("The object is as the client knows it.")]
    NotModified(Box<Object>),
    #[error("The object has {size} bytes and none of those that were asked for.")]
    Range { size: u64 },
    #[error("The content does not match its {0}.")]
    BadDigest(&'static str),
    #[error("The content is {0}; nothing was stored.")]
    BadContent(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    BucketName(String),
    #[error("{0}")]
    KeyTooLong(String),
    #[error("{0}")]
    MetadataTooLarge(String),
    #[error("A tag is not allowed: {0}.")]
    Tag(String),
    #[error("The content is larger than {0} bytes, which is the most.")]
    TooLarge(u64),
    #[error("Part {0} is smaller than {1} bytes, which only the last may be.")]
    TooSmall(u32, u64),
    #[error("Part {0} was not uploaded, or not with this ETag or checksum.")]
    InvalidPart(u32),
    #[error("Parts have to be listed in ascending order, each once.")]
    PartOrder,
    #[error("Somebody else is changing the object. Try again.")]
    Busy,
    /// What the buckets held before is still being looked at.
    #[error(
        "The bucket is being imported, and not all of its objects are known yet. Try again later."
    )]
    Importing,
    #[error("The bucket is not empty; delete its objects first.")]
    NotEmpty,
    #[error("The bucket exists already, and is yours.")]
    Exists,
    #[error(
        "The storage repo, or its organisation, has as many buckets as it may. Delete one first."
    )]
    TooMany,
    /// Too few buckets answered; trying again helps once they do.
    #[error("{0}")]
    Unavailable(String),
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<sqlx::Error> for ObjectError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

impl ObjectError {
    /// What a member refuses before anything was sent.
    pub(super) fn of_member(name: &str, error: BucketError) -> Self {
        let said = format!("The bucket `{name}` cannot hold this object: {error}.");
        match error {
            BucketError::Key(_) => Self::Invalid(said),
            BucketError::Attribute(_) => Self::MetadataTooLarge(said),
            BucketError::TooLarge => Self::Invalid(said),
            _ => Self::Unavailable(said),
        }
    }
}
