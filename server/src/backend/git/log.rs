//! The commits before a commit, newest first, in the order and with the choice of `git log`; it
//! must never walk further than it is told.

use std::collections::{BinaryHeap, HashSet};

use gix::ObjectId;
use gix::bstr::{BStr, BString};
use gix::objs::{CommitRef, Kind};

use super::objects::{HASH, Object, ObjectError, ObjectSource};
use super::walk::find_at;
use crate::model::edit::CommitId;
use crate::model::history::{Commit, Signed};

/// A walk that can be broken off and gone on with.
pub struct Log<'a> {
    source: &'a dyn ObjectSource,
    path: Option<BString>,
    waiting: BinaryHeap<Waiting>,
    seen: HashSet<ObjectId>,
    order: u64,
}

/// A commit whose turn comes by its time; of equal ones, the first that was found.
#[derive(PartialEq, Eq)]
struct Waiting {
    seconds: i64,
    order: u64,
    id: ObjectId,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.seconds.cmp(&other.seconds).then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Log<'a> {
    /// Begins with `from`, in this order where times are equal. With a path, only commits that
    /// changed it or what is below it are told.
    pub fn new(
        source: &'a dyn ObjectSource,
        from: &[CommitId],
        path: Option<&BStr>,
    ) -> Result<Self, ObjectError> {
        let path = path.map(ToOwned::to_owned);
        let (waiting, seen) = (BinaryHeap::new(), HashSet::new());
        let mut log = Self { source, path, waiting, seen, order: 0 };
        from.iter().try_for_each(|id| log.wait((*id).into()))?;
        Ok(log)
    }

    /// What a later walk has to begin with to go on where this one stands; nothing at the end.
    pub fn rest(self) -> Vec<CommitId> {
        let sorted = self.waiting.into_sorted_vec();
        sorted.into_iter().rev().map(|waiting| waiting.id.into()).collect()
    }

    /// Looks at one more commit: nothing at the end, `Some(None)` if it is not to be told.
    pub fn step(&mut self) -> Result<Option<Option<Commit>>, ObjectError> {
        let Some(Waiting { id, .. }) = self.waiting.pop() else {
            return Ok(None);
        };
        let object = self.source.read(&id)?;
        let commit = parse(&object)?;
        let parents = parents(self.source, id, &commit);
        let (told, follow) = match &self.path {
            None => (true, parents),
            Some(path) => choose(self.source, commit.tree(), parents, path.as_ref())?,
        };
        follow.into_iter().try_for_each(|parent| self.wait(parent))?;
        Ok(Some(told.then(|| describe(self.source, id, &commit))))
    }

    fn wait(&mut self, id: ObjectId) -> Result<(), ObjectError> {
        if self.seen.insert(id) {
            let object = self.source.read(&id)?;
            let seconds = parse(&object)?.committer().map_or(0, |committer| committer.seconds());
            self.waiting.push(Waiting { seconds, order: self.order, id });
            self.order += 1;
        }
        Ok(())
    }
}

/// Whether a commit changed the path, and which parents to go on with: one that has the path as
/// it is here explains all of it.
fn choose(
    source: &dyn ObjectSource,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    path: &BStr,
) -> Result<(bool, Vec<ObjectId>), ObjectError> {
    let here = find_at(source, tree, path)?;
    for parent in &parents {
        let there = find_at(source, source.read(parent)?.root_tree()?, path)?;
        if here == there {
            return Ok((false, vec![*parent]));
        }
    }
    Ok((!parents.is_empty() || here.is_some(), parents))
}

/// One commit.
pub fn read(source: &dyn ObjectSource, id: CommitId) -> Result<Commit, ObjectError> {
    let object = source.read(&id.into())?;
    let commit = parse(&object)?;
    Ok(describe(source, object.id, &commit))
}

fn parse(object: &Object) -> Result<CommitRef<'_>, ObjectError> {
    object.expect(Kind::Commit)?;
    CommitRef::from_bytes(&object.data, HASH).map_err(|err| ObjectError::broken(object.id, err))
}

/// Those parents that are here; either all or none.
fn parents(source: &dyn ObjectSource, id: ObjectId, commit: &CommitRef<'_>) -> Vec<ObjectId> {
    if source.is_cut(&id) { Vec::new() } else { commit.parents().collect() }
}

fn describe(source: &dyn ObjectSource, id: ObjectId, commit: &CommitRef<'_>) -> Commit {
    let signed = |signature: Option<gix::actor::SignatureRef<'_>>| match signature {
        Some(signature) => Signed {
            name: signature.name.to_string(),
            email: signature.email.to_string(),
            seconds: signature.seconds(),
        },
        None => Signed { name: String::new(), email: String::new(), seconds: 0 },
    };
    Commit {
        id: id.into(),
        parents: parents(source, id, commit).into_iter().map(CommitId::from).collect(),
        author: signed(commit.author().ok()),
        committer: signed(commit.committer().ok()),
        message: commit.message.to_string(),
    }
}
