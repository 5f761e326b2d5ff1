//! How buckets answer.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::storage_words::StorageType;
use super::usage::millis;
use crate::model::bucket::BucketStatus;
use crate::model::usage::SightDay;
use crate::service::stats_sights::Seen;

/// How a bucket answered on one day.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketNodeStatsResponse {
    /// Always `true`.
    success: bool,
    /// One entry for each server that looked.
    node_stats: Vec<BucketNodeStats>,
}

/// What one server saw of a bucket on one day.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"ip": "127.0.0.1", "host": "127.0.0.1", "perc_uptime": 99.5, "avg_latency_ms": 31.25, "version": "0.1.0", "node_status": "ONLINE", "last_updated": "2026-01-15T10:30:00Z", "last_latency_ms": 30.5}))]
pub struct BucketNodeStats {
    /// Address the server listens on.
    ip: String,
    /// The same as `ip`.
    host: String,
    /// How many of its checks in a hundred the bucket answered.
    perc_uptime: f64,
    /// Milliseconds that an answer took on average; left out if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    avg_latency_ms: Option<f64>,
    /// Version of the server.
    version: String,
    /// Whether the bucket answered the last check of the day, `ONLINE` or `OFFLINE`.
    node_status: String,
    /// When the last check of the day was.
    last_updated: DateTime<Utc>,
    /// Milliseconds that the last check took; left out if it was not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_latency_ms: Option<f64>,
}

/// How buckets answered lately.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct NodeMinuteResponse {
    /// Always `true`.
    success: bool,
    /// One entry for each bucket and server.
    data: Vec<NodeMinute>,
}

/// What one server saw when it last looked at a bucket.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"nodeId": "127.0.0.1", "bucketId": "123e4567-e89b-42d3-a456-426614174000", "unitId": "123e4567-e89b-42d3-a456-426614174000", "nodeStatus": "ONLINE", "lastUpdated": "2026-01-15T10:30:00Z", "latency_ms": 30.5}))]
pub struct NodeMinute {
    /// The server, by the address it listens on.
    #[serde(rename = "nodeId")]
    node_id: String,
    /// Id of the bucket.
    #[serde(rename = "bucketId")]
    bucket_id: Uuid,
    /// The same as `bucketId`.
    #[serde(rename = "unitId")]
    unit_id: Uuid,
    /// Whether the bucket answered, `ONLINE` or `OFFLINE`.
    #[serde(rename = "nodeStatus")]
    node_status: String,
    /// When the server looked.
    #[serde(rename = "lastUpdated")]
    last_updated: DateTime<Utc>,
    /// Milliseconds that the answer took; left out if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latency_ms: Option<f64>,
}

/// How buckets answered by the day.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct NodeDailyResponse {
    /// Always `true`.
    success: bool,
    /// One entry for each day, bucket and server.
    data: Vec<NodeDaily>,
}

/// What one server saw of one bucket on one day.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"nodeId": "127.0.0.1", "bucketId": "123e4567-e89b-42d3-a456-426614174000", "unitId": "123e4567-e89b-42d3-a456-426614174000", "day": 1768435200, "online": 99.5, "latency_ms": 31.25, "endpoint": "https://s3.amazonaws.com", "region": "local", "storageType": "S3", "provider": "AWS", "status": "ONLINE", "version": "0.1.0"}))]
pub struct NodeDaily {
    /// The server, by the address it listens on.
    #[serde(rename = "nodeId")]
    node_id: String,
    /// Id of the bucket.
    #[serde(rename = "bucketId")]
    bucket_id: Uuid,
    /// The same as `bucketId`.
    #[serde(rename = "unitId")]
    unit_id: Uuid,
    /// When the day began, in seconds since 1970 (UTC).
    day: i64,
    /// How many of its checks in a hundred the bucket answered.
    online: f64,
    /// Milliseconds that an answer took on average; left out if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latency_ms: Option<f64>,
    /// Where the bucket answers; empty for the provider's own address.
    endpoint: String,
    /// Region of the server, as its configuration says.
    region: String,
    #[serde(rename = "storageType")]
    storage_type: StorageType,
    /// Who provides the bucket, as far as its address tells: `AWS`, `GCP`, `AZURE`, `LOCAL` or `OTHER`.
    provider: String,
    /// Whether the bucket answered the last check of the day, `ONLINE` or `OFFLINE`.
    status: String,
    /// Version of the server.
    version: String,
}

impl From<Vec<Seen>> for BucketNodeStatsResponse {
    fn from(seen: Vec<Seen>) -> Self {
        let one = |Seen { day, .. }: Seen| BucketNodeStats {
            perc_uptime: day.uptime_percent(),
            avg_latency_ms: day.mean_latency().map(millis),
            node_status: status(&day),
            last_updated: day.last_at.into(),
            last_latency_ms: last_latency(&day),
            host: day.node.clone(),
            ip: day.node,
            version: day.version,
        };
        Self { success: true, node_stats: seen.into_iter().map(one).collect() }
    }
}

impl From<Vec<Seen>> for NodeMinuteResponse {
    fn from(seen: Vec<Seen>) -> Self {
        let one = |Seen { day, .. }: Seen| NodeMinute {
            bucket_id: day.bucket.uuid(),
            unit_id: day.bucket.uuid(),
            node_status: status(&day),
            last_updated: day.last_at.into(),
            latency_ms: last_latency(&day),
            node_id: day.node,
        };
        Self { success: true, data: seen.into_iter().map(one).collect() }
    }
}

impl From<Vec<Seen>> for NodeDailyResponse {
    fn from(seen: Vec<Seen>) -> Self {
        let one = |Seen { day, storage_type, endpoint }: Seen| NodeDaily {
            bucket_id: day.bucket.uuid(),
            unit_id: day.bucket.uuid(),
            day: day.day.seconds(),
            online: day.uptime_percent(),
            latency_ms: day.mean_latency().map(millis),
            provider: storage_type.provider(endpoint.as_deref()).to_owned(),
            endpoint: endpoint.unwrap_or_default(),
            storage_type: storage_type.into(),
            status: status(&day),
            node_id: day.node,
            region: day.region,
            version: day.version,
        };
        Self { success: true, data: seen.into_iter().map(one).collect() }
    }
}

fn status(day: &SightDay) -> String {
    let answered = day.last_latency.is_some();
    let status = if answered { BucketStatus::Online } else { BucketStatus::Offline };
    status.as_str().to_owned()
}

fn last_latency(day: &SightDay) -> Option<f64> {
    let micros = u64::try_from(day.last_latency?).unwrap_or_default();
    Some(millis(Duration::from_micros(micros)))
}
