//! The one writer of a repo in this process: takes what waits, makes it durable, answers.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::fill::blocking;
use super::pending::Pending;
use super::{BATCH_BYTES_MAX, BATCH_MAX, Request, Shared, batch, push};
use crate::backend::git::cache::Cache;
use crate::model::edit::CommitId;
use crate::model::id::SourceRepoId;
use crate::model::push::Outcomes;
use crate::model::source_repo::DEFAULT_BRANCH;
use crate::service::{Error, Result};
use crate::store::source_refs;
use crate::store::source_repos::Position;
use crate::telemetry;

/// How often a batch is made again because another process was faster.
const TRIES_MAX: usize = 8;

struct Actor {
    shared: Arc<Shared>,
    repo: SourceRepoId,
    /// What the last batch left; none when the database has to be asked again.
    open: Option<(Arc<Cache>, Position)>,
}

pub async fn run(shared: Arc<Shared>, repo: SourceRepoId, mut queue: mpsc::Receiver<Request>) {
    let mut actor = Actor { shared, repo, open: None };
    loop {
        match tokio::time::timeout(actor.shared.patience(), queue.recv()).await {
            Ok(Some(request)) => actor.drain(request, &mut queue).await,
            Ok(None) => break,
            Err(_) => {
                actor.flush().await;
                let mut actors = actor.shared.actors();
                // Requests are sent under this lock, so none can be on its way.
                if queue.is_empty() {
                    if let Some(actors) = actors.as_mut() {
                        actors.remove(&repo);
                    }
                    return;
                }
            }
        }
    }
    actor.flush().await;
}

impl Actor {
    /// Handles all that waits by now; edits of a branch that follow each other go together.
    async fn drain(&mut self, first: Request, queue: &mut mpsc::Receiver<Request>) {
        let (mut edits, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Edit(pending) if pending.take() => {
                    let other = |first: &Pending| first.order.branch != pending.order.branch;
                    if edits.first().is_some_and(other) {
                        self.edit(std::mem::take(&mut edits)).await;
                        bytes = 0;
                    }
                    bytes += pending.order.edit.bytes();
                    edits.push(pending);
                }
                Request::Edit(_) => {}
                other => {
                    self.edit(std::mem::take(&mut edits)).await;
                    self.serve(other).await;
                }
            }
            if edits.len() == BATCH_MAX || bytes > BATCH_BYTES_MAX {
                self.edit(std::mem::take(&mut edits)).await;
            }
            if edits.is_empty() {
                bytes = 0;
            }
            next = queue.try_recv().ok();
        }
        self.edit(edits).await;
    }

    async fn serve(&mut self, request: Request) {
        match request {
            Request::Edit(_) => unreachable!("edits are handled in batches"),
            Request::Push(pending) if pending.take() => self.push(pending).await,
            Request::Push(_) => {}
            Request::Open(answer) => {
                let _ = answer.send(self.refresh().await);
            }
            Request::Rebuild(answer) => {
                self.set_open(None);
                let rebuilt = match self.shared.drop_cache(self.repo).await {
                    Ok(()) => self.refresh().await,
                    Err(error) => Err(error),
                };
                let _ = answer.send(rebuilt);
            }
            Request::Forget(answer) => {
                self.set_open(None);
                let _ = answer.send(self.shared.drop_cache(self.repo).await);
            }
        }
    }

    /// The cache as the database has it now, whoever wrote last.
    async fn refresh(&mut self) -> Result<Arc<Cache>> {
        let cache = self.open.take().map(|(cache, _)| cache);
        let (cache, position) = self.shared.fill(self.repo, cache).await?;
        self.set_open(Some((cache.clone(), position)));
        Ok(cache)
    }

    fn set_open(&mut self, open: Option<(Arc<Cache>, Position)>) {
        let cache = open.as_ref().map_or_else(Weak::new, |(cache, _)| Arc::downgrade(cache));
        self.shared.show(self.repo, cache);
        self.open = open;
    }

    async fn flush(&mut self) {
        if let Some((cache, _)) = self.open.take()
            && let Err(error) = blocking(move || Ok(cache.close()?)).await
        {
            // The next start fills the cache from the database.
            tracing::warn!(repo = %self.repo, %error, "a cache could not be written out");
        }
    }

    async fn edit(&mut self, edits: Vec<Pending>) {
        if edits.is_empty() {
            return;
        }
        match self.commit(&edits).await {
            Ok(draft) => {
                telemetry::count_edits(edits.len(), draft.commits);
                let (branch, head) = (edits[0].order.branch.clone(), draft.head);
                for (pending, result) in edits.into_iter().zip(draft.results) {
                    pending.answer(result.map_err(Error::from));
                }
                // Only after the answers: the cache is a convenience.
                if let Some((cache, position)) = self.open.clone() {
                    let (new, seq) = (draft.new, position.seq);
                    if let Err(error) =
                        blocking(move || batch::keep(&cache, &new, &branch, head, seq)).await
                    {
                        tracing::warn!(repo = %self.repo, %error, "a cache could not be written");
                        self.set_open(None);
                    }
                }
            }
            Err(error) => {
                self.set_open(None);
                edits.into_iter().for_each(|pending| pending.answer(Err(echo(&error))));
            }
        }
    }

    /// Where a branch is. The default one comes with the position.
    async fn head_of(&self, branch: &str, position: &Position) -> Result<CommitId> {
        if branch == DEFAULT_BRANCH {
            return position.head.parse().map_err(Error::internal);
        }
        let head = source_refs::get(self.shared.store.read(), self.repo, branch).await?;
        let head = head.ok_or_else(|| {
            Error::NotFound(format!("The repo has no branch `{branch}`. Create it first."))
        })?;
        head.parse().map_err(Error::internal)
    }

    async fn push(&mut self, pending: Pending<push::Order, Outcomes>) {
        let order = pending.order.clone();
        match push::save(&self.shared, self.repo, &order).await {
            Err(error) => {
                self.set_open(None);
                pending.answer(Err(error));
            }
            Ok(push::Saved { outcomes, change: None }) => pending.answer(Ok(outcomes)),
            Ok(push::Saved { outcomes, change: Some(change) }) => {
                pending.answer(Ok(outcomes));
                // As with edits; whoever is behind another server's change asks the database.
                let open = self.open.take();
                let Some((cache, _)) = open.filter(|(_, known)| known.seq == change.from) else {
                    return self.set_open(None);
                };
                let (known, position) = (cache.clone(), change.to.clone());
                match blocking(move || push::keep(&known, &order, &change)).await {
                    Ok(()) => self.set_open(Some((cache, position))),
                    Err(error) => {
                        tracing::warn!(repo = %self.repo, %error, "a cache could not be written");
                        self.set_open(None);
                    }
                }
            }
        }
    }

    /// Makes the edits durable, on top of whatever other processes write meanwhile.
    async fn commit(&mut self, edits: &[Pending]) -> Result<batch::Draft> {
        let orders: Vec<_> = edits.iter().map(|pending| pending.order.clone()).collect();
        let mut rebuilt = false;
        for _ in 0..TRIES_MAX {
            if self.open.is_none() {
                self.refresh().await?;
            }
            let Some((cache, position)) = self.open.clone() else { continue };
            let head = self.head_of(&orders[0].branch, &position).await?;
            if !has(&cache, head).await? {
                // Somebody else has moved the branch since.
                self.refresh().await?;
                continue;
            }
            let batch = orders.clone();
            let draft = match blocking(move || batch::plan(&cache, head, &batch)).await {
                Err(Error::Internal(error)) if !rebuilt => {
                    tracing::warn!(repo = %self.repo, %error, "a cache is broken and built again");
                    rebuilt = true;
                    self.set_open(None);
                    self.shared.drop_cache(self.repo).await?;
                    continue;
                }
                other => other?,
            };
            match batch::save(&self.shared, self.repo, (&position, head), &draft, &orders).await? {
                Some(position) => {
                    if let Some((_, known)) = &mut self.open {
                        *known = position;
                    }
                    return Ok(draft);
                }
                None => self.refresh().await.map(drop)?,
            }
        }
        Err(Error::Locked(
            "Another server keeps changing the repo. Nothing was changed; try again in 1 s.".into(),
        ))
    }
}

async fn has(cache: &Arc<Cache>, head: CommitId) -> Result<bool> {
    let cache = cache.clone();
    blocking(move || Ok(cache.has(&head.into())?)).await
}

/// The same error for each edit of a batch.
fn echo(error: &Error) -> Error {
    match error {
        Error::NotFound(message) => Error::NotFound(message.clone()),
        Error::Locked(message) => Error::Locked(message.clone()),
        Error::Unavailable(message) => Error::Unavailable(message.clone()),
        Error::Unreachable(source) => Error::Unreachable(source.to_string().into()),
        other => Error::internal(other.to_string()),
    }
}
