//! Who is healed when, while others cannot be.

use repoplane::model::time::Timestamp;
use repoplane::service::objects::healing;
use repoplane::store::debts::{self, Note};

use super::stage::{Broken, Known, content};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

/// A bucket that hangs keeps nobody else from being healed, however much there is to heal.
#[tokio::test]
async fn a_bucket_that_hangs_does_not_keep_others_ill() {
    const KEYS: usize = 400;
    const ROUNDS: usize = 3;
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
    // The server heals as well; but round by round, neither would be done soon.
    for _ in 0..ROUNDS {
        broken.space().await.members[2].health.answered();
        healing::heal(broken.stage.services()).await.expect("debts that are paid");
    }
    let left = owed(2).await;
    assert!(left < KEYS as u64 / 4, "{left} debts are left");
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

/// As above, for what the healer has in hand and has not come to yet.
#[tokio::test]
async fn a_backup_keeps_what_is_deleted_before_it_is_healed() {
    /// What is healed at once, and what waits for it.
    const KEYS: usize = 8 + 4;
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "BACKUP").await;
    let keys: Vec<_> = (0..KEYS).map(|number| number.to_string()).collect();
    let known: Known = keys.iter().map(|key| (key.clone(), b"old".to_vec())).collect();
    for key in &keys {
        broken.put(key, b"old").await.expect("a write");
    }
    broken.mend().await;
    clouds[1].fall();
    for key in &keys {
        broken.put(key, b"new").await.expect("a write");
    }
    clouds[1].recover();
    let gates: Vec<_> = (0..8).map(|_| clouds[1].hold_before(On::Head)).collect();
    let space = broken.space().await.id;
    let mut tx = server.services().store.begin().await.expect("a transaction");
    debts::release_held(&mut tx, space, Timestamp::now()).await.expect("debts");
    tx.commit().await.expect("a commit");
    broken.calm().await;
    let deletes = async {
        futures::future::join_all(gates.iter().map(|gate| gate.reached())).await;
        for key in &keys {
            broken.stage.delete(key).await.expect("a delete").expect("what was there");
        }
        gates.iter().for_each(|gate| gate.open());
    };
    let (healed, ()) = tokio::join!(healing::heal(server.services()), deletes);
    healed.expect("debts that are paid");
    // Whoever has them in hand is done with them when the server has stopped.
    server.stop().await;
    assert_eq!(clouds[1].contents(), known);
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

/// That a copy is damaged is not forgotten because something else is owed as well.
#[tokio::test]
async fn a_debt_stays_one_of_a_damaged_copy() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    let (space, bucket) = (broken.space().await.id, broken.stage.buckets[0].into());
    let now = Timestamp::now();
    for (notes, damaged) in [
        ([Note::Damaged, Note::Due(now)], true),
        ([Note::Due(now), Note::Damaged], true),
        ([Note::Due(now), Note::IfNone], false),
    ] {
        let mut tx = server.services().store.begin().await.expect("a transaction");
        for note in notes {
            debts::set(&mut tx, (space, "a"), bucket, note).await.expect("a debt");
        }
        let later = now.plus(std::time::Duration::from_secs(1));
        let claimed = debts::claim(&mut *tx, bucket, later, 1).await.expect("debts");
        assert_eq!(claimed[0].damaged, damaged, "{notes:?}");
        debts::clear(&mut tx, (space, "a"), bucket).await.expect("no debt");
        tx.commit().await.expect("a commit");
    }
    server.stop().await;
}
