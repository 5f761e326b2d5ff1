//! Reads while one bucket fails, or holds something else than it should.

use repoplane::service::objects::ObjectError;

use super::stage::{Broken, Known, brief, content};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, FaultyCloud, On};

/// What happens to an object behind our back.
type Harm = (&'static str, fn(&FaultyCloud, &str));

const HARMS: [Harm; 6] = [
    ("lost", |cloud, key| cloud.lose(key)),
    ("rotten", |cloud, key| cloud.rot(key)),
    ("shorter", |cloud, key| cloud.shorten(key)),
    ("another", |cloud, key| cloud.swap(key, b"another", false)),
    ("another, marked", |cloud, key| cloud.swap(key, b"another", true)),
    ("as long, marked", |cloud, key| {
        let other = vec![7; cloud.get(key).expect("an object").len()];
        cloud.swap(key, &other, true);
    }),
];

/// Reads until it works. What is too large to be checked first may break off once.
async fn read(broken: &Broken<'_>, key: &str, known: &Known) {
    let mut read = broken.stage.get(key).await;
    if read.is_err() && known[key].len() > 256 * 1024 {
        read = broken.stage.get(key).await;
    }
    let good = read.as_ref().is_ok_and(|read| *read == known[key]);
    assert!(good, "{key}: {:?}", brief(&read));
}

#[tokio::test]
async fn downloads_that_fail_are_served_by_somebody_else() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let faults = [
        Fault::Refuses,
        Fault::Hangs,
        Fault::Cuts(0),
        Fault::Cuts(500),
        Fault::Stalls(500),
        Fault::Corrupts,
        Fault::Truncates,
    ];
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        for fault in &faults {
            for size in [1_000, 300_000] {
                let key = format!("{member}/{fault:?}/{size}");
                broken.calm().await;
                known.insert(key.clone(), content(&key, size));
                broken.put(&key, &known[&key]).await.expect("a write");
                cloud.fail(On::Get, fault.clone());
                read(&broken, &key, &known).await;
                cloud.recover();
                cloud.fall();
                // The other one has it too, unless it was the one to be doubted: then nobody does.
                let read = broken.stage.get(&key).await;
                assert!(read.is_err() || read.is_ok_and(|read| read == known[&key]), "{key}");
                cloud.recover();
            }
        }
    }
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

#[tokio::test]
async fn what_was_harmed_is_never_served_and_is_mended() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let mut known = Known::new();
    for (member, cloud) in clouds.iter().enumerate() {
        for (name, harm) in HARMS {
            for size in [1_000, 300_000] {
                let key = format!("{member}/{name}/{size}");
                known.insert(key.clone(), content(&key, size));
                broken.put(&key, &known[&key]).await.expect("a write");
                harm(cloud, &key);
                read(&broken, &key, &known).await;
            }
        }
    }
    broken.scrub(true).await;
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// A byte that flips on its way takes nothing from the only copy.
#[tokio::test]
async fn the_only_copy_survives_a_bad_download() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    let mut known = Known::new();
    for size in [1_000, 300_000] {
        let key = size.to_string();
        known.insert(key.clone(), content(&key, size));
        broken.put(&key, &known[&key]).await.expect("a write");
        let turns = broken.unhealed().await;
        clouds[0].fail_times(1, On::Get, Fault::Corrupts);
        broken.stage.get(&key).await.expect_err("a damaged content");
        drop(turns);
    }
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// The only copy is damaged: it is never served, and what is written in its place is.
#[tokio::test]
async fn what_is_damaged_for_good_is_not_served() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    broken.put("a", b"content").await.expect("a write");
    clouds[0].rot("a");
    for _ in 0..3 {
        let read = broken.stage.get("a").await;
        assert!(matches!(read, Err(ObjectError::Unavailable(_))), "{read:?}");
    }
    broken.put("a", b"another").await.expect("a write");
    assert_eq!(broken.stage.get("a").await.expect("a read"), b"another");
    broken.mend().await;
    broken.check(&Known::from([("a".to_owned(), b"another".to_vec())])).await;
    server.stop().await;
}

/// The only bucket of a NORMAL repo is the truth, whoever writes to it.
#[tokio::test]
async fn an_independent_bucket_is_followed() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    for key in ["kept", "changed", "lost"] {
        broken.put(key, b"old").await.expect("a write");
    }
    clouds[0].swap("changed", b"changed", false);
    clouds[0].swap("new", b"new", false);
    clouds[0].lose("lost");
    broken.scrub(false).await;
    broken.mend().await;
    let known = [("kept", "old"), ("changed", "changed"), ("new", "new")];
    let known = known.map(|(key, content)| (key.to_owned(), content.as_bytes().to_vec()));
    broken.check(&known.into()).await;
    server.stop().await;
}
