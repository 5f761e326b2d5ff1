//! When to try again what was not delivered.

use std::time::Duration;

/// Wait after the first attempt; three times as long after each further one.
const FIRST: Duration = Duration::from_secs(2);
/// Longest wait, before it is spread.
const LONGEST: Duration = Duration::from_hours(8);
/// How much of a wait is left to chance: from 3/4 to 5/4 of it.
const SPREAD: f64 = 0.25;
/// How long a receiver is left alone that has not answered; twice as long each further time.
const REST: Duration = Duration::from_secs(1);
const REST_LONGEST: Duration = Duration::from_mins(5);

/// How long to wait after so many attempts. `chance` is 0 to 1, and spreads those that failed
/// together.
pub fn wait_after(attempts: i64, chance: f64) -> Duration {
    let tripled = u32::try_from(attempts.max(1) - 1).unwrap_or(u32::MAX);
    let wait = 3_u32.checked_pow(tripled).and_then(|times| FIRST.checked_mul(times));
    let wait = wait.map_or(LONGEST, |wait| wait.min(LONGEST));
    wait.mul_f64(1.0 + SPREAD * (2.0 * chance.clamp(0.0, 1.0) - 1.0))
}

/// How long to leave a receiver alone that has been silent so many times in a row.
pub fn rest_after(silences: i64) -> Duration {
    let doubled = u32::try_from(silences.max(1) - 1).unwrap_or(u32::MAX);
    let rest = 2_u32.checked_pow(doubled).and_then(|times| REST.checked_mul(times));
    rest.map_or(REST_LONGEST, |rest| rest.min(REST_LONGEST))
}
