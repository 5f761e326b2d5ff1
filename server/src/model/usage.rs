//! What is counted of the traffic of storage repos, and how exactly it is kept. Numbers only: nothing
//! in here names an object.

use std::time::Duration;

use super::id::{AccessKeyId, BucketId, StorageRepoId};
use super::time::Timestamp;

/// How long usage is kept by the minute; after that the whole day becomes one row.
pub const MINUTES_KEPT: Duration = Duration::from_hours(48);
/// How long usage is kept by the day, and what was seen of buckets; older days only count in totals.
pub const DAYS_KEPT: Duration = Duration::from_hours(24 * 400);
/// Most that one flush adds to one number. More than any network carries in that time, and so little
/// that no sum of a database overflows.
pub const INCREMENT_MAX: i64 = 1 << 48;

pub const MINUTE: Duration = Duration::from_mins(1);
pub const DAY: Duration = Duration::from_hours(24);

/// Whose traffic it is. Without a bucket: what a client moved through the storage repo. With one: what
/// moved between this server and that bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metered {
    pub repo: StorageRepoId,
    pub bucket: Option<BucketId>,
    pub key: Option<AccessKeyId>,
}

/// What happened, as it is handed to the meter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Bytes to the storage repo, or to the bucket.
    pub up: u64,
    /// Bytes from it.
    pub down: u64,
    /// By how many bytes more is stored now.
    pub size_change: i64,
    pub requests: u64,
    /// Those of the requests that failed.
    pub failures: u64,
    /// How long the requests took, added up.
    pub latency: Duration,
}

/// Sums of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub up: i64,
    pub down: i64,
    pub size_change: i64,
    pub requests: i64,
    pub failures: i64,
    /// In microseconds.
    pub latency: i64,
}

/// Sums over a minute or a day of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// When the minute or the day began.
    pub at: Timestamp,
    pub what: Metered,
    pub node: String,
    pub usage: Usage,
}

/// By what rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    Minute,
    Day,
}

/// How a bucket answered one server on one day.
#[derive(Clone, Debug)]
pub struct SightDay {
    pub bucket: BucketId,
    pub node: String,
    pub region: String,
    pub version: String,
    pub day: Timestamp,
    pub checks: i64,
    pub answered: i64,
    /// Of the checks that were answered, added up, in microseconds.
    pub latency: i64,
    pub last_at: Timestamp,
    /// Of the last check, in microseconds; nothing if it was not answered.
    pub last_latency: Option<i64>,
}

impl Usage {
    pub fn add(&mut self, other: &Self) {
        let add = |ours: &mut i64, theirs: i64| *ours = ours.saturating_add(theirs);
        add(&mut self.up, other.up);
        add(&mut self.down, other.down);
        add(&mut self.size_change, other.size_change);
        add(&mut self.requests, other.requests);
        add(&mut self.failures, other.failures);
        add(&mut self.latency, other.latency);
    }

    /// No number beyond [`INCREMENT_MAX`].
    pub fn bounded(self) -> Self {
        let bounded = |number: i64| number.clamp(-INCREMENT_MAX, INCREMENT_MAX);
        Self {
            up: bounded(self.up),
            down: bounded(self.down),
            size_change: bounded(self.size_change),
            requests: bounded(self.requests),
            failures: bounded(self.failures),
            latency: bounded(self.latency),
        }
    }

    /// Bytes in both directions.
    pub fn moved(&self) -> i64 {
        self.up.saturating_add(self.down)
    }

    /// Mean time of a request; zero without requests.
    pub fn mean_latency(&self) -> Duration {
        mean(self.latency, self.requests).unwrap_or_default()
    }
}

impl From<Counted> for Usage {
    fn from(counted: Counted) -> Self {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            up: number(counted.up),
            down: number(counted.down),
            size_change: counted.size_change,
            requests: number(counted.requests),
            failures: number(counted.failures),
            latency: micros(counted.latency),
        }
    }
}

impl SightDay {
    /// Mean time of the checks that were answered, if any was.
    pub fn mean_latency(&self) -> Option<Duration> {
        mean(self.latency, self.answered)
    }

    /// Checks that were answered, in a hundred.
    pub fn uptime_percent(&self) -> f64 {
        const PARTS: i64 = 1_000_000;
        let share = self.answered.saturating_mul(PARTS) / self.checks.max(1);
        f64::from(i32::try_from(share).unwrap_or(i32::MAX)) / 10_000.0
    }
}

pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn mean(micros: i64, count: i64) -> Option<Duration> {
    let mean = micros.checked_div(count)?;
    Some(Duration::from_micros(u64::try_from(mean).unwrap_or_default()))
}
