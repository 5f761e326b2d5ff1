//! Brings what repositories elsewhere hold into source repos: fetched first, then merged and made
//! durable as a push is. It must never leave anything of a fetch that came to nothing.

use std::sync::Arc;
use std::time::Duration;

use gix::ObjectId;
use gix::objs::Kind;
use tokio::io::BufReader;
use tokio::sync::watch;

use crate::backend::git::cache::Cache;
use crate::backend::git::diff;
use crate::backend::git::fetch::{FetchError, Fetched, Place};
use crate::backend::git::merge::{Relation, relation};
use crate::backend::git::objects::{HASH, Object, ObjectError, ObjectSource, Objects};
use crate::backend::git::read::peel;
use crate::backend::git::receive::{ReceiveError, Received, receive};
use crate::model::access::{Caller, Role};
use crate::model::edit::{self, CommitId, Edit, Identity};
use crate::model::git_source::{CUTS_MAX, Progress, Start, Wanted};
use crate::model::id::SourceRepoId;
use crate::model::push::RefUpdate;
use crate::model::source_ref::BranchName;
use crate::model::source_repo::{DEFAULT_BRANCH, Metadata};
use crate::model::time::Timestamp;
use crate::service::edits::apply::{EditError, Outcome, Stamp, apply};
use crate::service::edits::push::Order;
use crate::service::edits::{Edited, blocking, committer};
use crate::service::source_git::{decide, store, vacant};
use crate::service::source_repos::{Change, check_metadata, edit, require};
use crate::service::{Error, Result, Services};
use crate::store::source_refs;

/// Doors make them.
pub use crate::backend::git::fetch::{Login, Remote};

/// How often to merge again because the branch has moved meanwhile.
const TRIES_MAX: usize = 8;

/// Which repository, and what of it.
#[derive(Clone, Debug)]
pub struct GitSource {
    pub remote: Remote,
    pub wanted: Wanted,
}

/// Who waits how long for a fetch, and is told how far it has come.
pub struct Waiting {
    pub total: Duration,
    pub progress: watch::Sender<Progress>,
    /// What to do about one that takes too long.
    pub advice: &'static str,
}

impl Waiting {
    /// A request that has to be answered before its client gives up.
    pub fn request(services: &Services, advice: &'static str) -> Self {
        let progress = watch::Sender::new(Progress::default());
        Self { total: services.fetcher.bounds.request, progress, advice }
    }
}

/// Fetches all that was asked for, for a repo that does not exist yet: the commit with its cuts, and the
/// pack.
pub async fn fetch_new(
    services: &Services,
    source: &GitSource,
    waiting: &Waiting,
) -> Result<(CommitId, Vec<CommitId>, Received)> {
    let fetched = fetch(services, source, None, waiting).await?;
    let Fetched { received, tip, cuts } = fetched;
    if cuts.len() > CUTS_MAX {
        let message = format!(
            "So short a history of what the URL holds would be cut off at more than {CUTS_MAX} commits. \
             Fetch all of it, or fewer commits."
        );
        return Err(Error::Source(message));
    }
    blocking(move || {
        let commit = peel(&Alone(&received), tip)?.ok_or_else(no_commit)?;
        Ok((commit, cuts, received))
    })
    .await
}

/// What to merge into a branch, and how to commit it.
pub struct Update {
    pub source: GitSource,
    /// The default branch if absent.
    pub branch: Option<BranchName>,
    pub message: Option<String>,
    pub author: Option<Identity>,
    pub expected_head: Option<CommitId>,
    pub metadata: Option<Metadata>,
}

/// Fetches, and merges what came into a branch.
pub async fn update(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    update: Update,
) -> Result<Edited> {
    let repo = require(services, caller, id, Role::Write).await?;
    if let Some(metadata) = &update.metadata {
        check_metadata(metadata, &["body", "metadata"])?;
    }
    let branch = update.branch.as_ref().map_or(DEFAULT_BRANCH.to_owned(), BranchName::full);
    head_of(services, id, &branch).await?;
    let cache = services.editors.serve(id).await?;
    let waiting = Waiting::request(services, "Push what is missing with git instead.");
    let fetched = fetch(services, &update.source, Some(&cache), &waiting).await?;
    let received = checked(services, &cache, &fetched.received).await?;
    let received = Arc::new(received.unwrap_or(fetched.received));
    let update = Arc::new(update);
    for _ in 0..TRIES_MAX {
        let head = head_of(services, id, &branch).await?;
        let cache = services.editors.open(id, &[head.into()]).await?;
        let is_vacant = vacant(cache.clone(), Some(head)).await?.is_some();
        let (new, job) = (received.clone(), update.clone());
        let by = Identity { name: caller.name.clone(), email: caller.email.clone() };
        let tip = fetched.tip;
        let (outcome, made) =
            blocking(move || plan(&cache, &new, tip, (head, is_vacant), &job, by)).await?;
        if outcome.head == head {
            return unmoved(services, caller, id, head, &update).await;
        }
        let arrived = store(services, id, received.clone(), made).await?;
        let moved = RefUpdate { name: branch.clone(), old: Some(head), new: Some(outcome.head) };
        let order = Order {
            updates: vec![(moved, Some(Kind::Commit))],
            atomic: true,
            vacant: None,
            arrived,
            changed_files: Some(outcome.changed_files.clone()),
            metadata: update.metadata.clone(),
            caller: caller.clone(),
            workspace: repo.workspace,
            auto_index: repo.auto_index,
        };
        let decided = decide(services, id, order).await?;
        // Refused only if the branch has moved.
        if decided.iter().all(Result::is_ok) {
            let Outcome { head, changed_files } = outcome;
            return Ok(Edited { head, changed_files, existed: true });
        }
    }
    Err(Error::Locked(
        "Others keep changing the branch. Nothing was changed; try again in 1 s.".to_owned(),
    ))
}

async fn fetch(
    services: &Services,
    source: &GitSource,
    beside: Option<&Cache>,
    waiting: &Waiting,
) -> Result<Fetched> {
    let fetcher = &services.fetcher;
    let folder = services.editors.incoming();
    let fetched = async {
        let checked = fetcher.check(&source.remote.url).await?;
        let beside = beside.map(Cache::flushed_dir).transpose()?;
        let place = Place { folder: &folder, beside };
        let from = (&checked, source.remote.login.as_ref());
        fetcher.fetch(from, &source.wanted, place, waiting.total, &waiting.progress).await
    };
    fetched.await.map_err(|error| match error {
        FetchError::Refused(_) => {
            Error::invalid_at(&["body", "source", "url"], format!("url: {error}"))
        }
        FetchError::TimedOut(_) => Error::Source(format!("{error} {}", waiting.advice)),
        FetchError::Failed(_) | FetchError::TooLarge(_) => Error::Source(error.to_string()),
        FetchError::Busy => Error::Unavailable(error.to_string()),
        FetchError::Objects(error) => error.into(),
    })
}

/// What was fetched beside a repo, held to what a push is held to. Git checks only what it is sent in its
/// own protocol, and a server can make it speak another.
async fn checked(
    services: &Services,
    cache: &Cache,
    fetched: &Received,
) -> Result<Option<Received>> {
    let Some(pack) = fetched.pack() else { return Ok(None) };
    let mut pack = BufReader::new(tokio::fs::File::open(pack).await?);
    let folder = services.editors.incoming();
    let bytes_max = services.fetcher.bounds.bytes_max;
    match receive(cache.flushed_dir()?, &folder, &mut pack, bytes_max).await {
        Ok(received) => Ok(Some(received)),
        Err(ReceiveError::Refused(reason)) => {
            Err(Error::Source(format!("What the URL holds cannot be taken: {reason}.")))
        }
        Err(ReceiveError::Body(error)) => Err(error.into()),
        Err(ReceiveError::Objects(error)) => Err(error.into()),
    }
}

async fn head_of(services: &Services, id: SourceRepoId, branch: &str) -> Result<CommitId> {
    let head = source_refs::get(services.store.read(), id, branch).await?;
    let head = head.ok_or_else(|| {
        Error::NotFound(format!("The repo has no branch `{branch}`. Create it first."))
    })?;
    head.parse().map_err(Error::internal)
}

/// What the branch is to point to, and the objects that have to be made for it.
fn plan(
    cache: &Cache,
    received: &Received,
    tip: ObjectId,
    (head, is_vacant): (CommitId, bool),
    update: &Update,
    by: Identity,
) -> Result<(Outcome, Vec<Object>)> {
    let both = Beside { received, cache };
    if let Some(expected) = update.expected_head.filter(|expected| *expected != head) {
        return Err(EditError::HeadMoved { expected, head }.into());
    }
    let theirs = peel(&both, tip)?.ok_or_else(no_commit)?;
    if relation(&both, head, theirs)? == Relation::Strangers {
        if !is_vacant {
            return Err(Error::Source(
                "What the URL holds and the branch have no commit in common, so that they cannot be \
                 merged. Create a new repo from the URL."
                    .to_owned(),
            ));
        }
        let root = both.read(&theirs.into())?.root_tree()?;
        let files = diff::paths(&both, ObjectId::empty_tree(HASH), root)?;
        let changed_files = files.iter().map(ToString::to_string).collect();
        return Ok((Outcome { head: theirs, changed_files }, Vec::new()));
    }
    let name = name_of(&update.source);
    let edit = Edit {
        source: Some(edit::Change::Merge { commit: theirs, name: name.clone() }),
        message: update.message.clone(),
        author: update.author.clone(),
        expected_head: None,
    };
    let stamp = Stamp {
        author: by,
        committer: committer(),
        message: format!("Merge {name}"),
        seconds: Timestamp::now().seconds(),
    };
    let mut objects = Objects::new(&both);
    let outcome = apply(&mut objects, head, &edit, &stamp).map_err(|error| match error {
        EditError::Clash { .. } => Error::Source(error.to_string()),
        other => other.into(),
    })?;
    Ok((outcome, objects.into_new()))
}

/// There was nothing to merge, but there may be metadata.
async fn unmoved(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    head: CommitId,
    update: &Update,
) -> Result<Edited> {
    let edited = Edited { head, changed_files: Vec::new(), existed: true };
    let Some(metadata) = update.metadata.clone() else { return Ok(edited) };
    let change = Change {
        branch: update.branch.clone(),
        edit: Edit { expected_head: update.expected_head, ..Edit::default() },
        metadata: Some(metadata),
    };
    edit(services, caller, id, change).await
}

/// What a merge says it has merged: as git does, but for what may be secret in a URL.
fn name_of(source: &GitSource) -> String {
    let url = url::Url::parse(&source.remote.url).ok();
    let place = url.map(|url| format!("{}{}", url.host_str().unwrap_or_default(), url.path()));
    let place = place.unwrap_or_default();
    match &source.wanted.start {
        Start::Default => place,
        Start::Branch(name) => format!("branch '{name}' of {place}"),
        Start::Commit(id) => format!("commit '{id}' of {place}"),
    }
}

fn no_commit() -> Error {
    Error::Source("What the URL holds is no commit.".to_owned())
}

/// The objects that were fetched, and no others.
struct Alone<'a>(&'a Received);

impl ObjectSource for Alone<'_> {
    fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        self.0.find(id)
    }
}

/// The objects that were fetched beside those of the repo they are for.
struct Beside<'a> {
    received: &'a Received,
    cache: &'a Cache,
}

impl ObjectSource for Beside<'_> {
    fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        match self.received.find(id)? {
            Some(object) => Ok(Some(object)),
            None => self.cache.find(id),
        }
    }

    fn is_cut(&self, commit: &ObjectId) -> bool {
        self.cache.is_cut(commit)
    }
}
