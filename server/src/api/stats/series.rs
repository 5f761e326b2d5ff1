//! Usage over a window of time.

use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::queries::{BreakdownPath, StatsScope, StatsTimeBucket, StatsWindow};
use super::usage::{count, millis};
use crate::model::bucket::StorageType;
use crate::model::stats::{Facet, Summary};
use crate::model::time::Timestamp;
use crate::model::usage::Usage;
use crate::service::stats_series::{Breakdown, Entity, Page, Points, Series, Wanted};

/// Usage over a window of time.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct StorageSeriesResponse {
    /// Always `true`.
    success: bool,
    meta: SeriesMeta,
    summary: SeriesSummary,
    /// One entry for each piece of time, in order.
    series: Vec<SeriesPoint>,
}

/// What was asked for.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"start": 1768392000, "end": 1768478400, "scope": "org", "window": "24h", "timeBucketSize": "10m"}))]
pub struct SeriesMeta {
    /// When the first piece begins, in seconds since 1970 (UTC).
    start: i64,
    /// When the last piece ends, in seconds since 1970 (UTC).
    end: i64,
    scope: StatsScope,
    /// The `id` of the request; left out if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scope_id: Option<Uuid>,
    window: StatsWindow,
    time_bucket_size: StatsTimeBucket,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resource_filter: Option<ResourceFilter>,
}

/// What the usage was narrowed to, if it was; with both `bucketId` and `apiKeyId`, the bucket.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"type": "bucket", "id": "123e4567-e89b-42d3-a456-426614174000"}))]
pub struct ResourceFilter {
    /// `bucket` or `apiKey`.
    #[serde(rename = "type")]
    kind: String,
    /// Its id.
    id: Uuid,
}

/// Statistics of the bytes that each piece of time moved in both directions. A percentile is the smallest value
/// that at least that part of the pieces does not exceed.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"total": 40, "avg": 10.0, "stdDev": 10.0, "min": 0, "max": 20, "p10": 0, "p50": 0, "p90": 20}))]
pub struct SeriesSummary {
    /// Of all pieces together.
    total: u64,
    /// Mean.
    avg: f64,
    /// Standard deviation of all pieces.
    std_dev: f64,
    /// Smallest value.
    min: u64,
    /// Largest value.
    max: u64,
    /// 10th percentile.
    p10: u64,
    /// Median.
    p50: u64,
    /// 90th percentile.
    p90: u64,
}

/// Usage in one piece of time.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"ts": 1768392000, "uplBytes": 1048576, "dwlBytes": 0, "sizeChange": 1048576, "latencyMs": 12.5, "requests": 1}))]
pub struct SeriesPoint {
    /// When the piece begins, in seconds since 1970 (UTC).
    ts: i64,
    /// Bytes that were uploaded.
    upl_bytes: u64,
    /// Bytes that were downloaded.
    dwl_bytes: u64,
    /// By how many bytes more is stored; below zero if less is.
    size_change: i64,
    /// Milliseconds that a request took on average, over all servers; 0 without requests.
    latency_ms: f64,
    /// Requests.
    requests: u64,
}

/// Usage over a window of time, broken down.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct StorageBreakdownResponse {
    /// Always `true`.
    success: bool,
    meta: BreakdownMeta,
    summary: BreakdownSummary,
    /// Those of the page; the one that moved most bytes comes first.
    entities: Vec<BreakdownEntity>,
}

/// What was asked for, and how much there is.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"start": 1768392000, "end": 1768478400, "scope": "org", "breakdownBy": "repos", "includesSeries": false, "limit": 100, "offset": 0, "totalEntities": 1}))]
pub struct BreakdownMeta {
    /// When the window begins, in seconds since 1970 (UTC).
    start: i64,
    /// When it ends, in seconds since 1970 (UTC).
    end: i64,
    scope: StatsScope,
    /// The `id` of the request; left out if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scope_id: Option<Uuid>,
    /// What is told apart.
    breakdown_by: String,
    /// Whether entities have a `series`.
    includes_series: bool,
    /// The `limit` that was used.
    limit: u32,
    /// The `offset` that was used.
    offset: u32,
    /// How many entities there are, over all pages.
    total_entities: u64,
}

/// Of all entities, those of other pages included.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"total": 1048576}))]
pub struct BreakdownSummary {
    /// Bytes moved in both directions.
    total: u64,
}

/// One part of a breakdown.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"entityId": "550e8400-e29b-41d4-a716-446655440000", "entityName": "Photos", "totals": {"uplBytes": 1048576, "dwlBytes": 0, "sizeChange": 1048576, "latencyMs": 12.5, "requests": 1}}))]
pub struct BreakdownEntity {
    /// Id of the workspace, storage repo or bucket; address that the server listens on; or protocol and endpoint.
    entity_id: String,
    /// Its name; left out for servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    entity_name: Option<String>,
    totals: StorageMetrics,
    /// Its pieces of time, in order; left out unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    series: Option<Vec<SeriesPoint>>,
    /// Protocol of the buckets, as `storageType` has it; only for providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    protocol: Option<String>,
    /// Who provides the buckets, as far as their address tells: `AWS`, `GCP`, `AZURE`, `LOCAL` or `OTHER`; only for
    /// providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    provider: Option<String>,
    /// Where the buckets answer; left out if at the provider's own address; only for providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    endpoint: Option<String>,
}

/// Usage of the whole window.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"uplBytes": 1048576, "dwlBytes": 0, "sizeChange": 1048576, "latencyMs": 12.5, "requests": 1}))]
pub struct StorageMetrics {
    /// Bytes that were uploaded.
    upl_bytes: u64,
    /// Bytes that were downloaded.
    dwl_bytes: u64,
    /// By how many bytes more is stored; below zero if less is.
    size_change: i64,
    /// Milliseconds that a request took on average, over all servers; 0 without requests.
    latency_ms: f64,
    /// Requests.
    requests: u64,
}

impl StorageSeriesResponse {
    pub fn new(wanted: &Wanted, series: Series) -> Self {
        let filter = |kind: &str, id| ResourceFilter { kind: kind.to_owned(), id };
        let bucket = wanted.bucket.map(|id| filter("bucket", id.uuid()));
        let meta = SeriesMeta {
            start: series.span.start.seconds(),
            end: series.span.end.seconds(),
            scope: wanted.scope.into(),
            scope_id: wanted.id,
            window: wanted.window.into(),
            time_bucket_size: series.span.slot.into(),
            resource_filter: bucket.or(wanted.key.map(|id| filter("apiKey", id.uuid()))),
        };
        let summary = Summary::of(series.points.iter().map(|(_, usage)| usage.moved()).collect());
        Self { success: true, meta, summary: summary.into(), series: points(series.points) }
    }
}

impl StorageBreakdownResponse {
    pub fn new(
        path: &BreakdownPath,
        wanted: &Wanted,
        page: Page,
        facet: Facet,
        found: Breakdown,
    ) -> Self {
        let meta = BreakdownMeta {
            start: found.span.start.seconds(),
            end: found.span.end.seconds(),
            scope: wanted.scope.into(),
            scope_id: wanted.id,
            breakdown_by: path.by.clone(),
            includes_series: page.with_series,
            limit: page.limit,
            offset: page.offset,
            total_entities: found.entities_total as u64,
        };
        let summary = BreakdownSummary { total: count(found.total.moved()) };
        let entities = found.entities.into_iter().map(|one| BreakdownEntity::new(facet, one));
        Self { success: true, meta, summary, entities: entities.collect() }
    }
}

impl BreakdownEntity {
    fn new(facet: Facet, entity: Entity) -> Self {
        let [id, name, _] = entity.by;
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let plain = Self {
            entity_id: id,
            entity_name: None,
            totals: entity.totals.into(),
            series: entity.series.map(points),
            protocol: None,
            provider: None,
            endpoint: None,
        };
        match (facet, StorageType::parse(&plain.entity_id)) {
            (Facet::Providers, Some(protocol)) => {
                let endpoint = text(name);
                let provider = protocol.provider(endpoint.as_deref()).to_owned();
                let parts = [Some(protocol.as_str()), endpoint.as_deref()];
                Self {
                    entity_id: parts.into_iter().flatten().collect::<Vec<_>>().join(" "),
                    entity_name: Some(provider.clone()),
                    protocol: Some(protocol.as_str().to_owned()),
                    provider: Some(provider),
                    endpoint,
                    ..plain
                }
            }
            _ => Self { entity_name: text(name), ..plain },
        }
    }
}

fn points(points: Points) -> Vec<SeriesPoint> {
    let point = |(at, usage): (Timestamp, Usage)| SeriesPoint {
        ts: at.seconds(),
        upl_bytes: count(usage.up),
        dwl_bytes: count(usage.down),
        size_change: usage.size_change,
        latency_ms: millis(usage.mean_latency()),
        requests: count(usage.requests),
    };
    points.into_iter().map(point).collect()
}

impl From<Usage> for StorageMetrics {
    fn from(usage: Usage) -> Self {
        Self {
            upl_bytes: count(usage.up),
            dwl_bytes: count(usage.down),
            size_change: usage.size_change,
            latency_ms: millis(usage.mean_latency()),
            requests: count(usage.requests),
        }
    }
}

impl From<Summary> for SeriesSummary {
    fn from(summary: Summary) -> Self {
        Self {
            total: count(summary.total),
            avg: summary.mean,
            std_dev: summary.deviation,
            min: count(summary.least),
            max: count(summary.most),
            p10: count(summary.p10),
            p50: count(summary.p50),
            p90: count(summary.p90),
        }
    }
}
