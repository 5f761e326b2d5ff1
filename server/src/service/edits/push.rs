//! A push: where refs may point, decided and made durable in one transaction, on top of whatever
//! edits and other servers did before. A ref that has moved meanwhile is refused, never overwritten.

use std::sync::Arc;

use gix::objs::Kind;
use gix::validate;
use serde_json::json;

use super::batch::enqueue_upkeep;
use super::{Shared, fill};
use crate::backend::git::cache::Cache;
use crate::backend::git::objects::Object;
use crate::backend::git::receive::Received;
use crate::backend::objects::Objects;
use crate::model::access::Caller;
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{SourceRepoId, WorkspaceId};
use crate::model::push::{Outcomes, PUSHABLE, REF_BYTES_MAX, REFS_MAX, RefUpdate, Refs, Target};
use crate::model::source_repo::{DEFAULT_BRANCH, Metadata};
use crate::model::time::Timestamp;
use crate::model::webhook::Happening;
use crate::service::{Error, Result, packs, webhooks};
use crate::store::source_packs::Place;
use crate::store::source_repos::{self, Position};
use crate::store::{Tx, audit, source_packs, source_refs};

/// Refs that an audit line names; a push may change thousands.
const AUDITED_MAX: usize = 20;

/// A push with all that is known of it before its turn comes.
pub struct Order {
    /// With the kind of object that each is to point to; none if it is nowhere.
    pub updates: Vec<(RefUpdate, Option<Kind>)>,
    /// All or none.
    pub atomic: bool,
    /// A first commit without files, which any history may take the place of.
    pub vacant: Option<Target>,
    pub arrived: Arrived,
    /// What the change is told to have touched, where somebody knows.
    pub changed_files: Option<Vec<String>>,
    /// Replaces all metadata, if there is any.
    pub metadata: Option<Metadata>,
    pub caller: Caller,
    pub workspace: WorkspaceId,
    /// Whether the default branch is indexed by itself.
    pub auto_index: bool,
}

/// New objects, stored where no row names them yet.
#[derive(Default)]
pub struct Arrived {
    /// Those that came as one large pack.
    pub received: Option<Arc<Received>>,
    /// Those that are known one by one.
    pub objects: Vec<Object>,
    /// Where all of them are stored.
    pub packs: Vec<Stored>,
}

/// One pack, and how many bytes it has.
#[derive(Clone)]
pub struct Stored {
    pub place: Place,
    pub bytes: i64,
}

pub struct Saved {
    pub outcomes: Outcomes,
    /// None when every update was refused.
    pub change: Option<Change>,
}

pub struct Change {
    /// The bundle before this one.
    pub from: i64,
    pub to: Position,
    pub refs: Refs,
}

/// Makes durable what of the push can be.
pub(super) async fn save(shared: &Shared, repo: SourceRepoId, order: &Order) -> Result<Saved> {
    let now = Timestamp::now();
    let mut tx = shared.store.begin().await?;
    let (from, mut refs) =
        source_refs::hold(&mut tx, repo).await?.ok_or_else(|| Error::not_found("Source repo"))?;
    let outcomes = decide(&mut refs, order);
    if outcomes.iter().all(Result::is_err) {
        drop(tx);
        order.arrived.discard(&shared.objects).await;
        return Ok(Saved { outcomes, change: None });
    }
    let mut to = Position { head: refs[DEFAULT_BRANCH].to_string(), ..from.clone() };
    for Stored { place, bytes } in &order.arrived.packs {
        source_refs::advance(&mut tx, repo, Some(*bytes), now).await?;
        to.seq += 1;
        to.packed.add(*bytes);
        source_packs::insert(&mut *tx, repo, to.seq, false, place, *bytes).await?;
    }
    if order.arrived.packs.is_empty() {
        source_refs::advance(&mut tx, repo, None, now).await?;
        to.seq += 1;
    }
    if let Some(metadata) = &order.metadata {
        source_repos::set_metadata(&mut tx, repo, metadata).await?;
    }
    let accepted = order.updates.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
    let accepted: Vec<&RefUpdate> = accepted.map(|((update, _), _)| update).collect();
    for update in &accepted {
        source_refs::set(&mut tx, repo, &update.name, refs.get(&update.name).copied()).await?;
    }
    audit::insert(&mut *tx, &line(order, repo, &to.head, &accepted)).await?;
    let moved = |update: &&RefUpdate| {
        let files = order.changed_files.clone();
        Happening::moved(&update.name, update.old, update.new).touching(files)
    };
    let moved: Vec<_> = accepted.iter().map(moved).collect();
    webhooks::announce(&mut tx, repo, moved).await?;
    let index = order.auto_index && to.head != from.head;
    enqueue_upkeep(&mut tx, repo, &to, index, now).await?;
    Tx::commit(tx).await?;
    Ok(Saved { outcomes, change: Some(Change { from: from.seq, to, refs }) })
}

/// What becomes of each update; `refs` are as they are afterwards.
fn decide(refs: &mut Refs, order: &Order) -> Outcomes {
    let before = refs.clone();
    let mut outcomes = vec![Ok(()); order.updates.len()];
    // Deletions first, so that a branch can make room for others below its name.
    for deletes in [true, false] {
        for ((update, kind), outcome) in order.updates.iter().zip(&mut outcomes) {
            if update.new.is_none() == deletes {
                *outcome = decide_one(refs, update, *kind, order.vacant);
            }
        }
    }
    if order.atomic && outcomes.iter().any(Result::is_err) {
        *refs = before;
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
            *outcome = Err("atomic push: another ref was refused".to_owned());
        }
    }
    outcomes
}

fn decide_one(
    refs: &mut Refs,
    update: &RefUpdate,
    kind: Option<Kind>,
    vacant: Option<Target>,
) -> Result<(), String> {
    let RefUpdate { name, old, new } = update;
    check_name(name)?;
    let present = refs.get(name).copied();
    let makes_room =
        name == DEFAULT_BRANCH && old.is_none() && present.is_some() && present == vacant;
    if present != *old && !makes_room {
        return Err(match present {
            Some(present) => format!("fetch first: it is at {present} by now"),
            None => "fetch first: it is gone by now".to_owned(),
        });
    }
    let Some(new) = new else {
        if name == DEFAULT_BRANCH {
            return Err("the default branch cannot be deleted".to_owned());
        }
        return refs.remove(name).map(drop).ok_or_else(|| "there is no such ref".to_owned());
    };
    match kind {
        None => return Err("the push lacks objects that it needs".to_owned()),
        Some(Kind::Commit) => {}
        Some(_) if name.starts_with("refs/tags/") => {}
        Some(kind) => return Err(format!("a branch points to a commit, not to a {kind}")),
    }
    if present.is_none() {
        check_room(refs, name)?;
    }
    refs.insert(name.clone(), *new);
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    if !PUSHABLE.iter().any(|prefix| name.starts_with(prefix)) {
        return Err("only branches, tags and notes can be pushed".to_owned());
    }
    if name.len() > REF_BYTES_MAX {
        return Err(format!("its name is longer than {REF_BYTES_MAX} bytes"));
    }
    match validate::reference::name(name.into()) {
        Ok(_) => Ok(()),
        Err(_) => Err("funny refname".to_owned()),
    }
}

/// Git keeps refs as files, so that one cannot be where another has its folder.
pub fn check_room(refs: &Refs, name: &str) -> Result<(), String> {
    if refs.len() >= REFS_MAX {
        return Err(format!("the repo has {REFS_MAX} refs, which is the most"));
    }
    let above = name.match_indices('/').map(|(at, _)| &name[..at]);
    let folder = format!("{name}/");
    let below = refs.range(folder.clone()..).next().map(|(found, _)| found.as_str());
    let below = below.filter(|found| found.starts_with(&folder));
    match above.chain(below).find(|other| refs.contains_key(*other)) {
        Some(other) => Err(format!("`{other}` is in the way")),
        None => Ok(()),
    }
}

fn line(order: &Order, repo: SourceRepoId, head: &str, accepted: &[&RefUpdate]) -> NewEvent {
    let shown = accepted.iter().take(AUDITED_MAX);
    let refs: Vec<_> = shown
        .map(|update| {
            let text = |target: Option<Target>| target.map(|target| target.to_string());
            json!({ "ref": update.name, "from": text(update.old), "to": text(update.new) })
        })
        .collect();
    let metadata = order.metadata.is_some();
    let mut data = json!({ "head": head, "pushed": accepted.len(), "refs": refs });
    if metadata {
        data["metadata"] = metadata.into();
    }
    NewEvent::by(&order.caller, Context::Repo, repo, Action::Updated, order.workspace).with(data)
}

impl Arrived {
    /// Removes packs that no row came to name.
    pub async fn discard(&self, objects: &Objects) {
        for Stored { place, .. } in &self.packs {
            packs::discard(objects, Some(place.clone())).await;
        }
    }
}

/// Brings the cache to what was just made durable.
pub fn keep(cache: &Cache, order: &Order, change: &Change) -> Result<()> {
    if let Some(received) = &order.arrived.received {
        cache.adopt(received)?;
    }
    cache.put(&order.arrived.objects)?;
    cache.set_refs(fill::targets(&change.refs));
    cache.set_seq(u64::try_from(change.to.seq).map_err(Error::internal)?);
    Ok(())
}

#[cfg(test)]
mod tests;
