//! Source repos for git clients: what they can fetch, and what becomes of what they push.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gix::ObjectId;
use gix::objs::{CommitRef, Kind};
use tokio::io::AsyncBufRead;

use crate::backend::git::cache::Cache;
use crate::backend::git::objects::{HASH, Object, ObjectSource};
use crate::backend::git::pack::write_pack;
use crate::backend::git::receive::{ReceiveError, Received, receive};
use crate::backend::git::upload;
use crate::model::access::{Caller, Role};
use crate::model::id::SourceRepoId;
use crate::model::push::{Outcomes, RefUpdate, Refs, Target};
use crate::model::source_repo::DEFAULT_BRANCH;
use crate::service::edits::blocking;
use crate::service::edits::push::{Arrived, Order, Stored};
use crate::service::source_repos::require;
use crate::service::{Error, Result, Services, packs};
use crate::store::source_refs;

/// Doors hand them on.
pub use crate::backend::git::upload::{Patience, Pieces};

/// A push of at most so many objects is kept as an edit is, whole objects in one small pack ...
const FEW_OBJECTS: usize = 128;
/// ... if they have at most so many bytes. A larger one is kept as git packed it.
const FEW_BYTES: u64 = 1024 * 1024;

/// What a client asks to be done with a repo.
pub struct Push<R> {
    pub updates: Vec<RefUpdate>,
    pub atomic: bool,
    /// New objects; none where refs are only deleted.
    pub pack: Option<R>,
    /// Most bytes of the pack.
    pub bytes_max: u64,
}

/// What came of a push.
pub enum Pushed {
    Decided(Outcomes),
    /// The pack was no good, so that nothing was done; says why.
    Refused(String),
    /// The client did not send it to its end.
    Broken(io::Error),
}

/// Demands that the caller may fetch from the repo, or push to it.
pub async fn check(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    needed: Role,
) -> Result<()> {
    require(services, caller, id, needed).await.map(drop)
}

/// What a client has to know before it fetches.
pub async fn advertise(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    protocol: Option<&str>,
) -> Result<Vec<u8>> {
    require(services, caller, id, Role::Read).await?;
    let cache = services.editors.serve(id).await?;
    Ok(upload::advertise(cache.flushed_dir()?, protocol).await?)
}

/// Answers one request of a client that fetches. What `held` holds is let go at its end.
pub async fn fetch(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    (protocol, request): (Option<&str>, Bytes),
    patience: Patience,
    held: impl Send + 'static,
) -> Result<Pieces> {
    require(services, caller, id, Role::Read).await?;
    let cache = services.editors.serve(id).await?;
    let held = (held, cache.clone());
    Ok(upload::answer(cache.flushed_dir()?, protocol, request, patience, held)?)
}

/// Where the refs of a repo point, for a client that pushes. While the default branch holds nothing
/// but an empty first commit, it is left out, so that any history can be pushed there.
pub async fn refs(services: &Services, caller: &Caller, id: SourceRepoId) -> Result<Refs> {
    require(services, caller, id, Role::Write).await?;
    let cache = services.editors.serve(id).await?;
    let (_, mut refs) = source_refs::all(services.store.read(), id)
        .await?
        .ok_or_else(|| Error::not_found("Source repo"))?;
    let head = refs.get(DEFAULT_BRANCH).copied();
    if head.is_some() && vacant(cache, head).await? == head {
        refs.remove(DEFAULT_BRANCH);
    }
    Ok(refs)
}

/// Takes in what is pushed. What it says to be decided is durable.
pub async fn push<R: AsyncBufRead + Unpin>(
    services: &Services,
    caller: &Caller,
    id: SourceRepoId,
    push: Push<&mut R>,
) -> Result<Pushed> {
    let repo = require(services, caller, id, Role::Write).await?;
    let cache = services.editors.serve(id).await?;
    let received = match push.pack {
        None => None,
        Some(pack) => {
            let (dir, incoming) = (cache.flushed_dir()?, services.editors.incoming());
            match receive(dir, &incoming, pack, push.bytes_max).await {
                Ok(received) => Some(received),
                Err(ReceiveError::Refused(reason)) => return Ok(Pushed::Refused(reason)),
                Err(ReceiveError::Body(error)) => return Ok(Pushed::Broken(error)),
                Err(ReceiveError::Objects(error)) => return Err(error.into()),
            }
        }
    };
    let vacant = vacant(cache.clone(), Some(repo.head.parse().map_err(Error::internal)?)).await?;
    let (updates, received) = look(cache, push.updates, received).await?;
    let arrived = match received {
        // Nothing to keep for refs that can point nowhere.
        Some(received) if updates.iter().any(|(_, kind)| kind.is_some()) => {
            store(services, id, Arc::new(received), Vec::new()).await?
        }
        _ => Arrived::default(),
    };
    let order = Order {
        updates,
        atomic: push.atomic,
        vacant,
        arrived,
        changed_files: None,
        metadata: None,
        caller: caller.clone(),
        workspace: repo.workspace,
        auto_index: repo.auto_index,
    };
    decide(services, id, order).await.map(Pushed::Decided)
}

/// Has the repo's actor decide; what it never came to see leaves nothing.
pub async fn decide(services: &Services, id: SourceRepoId, order: Order) -> Result<Outcomes> {
    let packs = order.arrived.packs.clone();
    let decided = services.editors.push(id, order).await;
    if let Err(Error::Locked(_)) = decided {
        Arrived { packs, ..Arrived::default() }.discard(&services.objects).await;
    }
    decided
}

/// `head`, if it is a first commit without files: then there is nothing that a push could lose.
pub async fn vacant(cache: Arc<Cache>, head: Option<Target>) -> Result<Option<Target>> {
    let Some(head) = head else { return Ok(None) };
    blocking(move || {
        let Some(object) = cache.find(&ObjectId::from(head))? else {
            return Ok(None);
        };
        let commit = CommitRef::from_bytes(&object.data, HASH).map_err(Error::internal)?;
        let empty = commit.parents.is_empty() && commit.tree().is_empty_tree();
        Ok(empty.then_some(head))
    })
    .await
}

type Looked = (Vec<(RefUpdate, Option<Kind>)>, Option<Received>);

/// What each ref is to point to: something that came with the push, or was there before.
///
/// Git has checked that whatever the new objects name is there; and what is in the cache came
/// with all that it names. So a ref whose own object is there is complete.
async fn look(
    cache: Arc<Cache>,
    updates: Vec<RefUpdate>,
    received: Option<Received>,
) -> Result<Looked> {
    blocking(move || {
        let kind = |target: Target| -> Result<Option<Kind>> {
            let id = ObjectId::from(target);
            let new = received.as_ref().map(|received| received.kind(&id)).transpose()?.flatten();
            match new {
                Some(kind) => Ok(Some(kind)),
                None => Ok(cache.find(&id)?.map(|object| object.kind)),
            }
        };
        let looked = updates.into_iter().map(|update| {
            let kind = update.new.map(kind).transpose()?.flatten();
            Ok((update, kind))
        });
        let looked = looked.collect::<Result<_>>()?;
        Ok((looked, received))
    })
    .await
}

/// Puts what came, and what was made beside it, where the rows that are to name it will find it.
pub async fn store(
    services: &Services,
    repo: SourceRepoId,
    received: Arc<Received>,
    made: Vec<Object>,
) -> Result<Arrived> {
    let large = received.pack();
    let known = received.clone();
    let few = blocking(move || Ok(known.objects(FEW_OBJECTS, FEW_BYTES)?)).await?;
    let mut arrived = Arrived { objects: made, ..Arrived::default() };
    match (few, large) {
        (Some(few), _) => arrived.objects.splice(..0, few).for_each(drop),
        (None, None) => {}
        (None, Some(pack)) => {
            let (place, bytes) = packs::place_file(&services.objects, repo, &pack).await?;
            let bytes = i64::try_from(bytes).map_err(Error::internal)?;
            arrived.packs.push(Stored { place, bytes });
            arrived.received = Some(received);
        }
    }
    if !arrived.objects.is_empty() {
        let objects = arrived.objects.clone();
        let pack = blocking(move || Ok(write_pack(&objects))).await?;
        let bytes = i64::try_from(pack.len()).map_err(Error::internal)?;
        match packs::place(&services.objects, repo, &pack).await {
            Ok(place) => arrived.packs.push(Stored { place, bytes }),
            Err(error) => {
                arrived.discard(&services.objects).await;
                return Err(error);
            }
        }
    }
    Ok(arrived)
}
