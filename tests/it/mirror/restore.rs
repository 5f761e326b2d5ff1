//! What was deleted comes back from the backups that keep it, as it was.

use std::os::unix::fs::MetadataExt;

use chrono::{Duration, Utc};
use serde_json::json;

use repoplane::store::objects::{self, Span};

use super::stage::Mirror;
use crate::support::Server;
use crate::uploads::stage::{PART_BYTES, Uploads};

/// A repo with a backup, in which all objects were deleted but `kept`.
async fn deleted(server: &Server) -> Mirror<'_> {
    let mirror = Mirror::with(server, "BACKUP", 2, &["a/1", "a/2", "b", "kept"]).await;
    for key in ["a/1", "a/2", "b"] {
        mirror.stage.delete(key).await.expect("a delete");
    }
    mirror.stage.until_alike().await;
    assert_eq!(mirror.stage.copy(0, "b").await, None);
    mirror
}

#[tokio::test]
async fn deleted_objects_come_back_without_being_copied_to_where_they_are() {
    let server = Server::start().await;
    let mirror = deleted(&server).await;
    let file = |key| std::fs::metadata(mirror.file(1, key)).expect("the backup's file").ino();
    let before = ["a/1", "a/2", "b"].map(file);
    let job = mirror.end(mirror.restore(json!({})).await.expect("a restore")).await;
    assert_eq!((job.kind.as_str(), job.state.as_str()), ("restore", "done"));
    assert_eq!((job.total, job.done, job.found, job.failed), (Some(3), 3, 3, 0));
    assert_eq!(mirror.stage.keys().await, ["a/1", "a/2", "b", "kept"]);
    mirror.stage.until_alike().await;
    for key in ["a/1", "a/2", "b"] {
        assert_eq!(mirror.stage.get(key).await.expect("a read"), key.as_bytes());
        assert_eq!(mirror.stage.copy(0, key).await.as_deref(), Some(key.as_bytes()));
    }
    assert_eq!(["a/1", "a/2", "b"].map(file), before);
    assert_eq!(mirror.member(1).await.retained, 0);
    let again = mirror.end(mirror.restore(json!({})).await.expect("a restore")).await;
    assert_eq!((again.state.as_str(), again.total, again.found), ("done", None, 0));
    server.stop().await;
}

/// Which lists know nothing of: there may be 10,000 of each object.
#[tokio::test]
async fn an_object_that_comes_back_knows_its_parts() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "BACKUP", 2).await;
    let place = uploads.begin("a").await;
    let parts = [
        uploads.send(place, 1, &vec![1; PART_BYTES]).await.expect("a part"),
        uploads.send(place, 2, b"end").await.expect("a part"),
    ];
    let made = uploads.complete(place, &parts).await.expect("an object");
    assert_eq!(made.about.parts.len(), parts.len());
    let mirror = Mirror { stage: uploads.stage };
    let (_, space) = mirror.stage.space().await;
    let store = mirror.stage.services().store.read();
    let span = Span { limit: 10, ..Span::default() };
    let listed = objects::list(store, space.id, &span).await.expect("a list");
    assert_eq!((&listed[0].etag, listed[0].about.parts.len()), (&made.etag, 0));
    mirror.stage.until_alike().await;
    mirror.stage.delete("a").await.expect("a delete");
    mirror.stage.until_alike().await;
    let job = mirror.end(mirror.restore(json!({})).await.expect("a restore")).await;
    assert_eq!((job.found, job.failed), (1, 0));
    let back = objects::get(store, space.id, "a").await.expect("a row").expect("an object");
    assert_eq!(back.object.about, made.about);
    server.stop().await;
}

#[tokio::test]
async fn a_dry_run_counts_and_a_prefix_and_a_time_choose() {
    let server = Server::start().await;
    let mirror = deleted(&server).await;
    let found = async |body| {
        let job = mirror.end(mirror.restore(body).await.expect("a restore")).await;
        assert_eq!(job.state, "done", "{job:?}");
        job.found
    };
    let (past, future) = (Utc::now() - Duration::hours(1), Utc::now() + Duration::hours(1));
    assert_eq!(found(json!({ "dryRun": true })).await, 3);
    assert_eq!(found(json!({ "dryRun": true, "prefix": "a/" })).await, 2);
    assert_eq!(found(json!({ "dryRun": true, "deletedSince": past })).await, 3);
    assert_eq!(found(json!({ "dryRun": true, "deletedSince": future })).await, 0);
    assert_eq!(mirror.stage.keys().await, ["kept"], "a dry run changes nothing");
    assert_eq!(found(json!({ "prefix": "a/", "deletedSince": past })).await, 2);
    assert_eq!(mirror.stage.keys().await, ["a/1", "a/2", "kept"]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_there_again_or_gone_from_the_backups_stays_as_it_is() {
    let server = Server::start().await;
    let mirror = deleted(&server).await;
    mirror.stage.put("a/1", b"new").await.expect("a write");
    mirror.stage.until_alike().await;
    mirror.lose(1, "b");
    let job = mirror.end(mirror.restore(json!({})).await.expect("a restore")).await;
    assert_eq!((job.state.as_str(), job.done, job.found, job.failed), ("done", 2, 1, 0));
    assert_eq!(mirror.stage.get("a/1").await.expect("a read"), b"new");
    assert_eq!(mirror.stage.keys().await, ["a/1", "a/2", "kept"]);
    server.stop().await;
}

#[tokio::test]
async fn a_backup_that_is_away_fails_the_restore() {
    let server = Server::start().await;
    let mirror = deleted(&server).await;
    mirror.take_away(1);
    let job = mirror.end(mirror.restore(json!({})).await.expect("a restore")).await;
    assert_eq!((job.state.as_str(), job.found, job.failed), ("failed", 0, 3));
    assert!(job.message.expect("a reason").contains("does not answer"));
    mirror.bring_back(1);
    let job = mirror.end(mirror.restore(json!({})).await.expect("a restore")).await;
    assert_eq!((job.state.as_str(), job.found, job.failed), ("done", 3, 0));
    server.stop().await;
}

#[tokio::test]
async fn only_backups_keep_what_was_deleted() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    let refused = mirror.restore(json!({})).await.expect_err("refused");
    assert_eq!(refused.plain().0, 400);
    assert!(refused.plain().1.contains("MIRROR"), "{refused:?}");
    let path = format!("/repo/{}/restore", mirror.stage.repo);
    for body in [json!({ "prefix": "a\0" }), json!({ "prefix": "a".repeat(1_025) })] {
        assert_eq!(mirror.stage.user.send("POST", &path, body).await.0, 400);
    }
    server.stop().await;
}
