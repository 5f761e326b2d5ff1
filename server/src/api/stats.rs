//! Tag `stats`: what went through storage repos and buckets, and how buckets answer.

mod nodes;
mod queries;
mod series;
mod usage;

use axum::Json;

use super::buckets::BucketPath;
use super::extract::{StorageJson, StoragePath, StorageQuery};
use super::half::StorageFault;
use super::responses::{StorageAbsent, StorageAlways, StorageBody, StorageInvalid};
use super::{By, Shared};
use crate::service::{Result, stats, stats_series, stats_sights};

pub use nodes::*;
pub use queries::*;
pub use series::*;
pub use usage::*;

type Answer<T> = std::result::Result<Json<T>, StorageFault>;

/// Read the totals of storage repos
///
/// What clients moved through each storage repo the caller can see, since it was created, to the byte. What this
/// server has counted is in it at once, what other servers on the same database have counted within 5 s. A server that
/// crashes loses what it has counted in the last 5 s; of the statistics, that is, and of nothing else.
#[utoipa::path(get, path = "/repo/stats", tag = "stats", params(RepoStatsQuery),
    responses(
        (status = 200, description = "The totals, in order of ids.", body = RepoStatsResponse),
        StorageInvalid, StorageAlways,
    ))]
pub async fn get_repo_stats(
    services: Shared,
    caller: By,
    query: StorageQuery<RepoStatsQuery>,
) -> Answer<RepoStatsResponse> {
    let totals = stats::of_repos(&services, &caller, query.0.into_ids()?).await?;
    Ok(Json(totals.into()))
}

/// Read the totals of buckets
///
/// What moved between the servers and each bucket the caller can see, since it was registered, to the byte. An
/// object that is mirrored counts in each of its buckets. See `get_repo_stats` for how fresh it is.
#[utoipa::path(get, path = "/bucket/stats", tag = "stats", params(BucketStatsQuery),
    responses(
        (status = 200, description = "The totals, in order of ids.", body = BucketStatsResponse),
        StorageInvalid, StorageAlways,
    ))]
pub async fn get_bucket_stats(
    services: Shared,
    caller: By,
    query: StorageQuery<BucketStatsQuery>,
) -> Answer<BucketStatsResponse> {
    let totals = stats::of_buckets(&services, &caller, query.0.into_ids()?).await?;
    Ok(Json(totals.into()))
}

/// Read the totals of buckets, by their old name
///
/// The same as `get_bucket_stats`, for clients that still call buckets units.
#[utoipa::path(get, path = "/unit/stats", tag = "stats", params(BucketStatsQuery),
    responses(
        (status = 200, description = "The totals, in order of ids.", body = BucketStatsResponse),
        StorageInvalid, StorageAlways,
    ))]
pub async fn get_unit_stats(
    services: Shared,
    caller: By,
    query: StorageQuery<BucketStatsQuery>,
) -> Answer<BucketStatsResponse> {
    get_bucket_stats(services, caller, query).await
}

/// Read how a bucket answered on one day
///
/// What each server that looked at the bucket on that day (UTC) has seen. Servers look at the buckets of storage
/// repos every 5 min, and at any bucket when they are asked whether it answers. Needs READ in the workspace.
#[utoipa::path(post, path = "/bucket/{bucketId}/stats", tag = "stats", params(BucketPath),
    request_body = BucketNodeStatsRequest,
    responses(
        (status = 200, description = "What was seen; empty if nobody looked.", body = BucketNodeStatsResponse),
        StorageInvalid, StorageAlways, StorageAbsent, StorageBody,
    ))]
pub async fn get_bucket_node_stats(
    services: Shared,
    caller: By,
    path: StoragePath<BucketPath>,
    body: StorageJson<BucketNodeStatsRequest>,
) -> Answer<BucketNodeStatsResponse> {
    let (id, day) = (path.0.bucket_id.into(), body.0.into_moment()?);
    let seen = stats_sights::day_of(&services, &caller, id, day.at).await?;
    Ok(Json(seen.into()))
}

/// Read usage by the day
///
/// What moved between each server and each bucket of each storage repo the caller can see, one row for each day
/// (UTC) on which anything did, in order of time. Days are kept for 400 days. See `get_repo_stats` for how fresh it
/// is. An answer of more than 50,000 rows is refused with 400.
#[utoipa::path(get, path = "/stats/daily", tag = "stats", params(StatsQuery),
    responses(
        (status = 200, description = "The rows.", body = StatsResponse),
        StorageInvalid, StorageAlways,
    ))]
pub async fn get_daily_stats(
    services: Shared,
    caller: By,
    query: StorageQuery<StatsQuery>,
) -> Answer<StatsResponse> {
    let rows = stats::rows(&services, &caller, query.0.into_wanted(true)?).await?;
    Ok(Json(rows.try_into()?))
}

/// Read usage by the minute
///
/// As `get_daily_stats`, one row for each minute. Minutes are kept for 48 h, and then until the end of their day.
#[utoipa::path(get, path = "/stats/minute", tag = "stats", params(StatsQuery),
    responses(
        (status = 200, description = "The rows.", body = StatsResponse),
        StorageInvalid, StorageAlways,
    ))]
pub async fn get_minute_stats(
    services: Shared,
    caller: By,
    query: StorageQuery<StatsQuery>,
) -> Answer<StatsResponse> {
    let rows = stats::rows(&services, &caller, query.0.into_wanted(false)?).await?;
    Ok(Json(rows.try_into()?))
}

/// Read how buckets answered lately
///
/// What each server saw when it last looked at each bucket the caller can see, today or the day before. Nobody is
/// asked now; `get_bucket_status` does that.
#[utoipa::path(get, path = "/stats/nodes/minute", tag = "stats", params(BucketStatsQuery),
    responses(
        (status = 200, description = "What was seen, in order of buckets.", body = NodeMinuteResponse),
        StorageInvalid, StorageAlways,
    ))]
pub async fn get_node_stats_minute(
    services: Shared,
    caller: By,
    query: StorageQuery<BucketStatsQuery>,
) -> Answer<NodeMinuteResponse> {
    let seen = stats_sights::latest(&services, &caller, query.0.into_buckets()?).await?;
    Ok(Json(seen.into()))
}

/// Read how buckets answered by the day
///
/// What each server saw of each bucket the caller can see, one row for each day (UTC) on which it looked, in order of
/// time. Days are kept for 400 days.
#[utoipa::path(get, path = "/stats/nodes/daily", tag = "stats", params(NodeDaysQuery),
    responses(
        (status = 200, description = "What was seen.", body = NodeDailyResponse),
        StorageInvalid, StorageAlways,
    ))]
pub async fn get_node_stats_daily(
    services: Shared,
    caller: By,
    query: StorageQuery<NodeDaysQuery>,
) -> Answer<NodeDailyResponse> {
    let (only, between) = query.0.into_parts()?;
    let seen = stats_sights::days(&services, &caller, only, between).await?;
    Ok(Json(seen.into()))
}

/// Read usage over a window of time
///
/// What clients moved through the storage repos of the scope that the caller can see; with `bucketId`, what moved
/// between the servers and that bucket for them. The window ends with the piece of time that now is in. Pieces
/// begin at whole multiples of their size (UTC), and one in which nothing happened is all zeros. `summary` is of the
/// bytes that each piece moved in both directions.
#[utoipa::path(get, path = "/v2/stats/storage", tag = "stats", params(SeriesQuery),
    responses(
        (status = 200, description = "The pieces, in order of time.", body = StorageSeriesResponse),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn get_storage_series(
    services: Shared,
    caller: By,
    query: StorageQuery<SeriesQuery>,
) -> Answer<StorageSeriesResponse> {
    let wanted = query.0.into_wanted()?;
    let series = stats_series::series(&services, &caller, wanted).await?;
    Ok(Json(StorageSeriesResponse::new(&wanted, series)))
}

/// Read usage over a window of time, broken down
///
/// As `get_storage_series`, told apart by workspaces, storage repos or servers (`nodes`), or, of what moved between
/// the servers and buckets, by `buckets` or their `providers`. Only what was used is an entity; the one that moved
/// most bytes comes first.
#[utoipa::path(get, path = "/v2/stats/storage/breakdown/{by}", tag = "stats",
    params(BreakdownPath, BreakdownQuery),
    responses(
        (status = 200, description = "One page of entities.", body = StorageBreakdownResponse),
        StorageInvalid, StorageAlways, StorageAbsent,
    ))]
pub async fn get_storage_breakdown(
    services: Shared,
    caller: By,
    path: StoragePath<BreakdownPath>,
    query: StorageQuery<BreakdownQuery>,
) -> Answer<StorageBreakdownResponse> {
    let (facet, (wanted, page)) = (path.0.facet()?, query.0.into_parts()?);
    let found = stats_series::breakdown(&services, &caller, wanted, facet, page).await?;
    Ok(Json(StorageBreakdownResponse::new(&path.0, &wanted, page, facet, found)))
}
