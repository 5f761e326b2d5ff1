//! What servers see of buckets: whether they answer, and how fast. Only what was observed is kept and
//! answered; nobody is asked here.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::access::{Caller, Role};
use crate::model::bucket::{Bucket, BucketStatus};
use crate::model::id::BucketId;
use crate::model::stats::DAYS_DEFAULT;
use crate::model::time::Timestamp;
use crate::model::usage::{DAY, SightDay, micros};
use crate::service::stats::{Between, check_length};
use crate::service::{Result, Services, access, buckets};
use crate::store::{self, sights};

/// Doors render it.
pub use crate::store::sights::Seen;

/// Keeps whether the bucket answered this server just now, and how fast.
pub async fn note(
    services: &Services,
    bucket: &Bucket,
    latency: Option<Duration>,
) -> Result<Timestamp> {
    let at = Timestamp::now();
    let status = if latency.is_some() { BucketStatus::Online } else { BucketStatus::Offline };
    let last_latency = latency.map(micros);
    let seen = SightDay {
        bucket: bucket.id,
        node: services.node.name(),
        region: services.node.region.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        day: at.floor(DAY),
        checks: 1,
        answered: i64::from(latency.is_some()),
        latency: last_latency.unwrap_or_default(),
        last_at: at,
        last_latency,
    };
    let mut tx = services.store.begin().await?;
    store::buckets::set_status(&mut *tx, bucket, status, at).await?;
    sights::add(&mut tx, &seen).await?;
    tx.commit().await?;
    Ok(at)
}

/// What each server saw of each bucket when it last looked, today or the day before.
pub async fn latest(
    services: &Services,
    caller: &Caller,
    only: Option<Vec<BucketId>>,
) -> Result<Vec<Seen>> {
    access::require_account(caller)?;
    let until = Timestamp::now().floor(DAY).plus(DAY);
    let found = list(services, caller, only.as_deref(), (until.minus(2 * DAY), until)).await?;
    // In order of days, so that the last of each remains.
    let last: BTreeMap<_, _> =
        found.into_iter().map(|seen| ((seen.day.bucket, seen.day.node.clone()), seen)).collect();
    Ok(last.into_values().collect())
}

/// What each server saw of each bucket on each day.
pub async fn days(
    services: &Services,
    caller: &Caller,
    only: Option<Vec<BucketId>>,
    between: Between,
) -> Result<Vec<Seen>> {
    access::require_account(caller)?;
    let range = between.resolve(DAY, DAYS_DEFAULT)?;
    list(services, caller, only.as_deref(), range).await
}

/// What each server saw of one bucket on the day of `moment`.
pub async fn day_of(
    services: &Services,
    caller: &Caller,
    id: BucketId,
    moment: Timestamp,
) -> Result<Vec<Seen>> {
    buckets::require(services, caller, id, Role::Read).await?;
    let day = moment.floor(DAY);
    list(services, caller, Some(&[id]), (day, day.plus(DAY))).await
}

async fn list(
    services: &Services,
    caller: &Caller,
    only: Option<&[BucketId]>,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Seen>> {
    let found = sights::list(services.store.read(), caller, only, from, until).await?;
    check_length(found.len())?;
    Ok(found)
}
