//! The members' own uploads behind one that a client began.

use std::sync::Arc;

use crate::backend::buckets::{BucketError, Upload};
use crate::service::objects::fan::Done;
use crate::service::objects::layout::{Member, Space};
use crate::service::{Services, bucket_reach};
use crate::store::buckets;
use crate::store::uploads::CopyRow;

/// A member, and its own upload.
#[derive(Clone)]
pub struct Copy {
    pub member: Arc<Member>,
    pub upload: Arc<Upload>,
}

/// The members that have all parts. One that has gone elsewhere since then has none.
pub fn whole(space: &Space, key: &str, rows: &[CopyRow]) -> Vec<Copy> {
    let copy = |row: &CopyRow| {
        let member = space.member(row.bucket)?.clone();
        let upload: Upload = serde_json::from_str(&row.upload).ok()?;
        let here = upload.key == member.key(key);
        here.then(|| Copy { member, upload: Arc::new(upload) })
    };
    rows.iter().filter(|row| !row.lost).filter_map(copy).collect()
}

/// Begins an upload with a member.
pub async fn open(
    services: &Services,
    member: &Member,
    key: &str,
    marked: &crate::model::object::Attributes,
) -> Done<Upload> {
    let asked =
        async { member.driver(services).await?.create_multipart(&member.key(key), marked).await };
    let asked = tokio::time::timeout(services.plane.tuning.patience, asked).await;
    asked.unwrap_or(Err(BucketError::TimedOut))
}

/// Has a bucket forget its upload; whether it has none any more. The bucket may be nobody's member by
/// now.
pub async fn discard(services: &Services, row: &CopyRow) -> bool {
    let asked = async {
        let failed = |error: String| BucketError::Unexpected(error);
        let found = buckets::any(services.store.read(), row.bucket).await;
        let Some(bucket) = found.map_err(|error| failed(error.to_string()))? else {
            return Ok(());
        };
        let upload =
            serde_json::from_str(&row.upload).map_err(|error| failed(error.to_string()))?;
        let target = bucket_reach::target(services, &bucket)
            .map_err(|_| BucketError::Place("its secret cannot be opened".to_owned()))?;
        services.buckets.open(&target).await?.abort_multipart(&upload).await
    };
    let asked = tokio::time::timeout(services.plane.tuning.patience, asked).await;
    match asked.unwrap_or(Err(BucketError::TimedOut)) {
        Ok(()) | Err(BucketError::NoSuchUpload) => true,
        Err(error) => {
            tracing::info!(bucket = %row.bucket, %error, "bucket keeps an upload that has ended");
            false
        }
    }
}
