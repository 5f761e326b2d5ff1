//! What can be asked of statistics: windows of time, how finely they are cut, and by what they are
//! broken down.

use std::time::Duration;

use super::id::{AccessKeyId, BucketId, StorageRepoId, WorkspaceId};
use super::time::Timestamp;
use super::usage::{DAY, MINUTE, Usage};

/// Most rows of one answer.
pub const ROWS_MAX: u32 = 50_000;
/// Most ids of one list.
pub const IDS_MAX: usize = 100;
/// Most entities of one page of a breakdown, and the default.
pub const ENTITIES_MAX: u32 = 100;
/// How many days are answered if nobody says.
pub const DAYS_DEFAULT: Duration = Duration::from_hours(24 * 30);
/// How many minutes are answered if nobody says.
pub const MINUTES_DEFAULT: Duration = Duration::from_hours(24);

/// Whose usage is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Org,
    Workspace,
    Repo,
}

/// How far back, up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Day,
    Week,
    Month,
    Quarter,
    HalfYear,
    Year,
}

/// Into what pieces a window is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    FiveMinutes,
    TenMinutes,
    Hour,
    SixHours,
    TwelveHours,
    Day,
}

/// A window of time, cut into slots that begin at whole multiples of their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: Timestamp,
    /// Where the last slot ends; now is in that slot.
    pub end: Timestamp,
    pub slot: Slot,
}

/// By what usage is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facet {
    /// Not at all.
    Whole,
    Workspaces,
    Repos,
    Buckets,
    Providers,
    Nodes,
    /// By storage repo, bucket and node.
    Members,
}

/// Which rows to add up, and into what groups. All that is given must hold.
#[derive(Clone, Debug)]
pub struct Question {
    pub facet: Facet,
    /// What moved between servers and buckets, instead of what clients moved.
    pub at_buckets: bool,
    pub from: Timestamp,
    pub until: Timestamp,
    /// Length of the pieces of time; nothing for one piece.
    pub slot: Option<Duration>,
    pub workspace: Option<WorkspaceId>,
    pub repo: Option<StorageRepoId>,
    pub key: Option<AccessKeyId>,
    pub any_of: AnyOf,
    pub nodes: Option<Vec<String>>,
}

/// Rows of one of these storage repos or one of these buckets; all if neither is given.
#[derive(Clone, Debug, Default)]
pub struct AnyOf {
    pub repos: Option<Vec<StorageRepoId>>,
    pub buckets: Option<Vec<BucketId>>,
}

/// Usage of one group in one piece of time.
#[derive(Clone, Debug)]
pub struct Group {
    pub at: Timestamp,
    /// What tells the group from others; how many there are depends on the facet.
    pub by: [String; 3],
    pub usage: Usage,
}

impl Window {
    pub const fn length(self) -> Duration {
        Duration::from_hours(
            24 * match self {
                Self::Day => 1,
                Self::Week => 7,
                Self::Month => 30,
                Self::Quarter => 90,
                Self::HalfYear => 180,
                Self::Year => 365,
            },
        )
    }

    pub const fn default_slot(self) -> Slot {
        match self {
            Self::Day => Slot::TenMinutes,
            _ => Slot::Day,
        }
    }

    /// Minutes are not kept for longer than the shortest window.
    pub fn allows(self, slot: Slot) -> bool {
        matches!((self, slot), (Self::Day, _) | (_, Slot::Day))
    }
}

impl Slot {
    pub const fn length(self) -> Duration {
        match self {
            Self::FiveMinutes => Duration::from_mins(5),
            Self::TenMinutes => Duration::from_mins(10),
            Self::Hour => Duration::from_hours(1),
            Self::SixHours => Duration::from_hours(6),
            Self::TwelveHours => Duration::from_hours(12),
            Self::Day => DAY,
        }
    }
}

impl Span {
    pub fn new(window: Window, slot: Slot, now: Timestamp) -> Self {
        let end = now.floor(slot.length()).plus(slot.length());
        Self { start: end.minus(window.length()), end, slot }
    }

    /// When each slot begins.
    pub fn slots(self) -> impl Iterator<Item = Timestamp> {
        let next = move |at: &Timestamp| Some(at.plus(self.slot.length()));
        std::iter::successors(Some(self.start), next).take_while(move |at| *at < self.end)
    }
}

impl Question {
    /// Whether its answer can hold rows by the day, which begin at midnight.
    pub fn fits_days(&self) -> bool {
        self.slot.is_none_or(|slot| slot >= DAY)
    }

    /// Rows by the minute or by the day, told apart by storage repo, bucket and node.
    pub fn of_members(from: Timestamp, until: Timestamp, by_day: bool) -> Self {
        Self {
            facet: Facet::Members,
            at_buckets: true,
            from,
            until,
            slot: Some(if by_day { DAY } else { MINUTE }),
            workspace: None,
            repo: None,
            key: None,
            any_of: AnyOf::default(),
            nodes: None,
        }
    }
}

/// What there is to say of many values at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    pub total: i64,
    pub mean: f64,
    /// Standard deviation; the values are all there are, not a sample.
    pub deviation: f64,
    pub least: i64,
    pub most: i64,
    pub p10: i64,
    pub p50: i64,
    pub p90: i64,
}

impl Summary {
    pub fn of(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        let (Some(least), Some(most)) = (values.first(), values.last()) else {
            return Self::default();
        };
        // The smallest value that at least so many in a hundred do not exceed.
        let percentile = |hundredths: usize| {
            let place = (values.len() * hundredths).div_ceil(100).max(1);
            values[place - 1]
        };
        let total = values.iter().fold(0_i64, |sum, value| sum.saturating_add(*value));
        let count = real(i64::try_from(values.len()).unwrap_or(i64::MAX));
        let mean = real(total) / count;
        let squares: f64 = values.iter().map(|value| (real(*value) - mean).powi(2)).sum();
        Self {
            total,
            mean,
            deviation: (squares / count).sqrt(),
            least: *least,
            most: *most,
            p10: percentile(10),
            p50: percentile(50),
            p90: percentile(90),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "means need not be exact beyond 2^53")]
fn real(number: i64) -> f64 {
    number as f64
}
