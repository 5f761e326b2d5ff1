//! How sure a write has to be, and for how long backups keep what was deleted.

use repoplane::service::objects::ObjectError;
use serde_json::{Value, json};

use super::stage::Mirror;
use crate::storage::stage::{User, link, wanted, with};
use crate::support::Server;

#[tokio::test]
async fn both_are_kept_changed_and_taken_back() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let (a, b) = (user.bucket("a").await, user.bucket("b").await);
    let links = json!([link(a, "", true), link(b, "", false)]);
    let body = wanted("photos", "BACKUP", links);
    let repo = user.repo("plain", "NORMAL", json!([])).await;
    let read = async |repo| {
        let repo = user.read_repo(repo).await.expect("a repo");
        (repo.min_ack.map(|copies| copies.get()), repo.retention_days.get())
    };
    assert_eq!(read(repo).await, (None, 30), "the defaults");
    let more = json!({ "minAck": 2, "retentionDays": 7 });
    let repo = user.create_repo(with(body.clone(), more)).await.expect("a repo");
    assert_eq!(read(repo).await, (Some(2), 7));
    let listed = user.read(&format!("/repo?repoId={repo}")).await;
    assert_eq!(
        (&listed["repos"][0]["minAck"], &listed["repos"][0]["retentionDays"]),
        (&json!(2), &json!(7))
    );
    user.change_repo(repo, body.clone()).await.expect("changed");
    assert_eq!(read(repo).await, (Some(2), 7), "what is left out stays");
    for (more, expected) in [
        (json!({ "minAck": 1 }), (Some(1), 7)),
        (json!({ "minAck": 0, "retentionDays": 3650 }), (None, 3650)),
    ] {
        user.change_repo(repo, with(body.clone(), more)).await.expect("changed");
        assert_eq!(read(repo).await, expected);
    }
    let path = format!("/repo/{repo}");
    for (field, value) in
        [("minAck", 3), ("minAck", -1), ("retentionDays", 0), ("retentionDays", 3651)]
    {
        let (status, answer) =
            user.send("PUT", &path, with(body.clone(), json!({ field: value }))).await;
        assert_eq!(status, 400, "{field} {value}: {answer}");
        assert!(answer["message"].as_str().expect("a message").contains(field), "{answer}");
    }
    assert_eq!(read(repo).await, (None, 3650), "what is refused changes nothing");
    let other = with(wanted("other", "NORMAL", json!([])), json!({ "minAck": 1 }));
    assert_eq!(user.send("POST", "/repo", other).await.0, 400, "there is no bucket");
    server.stop().await;
}

#[tokio::test]
async fn a_write_that_needs_two_copies_is_refused_with_one() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    mirror.take_away(1);
    mirror.put(&["before"]).await;
    change(&mirror, json!({ "minAck": 2 })).await;
    let refused = mirror.stage.put("key", b"content").await.expect_err("refused");
    assert!(matches!(refused, ObjectError::Unavailable(_)), "{refused}");
    mirror.bring_back(1);
    mirror.end(mirror.repair().await).await;
    mirror.stage.put("key", b"content").await.expect("a write");
    server.stop().await;
}

#[tokio::test]
async fn backups_keep_what_was_deleted_as_long_as_is_said() {
    const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "BACKUP", 2, &["a", "b"]).await;
    let pool = sqlx::AnyPool::connect(&server.database_url()).await.expect("the database");
    let held = async |key: &str| -> i64 {
        let sql = "SELECT due_at - since FROM debts WHERE key = $1";
        sqlx::query_scalar(sql).bind(key.to_owned()).fetch_one(&pool).await.expect("a debt")
    };
    for (key, days) in [("a", 30), ("b", 1)] {
        if days != 30 {
            change(&mirror, json!({ "retentionDays": days })).await;
        }
        mirror.stage.delete(key).await.expect("a delete");
        mirror.stage.until_alike().await;
        let (held, wanted) = (held(key).await, days * DAY_MICROS);
        assert!((held - wanted).abs() < DAY_MICROS / 100, "{key}: {held} micros");
    }
    pool.close().await;
    server.stop().await;
}

async fn change(mirror: &Mirror<'_>, more: Value) {
    let repo = mirror.stage.user.read_repo(mirror.stage.repo).await.expect("a repo");
    let body = json!({ "name": repo.name, "storageType": "S3", "mode": repo.mode });
    let changed = mirror.stage.user.change_repo(mirror.stage.repo, with(body, more)).await;
    changed.expect("changed");
}
