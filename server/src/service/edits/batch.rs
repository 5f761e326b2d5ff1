//! A batch of edits: planned in memory, each on top of the one before, then saved in one
//! transaction with everything that has to be true together.

use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::BStr;
use serde_json::json;

use super::apply::{self, EditError, Stamp};
use super::{Edited, Order, Shared};
use crate::backend::git::cache::Cache;
use crate::backend::git::objects::{Object, ObjectSource, Objects};
use crate::backend::git::pack::write_pack;
use crate::backend::git::tree::Tree;
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::edit::{Change, CommitId, Edit, Identity, Operation};
use crate::model::id::SourceRepoId;
use crate::model::job::JobKind;
use crate::model::source_repo::DEFAULT_BRANCH;
use crate::model::time::Timestamp;
use crate::model::webhook::Happening;
use crate::service::{Error, Result, packs, webhooks};
use crate::store::source_repos::{self, Position, Step};
use crate::store::{Tx, audit, jobs, source_packs};

/// What a batch comes to, before it is durable.
pub struct Draft {
    pub results: Vec<Result<Edited, EditError>>,
    pub new: Vec<Object>,
    pub commits: u64,
    pub head: CommitId,
    pack: Vec<u8>,
}

/// Applies each edit on top of the one before; one that fails leaves no trace. Fails only
/// when the cache does.
pub fn plan(cache: &Cache, head: CommitId, orders: &[Arc<Order>]) -> Result<Draft> {
    let mut objects = Objects::new(cache);
    let (mut results, mut commits, mut current) = (Vec::with_capacity(orders.len()), 0, head);
    let seconds = Timestamp::now().seconds();
    for order in orders {
        let result = plan_one(&mut objects, current, order, seconds);
        let result = match result {
            Err(EditError::Objects(error)) if error.is_fault_of_cache() => return Err(error.into()),
            other => other,
        };
        if let Ok(edited) = &result {
            commits += u64::from(edited.head != current);
            current = edited.head;
        }
        results.push(result);
    }
    let new = objects.into_new();
    let pack = if new.is_empty() { Vec::new() } else { write_pack(&new) };
    Ok(Draft { results, new, commits, head: current, pack })
}

fn plan_one(
    objects: &mut Objects<'_>,
    head: CommitId,
    order: &Order,
    seconds: i64,
) -> Result<Edited, EditError> {
    let author = Identity { name: order.caller.name.clone(), email: order.caller.email.clone() };
    let message = describe(order.edit.source.as_ref());
    let stamp = Stamp { author, committer: committer(), message, seconds };
    let existed = match only_write(&order.edit) {
        None => false,
        Some(path) => {
            let root = objects.read(&head.into())?.root_tree()?;
            Tree::open(objects, root)?.get(path)?.is_some()
        }
    };
    let outcome = apply::apply(objects, head, &order.edit, &stamp)?;
    Ok(Edited { head: outcome.head, changed_files: outcome.changed_files, existed })
}

fn only_write(edit: &Edit) -> Option<&BStr> {
    match edit.source.as_ref()? {
        Change::Operations(operations) => match operations.as_slice() {
            [Operation::Write(write)] => Some(write.path.as_str().into()),
            _ => None,
        },
        _ => None,
    }
}

/// Who commits, whoever the author is.
pub fn committer() -> Identity {
    Identity { name: "Repoplane".to_owned(), email: "repoplane@localhost".to_owned() }
}

/// The message of a commit that was given none.
fn describe(change: Option<&Change>) -> String {
    match change {
        None => String::new(),
        Some(Change::Replace(files)) => format!("Replace all files by {}", files.len()),
        Some(Change::Patch(files)) => match files.as_slice() {
            [file] => format!("Patch {}", file.target.path()),
            several => format!("Patch {} files", several.len()),
        },
        Some(Change::Merge { name, .. }) => format!("Merge {name}"),
        Some(Change::Revert(commit)) => format!("Revert {commit}"),
        Some(Change::Reset(commit)) => format!("Reset to {commit}"),
        Some(Change::Operations(operations)) => match operations.as_slice() {
            [Operation::Write(write)] => format!("Write {}", write.path),
            [Operation::Delete { path }] => format!("Delete {path}"),
            [Operation::Rename { from, to }] => format!("Rename {from} to {to}"),
            several => format!("Make {} changes", several.len()),
        },
    }
}

/// Makes the draft durable, on top of `from`. Nothing when somebody else moved the repo first.
pub async fn save(
    shared: &Shared,
    repo: SourceRepoId,
    (from, old): (&Position, CommitId),
    draft: &Draft,
    orders: &[Arc<Order>],
) -> Result<Option<Position>> {
    let done: Vec<_> = draft
        .results
        .iter()
        .zip(orders)
        .filter(|(result, order)| order.metadata.is_some() && result.is_ok() || changed(result))
        .collect();
    let moved = draft.head != old;
    if done.is_empty() && !moved {
        // Nothing to write; but what the edits came to must be true of the repo as it is.
        let present = source_repos::position(shared.store.read(), repo).await?;
        return Ok(present.filter(|present| present.seq == from.seq));
    }
    let now = Timestamp::now();
    let bytes = i64::try_from(draft.pack.len()).map_err(Error::internal)?;
    let branch = orders[0].branch.as_str();
    let has_pack = !draft.pack.is_empty();
    let mut to = from.clone();
    if moved {
        to.seq += 1;
        if has_pack {
            to.packed.add(bytes);
        }
        if branch == DEFAULT_BRANCH {
            to.head = draft.head.to_string();
        }
    }
    let place = match has_pack {
        false => None,
        true => Some(packs::place(&shared.objects, repo, &draft.pack).await?),
    };
    let mut tx = shared.store.begin().await?;
    let held = if moved {
        let step = Step { branch, from: &old.to_string(), to: &draft.head.to_string() };
        let pack = has_pack.then_some(bytes);
        source_repos::advance(&mut tx, repo, from.seq, step, pack, now).await?
    } else {
        source_repos::touch(&mut tx, repo, from, now).await?
    };
    if let (true, Some(place)) = (held, &place) {
        source_packs::insert(&mut *tx, repo, to.seq, false, place, bytes).await?;
    }
    if !held {
        drop(tx);
        packs::discard(&shared.objects, place).await;
        return Ok(None);
    }
    for (result, order) in done {
        if let Some(metadata) = &order.metadata {
            source_repos::set_metadata(&mut tx, repo, metadata).await?;
        }
        let head =
            result.as_ref().map_or_else(|_| old.to_string(), |edited| edited.head.to_string());
        let mut data = json!({ "head": head, "metadata": order.metadata.is_some() });
        if branch != DEFAULT_BRANCH {
            data["branch"] = branch.into();
        }
        let data = data.to_string();
        audit::insert(&mut *tx, &line(order, repo, data)).await?;
    }
    if moved {
        webhooks::announce(&mut tx, repo, moves(branch, old, draft)).await?;
    }
    let index = moved && branch == DEFAULT_BRANCH && orders[0].auto_index;
    enqueue_upkeep(&mut tx, repo, &to, index, now).await?;
    tx.commit().await?;
    Ok(Some(to))
}

/// Queues what is to follow a change.
pub async fn enqueue_upkeep(
    tx: &mut Tx,
    repo: SourceRepoId,
    at: &Position,
    index: bool,
    now: Timestamp,
) -> Result<()> {
    let subject = repo.to_string();
    if at.packed.is_compaction_due() {
        jobs::enqueue(&mut **tx, JobKind::CompactSourceRepo, &subject, now).await?;
    }
    if index {
        jobs::enqueue(&mut **tx, JobKind::IndexSourceRepo, &subject, now).await?;
    }
    Ok(())
}

/// How the branch moved, edit by edit.
fn moves(branch: &str, old: CommitId, draft: &Draft) -> Vec<Happening> {
    let mut before = old;
    let mut moves = vec![];
    for edited in draft.results.iter().flatten() {
        if edited.head == before {
            continue;
        }
        moves.push(Happening::Pushed {
            name: branch.to_owned(),
            before: Some(before.to_string()),
            after: Some(edited.head.to_string()),
            changed_files: Some(edited.changed_files.clone()),
        });
        before = edited.head;
    }
    moves
}

fn changed(result: &Result<Edited, EditError>) -> bool {
    result.as_ref().is_ok_and(|edited| !edited.changed_files.is_empty())
}

fn line(order: &Order, repo: SourceRepoId, data: String) -> NewEvent {
    NewEvent::by(&order.caller, Context::Repo, repo, Action::Updated, order.workspace).with(data)
}

/// Brings the cache to what was just made durable.
pub fn keep(cache: &Cache, new: &[Object], branch: &str, head: CommitId, seq: i64) -> Result<()> {
    cache.put(new)?;
    cache.set_ref(branch, Some(ObjectId::from(head)))?;
    cache.set_seq(u64::try_from(seq).map_err(Error::internal)?);
    Ok(())
}

impl From<EditError> for Error {
    fn from(error: EditError) -> Self {
        let message = error.to_string();
        match error {
            EditError::PathInvalid { .. }
            | EditError::Directory { .. }
            | EditError::TooMany { .. } => Self::invalid("source", message),
            EditError::MergeReverted(_) | EditError::Cut(_) => {
                Self::invalid_at(&["path", "commit_id"], message)
            }
            EditError::NotFound { .. } => Self::NotFound(message),
            EditError::Conflict { .. } | EditError::Clash { .. } => {
                Self::Conflict { message, current_head: None }
            }
            EditError::HeadMoved { head, .. } => {
                Self::Conflict { message, current_head: Some(head.to_string()) }
            }
            EditError::TooLarge { .. } => Self::TooLarge(message),
            EditError::Objects(error) => error.into(),
        }
    }
}
