//! Long work on storage repos, as people look at it. Only ever reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{Stream, unfold};

use crate::model::access::{Caller, Role};
use crate::model::id::{JobId, StorageRepoId, UserId};
use crate::model::storage_job::StorageJob;
use crate::model::storage_repo::{LIST_MAX, ListPage, Rule};
use crate::service::{Error, Result, Services, storage_repos};
use crate::store::storage_jobs;

/// How often to look whether a job that somebody follows has come further.
const POLL: Duration = Duration::from_millis(250);
/// Jobs that one user may follow at the same time, in one process.
pub const FOLLOWED_MAX: usize = 16;

/// Who follows how many jobs in this process.
#[derive(Default)]
pub struct Followers(Mutex<HashMap<UserId, usize>>);

/// The right to follow one job.
pub struct Seat {
    followers: Arc<Followers>,
    user: UserId,
}

pub async fn get(services: &Services, caller: &Caller, id: JobId) -> Result<StorageJob> {
    crate::service::access::require_account(caller)?;
    let absent = || Error::not_found("Job");
    let job = storage_jobs::get(services.store.read(), id).await?.ok_or_else(absent)?;
    let seen = storage_repos::require(services, caller, job.repo, Role::Read).await;
    seen.map_err(|error| match error {
        Error::Rule { rule: Rule::NotFound, .. } => absent(),
        other => other,
    })?;
    Ok(job)
}

/// The jobs of a storage repo, newest first; those before `cursor`, if there is one.
pub async fn list(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    cursor: Option<JobId>,
    limit: u32,
) -> Result<ListPage<StorageJob>> {
    storage_repos::require(services, caller, repo, Role::Read).await?;
    if !(1..=LIST_MAX).contains(&limit) {
        let message = format!("limit: must be 1 to {LIST_MAX}");
        return Err(Error::invalid_at(&["query", "limit"], message));
    }
    let rows = i64::from(limit) + 1;
    let found = storage_jobs::list(services.store.read(), repo, cursor, rows).await?;
    Ok(ListPage::new(found, limit))
}

/// A job as it is now, and whenever it has come further. Ends with the job, and when the server stops
/// or the caller may not look any more.
pub async fn follow(
    services: &Arc<Services>,
    caller: &Caller,
    id: JobId,
) -> Result<impl Stream<Item = StorageJob> + Send + use<>> {
    let first = get(services, caller, id).await?;
    let seat = Seat::take(&services.followers, caller.user)?;
    let (services, caller) = (services.clone(), caller.clone());
    let begin = (Some(first), None::<StorageJob>, services, caller, seat);
    Ok(unfold(begin, async |(next, last, services, caller, seat)| {
        if let Some(job) = next {
            return Some((job.clone(), (None, Some(job), services, caller, seat)));
        }
        let last = last?;
        if last.state.is_finished() {
            return None;
        }
        let job = further(&services, &caller, &last).await?;
        Some((job.clone(), (None, Some(job), services, caller, seat)))
    }))
}

/// Waits until there is news of a job; nothing, if nobody is to wait any longer.
async fn further(services: &Services, caller: &Caller, last: &StorageJob) -> Option<StorageJob> {
    loop {
        tokio::time::sleep(POLL).await;
        if services.is_stopping() {
            return None;
        }
        match get(services, caller, last.id).await {
            Ok(job) if job.is_news(last) => return Some(job),
            Ok(_) => {}
            Err(error) => {
                tracing::info!(job = %last.id, %error, "a job is not followed any longer");
                return None;
            }
        }
    }
}

impl Seat {
    pub fn take(followers: &Arc<Followers>, user: UserId) -> Result<Self> {
        {
            let mut taken = followers.0.lock().unwrap_or_else(PoisonError::into_inner);
            let seats = taken.entry(user).or_default();
            if *seats >= FOLLOWED_MAX {
                let message = format!(
                    "You follow {FOLLOWED_MAX} jobs, which is the most. End one of the streams first."
                );
                return Err(Error::rule(Rule::QuotaExceeded, message));
            }
            *seats += 1;
        }
        Ok(Self { followers: followers.clone(), user })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.followers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = taken.get_mut(&self.user) {
            *seats -= 1;
            if *seats == 0 {
                taken.remove(&self.user);
            }
        }
    }
}
