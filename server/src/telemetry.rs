//! Logs and metrics: the one place where they are set up and named.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::{Method, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Requests answered, and the time each took in seconds; labels: method, route, status.
const REQUEST_SECONDS: &str = "repoplane_http_request_duration_seconds";
/// Commits made by edits.
const COMMITS: &str = "repoplane_source_commits_total";
/// Edits that shared one transaction.
const BATCH: &str = "repoplane_source_edit_batch_size";
/// Background jobs run; labels: kind, outcome.
const JOBS: &str = "repoplane_jobs_total";
/// Attempts to tell a webhook; label: outcome.
const DELIVERIES: &str = "repoplane_webhook_attempts_total";
/// Bytes on disk that the bare repositories of source repos take, and how many were removed.
const CACHE_BYTES: &str = "repoplane_source_cache_bytes";
const CACHES_REMOVED: &str = "repoplane_source_caches_removed_total";

const SECONDS_BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
const BATCH_BUCKETS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging to standard error: text on a terminal, JSON elsewhere.
pub fn init_logs(level: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level)
        .map_err(|error| anyhow::anyhow!("log.level {level:?} is not usable: {error}"))?
        // It logs what clients send as errors, and what they send is not for the log.
        .add_directive("s3s=off".parse().context("a directive")?);
    let json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if json {
        registry.with(lines.json().flatten_event(true).with_current_span(true)).init();
    } else {
        registry.with(lines).init();
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, panic = text, "panic");
    }));
    Ok(())
}

/// Starts collecting; the second start in one process changes nothing.
pub fn init_metrics() {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.to_owned()), &SECONDS_BUCKETS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Full(BATCH.to_owned()), &BATCH_BUCKETS)
            })
            .expect("the buckets above are not empty")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("metrics are collected by somebody else; /metrics stays empty");
        }
        metrics::describe_histogram!(REQUEST_SECONDS, metrics::Unit::Seconds, "Time to answer");
        metrics::describe_counter!(COMMITS, "Commits made by edits of source repos");
        metrics::describe_histogram!(BATCH, "Edits that shared one transaction");
        metrics::describe_counter!(JOBS, "Background jobs run");
        metrics::describe_counter!(DELIVERIES, "Attempts to deliver an event to a webhook");
        metrics::describe_gauge!(CACHE_BYTES, metrics::Unit::Bytes, "Bare repositories on disk");
        metrics::describe_counter!(CACHES_REMOVED, "Bare repositories removed from disk");
        handle
    });
}

pub fn render_metrics() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Lets the collector fold what it has buffered; to be called every few seconds.
pub fn upkeep() {
    if let Some(handle) = METRICS.get() {
        handle.run_upkeep();
    }
}

pub fn count_request(method: &Method, route: String, status: StatusCode, elapsed: Duration) {
    // Methods are free text; only the known ones may become a label.
    let method = match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    };
    let code = status.as_u16().to_string();
    metrics::histogram!(REQUEST_SECONDS, "method" => method, "route" => route, "status" => code)
        .record(elapsed);
}

#[expect(clippy::cast_precision_loss, reason = "a batch has at most 64 edits")]
pub fn count_edits(batch: usize, commits: u64) {
    metrics::counter!(COMMITS).increment(commits);
    metrics::histogram!(BATCH).record(batch as f64);
}

pub fn count_job(kind: &'static str, outcome: &'static str) {
    metrics::counter!(JOBS, "kind" => kind, "outcome" => outcome).increment(1);
}

pub fn count_delivery(delivered: bool) {
    let outcome = if delivered { "delivered" } else { "failed" };
    metrics::counter!(DELIVERIES, "outcome" => outcome).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "nobody needs to know the last bytes of a disk")]
pub fn count_caches(bytes: u64, removed: u64) {
    metrics::gauge!(CACHE_BYTES).set(bytes as f64);
    metrics::counter!(CACHES_REMOVED).increment(removed);
}
