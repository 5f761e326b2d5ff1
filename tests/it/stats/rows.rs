//! Usage by the minute and by the day.

use repoplane::model::time::Timestamp;
use repoplane_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{DAY, HOST, HOUR, Stage, at_bucket, by_client, instant, list, moved};
use crate::support::answer::refusal;

/// One row, as the official client reads it.
fn row(
    at: Timestamp,
    repo: Uuid,
    bucket: Uuid,
    host: &str,
    bytes: [i64; 3],
    latency: f64,
) -> Value {
    let [up, down, size] = bytes;
    json!({"timestamp": at.seconds(), "repoId": repo, "bucketId": bucket, "unitId": bucket,
        "upl_bytes": up, "dwl_bytes": down, "size_change": size, "latency_ms": latency,
        "host": host})
}

#[tokio::test]
async fn minutes_and_days_hold_sums_of_each_bucket_and_a_weighted_latency() {
    let stage = Stage::start().await;
    let (mirror, a, b) = (stage.mirror, stage.a, stage.b);
    let day = Timestamp::now().minus(DAY).floor(DAY);
    let (noon, later) = (day.plus(12 * HOUR), day.plus(12 * HOUR).plus(HOUR / 60));
    let meter = stage.meter();
    meter.count_at(noon.plus(HOUR / 120), &at_bucket(mirror, a), moved(1, 2, 3, 10));
    meter.count_at(noon, &at_bucket(mirror, a), moved(10, 20, -30, 1));
    meter.count_at(later, &at_bucket(mirror, a), moved(100, 0, 0, 1));
    meter.count_at(later, &at_bucket(mirror, b), moved(0, 0, 0, 0));
    // What clients move is in no row of a bucket.
    meter.count_at(later, &by_client(mirror, None), moved(1_000, 0, 0, 0));
    let between = format!("startDate={}&endDate={}", instant(day), instant(later));
    let minutes = stage.owner.read(&format!("/stats/minute?{between}")).await;
    let expected = [
        row(noon, mirror, a, HOST, [11, 22, -27], 5.5),
        row(later, mirror, a, HOST, [100, 0, 0], 1.0),
        row(later, mirror, b, HOST, [0, 0, 0], 0.0),
    ];
    assert_eq!(minutes, json!({"success": true, "data": expected}));
    let days = stage.owner.read(&format!("/stats/daily?{between}")).await;
    let expected =
        [row(day, mirror, a, HOST, [111, 22, -27], 4.0), row(day, mirror, b, HOST, [0, 0, 0], 0.0)];
    assert_eq!(days, json!({"success": true, "data": expected}));
    stage.stop().await;
}

#[tokio::test]
async fn ids_are_combined_by_or_and_hosts_by_and() {
    let stage = Stage::start().await;
    let (mirror, normal) = (stage.mirror, stage.normal);
    let day = Timestamp::now().minus(DAY).floor(DAY);
    let other = stage.other_meter("10.0.0.2");
    for (meter, host) in [(stage.meter(), 0), (&other, 1)] {
        for (repo, bucket, bytes) in
            [(mirror, stage.a, 1), (mirror, stage.b, 2), (normal, stage.c, 4)]
        {
            let bytes = bytes << (4 * host);
            meter.count_at(day, &at_bucket(repo, bucket), moved(bytes, 0, 0, 1));
        }
        meter.flush().await.expect("written");
    }
    let nobody = Uuid::new_v4();
    let (a, b, c) = (stage.a, stage.b, stage.c);
    for (query, expected) in [
        (String::new(), 0x77),
        (format!("repoId={mirror}"), 0x33),
        (format!("bucketId={a}"), 0x11),
        (format!("unitId={a},{c}"), 0x55),
        (format!("repoId={normal}&bucketId={a}"), 0x55),
        (format!("repoId={normal}%2C{mirror}&unitId={nobody}"), 0x77),
        (format!("repoId={nobody}"), 0),
        (format!("repoId={normal}&bucketId={b}&hosts=10.0.0.2"), 0x60),
        ("hosts=127.0.0.1".to_owned(), 0x07),
        ("hosts=127.0.0.1%2C10.0.0.2".to_owned(), 0x77),
        ("hosts=0.0.0".to_owned(), 0),
        (format!("repoId=undefined&bucketId=&hosts=undefined&endDate={}", instant(day)), 0x77),
    ] {
        for kind in ["daily", "minute"] {
            // Those of a day begin by themselves 30 days ago.
            let path = format!("/stats/{kind}?startDate={}&{query}", instant(day));
            let found = stage.owner.read(&path).await;
            let rows = found["data"].as_array().expect("data is never missing");
            let sum: i64 = rows.iter().map(|row| row["upl_bytes"].as_i64().expect("bytes")).sum();
            assert_eq!(sum, expected, "{path}: {found}");
        }
    }
    stage.stop().await;
}

#[tokio::test]
async fn both_ends_of_a_range_are_included() {
    let stage = Stage::start().await;
    let first = Timestamp::now().minus(10 * DAY).floor(DAY);
    for (days, up) in [(0, 1), (1, 10), (2, 100), (3, 1_000)] {
        let late = first.plus(days * DAY).plus(23 * HOUR);
        stage.meter().count_at(late, &at_bucket(stage.normal, stage.c), moved(up, 0, 0, 1));
    }
    let date = |days: u32| instant(first.plus(days * DAY))[..10].to_owned();
    let sum = async |kind: &str, start: String, end: String| -> i64 {
        let path = format!("/stats/{kind}?startDate={start}&endDate={end}");
        let found = stage.owner.read(&path).await;
        let rows = found["data"].as_array().expect("rows");
        rows.iter().map(|row| row["upl_bytes"].as_i64().expect("bytes")).sum()
    };
    let at = |days: u32, hours: u32| instant(first.plus(days * DAY).plus(hours * HOUR));
    assert_eq!(sum("daily", date(1), date(2)).await, 110);
    assert_eq!(sum("daily", at(1, 23), at(2, 0)).await, 110, "days are whole");
    assert_eq!(sum("daily", date(0), date(0)).await, 1);
    assert_eq!(sum("minute", date(1), date(2)).await, 110, "a day as an end is a whole one");
    assert_eq!(sum("minute", at(1, 23), at(2, 23)).await, 110);
    assert_eq!(sum("minute", at(2, 0), at(2, 22)).await, 0);
    stage.stop().await;
}

#[tokio::test]
async fn without_dates_it_is_the_last_thirty_days_or_the_last_day() {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    for (at, up) in [
        (now, 1),
        (now.minus(23 * HOUR), 10),
        (now.minus(25 * DAY), 100),
        (now.minus(40 * DAY), 1_000),
    ] {
        stage.meter().count_at(at, &at_bucket(stage.normal, stage.c), moved(up, 0, 0, 1));
    }
    let client = &stage.owner.client;
    let daily = client.get_daily_stats().repo_id(list(&[stage.normal])).send().await.expect("rows");
    assert_eq!(daily.data.iter().map(|row| row.upl_bytes).sum::<i64>(), 111);
    let minutes = client.get_minute_stats().unit_id(list(&[stage.c])).send().await.expect("rows");
    assert_eq!(minutes.data.iter().map(|row| row.upl_bytes).collect::<Vec<_>>(), [10, 1]);
    stage.stop().await;
}

#[tokio::test]
async fn dates_that_are_none_are_refused() {
    let stage = Stage::start().await;
    let client = &stage.owner.client;
    let leap: types::StatsTime = "2026-02-30".parse().expect("looks like a day");
    let refused = refusal(client.get_daily_stats().start_date(leap).send().await);
    assert_eq!(refused.0, 400);
    assert!(refused.1.starts_with("startDate: must be a day"), "{}", refused.1);
    for query in [
        "startDate=yesterday",
        "endDate=2026-01-15T25:00:00Z",
        "startDate=1768435200",
        "startDate=2026-1-5",
        "startDate=2026-01-16&endDate=2026-01-15",
        "startDate=9999-12-31",
        "bucketId=c",
        "hosts=%00",
        "host=127.0.0.1",
    ] {
        for kind in ["daily", "minute"] {
            let path = format!("/stats/{kind}?{query}");
            let (status, answer) = stage.owner.send("GET", &path, Value::Null).await;
            assert_eq!((status, &answer["success"]), (400, &json!(false)), "{path}: {answer}");
            assert!(answer["message"].is_string(), "{answer}");
        }
    }
    stage.stop().await;
}
