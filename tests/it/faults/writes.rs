//! Writes while one bucket fails, each bucket in turn and in each way.

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use repoplane::service::objects::ObjectError;

use super::stage::{Broken, Known, brief, content, silent};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

/// Small enough to be checked before it is sent, and too large for that; in bytes.
const SIZES: [usize; 2] = [1_000, 300_000];

fn faults() -> Vec<Fault> {
    vec![
        Fault::Refuses,
        Fault::Full,
        Fault::Hangs,
        Fault::HangsAfterBody,
        Fault::SaysNothing,
        Fault::Lies,
        Fault::Corrupts,
        Fault::Truncates,
    ]
}

/// Nobody can know better than the only bucket that is asked.
fn is_silent(fault: &Fault) -> bool {
    matches!(fault, Fault::Lies | Fault::Corrupts | Fault::Truncates)
}

async fn every_fault(mode: &str, buckets: usize) {
    let (server, clouds) = Server::beside_faulty_clouds(buckets).await;
    let broken = Broken::over(&server, &clouds, mode).await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        let decides = buckets == 1 || (mode == "BACKUP" && member == 0);
        for (number, fault) in faults().into_iter().enumerate() {
            if decides && is_silent(&fault) {
                continue;
            }
            for replaces in [false, true] {
                let key = format!("{member}/{fault:?}/{replaces}");
                let size = SIZES[(number + usize::from(replaces)) % 2];
                broken.calm().await;
                if replaces {
                    known.insert(key.clone(), content("old", size));
                    broken.put(&key, &known[&key]).await.expect("a write");
                }
                let new = content(&key, size);
                cloud.fail(On::Put, fault.clone());
                let put = broken.put(&key, &new).await;
                assert!(put.is_ok() || decides, "{mode} {key}: {put:?}");
                if put.is_ok() {
                    let read = broken.stage.get(&key).await;
                    let good = read.as_ref().is_ok_and(|read| *read == new)
                        // Of what is too large to be checked first, the first read finds out.
                        || (is_silent(&fault) && size > SIZES[0] && read.is_err());
                    assert!(good, "{mode} {key}: {:?}", brief(&read));
                    known.insert(key.clone(), new.clone());
                }
                cloud.recover();
                broken.calm().await;
                broken.note(&mut known, &key, &new).await;
            }
        }
    }
    assert!(broken.scrub(true).await >= 0);
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

#[tokio::test]
async fn no_write_to_a_mirror_of_two_is_lost() {
    every_fault("MIRROR", 2).await;
}

#[tokio::test]
async fn no_write_to_a_mirror_of_three_is_lost() {
    every_fault("MIRROR", 3).await;
}

#[tokio::test]
async fn no_write_with_a_backup_is_lost() {
    every_fault("BACKUP", 2).await;
}

#[tokio::test]
async fn no_write_to_the_only_bucket_is_lost() {
    every_fault("NORMAL", 1).await;
}

/// A bucket that goes away at each point of a write, and comes back.
#[tokio::test]
async fn a_bucket_may_go_away_at_any_point_of_a_write() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        for point in ["never up", "before", "body", "answer", "after"] {
            for replaces in [false, true] {
                let key = format!("{member}/{point}/{replaces}");
                broken.calm().await;
                if replaces {
                    broken.put(&key, b"old").await.expect("a write");
                }
                let new = content(&key, 1_000);
                let gate = match point {
                    "before" => Some(cloud.hold_before(On::Put)),
                    "body" => Some(cloud.hold_body(On::Put)),
                    "answer" => Some(cloud.hold_answer(On::Put)),
                    _ => None,
                };
                if point == "never up" {
                    cloud.fall();
                }
                let goes = async {
                    let Some(gate) = gate else { return };
                    gate.reached().await;
                    cloud.fall();
                    gate.open();
                };
                let (put, ()) = tokio::join!(broken.put(&key, &new), goes);
                put.unwrap_or_else(|error| panic!("{key}: {error}"));
                cloud.fall();
                let read = broken.stage.get(&key).await;
                assert!(read.as_ref().is_ok_and(|read| *read == new), "{key}: {:?}", brief(&read));
                known.insert(key, new);
                assert_eq!(broken.stage.keys().await.len(), known.len());
                cloud.recover();
            }
        }
    }
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// A bucket that reads nothing of what is much more than sockets hold.
#[tokio::test]
async fn a_bucket_that_stops_reading_is_left_behind() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        let key = member.to_string();
        broken.calm().await;
        cloud.fail_times(1, On::Put, Fault::Hangs);
        known.insert(key.clone(), content(&key, 24_000_000));
        broken.put(&key, &known[&key]).await.expect("a write");
        assert_eq!(cloud.get(&key), None);
        assert!(broken.stage.get(&key).await.expect("a read") == known[&key]);
    }
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// A bucket that refuses what it is still being sent does answer: it is not left alone, as one that hangs is.
#[tokio::test]
async fn a_bucket_that_refuses_in_the_midst_is_asked_again() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let turns = broken.unhealed().await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        for fault in [Fault::Refuses, Fault::Full] {
            let key = format!("{member}/{fault:?}");
            broken.calm().await;
            cloud.fail_times(1, On::Put, fault);
            known.insert(key.clone(), content(&key, 24_000_000));
            broken.put(&key, &known[&key]).await.expect("a write");
            assert_eq!(cloud.get(&key), None, "{key}");
            for member in &broken.space().await.members {
                assert!(!member.health.is_paused(), "{key}");
            }
        }
    }
    drop(turns);
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// A body that breaks off, or is shorter or longer than was said, becomes an object nowhere.
#[tokio::test]
async fn a_body_that_is_not_what_was_said_changes_nothing() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let known = Known::from([("a".to_owned(), b"old".to_vec())]);
    broken.put("a", b"old").await.expect("a write");
    let piece = || Ok(Bytes::from(vec![7; 100_000]));
    let gone = || Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    let bodies: [(u64, Vec<std::io::Result<Bytes>>); 5] = [
        (400_000, vec![piece(), piece(), gone()]),
        (100_000, vec![piece(), gone()]),
        (300_000, vec![piece(), piece()]),
        (150_000, vec![piece(), piece()]),
        (0, vec![piece()]),
    ];
    for (length, pieces) in bodies {
        for key in ["a", "b"] {
            let pieces = pieces.iter().map(|piece| match piece {
                Ok(piece) => Ok(piece.clone()),
                Err(error) => Err(error.kind().into()),
            });
            let content = futures::stream::iter(pieces.collect::<Vec<_>>()).boxed();
            let put = broken.stage.put_of(key, length, content).await;
            assert!(matches!(put, Err(ObjectError::BadContent(_))), "{length} {key}: {put:?}");
            broken.check(&known).await;
        }
    }
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// A client that says it writes, and then sends nothing, keeps no bucket busy.
#[tokio::test]
async fn a_write_of_which_nothing_comes_asks_no_bucket() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    broken.put("there", b"content").await.expect("a write");
    let asked = clouds[0].hold_before(On::Put);
    let (sender, content) = silent();
    let put = broken.stage.put_of("a", 300_000, content);
    let (put, ()) = tokio::join!(put, broken.then_give_up(sender, "there"));
    assert!(matches!(put, Err(ObjectError::BadContent(_))), "{put:?}");
    assert!(asked.reached().now_or_never().is_none());
    server.stop().await;
}
