//! Who is healed when, while others cannot be.

use repoplane::service::objects::healing;

use super::stage::{Broken, Known, content};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

/// A bucket that hangs keeps nobody else from being healed, however much there is to heal.
#[tokio::test]
async fn a_bucket_that_hangs_does_not_keep_others_ill() {
    const KEYS: usize = 100;
    let (server, clouds) = Server::beside_faulty_clouds(3).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    for cloud in &clouds[1..] {
        cloud.fail(On::Put, Fault::Refuses);
    }
    let mut known = Known::new();
    for key in (0..KEYS).map(|number| number.to_string()) {
        known.insert(key.clone(), content(&key, 500));
        broken.put(&key, &known[&key]).await.expect("a write");
    }
    clouds[1].recover();
    clouds[2].recover();
    clouds[1].fail(On::Anything, Fault::Hangs);
    let space = broken.space().await.id;
    let owed =
        async |bucket: usize| broken.owed_by(space, broken.stage.buckets[bucket].into()).await;
    // As often as it takes a round to find out who hangs.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while owed(2).await > 0 {
        broken.space().await.members[2].health.answered();
        healing::heal(broken.stage.services()).await.expect("debts that are paid");
        assert!(tokio::time::Instant::now() < deadline, "{} debts are left", owed(2).await);
    }
    assert_eq!(clouds[2].contents(), known);
    assert!(owed(1).await > 0);
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// What a backup keeps for a while stays there, even if somebody was about to bring it another version.
#[tokio::test]
async fn a_backup_keeps_what_is_deleted_while_it_is_healed() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "BACKUP").await;
    broken.put("a", b"old").await.expect("a write");
    broken.mend().await;
    let gate = clouds[1].hold_before(On::Head);
    broken.put("a", b"new").await.expect("a write");
    let deletes = async {
        // Somebody looks what the backup has, to bring it what it lacks.
        gate.reached().await;
        broken.stage.delete("a").await.expect("a delete").expect("what was there");
        gate.open();
    };
    let (_, ()) = tokio::join!(healing::heal(broken.stage.services()), deletes);
    for _ in 0..3 {
        broken.calm().await;
        healing::heal(broken.stage.services()).await.expect("debts that are paid");
    }
    assert_eq!(clouds[1].get("a").as_deref(), Some(&b"old"[..]));
    assert_eq!(clouds[0].get("a"), None);
    broken.mend().await;
    broken.check(&Known::new()).await;
    server.stop().await;
}

/// Two buckets that say different digests of one content: clients are told neither.
#[tokio::test]
async fn a_digest_that_buckets_do_not_agree_on_is_not_told() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    clouds[0].fail_times(1, On::Put, Fault::Corrupts);
    let object = broken.stage.put("a", b"content").await.expect("a write");
    assert!(object.etag.contains('-'), "{}", object.etag);
    assert_eq!(broken.stage.get("a").await.expect("a read"), b"content");
    broken.mend().await;
    broken.check(&Known::from([("a".to_owned(), b"content".to_vec())])).await;
    server.stop().await;
}
