//! Totals of storage repos and buckets.

use repoplane::model::usage::{Counted, INCREMENT_MAX};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Stage, at_bucket, by_client, decimal, moved};

#[tokio::test]
async fn totals_are_to_the_byte_and_at_once() {
    let stage = Stage::start().await;
    let (mirror, normal) = (stage.mirror, stage.normal);
    let zero = || decimal([0, 0, 0]);
    assert_eq!(stage.repo_totals(None).await, [(mirror, zero()), (normal, zero())]);
    let meter = stage.meter();
    // A mirrored object: once from the client, once to each bucket.
    meter.count(&by_client(mirror, Some(stage.key)), moved(1_000_003, 0, 1_000_003, 5));
    meter.count(&at_bucket(mirror, stage.a), moved(1_000_003, 0, 1_000_003, 3));
    meter.count(&at_bucket(mirror, stage.b), moved(1_000_003, 0, 1_000_003, 4));
    assert_eq!(
        stage.repo_totals(None).await,
        [(mirror, decimal([1_000_003, 0, 1_000_003])), (normal, zero())]
    );
    meter.count(&by_client(mirror, None), moved(0, 17, -1_000_004, 1));
    meter.count(&at_bucket(mirror, stage.a), moved(0, 17, -3, 1));
    assert_eq!(
        stage.repo_totals(None).await,
        [(mirror, decimal([1_000_003, 17, -1])), (normal, zero())]
    );
    assert_eq!(
        stage.bucket_totals(None).await,
        [
            (stage.a, decimal([2, 1_000_003, 17, 1_000_000])),
            (stage.b, decimal([1, 1_000_003, 0, 1_000_003])),
            (stage.c, decimal([0, 0, 0, 0])),
        ]
    );
    stage.stop().await;
}

#[tokio::test]
async fn lists_of_ids_choose_and_what_is_unknown_chooses_nothing() {
    let stage = Stage::start().await;
    let unknown = Uuid::new_v4();
    let zero = decimal([0, 0, 0]);
    let (mirror, normal) = (stage.mirror, stage.normal);
    let totals = stage.repo_totals(Some(&[normal, unknown, mirror])).await;
    assert_eq!(totals, [(mirror, zero.clone()), (normal, zero.clone())]);
    assert_eq!(stage.repo_totals(Some(&[normal])).await, [(normal, zero)]);
    assert_eq!(stage.repo_totals(Some(&[unknown])).await, []);
    assert_eq!(stage.bucket_totals(Some(&[unknown])).await, []);
    let buckets = stage.bucket_totals(Some(&[stage.c, stage.a])).await;
    assert_eq!(buckets.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [stage.a, stage.c]);

    stage.meter().count(&by_client(normal, None), moved(1, 0, 1, 1));
    stage.meter().count(&at_bucket(normal, stage.c), moved(1, 0, 1, 1));
    stage.owner.delete_repo(normal).await.expect("deleted");
    assert_eq!(stage.repo_totals(Some(&[normal])).await, [], "deleted ones are not listed");
    let bucket = (stage.c, decimal([1, 1, 0, 1]));
    assert_eq!(stage.bucket_totals(Some(&[stage.c])).await, [bucket], "the bucket is still there");
    stage.stop().await;
}

#[tokio::test]
async fn the_wire_has_what_the_official_client_sends_and_reads() {
    let stage = Stage::start().await;
    stage.meter().count(&at_bucket(stage.normal, stage.c), moved(5, 7, 3, 1));
    let (owner, c) = (&stage.owner, stage.c);
    let expected = json!({"success": true, "stats": [{"bucketId": c, "unitId": c, "totalCount": "1",
        "totalUploadBytes": "5", "totalDownloadBytes": "7", "totalSizeChange": "3"}]});
    let upper = c.to_string().to_uppercase();
    for path in [
        format!("/bucket/stats?bucketId={c}"),
        format!("/bucket/stats?unitId={c}"),
        format!("/unit/stats?unitId={c}"),
        format!("/unit/stats?unitId={}&bucketId={c}", Uuid::new_v4()),
        format!("/unit/stats?unitId={upper}%2C{}", Uuid::new_v4()),
    ] {
        assert_eq!(owner.read(&path).await, expected, "{path}");
    }
    for path in ["/repo/stats?repoId=undefined", "/repo/stats?repoId=", "/repo/stats"] {
        assert_eq!(owner.read(path).await["stats"].as_array().map(Vec::len), Some(2), "{path}");
    }
    let many = vec![c.to_string(); 101].join(",");
    for path in [
        "/repo/stats?repoId=mirror".to_owned(),
        format!("/repo/stats?repoId={c},"),
        format!("/repo/stats?repoId={}", c.simple()),
        format!("/unit/stats?unitId={many}"),
        "/bucket/stats?since=yesterday".to_owned(),
    ] {
        let (status, answer) = owner.send("GET", &path, Value::Null).await;
        assert_eq!((status, &answer["success"]), (400, &json!(false)), "{path}: {answer}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn numbers_beyond_all_reason_break_nothing() {
    let stage = Stage::start().await;
    let most = Counted {
        up: u64::MAX,
        down: u64::MAX,
        size_change: i64::MIN,
        requests: u64::MAX,
        failures: u64::MAX,
        latency: std::time::Duration::MAX,
    };
    for _ in 0..3 {
        stage.meter().count(&at_bucket(stage.normal, stage.c), most);
        stage.meter().count(&at_bucket(stage.normal, stage.c), most);
        stage.meter().flush().await.expect("written");
    }
    let most = 3 * INCREMENT_MAX;
    let totals = stage.bucket_totals(Some(&[stage.c])).await;
    assert_eq!(totals, [(stage.c, decimal([most, most, most, -most]))]);
    stage.stop().await;
}
