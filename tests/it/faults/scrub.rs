//! A survey that reads finds every fault there is, and what has another copy is mended.

use super::stage::{Broken, Known, content};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, FaultyCloud, On};

const FAULTS: usize = 100;

type Harm = fn(&FaultyCloud, &str);

const HARMS: [Harm; 6] = [
    |cloud, key| cloud.lose(key),
    |cloud, key| cloud.rot(key),
    |cloud, key| cloud.shorten(key),
    |cloud, key| cloud.swap(key, b"another", false),
    |cloud, key| cloud.swap(key, b"another", true),
    |cloud, key| {
        let other = vec![7; cloud.get(key).expect("an object").len()];
        cloud.swap(key, &other, true);
    },
];

async fn filled(broken: &Broken<'_>) -> Known {
    let mut known = Known::new();
    for number in 0..FAULTS * 2 {
        let key = format!("{number:03}");
        known.insert(key.clone(), content(&key, 200 + number));
        broken.put(&key, &known[&key]).await.expect("a write");
    }
    known
}

#[tokio::test]
async fn all_faults_of_a_mirror_are_found_and_mended() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let known = filled(&broken).await;
    for (number, key) in known.keys().take(FAULTS).enumerate() {
        HARMS[number % HARMS.len()](&clouds[number % 2], key);
    }
    assert_eq!(broken.scrub(true).await, i64::try_from(FAULTS).expect("a number"));
    broken.mend().await;
    broken.check(&known).await;
    assert_eq!(broken.scrub(true).await, 0);
    server.stop().await;
}

/// Without reading, what a list tells is enough for all but what rots under its old digest.
#[tokio::test]
async fn a_list_tells_of_all_that_was_written_behind_our_back() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let known = filled(&broken).await;
    let (mut harmed, rot) = (0, 1);
    for (number, key) in known.keys().take(FAULTS).enumerate() {
        if number % HARMS.len() != rot {
            HARMS[number % HARMS.len()](&clouds[number % 2], key);
            harmed += 1;
        }
    }
    assert_eq!(broken.scrub(false).await, harmed);
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// One object that never comes whole does not keep a survey from all that is behind it.
#[tokio::test]
async fn a_survey_goes_on_behind_what_cannot_be_read() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let known = filled(&broken).await;
    let turns = broken.unhealed().await;
    clouds[0].fail_times(3, On::Get, Fault::Cuts(10));
    assert_eq!(broken.scrub(true).await, 3);
    drop(turns);
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

/// A cloud that lists what was there a while ago is not believed.
#[tokio::test]
async fn a_list_that_is_out_of_date_does_no_harm() {
    for (mode, buckets) in [("NORMAL", 1), ("MIRROR", 2)] {
        let (server, clouds) = Server::beside_faulty_clouds(buckets).await;
        let broken = Broken::over(&server, &clouds, mode).await;
        let mut known = Known::new();
        for key in ["changed", "deleted", "kept"] {
            known.insert(key.to_owned(), content(key, 100));
            broken.put(key, &known[key]).await.expect("a write");
        }
        clouds.iter().for_each(|cloud| cloud.list_only_this());
        broken.stage.delete("deleted").await.expect("a delete");
        known.remove("deleted");
        for key in ["changed", "new"] {
            known.insert(key.to_owned(), content(key, 200));
            broken.put(key, &known[key]).await.expect("a write");
        }
        broken.scrub(true).await;
        broken.mend().await;
        broken.check(&known).await;
        server.stop().await;
    }
}

/// What is written while a bucket is listed is no fault of the bucket.
#[tokio::test]
async fn a_survey_finds_nothing_odd_in_what_comes_meanwhile() {
    for (mode, buckets) in [("NORMAL", 1), ("MIRROR", 2)] {
        let (server, clouds) = Server::beside_faulty_clouds(buckets).await;
        let broken = Broken::over(&server, &clouds, mode).await;
        for key in ["changed", "deleted"] {
            broken.put(key, b"old").await.expect("a write");
        }
        // By now the catalog has been read.
        let gate = clouds[0].hold_before(On::List);
        let writes = async {
            gate.reached().await;
            broken.stage.delete("deleted").await.expect("a delete");
            for key in ["changed", "new"] {
                broken.put(key, b"newer").await.expect("a write");
            }
            gate.open();
        };
        let (found, ()) = tokio::join!(broken.scrub(false), writes);
        assert_eq!(found, 0, "{mode}");
        server.stop().await;
    }
}
