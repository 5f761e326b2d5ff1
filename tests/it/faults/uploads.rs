//! Uploads in parts while one bucket fails.

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use repoplane::backend::buckets::Content;
use repoplane::model::id::UploadId;
use repoplane::model::object::Attributes;
use repoplane::service::objects::uploads::{self, Completion, Named, NewPart, NewUpload};
use repoplane::service::objects::{Conditions, ObjectError, Promised};

use super::stage::{Broken, Known, brief, content, silent};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

/// The smallest that a part may be which is not the last, in bytes.
const PART: usize = 5 * 1024 * 1024;

async fn begin(broken: &Broken<'_>, key: &str) -> Result<UploadId, ObjectError> {
    let (session, space) = broken.stage.space().await;
    let new = NewUpload {
        key: key.to_owned(),
        attributes: Attributes::default(),
        tags: vec![],
        checksum: None,
    };
    uploads::create(broken.stage.services(), &session, &space, new).await
}

async fn part(
    broken: &Broken<'_>,
    (key, id): (&str, UploadId),
    number: u32,
    content: &[u8],
) -> Result<Named, ObjectError> {
    let pieces: Vec<_> = content.chunks(64 * 1024).map(Bytes::copy_from_slice).map(Ok).collect();
    let length = content.len() as u64;
    part_of(broken, (key, id), number, length, futures::stream::iter(pieces).boxed()).await
}

async fn part_of(
    broken: &Broken<'_>,
    (key, id): (&str, UploadId),
    number: u32,
    length: u64,
    content: Content,
) -> Result<Named, ObjectError> {
    let (session, space) = broken.stage.space().await;
    let new = NewPart { number, length, promised: Promised::default() };
    let services = broken.stage.services();
    let part = uploads::part(services, &session, &space, (key, id), new, content).await?;
    Ok(Named { number, etag: part.etag, checksum: None })
}

async fn complete(
    broken: &Broken<'_>,
    (key, id): (&str, UploadId),
    parts: Vec<Named>,
) -> Result<(), ObjectError> {
    let (session, space) = broken.stage.space().await;
    let asked = Completion {
        parts,
        conditions: Conditions::default(),
        checksum: None,
        composite: None,
        size: None,
    };
    let services = broken.stage.services();
    uploads::complete(services, &session, &space, (key, id), asked).await.map(drop)
}

/// Uploads two parts, the first of which is as small as it may be.
async fn upload(broken: &Broken<'_>, key: &str, whole: &[u8]) -> Result<(), ObjectError> {
    let id = begin(broken, key).await?;
    let first = part(broken, (key, id), 1, &whole[..PART]).await?;
    let second = part(broken, (key, id), 2, &whole[PART..]).await?;
    complete(broken, (key, id), vec![first, second]).await
}

#[tokio::test]
async fn an_upload_survives_whatever_one_bucket_does() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        for on in [On::Begin, On::Part, On::Complete] {
            for fault in [Fault::Refuses, Fault::Hangs, Fault::SaysNothing] {
                let key = format!("{member}/{on:?}/{fault:?}");
                broken.calm().await;
                broken.put(&key, b"old").await.expect("a write");
                let new = content(&key, PART + 1_000);
                cloud.fail(on, fault);
                upload(&broken, &key, &new).await.unwrap_or_else(|error| panic!("{key}: {error}"));
                let read = broken.stage.get(&key).await;
                assert!(read.as_ref().is_ok_and(|read| *read == new), "{key}: {:?}", brief(&read));
                known.insert(key, new);
                cloud.recover();
            }
        }
    }
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_may_go_away_at_any_point_of_the_end_of_an_upload() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        for answers in [false, true] {
            let key = format!("{member}/{answers}");
            broken.calm().await;
            broken.put(&key, b"old").await.expect("a write");
            let new = content(&key, PART + 1_000);
            let gate = match answers {
                false => cloud.hold_before(On::Complete),
                true => cloud.hold_answer(On::Complete),
            };
            let goes = async {
                gate.reached().await;
                cloud.fall();
                gate.open();
            };
            let (done, ()) = tokio::join!(upload(&broken, &key, &new), goes);
            done.unwrap_or_else(|error| panic!("{key}: {error}"));
            let read = broken.stage.get(&key).await;
            assert!(read.as_ref().is_ok_and(|read| *read == new), "{key}: {:?}", brief(&read));
            known.insert(key, new);
            cloud.recover();
        }
    }
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// The only bucket made the object and never said so.
#[tokio::test]
async fn an_upload_that_only_a_silent_bucket_knows_of_is_not_forgotten() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    broken.put("a", b"old").await.expect("a write");
    let new = content("a", PART + 1_000);
    clouds[0].fail(On::Complete, Fault::SaysNothing);
    clouds[0].fail(On::Head, Fault::Refuses);
    upload(&broken, "a", &new).await.expect_err("nobody says that it is done");
    broken.mend().await;
    broken.check(&Known::from([("a".to_owned(), new)])).await;
    server.stop().await;
}

/// As a whole object does, a part waits for its content.
#[tokio::test]
async fn a_part_of_which_nothing_comes_asks_no_bucket() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    broken.put("there", b"content").await.expect("a write");
    let id = begin(&broken, "a").await.expect("an upload");
    let asked = clouds[0].hold_before(On::Part);
    let (sender, content) = silent();
    let sent = part_of(&broken, ("a", id), 1, 300_000, content);
    let (sent, ()) = tokio::join!(sent, broken.then_give_up(sender, "there"));
    assert!(matches!(sent, Err(ObjectError::BadContent(_))));
    assert!(asked.reached().now_or_never().is_none());
    server.stop().await;
}
