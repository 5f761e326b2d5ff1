//! The digest of a whole, told by those of its parts, is the one that its content has.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme};
use repoplane::model::object::Algorithm;
use repoplane::model::upload::Wanted;
use repoplane::service::objects::uploads::Named;
use repoplane::service::objects::{Given, ObjectError, Promised};

use super::stage::{Uploads, block, completion, new_upload};
use crate::support::Server;

const ALL: [(Algorithm, bool); 7] = [
    (Algorithm::Crc32, true),
    (Algorithm::Crc32c, true),
    (Algorithm::Sha1, true),
    (Algorithm::Sha256, true),
    (Algorithm::Crc32, false),
    (Algorithm::Crc32c, false),
    (Algorithm::Crc64Nvme, false),
];

#[tokio::test]
async fn a_whole_has_the_digest_that_was_asked_for() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "NORMAL", 1).await;
    let contents = [block(1), b"end".to_vec()];
    let whole = contents.concat();
    for (algorithm, composite) in ALL {
        let case = format!("{algorithm:?} {composite}");
        let wanted = Wanted { algorithm, composite };
        let id = uploads.begin_as(new_upload("a", Some(wanted))).await.expect("an upload");
        let place = ("a", id);
        let mut parts = vec![];
        for (content, number) in contents.iter().zip(1..) {
            let value = STANDARD.encode(digest_of(algorithm, content));
            let checksum = Some((algorithm, Given::Value(value.clone())));
            let promised = Promised { md5: None, checksum };
            let part = uploads.promise(place, number, content, promised).await.expect("a part");
            assert_eq!(part.checksum.as_ref().expect("a checksum").value, value, "{case}");
            parts.push(part);
        }
        let digests = contents.iter().flat_map(|content| digest_of(algorithm, content));
        let digests: Vec<u8> = digests.collect();
        let plain =
            STANDARD.encode(digest_of(algorithm, if composite { &digests } else { &whole }));
        let expected = if composite { format!("{plain}-2") } else { plain.clone() };

        let mut asked = completion(&parts);
        asked.checksum = Some(STANDARD.encode([0; 8]));
        let error = uploads.complete_as(place, asked).await.expect_err("another digest");
        assert!(matches!(error, ObjectError::BadDigest("checksum")), "{case}: {error:?}");
        let name = |part: &repoplane::model::upload::Part| Named {
            number: part.number,
            etag: part.etag.clone(),
            checksum: part.checksum.clone().map(|checksum| checksum.value),
        };
        let mut asked = completion(&parts);
        asked.parts = parts.iter().map(name).collect();
        asked.parts[1].checksum = Some("AAAA".to_owned());
        let error = uploads.complete_as(place, asked).await.expect_err("another part");
        assert!(matches!(error, ObjectError::InvalidPart(2)), "{case}: {error:?}");

        let mut asked = completion(&parts);
        asked.parts = parts.iter().map(name).collect();
        asked.checksum = Some(plain);
        asked.size = Some(whole.len() as u64);
        let object = uploads.complete_as(place, asked).await.expect("an object");
        let checksum = object.about.checksum.expect("a checksum");
        assert_eq!(checksum.value, expected, "{case}");
        assert_eq!((checksum.algorithm, checksum.composite), (algorithm, composite));
        assert_eq!(object.about.crc64, Some(crc_fast::checksum(Crc64Nvme, &whole)), "{case}");
        assert!(object.about.parts.iter().all(|part| part.checksum.is_some()), "{case}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_digest_is_computed_where_the_client_gives_none() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "NORMAL", 1).await;
    let wanted = Wanted { algorithm: Algorithm::Sha256, composite: true };
    let id = uploads.begin_as(new_upload("a", Some(wanted))).await.expect("an upload");
    let part = uploads.send(("a", id), 1, b"abc").await.expect("a part");
    let object = uploads.complete(("a", id), &[part]).await.expect("an object");
    let sha = digest_of(Algorithm::Sha256, &digest_of(Algorithm::Sha256, b"abc"));
    let expected = format!("{}-1", STANDARD.encode(sha));
    assert_eq!(object.about.checksum.expect("a checksum").value, expected);

    let place = uploads.begin("b").await;
    let part = uploads.send(place, 1, b"abc").await.expect("a part");
    assert_eq!(part.checksum, None);
    let object = uploads.complete(place, &[part]).await.expect("an object");
    let checksum = object.about.checksum.expect("a checksum");
    let expected = STANDARD.encode(digest_of(Algorithm::Crc64Nvme, b"abc"));
    assert_eq!((checksum.algorithm, checksum.value), (Algorithm::Crc64Nvme, expected));
    server.stop().await;
}

#[tokio::test]
async fn a_digest_that_there_is_not_is_refused_at_the_beginning() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "NORMAL", 1).await;
    for (algorithm, composite) in
        [(Algorithm::Crc64Nvme, true), (Algorithm::Sha1, false), (Algorithm::Sha256, false)]
    {
        let new = new_upload("a", Some(Wanted { algorithm, composite }));
        let error = uploads.begin_as(new).await.expect_err("no such checksum");
        assert!(matches!(error, ObjectError::Invalid(_)), "{error:?}");
    }
    assert_eq!(uploads.kept(0), 0);
    server.stop().await;
}

fn digest_of(algorithm: Algorithm, content: &[u8]) -> Vec<u8> {
    let crc = |kind| crc_fast::checksum(kind, content).to_be_bytes();
    match algorithm {
        Algorithm::Crc32 => crc(Crc32IsoHdlc)[4..].to_vec(),
        Algorithm::Crc32c => crc(Crc32Iscsi)[4..].to_vec(),
        Algorithm::Crc64Nvme => crc(Crc64Nvme).to_vec(),
        Algorithm::Sha1 => digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, content).as_ref().to_vec(),
        Algorithm::Sha256 => digest::digest(&SHA256, content).as_ref().to_vec(),
    }
}
