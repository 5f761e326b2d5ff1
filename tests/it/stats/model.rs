//! A long random history of counting, flushing and adding up, by two servers at once, against a plain
//! sum: whatever happens in between, totals and days come out the same.

use std::collections::BTreeMap;

use repoplane::model::time::Timestamp;
use serde_json::json;

use super::{DAY, Stage, at_bucket, by_client, decimal, moved};
use crate::durability::Numbers;

const STEPS: usize = 400;
/// Days that the history goes back.
const DAYS: u64 = 20;

#[tokio::test]
async fn a_random_history_adds_up() {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    let other = stage.other_meter("other");
    let mut numbers = Numbers(5);
    let mut repos = BTreeMap::from([(stage.mirror, [0; 3]), (stage.normal, [0; 3])]);
    let mut days = BTreeMap::<_, [i64; 3]>::new();
    for _ in 0..STEPS {
        let (meter, host) =
            if numbers.below(3) == 0 { (&other, "other") } else { (stage.meter(), super::HOST) };
        match numbers.below(20) {
            0..=1 => meter.flush().await.expect("written"),
            2 => {
                let at = now.minus(DAY * u32::try_from(numbers.below(DAYS)).expect("few days"));
                meter.roll(at).await.expect("added up");
            }
            kind => {
                let minutes = u32::try_from(numbers.below(DAYS * 24 * 60)).expect("few minutes");
                let at = now.minus(DAY / (24 * 60) * minutes);
                let (up, down, change) =
                    (numbers.below(1_000), numbers.below(1_000), numbers.below(7));
                let size = i64::try_from(change).expect("small") - 3;
                let (repo, bucket) = match numbers.below(3) {
                    0 => (stage.mirror, stage.a),
                    1 => (stage.mirror, stage.b),
                    _ => (stage.normal, stage.c),
                };
                let key = Some(stage.key).filter(|_| kind % 2 == 0);
                meter.count_at(at, &by_client(repo, key), moved(up, down, size, 1));
                meter.count_at(at, &at_bucket(repo, bucket), moved(up, down, size, 1));
                let (up, down) = (up.cast_signed(), down.cast_signed());
                add(repos.get_mut(&repo).expect("known"), [up, down, size]);
                let day = (at.floor(DAY).seconds(), repo, bucket, host);
                add(days.entry(day).or_default(), [up, down, size]);
            }
        }
    }
    other.flush().await.expect("written");
    let expected: Vec<_> = repos.into_iter().map(|(id, sums)| (id, decimal(sums))).collect();
    assert_eq!(stage.repo_totals(None).await, expected);
    let found = stage.owner.read("/stats/daily").await;
    let expected: Vec<_> = days
        .into_iter()
        .map(|((timestamp, repo, bucket, host), [up, down, size])| {
            json!({"timestamp": timestamp, "repoId": repo, "bucketId": bucket, "unitId": bucket,
                "upl_bytes": up, "dwl_bytes": down, "size_change": size, "latency_ms": 1.0,
                "host": host})
        })
        .collect();
    assert_eq!(found["data"], json!(expected));
    stage.stop().await;
}

fn add(sums: &mut [i64; 3], numbers: [i64; 3]) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += number;
    }
}
