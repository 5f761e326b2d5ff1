//! Usage, broken down.

use repoplane::model::time::Timestamp;
use repoplane_client::types::{self, StatsScope, StatsWindow};
use serde_json::{Value, json};

use super::{DAY, HOST, Stage, at_bucket, by_client, moved};
use crate::support::answer::refusal;

/// Who, what they are called, and bytes up.
fn entities(found: &types::StorageBreakdownResponse) -> Vec<(String, Option<String>, i64)> {
    let entity = |entity: &types::BreakdownEntity| {
        (entity.entity_id.clone(), entity.entity_name.clone(), entity.totals.upl_bytes)
    };
    found.entities.iter().map(entity).collect()
}

async fn stage() -> Stage {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    let other = stage.other_meter("10.0.0.2");
    for (what, up, millis) in [
        (by_client(stage.mirror, Some(stage.key)), 1, 1),
        (by_client(stage.mirror, None), 10, 4),
        (by_client(stage.normal, None), 100, 2),
        (at_bucket(stage.mirror, stage.a), 1_000, 1),
        (at_bucket(stage.mirror, stage.b), 1_000, 1),
        (at_bucket(stage.normal, stage.c), 10_000, 1),
    ] {
        stage.meter().count_at(now, &what, moved(up, 0, 1, millis));
    }
    other.count_at(now.minus(3 * DAY), &by_client(stage.mirror, None), moved(200, 7, 0, 1));
    other.flush().await.expect("written");
    stage
}

#[tokio::test]
async fn each_dimension_tells_apart_what_it_names() {
    let stage = stage().await;
    let by = async |by: &str| {
        let request = stage.owner.client.get_storage_breakdown().by(by);
        request.window(StatsWindow::X7d).send().await.expect(by).into_inner()
    };
    let name = |name: &str| Some(name.to_owned());
    let home = stage.owner.read_repo(stage.mirror).await.expect("the repo").workspace_id;
    let (mirror, normal) = (stage.mirror.to_string(), stage.normal.to_string());
    let found = by("workspaces").await;
    assert_eq!(entities(&found), [(home.to_string(), name("Default"), 311)]);
    let repos = by("repos").await;
    let expected = [(mirror, name("mirror"), 211), (normal, name("normal"), 100)];
    assert_eq!(entities(&repos), expected);
    assert_eq!(repos.summary.total, 318, "bytes in both directions");
    let totals = &repos.entities[0].totals;
    assert_eq!((totals.dwl_bytes, totals.size_change, totals.requests), (7, 2, 3));
    assert_eq!(totals.latency_ms, 2.0, "weighted over all servers");
    let mut same = [stage.a, stage.b].map(|id| id.to_string());
    same.sort();
    let names =
        same.clone().map(|id| if id == stage.a.to_string() { name("a") } else { name("b") });
    let ([first, second], [of_first, of_second]) = (same, names);
    let expected = [
        (stage.c.to_string(), name("c"), 10_000),
        (first, of_first, 1_000),
        (second, of_second, 1_000),
    ];
    assert_eq!(entities(&by("buckets").await), expected);
    let providers = by("providers").await;
    assert_eq!(entities(&providers), [("S3 file:disk1".to_owned(), name("LOCAL"), 12_000)]);
    let provider = &providers.entities[0];
    assert_eq!(provider.protocol.as_deref(), Some("S3"));
    assert_eq!(provider.provider.as_deref(), Some("LOCAL"));
    assert_eq!(provider.endpoint.as_deref(), Some("file:disk1"));
    let expected = [("10.0.0.2".to_owned(), None, 200), (HOST.to_owned(), None, 111)];
    assert_eq!(entities(&by("nodes").await), expected);
    stage.stop().await;
}

#[tokio::test]
async fn pages_filters_and_series_go_together() {
    let stage = stage().await;
    let request = || {
        let request = stage.owner.client.get_storage_breakdown().by("buckets");
        request.window(StatsWindow::X7d).scope(StatsScope::Repo).id(stage.mirror)
    };
    let page = request().limit(1).offset(1).include_series(true).send().await.expect("a page");
    let meta = &page.meta;
    assert_eq!((meta.limit, meta.offset, meta.total_entities), (1, 1, 2));
    assert_eq!((meta.includes_series, meta.breakdown_by.as_str()), (true, "buckets"));
    assert_eq!((meta.scope, meta.scope_id), (StatsScope::Repo, Some(stage.mirror)));
    assert_eq!((page.entities.len(), page.summary.total), (1, 2_000), "of all pages");
    let bytes: Vec<_> = page.entities[0].series.iter().map(|point| point.upl_bytes).collect();
    assert_eq!((bytes.len(), bytes.iter().sum::<i64>()), (7, 1_000));
    let none = request().offset(2).send().await.expect("a page");
    assert_eq!((none.entities.len(), none.meta.total_entities), (0, 2));

    let read = async |query: String| {
        let path = format!("/v2/stats/storage/breakdown/{query}");
        let found = stage.owner.read(&path).await;
        let of = |entity: &Value| entity["totals"]["uplBytes"].as_i64().expect("bytes");
        found["entities"].as_array().expect("entities").iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(read("repos?window=24h".to_owned()).await, [100, 11]);
    assert_eq!(read(format!("repos?window=7d&apiKeyId={}", stage.key)).await, [1]);
    assert_eq!(read(format!("repos?window=7d&bucketId={}", stage.c)).await, [10_000]);
    assert_eq!(read(format!("buckets?window=7d&bucketId={}", stage.a)).await, [1_000]);
    assert_eq!(read(format!("nodes?window=7d&scope=repo&id={}", stage.normal)).await, [100]);
    stage.stop().await;
}

#[tokio::test]
async fn what_is_no_breakdown_is_refused() {
    let stage = Stage::start().await;
    for (limit, refused) in [(0, true), (1, false), (100, false), (101, true)] {
        let path = format!("/v2/stats/storage/breakdown/repos?window=24h&limit={limit}");
        let (status, answer) = stage.owner.send("GET", &path, Value::Null).await;
        assert_eq!(status == 400, refused, "{limit}: {answer}");
    }
    let request = stage.owner.client.get_storage_breakdown().by("repos").window(StatsWindow::X24h);
    let refused = refusal(request.scope(StatsScope::Workspace).send().await);
    assert_eq!(refused.0, 400);
    assert!(refused.1.starts_with("id: must be"), "{}", refused.1);
    let path = "/v2/stats/storage/breakdown/colours?window=24h";
    let (status, answer) = stage.owner.send("GET", path, Value::Null).await;
    assert_eq!((status, &answer["success"]), (404, &json!(false)), "{answer}");
    stage.stop().await;
}
