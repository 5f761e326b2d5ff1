//! How long is waited before an attempt is made again.

use std::time::Duration;

use proptest::prelude::*;
use repoplane::model::webhook::{ATTEMPTS_MAX, GIVE_UP_AFTER, LEASE};
use repoplane::service::webhooks::{rest_after, wait_after};

const LONGEST: Duration = Duration::from_hours(8);

#[test]
fn the_waits_are_those_of_the_contract() {
    let seconds: Vec<_> = (1..ATTEMPTS_MAX).map(|n| wait_after(n, 0.5).as_secs()).collect();
    assert_eq!(
        seconds,
        [
            2, 6, 18, 54, 162, 486, 1_458, 4_374, 13_122, 28_800, 28_800, 28_800, 28_800, 28_800,
            28_800
        ]
    );
    // About two days, and never more than what it is given up after.
    let (least, most) = (seconds.iter().sum::<u64>() * 3 / 4, seconds.iter().sum::<u64>() * 5 / 4);
    assert!(least > 86_400 && most < GIVE_UP_AFTER.as_secs(), "{least} {most}");
    let rests: Vec<_> = (1..=10).map(|n| rest_after(n).as_secs()).collect();
    assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert!(LEASE > repoplane::backend::webhooks::ANSWER_TIMEOUT * 2);
}

proptest! {
    /// Whatever the count and the chance: never nothing, never more than a quarter beyond the
    /// longest, and longer with each attempt for the same chance.
    #[test]
    fn a_wait_is_bounded_and_grows(attempts in any::<i64>(), chance in 0.0..=1.0_f64) {
        let wait = wait_after(attempts, chance);
        prop_assert!(wait >= Duration::from_millis(1_500) && wait <= LONGEST * 5 / 4, "{wait:?}");
        prop_assert!(wait_after(attempts.saturating_add(1), chance) >= wait);
        prop_assert!(wait_after(attempts, 0.0) <= wait && wait <= wait_after(attempts, 1.0));
        let rest = rest_after(attempts);
        prop_assert!(rest >= Duration::from_secs(1) && rest <= Duration::from_mins(5), "{rest:?}");
    }
}
