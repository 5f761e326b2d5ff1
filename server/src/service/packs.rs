//! Where the packs of source repos go: small ones into the database, large ones into the
//! object store first, so that the row never names what is not there.

use bytes::Bytes;
use uuid::Uuid;

use crate::backend::objects::Objects;
use crate::model::id::SourceRepoId;
use crate::model::source_repo::ROW_PACK_BYTES_MAX;
use crate::service::Result;
use crate::store::source_packs::Place;

/// Stores a pack that is too large for a row, and says where it is.
pub async fn place(objects: &Objects, repo: SourceRepoId, pack: &[u8]) -> Result<Place> {
    if pack.len() <= ROW_PACK_BYTES_MAX {
        return Ok(Place::Row(pack.to_vec()));
    }
    let key = format!("source/{repo}/{}.pack", Uuid::now_v7());
    objects.put(&key, Bytes::copy_from_slice(pack)).await?;
    Ok(Place::Object(key))
}

/// Removes a pack that no row came to name.
pub async fn discard(objects: &Objects, place: Option<Place>) {
    if let Some(Place::Object(key)) = place
        && let Err(error) = objects.delete(&key).await
    {
        // It takes space and does nothing else.
        tracing::warn!(key, %error, "an unused pack could not be removed");
    }
}
