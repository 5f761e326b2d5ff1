//! Who sees what: a workspace without a role in it is in no row, no sum and no name.

use repoplane::model::access::Role;
use repoplane::model::time::Timestamp;
use repoplane::service::bucket_watch;
use serde_json::{Value, json};

use super::{Stage, at_bucket, by_client, instant, moved};
use crate::storage::stage::User;

#[tokio::test]
async fn a_user_without_a_role_in_the_workspace_sees_nothing_of_it() {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    stage.meter().count_at(now, &by_client(stage.mirror, Some(stage.key)), moved(1, 2, 3, 4));
    stage.meter().count_at(now, &at_bucket(stage.mirror, stage.a), moved(1, 2, 3, 4));
    bucket_watch::look_at_all(stage.server.services()).await.expect("looked");
    let home = stage.owner.read_repo(stage.mirror).await.expect("the repo").workspace_id;
    let elsewhere = stage.owner.workspace("elsewhere").await;
    let member = User::member(&stage.server, home, Role::Read).await;
    let stranger = User::member(&stage.server, elsewhere, Role::Admin).await;
    let foreign = User::of(&stage.server, &stage.server.other_org("foreign").await);
    let (mirror, a, key) = (stage.mirror, stage.a, stage.key);
    for (path, field) in [
        (format!("/repo/stats?repoId={mirror}"), "stats"),
        ("/repo/stats".to_owned(), "stats"),
        (format!("/bucket/stats?bucketId={a}"), "stats"),
        ("/unit/stats".to_owned(), "stats"),
        (format!("/stats/daily?repoId={mirror}"), "data"),
        (format!("/stats/minute?bucketId={a}"), "data"),
        ("/stats/nodes/minute".to_owned(), "data"),
        (format!("/stats/nodes/daily?bucketId={a}"), "data"),
        ("/v2/stats/storage/breakdown/workspaces?window=24h".to_owned(), "entities"),
        ("/v2/stats/storage/breakdown/repos?window=7d".to_owned(), "entities"),
        (format!("/v2/stats/storage/breakdown/buckets?window=7d&bucketId={a}"), "entities"),
        ("/v2/stats/storage/breakdown/providers?window=7d".to_owned(), "entities"),
        (format!("/v2/stats/storage/breakdown/nodes?window=24h&apiKeyId={key}"), "entities"),
    ] {
        assert_eq!(stage.owner.read(&path).await, member.read(&path).await, "{path}");
        assert_ne!(member.read(&path).await[field], json!([]), "{path}");
        for nobody in [&stranger, &foreign] {
            let found = nobody.read(&path).await;
            assert_eq!((&found["success"], &found[field]), (&json!(true), &json!([])), "{path}");
        }
    }
    for query in ["scope=org".to_owned(), format!("scope=org&bucketId={a}")] {
        let path = format!("/v2/stats/storage?window=24h&{query}");
        assert_eq!(member.read(&path).await["summary"]["total"], 3, "{path}");
        assert_eq!(stranger.read(&path).await["summary"]["total"], 0, "{path}");
        assert_eq!(foreign.read(&path).await["summary"]["total"], 0, "{path}");
    }
    for path in [
        format!("/v2/stats/storage?window=24h&scope=workspace&id={home}"),
        format!("/v2/stats/storage?window=24h&scope=repo&id={mirror}"),
        format!("/v2/stats/storage/breakdown/nodes?window=24h&scope=repo&id={mirror}"),
    ] {
        member.read(&path).await;
        for nobody in [&stranger, &foreign] {
            assert_eq!(nobody.send("GET", &path, Value::Null).await.0, 404, "{path}");
        }
    }
    let (path, today) = (format!("/bucket/{a}/stats"), json!({"day": instant(now)}));
    assert_eq!(member.send("POST", &path, today.clone()).await.0, 200);
    for nobody in [&stranger, &foreign] {
        assert_eq!(nobody.send("POST", &path, today.clone()).await.0, 404);
    }
    stage.stop().await;
}
