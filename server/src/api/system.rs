//! Tag `system`: liveness, readiness and metrics. No token needed, nothing secret answered.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use crate::telemetry;

/// Sign of life.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"status": "ok"}))]
pub struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// What the server needs in order to serve, and whether it has it.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"status": "ready", "checks": {"database": "ok", "storage": "ok"}}))]
pub struct Readiness {
    status: ReadinessStatus,
    checks: ReadinessChecks,
}

/// Whether to send requests here.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schema(example = json!("ready"))]
pub enum ReadinessStatus {
    Ready,
    Unavailable,
}

/// One entry per check.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct ReadinessChecks {
    database: CheckResult,
    storage: CheckResult,
}

/// Whether a check passed. What failed is in the server's log, not here.
#[derive(Clone, Copy, PartialEq, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schema(example = json!("ok"))]
pub enum CheckResult {
    Ok,
    Failed,
}

/// Is the process alive
///
/// Answers as long as the process can answer at all. Looks at nothing else.
#[utoipa::path(get, path = "/healthz", tag = "system", security(),
    responses((status = 200, description = "The process is alive.", body = Health)))]
pub async fn check_health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Can the process serve requests
///
/// Tries what every request depends on. While the server starts or shuts down, and when a check fails,
/// the answer is 503 and a load balancer should send nothing here.
#[utoipa::path(get, path = "/readyz", tag = "system", security(),
    responses(
        (status = 200, description = "Every check passed.", body = Readiness),
        (status = 503, body = Readiness,
            description = "At least one check failed, or the server is starting or shutting down.",
            example = json!({"status": "unavailable", "checks": {"database": "failed", "storage": "ok"}})),
    ))]
pub async fn check_readiness(services: Shared) -> impl IntoResponse {
    let found = services.0.readiness().await;
    let result = |passed| if passed { CheckResult::Ok } else { CheckResult::Failed };
    let ready = found.database && found.storage && !found.stopping;
    let (code, status) = if ready {
        (StatusCode::OK, ReadinessStatus::Ready)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, ReadinessStatus::Unavailable)
    };
    let checks =
        ReadinessChecks { database: result(found.database), storage: result(found.storage) };
    (code, Json(Readiness { status, checks }))
}

/// Metrics of the process
///
/// Counters, gauges and histograms in the Prometheus text format, version 0.0.4.
#[utoipa::path(get, path = "/metrics", tag = "system", security(),
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain")))]
pub async fn get_metrics() -> impl IntoResponse {
    const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, TYPE)], telemetry::render_metrics())
}
