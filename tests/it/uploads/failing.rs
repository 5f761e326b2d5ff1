//! A bucket that fails on the way costs nobody anything: it is brought the object when it is back.

use repoplane::service::objects::ObjectError;
use serde_json::json;

use super::stage::{Uploads, block, etag};
use crate::storage::stage::wanted;
use crate::support::Server;

#[tokio::test]
async fn a_bucket_may_die_at_any_time() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let content = [block(1), b"end".to_vec()].concat();
    for (when, bucket) in [(0, 1), (1, 1), (2, 0), (3, 0)] {
        let key = format!("key-{when}");
        let dies = |now| {
            if now == when {
                uploads.break_disk(bucket);
            }
        };
        dies(0);
        let place = uploads.begin(&key).await;
        dies(1);
        let first = uploads.send(place, 1, &block(1)).await.expect("a part");
        dies(2);
        let last = uploads.send(place, 2, b"end").await.expect("a part");
        dies(3);
        let object = uploads.complete(place, &[first, last]).await.expect("an object");
        assert_eq!(object.etag, etag(&[&block(1), b"end"]));
        assert!(uploads.stage.get(&key).await.expect("a read") == content, "{when}");
        assert_eq!(uploads.owed(bucket).await, 1, "{when}");
        assert_eq!(uploads.owed(1 - bucket).await, 0, "{when}");
        uploads.mend_disk(bucket);
        uploads.stage.until_alike().await;
        assert!(uploads.stage.copy(bucket, &key).await.as_ref() == Some(&content), "{when}");
    }
    server.stop().await;
}

/// Of two buckets that each miss another part, none could make the object.
#[tokio::test]
async fn some_bucket_has_all_parts_that_were_acknowledged() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let hide = |bucket: usize| {
        let folder = uploads.folder(bucket).join("uploads");
        std::fs::rename(&folder, folder.with_extension("away")).expect("moved away");
    };
    let show = |bucket: usize| {
        let folder = uploads.folder(bucket).join("uploads");
        std::fs::rename(folder.with_extension("away"), &folder).expect("moved back");
    };
    hide(0);
    let first = uploads.send(place, 1, &block(1)).await.expect("a part of the second bucket");
    show(0);
    hide(1);
    let error = uploads.send(place, 2, b"end").await.expect_err("no bucket has all parts");
    assert!(matches!(error, ObjectError::Unavailable(_)), "{error:?}");
    show(1);
    let last = uploads.send(place, 2, b"end").await.expect("a part");
    uploads.complete(place, &[first, last]).await.expect("an object");
    let content = [block(1), b"end".to_vec()].concat();
    assert!(uploads.stage.get("a").await.expect("a read") == content);
    uploads.stage.until_alike().await;
    assert!(uploads.stage.copy(0, "a").await == Some(content));
    server.stop().await;
}

#[tokio::test]
async fn what_too_few_buckets_hold_is_kept_and_acknowledged_later() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let link = |(place, id)| json!({ "bucketId": id, "folder": "", "master": place == 0 });
    let links: Vec<_> = uploads.stage.buckets.iter().enumerate().map(link).collect();
    let mut body = wanted("objects", "MIRROR", links.into());
    body["minAck"] = json!(2);
    uploads.stage.user.change_repo(uploads.stage.repo, body).await.expect("a change");
    let place = uploads.begin("a").await;
    let parts = [uploads.send(place, 1, b"end").await.expect("a part")];
    uploads.break_disk(1);
    for attempt in ["first", "second"] {
        let error = uploads.complete(place, &parts).await.expect_err("too few buckets");
        assert!(matches!(error, ObjectError::Unavailable(_)), "{attempt}: {error:?}");
    }
    uploads.mend_disk(1);
    uploads.stage.until_alike().await;
    uploads.complete(place, &parts).await.expect("an object");
    assert_eq!(uploads.stage.copy(1, "a").await.as_deref(), Some(&b"end"[..]));

    uploads.break_disk(0);
    uploads.break_disk(1);
    let error = uploads.begin_as(super::stage::new_upload("b", None)).await;
    assert!(matches!(error, Err(ObjectError::Unavailable(_))), "{error:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_backup_takes_no_part_and_is_brought_the_object() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "BACKUP", 2).await;
    let place = uploads.begin("a").await;
    let part = uploads.send(place, 1, b"end").await.expect("a part");
    assert_eq!((uploads.kept(0), uploads.kept(1)), (1, 0));
    uploads.complete(place, &[part]).await.expect("an object");
    uploads.stage.until_alike().await;
    assert_eq!(uploads.stage.copy(1, "a").await.as_deref(), Some(&b"end"[..]));
    server.stop().await;
}

#[tokio::test]
async fn an_upload_that_no_bucket_knows_any_more_has_to_be_begun_again() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    uploads.stage.put("a", b"old").await.expect("a write");
    let place = uploads.begin("a").await;
    let part = uploads.send(place, 1, b"end").await.expect("a part");
    for bucket in [0, 1] {
        std::fs::remove_dir_all(uploads.folder(bucket).join("uploads")).expect("removed");
    }
    let error = uploads.complete(place, &[part]).await.expect_err("no upload");
    assert!(matches!(error, ObjectError::NoSuchUpload), "{error:?}");
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"old");
    uploads.abort(place).await.expect("aborted");
    server.stop().await;
}
