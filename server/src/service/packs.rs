//! Where the packs of source repos go: small ones into the database, large ones into the
//! object store first, so that the row never names what is not there.

use std::path::Path;

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
    let key = key(repo);
    objects.put(&key, Bytes::copy_from_slice(pack)).await?;
    Ok(Place::Object(key))
}

/// As [`place`], for a pack in a file; also says how long it is, in bytes.
pub async fn place_file(
    objects: &Objects,
    repo: SourceRepoId,
    pack: &Path,
) -> Result<(Place, u64)> {
    let bytes = tokio::fs::metadata(pack).await?.len();
    if bytes <= ROW_PACK_BYTES_MAX as u64 {
        return Ok((Place::Row(tokio::fs::read(pack).await?), bytes));
    }
    let key = key(repo);
    objects.put_file(&key, pack).await?;
    Ok((Place::Object(key), bytes))
}

fn key(repo: SourceRepoId) -> String {
    format!("source/{repo}/{}.pack", Uuid::now_v7())
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
