//! Totals and rows of usage.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Result;
use crate::model::stats::Group;
use crate::model::usage::Usage;
use crate::service::Error;

/// Totals of storage repos.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct RepoStatsResponse {
    /// Always `true`.
    success: bool,
    /// One entry for each storage repo.
    stats: Vec<RepoStats>,
}

/// What clients moved through a storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"repoId": "550e8400-e29b-41d4-a716-446655440000", "totalUploadBytes": "1048576", "totalDownloadBytes": "0", "totalSizeChange": "1048576"}))]
pub struct RepoStats {
    /// Id of the storage repo.
    repo_id: Uuid,
    /// Bytes that were uploaded, as a decimal number.
    total_upload_bytes: String,
    /// Bytes that were downloaded, as a decimal number.
    total_download_bytes: String,
    /// By how many bytes more is stored, as a decimal number; below zero if less is.
    total_size_change: String,
}

/// Totals of buckets.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct BucketStatsResponse {
    /// Always `true`.
    success: bool,
    /// One entry for each bucket.
    stats: Vec<BucketStats>,
}

/// What moved between the servers and a bucket.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"bucketId": "123e4567-e89b-42d3-a456-426614174000", "unitId": "123e4567-e89b-42d3-a456-426614174000", "totalCount": "1", "totalUploadBytes": "1048576", "totalDownloadBytes": "0", "totalSizeChange": "1048576"}))]
pub struct BucketStats {
    /// Id of the bucket.
    bucket_id: Uuid,
    /// The same as `bucketId`.
    unit_id: Uuid,
    /// Requests to the bucket, as a decimal number.
    total_count: String,
    /// Bytes that were uploaded, as a decimal number.
    total_upload_bytes: String,
    /// Bytes that were downloaded, as a decimal number.
    total_download_bytes: String,
    /// By how many bytes more is stored, as a decimal number; below zero if less is.
    total_size_change: String,
}

/// Rows of usage.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct StatsResponse {
    /// Always `true`.
    success: bool,
    /// The rows.
    data: Vec<StatsRow>,
}

/// What moved between one server and one bucket for one storage repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"timestamp": 1768435200, "repoId": "550e8400-e29b-41d4-a716-446655440000", "bucketId": "123e4567-e89b-42d3-a456-426614174000", "unitId": "123e4567-e89b-42d3-a456-426614174000", "upl_bytes": 1048576, "dwl_bytes": 0, "size_change": 1048576, "latency_ms": 12.5, "host": "127.0.0.1"}))]
pub struct StatsRow {
    /// When the day or the minute began, in seconds since 1970 (UTC).
    timestamp: i64,
    /// Id of the storage repo.
    #[serde(rename = "repoId")]
    repo_id: Uuid,
    /// Id of the bucket.
    #[serde(rename = "bucketId")]
    bucket_id: Uuid,
    /// The same as `bucketId`.
    #[serde(rename = "unitId")]
    unit_id: Uuid,
    /// Bytes that were uploaded.
    upl_bytes: u64,
    /// Bytes that were downloaded.
    dwl_bytes: u64,
    /// By how many bytes more is stored; below zero if less is.
    size_change: i64,
    /// Milliseconds that a request took on average; 0 without requests.
    latency_ms: f64,
    /// The server, by the address it listens on.
    host: String,
}

impl From<Vec<(Uuid, Usage)>> for RepoStatsResponse {
    fn from(totals: Vec<(Uuid, Usage)>) -> Self {
        let one = |(id, usage): (Uuid, Usage)| RepoStats {
            repo_id: id,
            total_upload_bytes: usage.up.to_string(),
            total_download_bytes: usage.down.to_string(),
            total_size_change: usage.size_change.to_string(),
        };
        Self { success: true, stats: totals.into_iter().map(one).collect() }
    }
}

impl From<Vec<(Uuid, Usage)>> for BucketStatsResponse {
    fn from(totals: Vec<(Uuid, Usage)>) -> Self {
        let one = |(id, usage): (Uuid, Usage)| BucketStats {
            bucket_id: id,
            unit_id: id,
            total_count: usage.requests.to_string(),
            total_upload_bytes: usage.up.to_string(),
            total_download_bytes: usage.down.to_string(),
            total_size_change: usage.size_change.to_string(),
        };
        Self { success: true, stats: totals.into_iter().map(one).collect() }
    }
}

impl TryFrom<Vec<Group>> for StatsResponse {
    type Error = Error;

    fn try_from(rows: Vec<Group>) -> Result<Self> {
        let data = rows.into_iter().map(StatsRow::try_from).collect::<Result<_>>()?;
        Ok(Self { success: true, data })
    }
}

impl TryFrom<Group> for StatsRow {
    type Error = Error;

    fn try_from(row: Group) -> Result<Self> {
        let [repo, bucket, host] = row.by;
        let bucket = bucket.parse().map_err(Error::internal)?;
        Ok(Self {
            timestamp: row.at.seconds(),
            repo_id: repo.parse().map_err(Error::internal)?,
            bucket_id: bucket,
            unit_id: bucket,
            upl_bytes: count(row.usage.up),
            dwl_bytes: count(row.usage.down),
            size_change: row.usage.size_change,
            latency_ms: millis(row.usage.mean_latency()),
            host,
        })
    }
}

/// What is never below zero.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// To the microsecond.
pub(super) fn millis(duration: Duration) -> f64 {
    f64::from(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)) / 1_000.0
}
