//! An upload becomes one object, once, and exactly of the parts that were named.

use repoplane::model::id::Version;
use repoplane::model::object::{About, Object, PartOf};
use repoplane::model::time::Timestamp;
use repoplane::model::upload::PART_BYTES_MIN;
use repoplane::service::objects::{Conditions, Matching, ObjectError};
use repoplane::store::intents::{self, Intent};
use repoplane::store::{upload_parts, uploads as rows};

use super::stage::{Uploads, block, completion, etag};
use crate::support::Server;

#[tokio::test]
async fn what_is_named_wrongly_leaves_the_upload_as_it_is() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let small = uploads.send(place, 1, b"small").await.expect("a part");
    let last = uploads.send(place, 2, b"end").await.expect("a part");
    let both = [small.clone(), last.clone()];

    let error = uploads.complete(place, &both).await.expect_err("a small part");
    assert!(matches!(error, ObjectError::TooSmall(1, PART_BYTES_MIN)), "{error:?}");
    let error = uploads.complete(place, &[]).await.expect_err("nothing");
    assert!(matches!(error, ObjectError::Invalid(_)), "{error:?}");
    for wrong in [[last.clone(), small.clone()], [small.clone(), small.clone()]] {
        let error = uploads.complete(place, &wrong).await.expect_err("no order");
        assert!(matches!(error, ObjectError::PartOrder), "{error:?}");
    }
    let mut absent = last.clone();
    absent.number = 3;
    let error = uploads.complete(place, &[absent]).await.expect_err("no part");
    assert!(matches!(error, ObjectError::InvalidPart(3)), "{error:?}");
    let mut sized = completion(std::slice::from_ref(&last));
    sized.size = Some(4);
    let error = uploads.complete_as(place, sized).await.expect_err("another size");
    assert!(matches!(error, ObjectError::Invalid(_)), "{error:?}");
    let elsewhere = ("b", place.1);
    let error = uploads.complete(elsewhere, &both).await.expect_err("another key");
    assert!(matches!(error, ObjectError::NoSuchUpload), "{error:?}");

    uploads.complete(place, &[last]).await.expect("an object");
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"end");
    server.stop().await;
}

#[tokio::test]
async fn whoever_completes_again_hears_the_same() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let parts = [uploads.send(place, 1, b"end").await.expect("a part")];
    let (one, other) =
        tokio::join!(uploads.complete(place, &parts), uploads.complete(place, &parts));
    let (one, other) = (one.expect("an object"), other.expect("the same object"));
    assert_eq!((one.version, &one.etag), (other.version, &other.etag));
    assert_eq!(one.etag, etag(&[b"end"]));
    let third = uploads.complete(place, &parts).await.expect("the same object");
    assert_eq!(third.version, one.version);
    // Whoever wants it only if there is nothing hears so too: it is the one that there is.
    let mut careful = completion(&parts);
    careful.conditions = Conditions { if_none_match: Some(Matching::Any), ..Conditions::default() };
    uploads.complete_as(place, careful).await.expect("the same object");

    let mut other = parts.clone();
    other[0].etag = "0".repeat(32);
    let error = uploads.complete(place, &other).await.expect_err("another object");
    assert!(matches!(error, ObjectError::NoSuchUpload), "{error:?}");
    uploads.stage.put("a", b"new").await.expect("a write");
    let error = uploads.complete(place, &parts).await.expect_err("an old object");
    assert!(matches!(error, ObjectError::NoSuchUpload), "{error:?}");
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"new");
    server.stop().await;
}

#[tokio::test]
async fn of_completing_and_aborting_at_once_one_happens() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    for round in 0..8 {
        let key = format!("key-{round}");
        let place = uploads.begin(&key).await;
        let parts = [uploads.send(place, 1, b"end").await.expect("a part")];
        let complete = uploads.complete(place, &parts);
        let abort = uploads.abort(place);
        let (completed, aborted) = if round % 2 == 0 {
            tokio::join!(complete, abort)
        } else {
            let (aborted, completed) = tokio::join!(abort, complete);
            (completed, aborted)
        };
        let found = uploads.stage.get(&key).await;
        match (completed, aborted) {
            (Ok(_), Err(ObjectError::NoSuchUpload)) => assert_eq!(found.expect("a read"), b"end"),
            (Err(ObjectError::NoSuchUpload), Ok(())) => {
                assert!(matches!(found, Err(ObjectError::NoSuchKey)));
                assert_eq!(uploads.stage.copy(0, &key).await, None);
            }
            other => panic!("{other:?}"),
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn conditions_are_held_against_what_is_there_at_the_end() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let parts = [uploads.send(place, 1, b"end").await.expect("a part")];
    let there = uploads.stage.put("a", b"old").await.expect("a write");
    let asked = |conditions| {
        let mut asked = completion(&parts);
        asked.conditions = conditions;
        asked
    };
    let absent = Conditions { if_none_match: Some(Matching::Any), ..Conditions::default() };
    let error = uploads.complete_as(place, asked(absent)).await.expect_err("there is one");
    assert!(matches!(error, ObjectError::PreconditionFailed("If-None-Match")), "{error:?}");
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"old");
    let same = Some(Matching::Etags(vec![there.etag]));
    let same = Conditions { if_match: same, ..Conditions::default() };
    uploads.complete_as(place, asked(same)).await.expect("an object");
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"end");
    server.stop().await;
}

/// Buckets may have made an object of what was named, though nobody heard of it. They must not be told
/// to make another one of the same version.
#[tokio::test]
async fn an_upload_becomes_what_it_was_told_to_or_nothing() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "NORMAL", 1).await;
    let place = uploads.begin("a").await;
    let parts = [
        uploads.send(place, 1, &block(1)).await.expect("a part"),
        uploads.send(place, 2, b"end").await.expect("a part"),
    ];
    uploads.break_disk(0);
    let error = uploads.complete(place, &parts).await.expect_err("no bucket");
    assert!(matches!(error, ObjectError::Unavailable(_)), "{error:?}");
    uploads.mend_disk(0);
    let error = uploads.complete(place, &parts[..1]).await.expect_err("other parts");
    assert!(matches!(error, ObjectError::Invalid(_)), "{error:?}");
    let error = uploads.send(place, 2, b"END").await.expect_err("another part");
    assert!(matches!(error, ObjectError::Invalid(_)), "{error:?}");
    uploads.complete(place, &parts).await.expect("an object");
    assert!(uploads.stage.get("a").await.expect("a read") == [block(1), b"end".to_vec()].concat());
    server.stop().await;
}

/// A server that dies when one bucket has completed an upload, and nothing is committed.
#[tokio::test]
async fn a_crash_is_rolled_forward() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let part = uploads.send(place, 1, b"end").await.expect("a part");
    let (services, (_, space)) = (uploads.stage.services(), uploads.stage.space().await);
    let store = services.store.read();
    let bucket = uploads.stage.buckets[0].into();
    let copies = rows::copies(store, place.1).await.expect("copies");
    let copy = copies.iter().find(|copy| copy.bucket == bucket).expect("a copy");
    let tags = upload_parts::list(store, place.1, 0, 1).await.expect("a part").remove(0).1;
    let driver = space.member(bucket).expect("a member").driver(services).await;
    let upload = serde_json::from_str(&copy.upload).expect("an upload");
    let tag = repoplane::backend::buckets::Part { number: 1, tag: tags[&bucket].clone() };
    driver.expect("a driver").complete_multipart(&upload, &[tag]).await.expect("an object");
    let version: Version = place.1.uuid().into();
    let object = Object {
        key: "a".to_owned(),
        version,
        deleted: false,
        size: 3,
        etag: etag(&[b"end"]),
        about: About {
            parts: vec![PartOf { number: 1, size: 3, checksum: None }],
            ..About::default()
        },
        modified_at: Timestamp::now(),
    };
    let intent = Intent {
        space: space.id,
        key: "a".to_owned(),
        version,
        node: "another".to_owned(),
        lease_until: Timestamp::from_micros(0),
        object: Some(object),
        told: false,
    };
    let mut tx = services.store.begin().await.expect("a transaction");
    assert!(intents::take(&mut tx, &intent).await.expect("an intent").is_some());
    tx.commit().await.expect("committed");

    // The client heard nothing, and asks again.
    let object = uploads.complete(place, &[part]).await.expect("an object");
    assert_eq!(object.version, version);
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"end");
    uploads.stage.until_alike().await;
    assert_eq!(uploads.stage.copy(1, "a").await.as_deref(), Some(&b"end"[..]));
    uploads.expire(Timestamp::from_micros(0)).await;
    assert_eq!((uploads.kept(0), uploads.kept(1)), (0, 0));
    server.stop().await;
}
