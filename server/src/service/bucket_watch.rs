//! Looks now and then whether the buckets that storage repos hold answer this server. For nobody in
//! particular, so it checks no access and tells nobody but the database.

use futures::{StreamExt, stream};

use crate::model::bucket::Bucket;
use crate::service::bucket_reach::target;
use crate::service::{Result, Services, stats_sights};
use crate::store::buckets;

/// Buckets that are reached at a time.
const AT_ONCE: usize = 8;
/// Buckets that are read at a time.
const PAGE: u32 = 100;

/// Looks at each bucket that a storage repo holds, once.
pub async fn look_at_all(services: &Services) -> Result<()> {
    let mut after = None;
    loop {
        let page = buckets::list_held(services.store.read(), after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        stream::iter(&page).for_each_concurrent(AT_ONCE, |bucket| look(services, bucket)).await;
    }
}

async fn look(services: &Services, bucket: &Bucket) {
    let seen = async {
        let latency = services.buckets.ping(&target(services, bucket)?).await;
        if let Err(error) = &latency {
            tracing::info!(bucket = %bucket.id, %error, "bucket does not answer");
        }
        stats_sights::note(services, bucket, latency.ok()).await
    };
    if let Err(error) = seen.await {
        tracing::warn!(bucket = %bucket.id, %error, "bucket cannot be looked at");
    }
}
