//! Usage over a window of time.

use std::time::Duration;

use repoplane::model::time::Timestamp;
use repoplane_client::types::{self, StatsScope, StatsTimeBucket, StatsWindow};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{DAY, HOUR, Stage, at_bucket, by_client, moved};

const MINUTE: Duration = Duration::from_mins(1);

/// The pieces in which anything happened: bytes up, down, size change, requests.
fn used(found: &types::StorageSeriesResponse) -> Vec<(i64, [i64; 4])> {
    let point = |point: &types::SeriesPoint| {
        (point.ts, [point.upl_bytes, point.dwl_bytes, point.size_change, point.requests])
    };
    found.series.iter().filter(|point| point.requests > 0).map(point).collect()
}

#[tokio::test]
async fn a_day_is_cut_into_pieces_with_zeros_in_between() {
    let stage = Stage::start().await;
    let at = Timestamp::now().minus(3 * HOUR).floor(HOUR);
    let what = by_client(stage.mirror, Some(stage.key));
    stage.meter().count_at(at, &what, moved(1, 2, 3, 10));
    stage.meter().count_at(at.plus(9 * MINUTE), &what, moved(10, 20, -30, 1));
    stage.meter().count_at(at.plus(10 * MINUTE), &what, moved(100, 0, 0, 7));
    // What moves to buckets is not what clients move.
    stage.meter().count_at(at, &at_bucket(stage.mirror, stage.a), moved(1_000, 0, 0, 1));
    let (first, second) = (at.seconds(), at.plus(10 * MINUTE).seconds());
    let request = || {
        let request = stage.owner.client.get_storage_series().scope(StatsScope::Org);
        request.window(StatsWindow::X24h)
    };
    let found = request().send().await.expect("a series").into_inner();
    assert_eq!(found.meta.time_bucket_size, StatsTimeBucket::X10m);
    assert_eq!(found.meta.end - found.meta.start, 24 * 3_600);
    assert_eq!(used(&found), [(first, [11, 22, -27, 2]), (second, [100, 0, 0, 1])]);
    let latency: Vec<_> =
        found.series.iter().map(|point| point.latency_ms).filter(|ms| *ms > 0.0).collect();
    assert_eq!(latency, [5.5, 7.0], "weighted by requests");
    for (size, seconds) in [
        (StatsTimeBucket::X5m, 300),
        (StatsTimeBucket::X10m, 600),
        (StatsTimeBucket::X1h, 3_600),
        (StatsTimeBucket::X6h, 6 * 3_600),
        (StatsTimeBucket::X12h, 12 * 3_600),
    ] {
        let found = request().time_bucket_size(size).send().await.expect("a series").into_inner();
        let times: Vec<_> = found.series.iter().map(|point| point.ts).collect();
        let expected: Vec<_> =
            (found.meta.start..found.meta.end).step_by(seconds as usize).collect();
        assert_eq!(times, expected, "{size}");
        assert_eq!(times.len(), (24 * 3_600 / seconds) as usize, "{size}");
        assert_eq!(found.meta.start % seconds, 0, "{size}");
        assert_eq!(found.summary.total, 133, "{size}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn longer_windows_are_cut_into_days_of_either_table() {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    let what = by_client(stage.normal, None);
    for (days, up) in [(0, 1), (5, 10), (20, 100), (80, 1_000), (170, 10_000), (360, 100_000)] {
        stage.meter().count_at(now.minus(days * DAY), &what, moved(up, 0, 0, 1));
    }
    for _ in 0..2 {
        for (window, days, total) in [
            (StatsWindow::X7d, 7, 11),
            (StatsWindow::X30d, 30, 111),
            (StatsWindow::X90d, 90, 1_111),
            (StatsWindow::X180d, 180, 11_111),
            (StatsWindow::X365d, 365, 111_111),
        ] {
            let request = stage.owner.client.get_storage_series().scope(StatsScope::Org);
            let found = request.window(window).send().await.expect("a series").into_inner();
            assert_eq!((found.series.len(), found.summary.total), (days, total), "{window}");
            assert_eq!(found.meta.time_bucket_size, StatsTimeBucket::X1d);
        }
        stage.meter().roll(now).await.expect("added up");
    }
    stage.stop().await;
}

#[tokio::test]
async fn the_summary_is_of_the_bytes_of_the_pieces() {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    let what = by_client(stage.normal, None);
    // Of seven days: 0, 0, 0, 10, 20, 30, 80.
    for (days, up, down) in [(1, 80, 0), (2, 0, 30), (3, 10, 10), (4, 5, 5)] {
        stage.meter().count_at(now.minus(days * DAY), &what, moved(up, down, 9, 1));
    }
    let request = stage.owner.client.get_storage_series().scope(StatsScope::Org);
    let found = request.window(StatsWindow::X7d).send().await.expect("a series").into_inner();
    let types::SeriesSummary { total, avg, std_dev, min, max, p10, p50, p90 } = found.summary;
    assert_eq!((total, min, max), (140, 0, 80));
    assert_eq!((p10, p50, p90), (0, 10, 80));
    // The squares of what they differ from 20 add up to 5,000.
    assert_eq!((avg, std_dev), (20.0, (5_000.0_f64 / 7.0).sqrt()));
    stage.stop().await;
}

#[tokio::test]
async fn scopes_and_filters_narrow_the_rows() {
    let stage = Stage::start().await;
    let owner = &stage.owner;
    let elsewhere = owner.workspace("elsewhere").await;
    let profile = owner.client.get_profile().send().await.expect("profile").into_inner();
    let org = profile.data.org_id.expect("an organisation");
    let home = owner.read_repo(stage.mirror).await.expect("the repo").workspace_id;
    let now = Timestamp::now();
    for (what, up) in [
        (by_client(stage.mirror, Some(stage.key)), 1),
        (by_client(stage.mirror, None), 10),
        (by_client(stage.normal, None), 100),
        (at_bucket(stage.mirror, stage.a), 1_000),
        (at_bucket(stage.normal, stage.c), 10_000),
    ] {
        stage.meter().count_at(now, &what, moved(up, 0, 0, 1));
    }
    let (mirror, normal, key, c) = (stage.mirror, stage.normal, stage.key, stage.c);
    for (query, total) in [
        ("scope=org".to_owned(), 111),
        (format!("scope=org&id={org}"), 111),
        (format!("scope=workspace&id={home}"), 111),
        (format!("scope=workspace&id={elsewhere}"), 0),
        (format!("scope=repo&id={mirror}"), 11),
        (format!("scope=repo&id={normal}"), 100),
        (format!("scope=org&apiKeyId={key}"), 1),
        (format!("scope=repo&id={normal}&apiKeyId={key}"), 0),
        (format!("scope=org&bucketId={c}"), 10_000),
        (format!("scope=repo&id={mirror}&bucketId={c}"), 0),
        (format!("scope=repo&id={mirror}&bucketId={}", stage.a), 1_000),
        (format!("scope=org&bucketId={c}&apiKeyId={key}"), 0),
        (format!("scope=org&bucketId={}", Uuid::new_v4()), 0),
    ] {
        let path = format!("/v2/stats/storage?window=24h&{query}");
        let found = owner.read(&path).await;
        assert_eq!(found["summary"]["total"], total, "{path}: {}", found["summary"]);
        assert_eq!(found["series"].as_array().map(Vec::len), Some(144), "{path}");
    }
    let found = owner.read(&format!("/v2/stats/storage?scope=org&window=7d&bucketId={c}")).await;
    assert_eq!(found["meta"]["resourceFilter"], json!({"type": "bucket", "id": c}));
    let found = owner.read(&format!("/v2/stats/storage?scope=org&window=7d&apiKeyId={key}")).await;
    assert_eq!(found["meta"]["resourceFilter"], json!({"type": "apiKey", "id": key}));
    stage.stop().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_in_clear_words() {
    let stage = Stage::start().await;
    let nobody = Uuid::new_v4();
    for (query, status, word) in [
        ("window=24h".to_owned(), 400, "scope"),
        ("scope=org".to_owned(), 400, "window"),
        ("scope=team&window=24h".to_owned(), 400, "team"),
        ("scope=org&window=1h".to_owned(), 400, "1h"),
        ("scope=org&window=24h&timeBucketSize=7m".to_owned(), 400, "7m"),
        ("scope=org&window=7d&timeBucketSize=1h".to_owned(), 400, "timeBucketSize"),
        ("scope=workspace&window=24h".to_owned(), 400, "id"),
        ("scope=repo&window=24h&id=r".to_owned(), 400, "id"),
        (format!("scope=repo&window=24h&id={nobody}"), 404, "Storage repo not found"),
        (format!("scope=workspace&window=24h&id={nobody}"), 404, "Workspace not found"),
        (format!("scope=org&window=24h&id={nobody}"), 404, "Organisation not found"),
    ] {
        let path = format!("/v2/stats/storage?{query}");
        let (found, answer) = stage.owner.send("GET", &path, Value::Null).await;
        assert_eq!((found, &answer["success"]), (status, &json!(false)), "{path}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains(word)), "{answer}");
    }
    stage.stop().await;
}
