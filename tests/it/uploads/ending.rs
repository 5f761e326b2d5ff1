//! What is given up is gone, for clients at once and from buckets as soon as they answer.

use std::time::Duration;

use repoplane::model::time::Timestamp;
use repoplane::service::objects::ObjectError;
use repoplane::service::objects::uploads::create;

use super::stage::{Uploads, new_upload};
use crate::support::Server;

/// How long the worker may take for what it has been asked to do.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_is_aborted_is_gone() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let part = uploads.send(place, 1, b"end").await.expect("a part");
    assert_eq!((uploads.kept(0), uploads.kept(1)), (1, 1));
    uploads.abort(place).await.expect("aborted");
    assert_eq!((uploads.kept(0), uploads.kept(1)), (0, 0));
    assert!(matches!(uploads.abort(place).await, Err(ObjectError::NoSuchUpload)));
    let sent = uploads.send(place, 2, b"more").await;
    assert!(matches!(sent, Err(ObjectError::NoSuchUpload)), "{sent:?}");
    let completed = uploads.complete(place, &[part]).await;
    assert!(matches!(completed, Err(ObjectError::NoSuchUpload)), "{completed:?}");
    assert!(matches!(uploads.stage.get("a").await, Err(ObjectError::NoSuchKey)));
    server.stop().await;
}

#[tokio::test]
async fn whoever_did_not_begin_an_upload_needs_admin_to_abort_it() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 1).await;
    let (read, write) = (uploads.session_with("READ").await, uploads.session_with("WRITE").await);
    let (_, space) = uploads.stage.space().await;
    let services = uploads.stage.services();
    let refused = create(services, &read, &space, new_upload("a", None)).await;
    assert!(matches!(refused, Err(ObjectError::Denied(_))), "{refused:?}");

    let own = ("a", create(services, &write, &space, new_upload("a", None)).await.expect("one"));
    let others = uploads.begin("a").await;
    for (session, place) in [(&read, own), (&read, others), (&write, others)] {
        let refused = uploads.abort_as(session, place).await;
        assert!(matches!(refused, Err(ObjectError::Denied(_))), "{refused:?}");
    }
    uploads.abort_as(&write, own).await.expect("their own");
    let own = ("a", create(services, &write, &space, new_upload("a", None)).await.expect("one"));
    uploads.abort(own).await.expect("another one's, by ADMIN");
    uploads.abort(others).await.expect("their own");
    server.stop().await;
}

#[tokio::test]
async fn what_nothing_comes_to_is_given_up() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let (left, kept) = (uploads.begin("a").await, uploads.begin("a").await);
    uploads.send(left, 1, b"end").await.expect("a part");
    let since = Timestamp::now();
    let part = uploads.send(kept, 1, b"end").await.expect("a part");
    assert_eq!(uploads.expire(since).await, 1);
    assert_eq!(uploads.expire(since).await, 0);
    assert_eq!((uploads.kept(0), uploads.kept(1)), (1, 1));
    let sent = uploads.send(left, 2, b"more").await;
    assert!(matches!(sent, Err(ObjectError::NoSuchUpload)), "{sent:?}");
    uploads.complete(kept, &[part]).await.expect("an object");
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_is_told_later() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    uploads.send(place, 1, b"end").await.expect("a part");
    uploads.break_disk(1);
    uploads.abort(place).await.expect("aborted");
    uploads.mend_disk(1);
    assert_eq!((uploads.kept(0), uploads.kept(1)), (0, 1));
    assert_eq!(uploads.expire(Timestamp::from_micros(0)).await, 0);
    assert_eq!(uploads.kept(1), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_storage_repo_that_goes_leaves_no_parts() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    uploads.send(place, 1, b"end").await.expect("a part");
    uploads.stage.user.delete_repo(uploads.stage.repo).await.expect("deleted");
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while (uploads.kept(0), uploads.kept(1)) != (0, 0) {
        assert!(tokio::time::Instant::now() < deadline, "parts are left");
        uploads.expire(Timestamp::from_micros(0)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.stop().await;
}
