//! Imports: source repos that are made from repositories elsewhere while nobody waits. The process
//! that takes one works on it to the end; if it stops before that, no repo was made. How one ends
//! is what is written down first, by whichever process.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{Stream, unfold};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::model::access::{Caller, Role};
use crate::model::git_source::{Phase, Progress};
use crate::model::id::ImportId;
use crate::model::source_import::{CANCELLED, IMPORTS_MAX, KEPT, LOST, PULSE, SourceImport};
use crate::model::source_repo::SourceRepo;
use crate::model::storage_job::JobState;
use crate::model::time::Timestamp;
use crate::service::source_create::{NewRepo, Source, make, prepare};
use crate::service::source_fetch::Waiting;
use crate::service::storage_jobs::Seat;
use crate::service::{Error, Result, Services, access};
use crate::store::source_imports;

/// How often to look whether one has come further.
const LOOK: Duration = Duration::from_millis(250);

/// Those of this process.
#[derive(Default)]
pub struct Imports(TaskTracker);

impl Imports {
    /// Waits for the end of all of them. They end soon once the server is stopping.
    pub async fn close(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

/// Begins an import, as soon as the caller is known to be allowed to make the repo.
pub async fn start(
    services: &Arc<Services>,
    caller: &Caller,
    new: NewRepo,
) -> Result<SourceImport> {
    let repo = prepare(services, caller, &new).await?;
    let Source::Git(source) = &new.source else {
        let message = "Only what is elsewhere is imported. Create the repo with `POST /v1/repo`.";
        return Err(Error::invalid("source", message));
    };
    if let Err(error) = services.fetcher.check(&source.remote.url).await {
        return Err(Error::invalid_at(&["body", "source", "url"], format!("url: {error}")));
    }
    if services.imports.0.len() >= IMPORTS_MAX {
        let message = format!(
            "The server has {IMPORTS_MAX} imports under way, which is the most. Try again later."
        );
        return Err(Error::Unavailable(message));
    }
    let import = SourceImport::new(repo.org, repo.workspace);
    let mut tx = services.store.begin().await?;
    source_imports::forget(&mut *tx, import.created_at.minus(KEPT)).await?;
    source_imports::insert(&mut *tx, &import).await?;
    tx.commit().await?;
    let run = run(services.clone(), caller.clone(), import.id, repo, new.source);
    services.imports.0.spawn(run);
    Ok(import)
}

/// Works on one to its end.
async fn run(
    services: Arc<Services>,
    caller: Caller,
    id: ImportId,
    mut repo: SourceRepo,
    source: Source,
) {
    let progress = watch::Sender::new(Progress::default());
    let waiting = Waiting {
        total: services.fetcher.bounds.total,
        progress: progress.clone(),
        advice: "Import less of its history.",
    };
    let made = async {
        loop {
            let source = source.clone();
            match make(&services, &caller, &mut repo, source, &waiting, Some(id)).await {
                // Its turn comes.
                Err(Error::Unavailable(_)) => tokio::time::sleep(LOOK).await,
                other => return other,
            }
        }
    };
    let ended = tokio::select! {
        ended = made => ended.map_err(|error| told(id, &error)),
        () = report(&services, id, progress.subscribe()) => Err(LOST.to_owned()),
    };
    let Err(message) = ended else { return };
    let (db, state, now) = (services.store.write_now(), JobState::Failed, Timestamp::now());
    if let Err(error) = source_imports::end(db, id, state, &message, now).await {
        // It counts as failed once it has been silent for long enough.
        tracing::warn!(import = %id, %error, "the end of an import cannot be written down");
    }
}

/// Why an import failed, for people; what is nobody's business goes to the log.
fn told(id: ImportId, error: &Error) -> String {
    match error {
        Error::Internal(cause) | Error::Unreachable(cause) => {
            tracing::error!(import = %id, error = %cause, "an import failed");
            format!("Internal error. The server's log has the cause under import {id}.")
        }
        other => other.to_string(),
    }
}

/// Writes down how far an import has come, until the server stops or the import is ended from outside.
async fn report(services: &Services, id: ImportId, progress: watch::Receiver<Progress>) {
    let (mut last, mut at) = (Progress::default(), Timestamp::now());
    while !services.is_stopping() {
        tokio::time::sleep(LOOK).await;
        let (now, present) = (Timestamp::now(), *progress.borrow());
        let store = &services.store;
        let is_due = present != last || at.plus(PULSE) <= now;
        let is_under_way = if is_due {
            source_imports::advance(store.write_now(), id, present, now).await
        } else {
            source_imports::is_under_way(store.read(), id).await
        };
        match is_under_way {
            Ok(true) if is_due => (last, at) = (present, now),
            Ok(true) => {}
            // What is being stored finds out by itself, and takes it away again.
            Ok(false) if progress.borrow().phase == Phase::Storing => std::future::pending().await,
            Ok(false) => return,
            Err(error) => tracing::warn!(import = %id, %error, "progress cannot be written down"),
        }
    }
}

pub async fn get(services: &Services, caller: &Caller, id: ImportId) -> Result<SourceImport> {
    access::require_account(caller)?;
    let absent = || Error::not_found("Import");
    let found = source_imports::get(services.store.read(), caller.org, id).await?;
    let import = found.ok_or_else(absent)?;
    let seen = access::require_workspace(&services.store, caller, import.workspace, Role::Read);
    seen.await.map_err(|error| match error {
        Error::NotFound(_) => absent(),
        other => other,
    })?;
    Ok(import.seen_at(Timestamp::now()))
}

/// Ends an import without a repo. Whoever works on it finds out soon and takes away what it has begun.
pub async fn cancel(services: &Services, caller: &Caller, id: ImportId) -> Result<SourceImport> {
    let import = get(services, caller, id).await?;
    access::require_workspace(&services.store, caller, import.workspace, Role::Write).await?;
    if !import.state.is_finished() {
        let (db, now) = (services.store.write_now(), Timestamp::now());
        source_imports::end(db, id, JobState::Cancelled, CANCELLED, now).await?;
    }
    // It may have ended otherwise meanwhile.
    let import = get(services, caller, id).await?;
    if import.state == JobState::Cancelled {
        return Ok(import);
    }
    let state = import.state.as_str();
    let message = format!("The import has ended before and is `{state}`. Nothing was changed.");
    Err(Error::Conflict { message, current_head: None })
}

/// An import as it is now, and whenever it has come further. Ends with the import, and when the server
/// stops or the caller may not look any more.
pub async fn follow(
    services: &Arc<Services>,
    caller: &Caller,
    id: ImportId,
) -> Result<impl Stream<Item = SourceImport> + Send + use<>> {
    let first = get(services, caller, id).await?;
    let seat = Seat::take(&services.followers, caller.user)?;
    let (services, caller) = (services.clone(), caller.clone());
    let begin = (Some(first), None::<SourceImport>, services, caller, seat);
    Ok(unfold(begin, async |(next, last, services, caller, seat)| {
        let now = match (next, last) {
            (Some(first), _) => first,
            (None, Some(last)) if !last.state.is_finished() => {
                further(&services, &caller, &last).await?
            }
            _ => return None,
        };
        Some((now.clone(), (None, Some(now), services, caller, seat)))
    }))
}

/// Waits until there is news; nothing, if nobody is to wait any longer.
async fn further(
    services: &Services,
    caller: &Caller,
    last: &SourceImport,
) -> Option<SourceImport> {
    loop {
        tokio::time::sleep(LOOK).await;
        match get(services, caller, last.id).await {
            Ok(import) if import.is_news(last) => return Some(import),
            Ok(_) if services.is_stopping() => return None,
            Ok(_) => {}
            Err(error) => {
                tracing::info!(import = %last.id, %error, "an import is not followed any longer");
                return None;
            }
        }
    }
}
