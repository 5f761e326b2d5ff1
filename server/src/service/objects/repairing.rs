//! Waits until what the buckets of a storage repo owed is paid, and says so if nobody gets on with it.
//! The healer does the work; this must never do any of it.

use std::sync::Arc;
use std::time::Duration;

use super::jobs::finish;
use crate::model::storage_job::{JobState, StorageJob};
use crate::model::time::Timestamp;
use crate::service::{Result, Services};
use crate::store::debts::{self, Left};
use crate::store::spaces;

/// How often to look what is left.
const POLL: Duration = Duration::from_secs(1);
/// How long nothing may be paid before a repair has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// When to look again; nothing, if the repair is finished. What is owed since it began is not its own.
pub async fn repair(services: &Arc<Services>, job: &mut StorageJob) -> Result<Option<Duration>> {
    let copies = spaces::copies(services.store.read(), job.repo).await?;
    let mut found: Vec<_> = copies.iter().map(|copy| copy.space.id).collect();
    found.dedup();
    let mut left: Vec<Left> = vec![];
    for space in found {
        let now = Timestamp::now();
        left.extend(debts::left(services.store.read(), space, job.created_at, now).await?);
    }
    let unpaid: i64 = left.iter().map(|left| left.debts).sum();
    let paid = (job.total - unpaid).max(job.done);
    let Some(Left { bucket, debts: owed, .. }) = left.first() else {
        job.done = job.total;
        return Ok(finish(job, JobState::Done, ""));
    };
    // Only time in which somebody looked counts: a server that was off has not been idle, nor is one that
    // copies a large object.
    let is_under_way = left.iter().any(|left| left.under_way > 0);
    let idle = idle(job) + if is_under_way { Duration::ZERO } else { POLL };
    job.cursor = Some(if paid > job.done { 0 } else { idle.as_millis() }.to_string());
    if paid > job.done || idle < PATIENCE {
        job.done = paid;
        return Ok(Some(POLL));
    }
    let named = copies.iter().find(|copy| copy.bucket.id == *bucket);
    let message = format!(
        "The bucket `{}` still owes {owed} objects, and nothing was paid for {} s. See that it can be \
         reached with GET /bucket/{bucket}/status, then repair again.",
        named.map_or("", |copy| copy.bucket.name.as_str()),
        PATIENCE.as_secs()
    );
    job.failed = unpaid;
    Ok(finish(job, JobState::Failed, &message))
}

/// For how long nothing was paid.
fn idle(job: &StorageJob) -> Duration {
    let millis = job.cursor.as_ref().and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or_default())
}
