//! Totals and rows of usage. What a caller cannot see is not in any answer, and not in any sum.

use uuid::Uuid;

use crate::model::access::Caller;
use crate::model::stats::{AnyOf, DAYS_DEFAULT, Group, MINUTES_DEFAULT, Question, ROWS_MAX};
use crate::model::time::Timestamp;
use crate::model::usage::{DAY, MINUTE, Usage};
use crate::service::{Error, Result, Services, access};
use crate::store::usage::{self, Of};
use crate::store::usage_groups;

/// A moment, or a whole day.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub at: Timestamp,
    pub whole_day: bool,
}

/// From when until when, both included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Between {
    pub start: Option<Moment>,
    pub end: Option<Moment>,
}

/// Which rows of usage to answer. Rows have to be of one of the ids, and of one of the nodes.
pub struct RowsWanted {
    pub between: Between,
    pub any_of: AnyOf,
    pub nodes: Option<Vec<String>>,
    pub by_day: bool,
}

/// What clients moved through each storage repo, ever.
pub async fn of_repos(
    services: &Services,
    caller: &Caller,
    only: Option<Vec<Uuid>>,
) -> Result<Vec<(Uuid, Usage)>> {
    totals(services, caller, Of::Repos, only).await
}

/// What moved between servers and each bucket, ever.
pub async fn of_buckets(
    services: &Services,
    caller: &Caller,
    only: Option<Vec<Uuid>>,
) -> Result<Vec<(Uuid, Usage)>> {
    totals(services, caller, Of::Buckets, only).await
}

async fn totals(
    services: &Services,
    caller: &Caller,
    of: Of,
    only: Option<Vec<Uuid>>,
) -> Result<Vec<(Uuid, Usage)>> {
    access::require_account(caller)?;
    services.meter.flush().await?;
    Ok(usage::totals(services.store.read(), caller, of, only.as_deref()).await?)
}

/// Usage by the minute or by the day, of each bucket in each storage repo.
pub async fn rows(services: &Services, caller: &Caller, wanted: RowsWanted) -> Result<Vec<Group>> {
    access::require_account(caller)?;
    let (step, default) = match wanted.by_day {
        true => (DAY, DAYS_DEFAULT),
        false => (MINUTE, MINUTES_DEFAULT),
    };
    let (from, until) = wanted.between.resolve(step, default)?;
    let question = Question {
        any_of: wanted.any_of,
        nodes: wanted.nodes,
        ..Question::of_members(from, until, wanted.by_day)
    };
    ask(services, caller, &question).await
}

/// The groups of a question, of all that this server has counted.
pub async fn ask(services: &Services, caller: &Caller, question: &Question) -> Result<Vec<Group>> {
    access::require_account(caller)?;
    services.meter.flush().await?;
    let found = usage_groups::list(services.store.read(), caller, question).await?;
    check_length(found.len())?;
    Ok(found)
}

/// Refuses an answer that was cut off.
pub fn check_length(rows: usize) -> Result<()> {
    if rows <= ROWS_MAX as usize {
        return Ok(());
    }
    let message = format!(
        "The answer would have more than {ROWS_MAX} rows. Ask for less time, or name fewer ids."
    );
    Err(Error::invalid_at(&["query"], message))
}

impl Between {
    /// Whole steps; what is not given is `default` before the end, and now.
    pub fn resolve(
        self,
        step: std::time::Duration,
        default: std::time::Duration,
    ) -> Result<(Timestamp, Timestamp)> {
        let until = match self.end {
            None => Timestamp::now().floor(step).plus(step),
            Some(end) if end.whole_day => end.at.plus(DAY),
            Some(end) => end.at.floor(step).plus(step),
        };
        let from = self.start.map_or(until.minus(default), |start| start.at.floor(step));
        if from < until {
            return Ok((from, until));
        }
        let message = "startDate: must not be after endDate, which is now unless it is given";
        Err(Error::invalid_at(&["query", "startDate"], message))
    }
}
