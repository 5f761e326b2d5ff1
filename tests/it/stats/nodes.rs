//! How buckets answer: only what was observed, by the day and server.

use repoplane::model::time::Timestamp;
use repoplane::model::usage::SightDay;
use repoplane::service::bucket_watch;
use repoplane::store::sights;
use repoplane_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{DAY, HOST, HOUR, Stage, instant, list};
use crate::storage::stage::{User, abroad, link};
use crate::support::Server;

/// A check of a bucket by a server, so long ago.
async fn see(stage: &Stage, bucket: Uuid, node: &str, at: Timestamp, micros: Option<i64>) {
    let seen = SightDay {
        bucket: bucket.into(),
        node: node.to_owned(),
        region: "north".to_owned(),
        version: "1.2.3".to_owned(),
        day: at.floor(DAY),
        checks: 1,
        answered: i64::from(micros.is_some()),
        latency: micros.unwrap_or_default(),
        last_at: at,
        last_latency: micros,
    };
    let mut tx = stage.server.services().store.begin().await.expect("a transaction");
    sights::add(&mut tx, &seen).await.expect("kept");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn uptime_and_latency_come_from_the_checks_of_the_day() {
    let stage = Stage::start().await;
    let day = Timestamp::now().minus(DAY).floor(DAY);
    for (hour, micros) in [(1, Some(1_000)), (2, Some(2_500)), (3, Some(2_500)), (4, None)] {
        see(&stage, stage.a, "10.0.0.2", day.plus(hour * HOUR), micros).await;
    }
    see(&stage, stage.a, "10.0.0.3", day.plus(HOUR), Some(500)).await;
    see(&stage, stage.a, "10.0.0.3", day.minus(HOUR), None).await;
    let noon = instant(day.plus(12 * HOUR));
    let path = format!("/bucket/{}/stats", stage.a);
    let (status, found) = stage.owner.send("POST", &path, json!({"day": noon})).await;
    assert_eq!(status, 200, "{found}");
    let at = |hour: u32| chrono::DateTime::<chrono::Utc>::from(day.plus(hour * HOUR));
    let expected = json!({"success": true, "nodeStats": [
        {"ip": "10.0.0.2", "host": "10.0.0.2", "perc_uptime": 75.0, "avg_latency_ms": 2.0,
         "version": "1.2.3", "node_status": "OFFLINE", "last_updated": at(4)},
        {"ip": "10.0.0.3", "host": "10.0.0.3", "perc_uptime": 100.0, "avg_latency_ms": 0.5,
         "version": "1.2.3", "node_status": "ONLINE", "last_updated": at(1), "last_latency_ms": 0.5},
    ]});
    assert_eq!(found, expected);
    let before = json!({"day": &instant(day.minus(DAY))[..10]});
    let (_, found) = stage.owner.send("POST", &path, before).await;
    let seen = found["nodeStats"].as_array().expect("a list");
    assert_eq!((seen.len(), &seen[0]["perc_uptime"]), (1, &json!(0.0)), "{found}");
    assert_eq!(seen[0].get("avg_latency_ms"), None, "nobody knows");
    for body in [json!({"day": "soon"}), json!({"day": 5}), json!({"day": "2026-02-29"}), json!({})]
    {
        let (status, answer) = stage.owner.send("POST", &path, body).await;
        assert_eq!((status, &answer["success"]), (400, &json!(false)), "{answer}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn days_of_all_servers_are_listed_and_dates_are_numbers() {
    let stage = Stage::start().await;
    let day = |text: &str| -> Timestamp {
        text.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant").into()
    };
    let (first, last) = (day("2026-01-05T08:00:00Z"), day("2026-01-31T23:59:59Z"));
    see(&stage, stage.a, "10.0.0.2", first, Some(1_500)).await;
    see(&stage, stage.b, "10.0.0.2", last, None).await;
    let read = async |query: String| {
        let found = stage.owner.read(&format!("/stats/nodes/daily?{query}")).await;
        assert_eq!(found["success"], true);
        found["data"].as_array().expect("data is never missing").clone()
    };
    let (a, b) = (stage.a, stage.b);
    let of_a = json!({"nodeId": "10.0.0.2", "bucketId": a, "unitId": a,
        "day": first.floor(DAY).seconds(), "online": 100.0, "latency_ms": 1.5,
        "endpoint": "file:disk1", "region": "north", "storageType": "S3", "provider": "LOCAL",
        "status": "ONLINE", "version": "1.2.3"});
    // The zero of 05012026 is lost on the way.
    let first = read("startDate=5012026&endDate=5012026".to_owned()).await;
    assert_eq!((first.len(), &first[0]), (1, &of_a));
    let both = read("startDate=5012026&endDate=31012026".to_owned()).await;
    assert_eq!((both.len(), &both[0]), (2, &of_a));
    assert_eq!((&both[1]["online"], both[1].get("latency_ms")), (&json!(0.0), None));
    let only = read(format!("startDate=1012026&endDate=31012026&unitId={b}")).await;
    assert_eq!((only.len(), &only[0]["bucketId"]), (1, &json!(b)));
    assert!(read("startDate=6012026&endDate=30012026".to_owned()).await.is_empty());
    for query in [
        "startDate=32012026",
        "endDate=2026-01-05",
        "startDate=1011969",
        "startDate=5012026&endDate=4012026",
    ] {
        let path = format!("/stats/nodes/daily?{query}");
        let (status, answer) = stage.owner.send("GET", &path, Value::Null).await;
        assert_eq!((status, &answer["success"]), (400, &json!(false)), "{path}: {answer}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn what_was_seen_last_counts() {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    let client = &stage.owner.client;
    let latest = async |ids: &[Uuid]| {
        let found = client.get_node_stats_minute().bucket_id(list(ids)).send().await.expect("rows");
        found.into_inner().data
    };
    assert!(latest(&[stage.a]).await.is_empty(), "nobody has looked");
    see(&stage, stage.a, "10.0.0.2", now.minus(HOUR), Some(9_000)).await;
    assert_eq!(latest(&[stage.a]).await[0].latency_ms, Some(9.0));
    see(&stage, stage.a, "10.0.0.2", now, None).await;
    see(&stage, stage.b, "10.0.0.2", now.minus(5 * DAY), Some(9_000)).await;
    let found = latest(&[stage.a, stage.b]).await;
    assert_eq!(found.len(), 1, "b was not looked at for days");
    let types::NodeMinute { node_id, bucket_id, unit_id, node_status, latency_ms, .. } = &found[0];
    assert_eq!((node_id.as_str(), node_status.as_str()), ("10.0.0.2", "OFFLINE"));
    assert_eq!((*bucket_id, *unit_id, *latency_ms), (stage.a, stage.a, None));
    assert_eq!(found[0].last_updated, now.into());
    stage.stop().await;
}

#[tokio::test]
async fn every_look_at_a_bucket_is_kept_and_held_ones_are_looked_at_by_themselves() {
    let (server, cloud) = Server::beside_a_cloud().await;
    let owner = User::owner(&server);
    let held = owner.create_bucket(abroad("held", &cloud)).await.expect("a bucket");
    let free = owner.create_bucket(abroad("free", &cloud)).await.expect("a bucket");
    owner.repo("r", "MIRROR", json!([link(held, "", true)])).await;
    let seen = async |owner: &User, id: Uuid| {
        owner.read(&format!("/stats/nodes/minute?bucketId={id}")).await["data"].clone()
    };
    bucket_watch::look_at_all(server.services()).await.expect("looked");
    assert_eq!(seen(&owner, free).await, json!([]), "no storage repo holds it");
    let found = seen(&owner, held).await;
    assert_eq!((&found[0]["nodeId"], &found[0]["nodeStatus"]), (&json!(HOST), &json!("ONLINE")));
    assert!(found[0]["latency_ms"].as_f64().is_some_and(|millis| millis > 0.0), "{found}");
    let days = owner.read("/stats/nodes/daily").await["data"].clone();
    assert_eq!(days.as_array().map(Vec::len), Some(1), "{days}");
    assert_eq!((&days[0]["online"], &days[0]["region"]), (&json!(100.0), &json!("local")));
    assert_eq!(days[0]["version"], env!("CARGO_PKG_VERSION"));
    owner.read(&format!("/bucket/{free}/status")).await;
    assert_eq!(seen(&owner, free).await[0]["nodeStatus"], "ONLINE");
    let server = server.cut_off().restart().await;
    let owner = User::owner(&server);
    bucket_watch::look_at_all(server.services()).await.expect("looked");
    let found = seen(&owner, held).await;
    assert_eq!((&found[0]["nodeStatus"], found[0].get("latency_ms")), (&json!("OFFLINE"), None));
    assert_eq!(owner.read(&format!("/bucket/{held}")).await["bucket"]["status"], "OFFLINE");
    server.stop().await;
}
