//! Parts come in any order, at the same time and more than once; what is not what it was said to be does
//! not count.

use futures::future::join_all;
use md5::{Digest as _, Md5};
use repoplane::backend::buckets::ByteRange;
use repoplane::model::object::{Algorithm, Attributes};
use repoplane::model::upload::{PART_BYTES_MAX, Wanted};
use repoplane::service::objects::reading::{Wanted as Read, range};
use repoplane::service::objects::uploads::{self, NewPart, NewUpload, SourcePart};
use repoplane::service::objects::{Conditions, Given, Matching, ObjectError, Promised};

use super::stage::{Uploads, block, etag, hex, new_upload};
use crate::support::Server;

#[tokio::test]
async fn parts_become_an_object_in_every_bucket() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let attributes = Attributes {
        content_type: Some("text/x".to_owned()),
        metadata: [("name".to_owned(), "välue".to_owned())].into(),
        ..Attributes::default()
    };
    let tags = vec![("a".to_owned(), "b".to_owned())];
    let new = NewUpload {
        attributes: attributes.clone(),
        tags: tags.clone(),
        ..new_upload("a//b", None)
    };
    let place = ("a//b", uploads.begin_as(new).await.expect("an upload"));
    let (first, last) = (block(1), b"end".to_vec());
    let parts = [
        uploads.send(place, 1, &first).await.expect("a part"),
        uploads.send(place, 2, &last).await.expect("a part"),
    ];
    assert_eq!(parts[0].etag, hex(&Md5::digest(&first)));
    assert!(matches!(uploads.stage.get("a//b").await, Err(ObjectError::NoSuchKey)));
    assert_eq!(uploads.stage.copy(0, "a//b").await, None);

    let object = uploads.complete(place, &parts).await.expect("an object");
    let content = [first.clone(), last.clone()].concat();
    assert_eq!(object.etag, etag(&[&first, &last]));
    assert_eq!(object.size, content.len() as u64);
    assert_eq!((&object.about.attributes, &object.about.tags), (&attributes, &tags));
    let sizes: Vec<_> = object.about.parts.iter().map(|part| (part.number, part.size)).collect();
    assert_eq!(sizes, [(1, first.len() as u64), (2, 3)]);
    let second = Read { part: Some(2), ..Read::default() };
    let size = object.size;
    assert_eq!(range(&object, &second).expect("a range"), size - 3..size);
    assert!(uploads.stage.get("a//b").await.expect("a read") == content);
    for bucket in [0, 1] {
        assert!(uploads.stage.copy(bucket, "a//b").await.as_ref() == Some(&content), "{bucket}");
        assert_eq!((uploads.owed(bucket).await, uploads.kept(bucket)), (0, 0));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_part_may_come_again_and_numbers_may_be_left_out() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let old = uploads.send(place, 7, &block(1)).await.expect("a part");
    let unused = uploads.send(place, 9, &block(2)).await.expect("a part");
    let new = uploads.send(place, 7, &block(3)).await.expect("a part");
    let last = uploads.send(place, 10_000, b"end").await.expect("a part");
    let error = uploads.complete(place, &[old, last.clone()]).await.expect_err("an old part");
    assert!(matches!(error, ObjectError::InvalidPart(7)), "{error:?}");
    let object = uploads.complete(place, &[new, last]).await.expect("an object");
    assert_eq!(object.etag, etag(&[&block(3), b"end"]));
    assert_eq!(unused.number, 9);
    for bucket in [0, 1] {
        let content = [block(3), b"end".to_vec()].concat();
        assert!(uploads.stage.copy(bucket, "a").await == Some(content));
        assert_eq!(uploads.kept(bucket), 0);
    }
    server.stop().await;
}

#[tokio::test]
async fn parts_may_come_at_the_same_time() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let place = uploads.begin("a").await;
    let blocks: Vec<_> = (1..=6).map(block).collect();
    let sent = blocks.iter().zip(1..).map(|(block, number)| uploads.send(place, number, block));
    let parts: Result<Vec<_>, _> = join_all(sent).await.into_iter().collect();
    let parts = parts.expect("parts");
    uploads.complete(place, &parts).await.expect("an object");
    let content = blocks.concat();
    assert!(uploads.stage.get("a").await.expect("a read") == content);
    assert!(uploads.stage.copy(1, "a").await == Some(content));
    server.stop().await;
}

#[tokio::test]
async fn parts_that_are_not_what_was_said_do_not_count() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let wanted = Wanted { algorithm: Algorithm::Crc32c, composite: true };
    let id = uploads.begin_as(new_upload("a", Some(wanted))).await.expect("an upload");
    let place = ("a", id);
    let good = uploads.send(place, 1, b"good").await.expect("a part");

    let md5 = Promised { md5: Some([0; 16]), checksum: None };
    let error = uploads.promise(place, 1, b"evil", md5).await.expect_err("another digest");
    assert!(matches!(error, ObjectError::BadDigest("Content-MD5")), "{error:?}");
    let given = |algorithm, value: &str| Promised {
        md5: None,
        checksum: Some((algorithm, Given::Value(value.to_owned()))),
    };
    let wrong = given(Algorithm::Crc32c, "AAAAAA==");
    let error = uploads.promise(place, 1, b"evil", wrong).await.expect_err("another checksum");
    assert!(matches!(error, ObjectError::BadDigest("checksum")), "{error:?}");
    let other = given(Algorithm::Sha1, "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    let error = uploads.promise(place, 1, b"", other).await.expect_err("another kind");
    assert!(matches!(error, ObjectError::Invalid(_)), "{error:?}");
    for length in [3, 5] {
        let (session, space) = uploads.stage.space().await;
        let new = NewPart { number: 1, length, promised: Promised::default() };
        let content = futures::stream::iter([Ok(bytes::Bytes::from_static(b"evil"))]);
        let services = uploads.stage.services();
        let sent = uploads::part(services, &session, &space, place, new, Box::pin(content)).await;
        assert!(matches!(sent, Err(ObjectError::BadContent(_))), "{length}: {sent:?}");
    }
    for number in [0, 10_001] {
        let error = uploads.send(place, number, b"evil").await.expect_err("no number");
        assert!(matches!(error, ObjectError::Invalid(_)), "{error:?}");
    }
    let (session, space) = uploads.stage.space().await;
    let new = NewPart { number: 1, length: PART_BYTES_MAX + 1, promised: Promised::default() };
    let content = Box::pin(futures::stream::empty());
    let services = uploads.stage.services();
    let sent = uploads::part(services, &session, &space, place, new, content).await;
    assert!(matches!(sent, Err(ObjectError::TooLarge(PART_BYTES_MAX))), "{sent:?}");
    for elsewhere in [("b", id), ("a", repoplane::model::id::UploadId::new())] {
        let error = uploads.send(elsewhere, 1, b"evil").await.expect_err("no upload");
        assert!(matches!(error, ObjectError::NoSuchUpload), "{error:?}");
    }

    uploads.complete(place, &[good]).await.expect("an object");
    assert_eq!(uploads.stage.get("a").await.expect("a read"), b"good");
    server.stop().await;
}

#[tokio::test]
async fn parts_are_copied_from_objects() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 2).await;
    let source = [block(1), b"0123456789".to_vec()].concat();
    let stored = uploads.stage.put("source", &source).await.expect("a write");
    let place = uploads.begin("a").await;
    let (session, space) = uploads.stage.space().await;
    let copy = async |number, key, conditions: &Conditions, range| {
        let source = SourcePart { space: &space, key, conditions, range };
        let services = uploads.stage.services();
        uploads::copy_part(services, &session, &space, place, number, source).await
    };
    let none = Conditions::default();
    let size = source.len() as u64;
    let parts = [
        copy(1, "source", &none, None).await.expect("a part"),
        copy(2, "source", &none, Some(ByteRange::Span(size - 8, size - 3))).await.expect("a part"),
    ];
    assert_eq!((parts[0].size, parts[1].size), (size, 6));

    let beyond = copy(3, "source", &none, Some(ByteRange::Span(0, size))).await;
    assert!(matches!(beyond, Err(ObjectError::Range { .. })), "{beyond:?}");
    let absent = copy(3, "absent", &none, None).await;
    assert!(matches!(absent, Err(ObjectError::NoSuchKey)), "{absent:?}");
    let known = Some(Matching::Etags(vec![stored.etag]));
    let unless = Conditions { if_none_match: known.clone(), ..Conditions::default() };
    let refused = copy(3, "source", &unless, None).await;
    assert!(matches!(refused, Err(ObjectError::PreconditionFailed(_))), "{refused:?}");
    let only = Conditions { if_match: known, ..Conditions::default() };
    copy(3, "source", &only, None).await.expect("a part that is not used");

    uploads.complete(place, &parts).await.expect("an object");
    let content = [source, b"234567".to_vec()].concat();
    assert!(uploads.stage.get("a").await.expect("a read") == content);
    assert!(uploads.stage.copy(1, "a").await == Some(content));
    server.stop().await;
}
