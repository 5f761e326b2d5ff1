//! Objects that come in parts. A part goes to all members as it comes; one that misses a part is lost to
//! the upload, and owes the object at its end. What was completed becomes an object as if it had come
//! whole. Never becomes one of parts that were not acknowledged, nor two different ones.
//!
//! What providers do that S3 does not: on Azure, whatever else comes to a key drops the parts of its open
//! uploads; some servers of S3 take no number twice, and no gaps between them. Such a bucket is lost to the
//! upload and is brought the object afterwards. If it is the only one, the upload has to be begun again.

mod beginning;
mod completing;
mod copies;
mod ending;
mod listing;
mod sending;
mod whole;

pub use beginning::{NewUpload, create};
pub use completing::{Completion, Named, complete};
pub use ending::{abort, expire};
pub use listing::{
    ListParts, ListUploads, PartListing, UploadListing, UploadMarker, list_parts, list_uploads,
};
pub use sending::{NewPart, SourcePart, copy_part, part};

use super::layout::Space;
use super::{ObjectError, Result};
use crate::model::id::{UploadId, Version};
use crate::model::upload::Upload;
use crate::service::Services;
use crate::store::uploads;

/// The open upload of a key that has this id.
async fn find(services: &Services, space: &Space, key: &str, id: UploadId) -> Result<Upload> {
    let found = uploads::get(services.store.read(), id).await?;
    let found = found.filter(|upload| upload.space == space.id && upload.key == key);
    found.ok_or(ObjectError::NoSuchUpload)
}

/// The version that an upload will be. It is known from the beginning, because that is when buckets are
/// told what is said about an object.
fn version(id: UploadId) -> Version {
    id.uuid().into()
}
