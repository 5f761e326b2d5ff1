//! Exact search in the files of a source repo.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::backend::git::blobs::Blobs;
use crate::backend::git::grep::{self, Pattern, Place, Until};
use crate::backend::git::objects::ObjectSource as _;
use crate::model::access::{Caller, Role};
use crate::model::edit::CommitId;
use crate::model::history::{GrepMatch, PATTERN_CHARS_MAX};
use crate::model::id::SourceRepoId;
use crate::model::source_ref::Revision;
use crate::service::source_history::{Page, bad_cursor};
use crate::service::source_index::{self, Indexes};
use crate::service::source_reading::read;
use crate::service::source_repos::require;
use crate::service::{Error, Result, Services};

/// Searches of this process at a time: each may use every core.
const SEARCHES_MAX: usize = 4;
/// How long a search may wait for its turn ...
const TURN: Duration = Duration::from_secs(10);
/// ... and how long one request may then look, before it answers what it has.
pub(super) const TIME: Duration = Duration::from_secs(5);

/// What the searches of this process share.
pub struct Searches {
    pub(super) blobs: Arc<Blobs>,
    pub indexes: Indexes,
    turns: Semaphore,
}

impl Searches {
    pub fn new(bounds: source_index::Bounds) -> Self {
        let turns = Semaphore::new(SEARCHES_MAX);
        Self { blobs: Arc::default(), indexes: Indexes::new(bounds), turns }
    }

    /// Drops what this process remembers of a repo.
    pub fn forget(&self, repo: SourceRepoId) {
        self.blobs.forget(repo);
        self.indexes.forget(repo);
    }

    /// Waits until this process searches for few enough others.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        turn.map_err(|_| busy())?.map_err(Error::internal)
    }
}

/// What to look for, and where.
pub struct Asked {
    pub at: Option<Revision>,
    pub pattern: String,
    pub regex: bool,
    pub ignore_case: bool,
    /// Only files whose paths fit.
    pub glob: Option<String>,
    pub cursor: Option<String>,
    pub limit: usize,
}

/// Lines that match, in the order of paths and lines, and the commit they are of.
pub async fn grep(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    asked: Asked,
) -> Result<(CommitId, Page<GrepMatch>)> {
    let repo = require(services, caller, id, Role::Read).await?;
    let begin = asked.cursor.as_deref().map(place_of).transpose()?;
    let at = begin.map(|(commit, _)| Revision::Id(commit)).or_else(|| asked.at.clone());
    let from = begin.map_or(Place::default(), |(_, place)| place);
    let pattern = compile(&asked)?;
    let searches = &services.searches;
    let _turn = searches.turn().await?;
    let blobs = searches.blobs.clone();
    let matches = asked.limit;
    read(services, &repo, at, move |cache, commit| {
        let root = cache.read(&commit.into())?.root_tree()?;
        let until = Until { matches, deadline: Instant::now() + TIME };
        let (items, next) = grep::grep((id, &blobs), &**cache, root, &pattern, from, until)?;
        let next = next.map(|place| format!("{commit}.{}.{}", place.file, place.line));
        Ok(Ok((commit, Page { items, next })))
    })
    .await
}

fn compile(asked: &Asked) -> Result<Pattern> {
    for (field, text) in [("pattern", Some(&asked.pattern)), ("path", asked.glob.as_ref())] {
        let chars = text.map_or(1, |text| text.chars().count());
        if !(1..=PATTERN_CHARS_MAX).contains(&chars) {
            let message = format!("{field}: must have 1 to {PATTERN_CHARS_MAX} characters");
            return Err(Error::invalid_at(&["query", field], message));
        }
    }
    let glob = asked.glob.as_deref();
    Pattern::new(&asked.pattern, asked.regex, asked.ignore_case, glob).map_err(|error| {
        let message = format!("pattern: is no regular expression that can be used: {error}");
        Error::invalid_at(&["query", "pattern"], message)
    })
}

fn place_of(cursor: &str) -> Result<(CommitId, Place)> {
    let mut parts = cursor.split('.');
    let (Some(commit), Some(file), Some(line), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad_cursor());
    };
    let commit = commit.parse().map_err(|_| bad_cursor())?;
    let file = file.parse().map_err(|_| bad_cursor())?;
    let line = line.parse().map_err(|_| bad_cursor())?;
    Ok((commit, Place { file, line }))
}

fn busy() -> Error {
    Error::Unavailable("The server is busy with other searches. Try again in 1 s.".into())
}
