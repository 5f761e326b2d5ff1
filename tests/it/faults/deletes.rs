//! Deletes while one bucket fails: what is deleted is gone at once, for good, and in the end everywhere.

use repoplane::service::objects::ObjectError;

use super::stage::{Broken, Known};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

async fn every_fault(mode: &str, buckets: usize) {
    let (server, clouds) = Server::beside_faulty_clouds(buckets).await;
    let broken = Broken::over(&server, &clouds, mode).await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        for fault in [Fault::Refuses, Fault::Hangs, Fault::SaysNothing] {
            for comes_back in [false, true] {
                let key = format!("{member}/{fault:?}/{comes_back}");
                broken.put_calmly(&key, b"old").await;
                cloud.fail(On::Delete, fault.clone());
                broken.stage.delete(&key).await.expect("a delete").expect("what was there");
                is_gone(&broken, &key).await;
                if comes_back {
                    broken.put_calmly(&key, b"new").await;
                    known.insert(key.clone(), b"new".to_vec());
                }
                cloud.recover();
            }
        }
    }
    broken.mend().await;
    broken.check(&known).await;
    assert_eq!(broken.scrub(true).await, 0);
    broken.check(&known).await;
    server.stop().await;
}

async fn is_gone(broken: &Broken<'_>, key: &str) {
    let read = broken.stage.get(key).await;
    assert!(matches!(read, Err(ObjectError::NoSuchKey)), "{key}: {read:?}");
    assert!(!broken.stage.keys().await.iter().any(|other| other == key), "{key} is listed");
}

#[tokio::test]
async fn nothing_deleted_from_a_mirror_comes_back() {
    every_fault("MIRROR", 2).await;
}

#[tokio::test]
async fn nothing_deleted_with_a_backup_comes_back() {
    every_fault("BACKUP", 2).await;
}

#[tokio::test]
async fn nothing_deleted_from_the_only_bucket_comes_back() {
    every_fault("NORMAL", 1).await;
}

#[tokio::test]
async fn a_bucket_may_go_away_at_any_point_of_a_delete() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    for (member, cloud) in clouds.iter().enumerate() {
        for point in ["never up", "before", "answer"] {
            let key = format!("{member}/{point}");
            broken.calm().await;
            broken.put(&key, b"old").await.expect("a write");
            let gate = match point {
                "before" => Some(cloud.hold_before(On::Delete)),
                "answer" => Some(cloud.hold_answer(On::Delete)),
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
            let (deleted, ()) = tokio::join!(broken.stage.delete(&key), goes);
            deleted.expect("a delete").expect("what was there");
            cloud.fall();
            is_gone(&broken, &key).await;
            cloud.recover();
            is_gone(&broken, &key).await;
        }
    }
    // Nobody answers: it is gone for clients all the same.
    broken.calm().await;
    broken.put("all", b"old").await.expect("a write");
    clouds.iter().for_each(|cloud| cloud.fall());
    broken.stage.delete("all").await.expect("a delete").expect("what was there");
    is_gone(&broken, "all").await;
    broken.mend().await;
    broken.check(&Known::new()).await;
    server.stop().await;
}

/// A bucket that is late with a write must not be so after the delete that comes behind it.
#[tokio::test]
async fn a_late_write_does_not_outlive_a_delete() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    for (number, cloud) in clouds.iter().enumerate() {
        let key = format!("late-{number}");
        let gate = cloud.hold_body(On::Put);
        broken.put(&key, b"late").await.expect("a write that others took");
        broken.calm().await;
        broken.stage.delete(&key).await.expect("a delete");
        gate.open();
        // Nobody hears when it is stored.
        while cloud.get(&key).is_none() {
            tokio::task::yield_now().await;
        }
        is_gone(&broken, &key).await;
    }
    broken.mend().await;
    broken.check(&Known::new()).await;
    server.stop().await;
}
