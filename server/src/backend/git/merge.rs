//! Puts two lines of development together, in memory, as git does; it must never settle a
//! conflict by itself.

use gix::ObjectId;
use gix::bstr::BString;
use gix::diff::Rewrites;
use gix::glob::pattern::Case;
use gix::hashtable::HashSet;
use gix::merge::blob::pipeline::{Mode, WorktreeRoots};
use gix::merge::blob::{Pipeline, Platform, pipeline, platform};
use gix::merge::plumbing as merge;
use gix::merge::plumbing::tree::TreatAsUnresolved;
use gix::objs::{Kind, Write};
use gix::revision::plumbing::merge_base;
use gix::revwalk::Graph;
use gix::worktree::Stack;
use gix::worktree::stack::State;
use gix::worktree::stack::state::Attributes;

use super::database::Database;
use super::diff::{COMPARED_BYTES_MAX, content_cache};
use super::objects::{HASH, Object, ObjectError, ObjectSource};
use super::walk::read_tree;
use crate::model::edit::CommitId;

/// What comes of a merge.
pub enum Merged {
    /// The tree, and the objects it needs that were not there before.
    Clean { root: ObjectId, new: Vec<Object> },
    /// The paths that cannot be settled, in order.
    Conflicts(Vec<BString>),
}

/// How one commit stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It holds all of the other, or is the other.
    Ahead,
    /// The other holds all of it.
    Behind,
    Apart,
    /// As before, and they have nothing in common.
    Strangers,
}

/// How `one` stands to `other`.
pub fn relation(
    source: &dyn ObjectSource,
    one: CommitId,
    other: CommitId,
) -> Result<Relation, ObjectError> {
    let database = Database::new(source);
    let mut graph = Graph::new(&database, None);
    let (one, other) = (ObjectId::from(one), ObjectId::from(other));
    let bases = merge_base(one, &[other], &mut graph).map_err(|error| database.fault(error))?;
    Ok(match bases.map(Vec::from).as_deref() {
        Some([base]) if *base == other => Relation::Ahead,
        Some([base]) if *base == one => Relation::Behind,
        Some(_) => Relation::Apart,
        None => Relation::Strangers,
    })
}

/// The trees of two commits, with what they have in common as the base.
pub fn commits(
    source: &dyn ObjectSource,
    ours: CommitId,
    theirs: CommitId,
) -> Result<Merged, ObjectError> {
    let database = Database::new(source);
    let mut graph = Graph::new(&database, None);
    let outcome = merge::commit(
        ours.into(),
        theirs.into(),
        Default::default(),
        &mut graph,
        &mut content_cache(),
        &mut merge_cache(),
        &database,
        &mut |id| id.to_string(),
        merge::commit::Options {
            allow_missing_merge_base: true,
            tree_merge: options(),
            use_first_merge_base: false,
        },
    );
    let outcome = outcome.map_err(|error| database.fault(error))?;
    finish(&database, outcome.tree_merge)
}

/// What turned `base` into `theirs`, done to `ours`.
pub fn trees(
    source: &dyn ObjectSource,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
) -> Result<Merged, ObjectError> {
    let database = Database::new(source);
    let outcome = merge::tree(
        &base,
        &ours,
        &theirs,
        Default::default(),
        &database,
        |content| database.write_buf(Kind::Blob, content),
        &mut gix::diff::tree::State::default(),
        &mut content_cache(),
        &mut merge_cache(),
        options(),
    );
    let outcome = outcome.map_err(|error| database.fault(error))?;
    finish(&database, outcome)
}

fn finish(
    database: &Database<'_>,
    mut outcome: merge::tree::Outcome<'_>,
) -> Result<Merged, ObjectError> {
    let how = TreatAsUnresolved::git();
    if outcome.has_unresolved_conflicts(how) {
        let open = outcome.conflicts.iter().filter(|conflict| conflict.is_unresolved(how));
        let sides = open.flat_map(|conflict| [&conflict.ours, &conflict.theirs]);
        let mut paths: Vec<BString> = sides.map(|side| side.location().to_owned()).collect();
        paths.sort();
        paths.dedup();
        return Ok(Merged::Conflicts(paths));
    }
    let written = outcome.tree.write(|tree| database.write(tree));
    let root = written.map_err(|error| database.fault(error))?;
    let (mut new, mut seen) = (Vec::new(), HashSet::default());
    collect(database, root, &mut new, &mut seen)?;
    Ok(Merged::Clean { root, new })
}

/// What of the new objects a tree needs: merging makes more than that.
fn collect(
    database: &Database<'_>,
    id: ObjectId,
    new: &mut Vec<Object>,
    seen: &mut HashSet<ObjectId>,
) -> Result<(), ObjectError> {
    let Some(object) = database.written(&id).filter(|_| seen.insert(id)) else {
        return Ok(());
    };
    if object.kind == Kind::Tree {
        for (_, entry) in read_tree(database, id)? {
            collect(database, entry.id, new, seen)?;
        }
    }
    new.push(object);
    Ok(())
}

fn options() -> merge::tree::Options {
    merge::tree::Options { rewrites: Some(Rewrites::default()), ..Default::default() }
}

/// As [`content_cache`]: contents as they are stored.
fn merge_cache() -> Platform {
    let filter = gix::filter::plumbing::Pipeline::new(Default::default(), HASH, Default::default());
    let options = pipeline::Options { large_file_threshold_bytes: COMPARED_BYTES_MAX as u64 };
    let blobs = Pipeline::new(WorktreeRoots::default(), filter, options);
    let attributes = State::AttributesStack(Attributes::default());
    let stack = Stack::new("", attributes, Case::Sensitive, Vec::new(), Vec::new());
    Platform::new(blobs, Mode::ToGit, stack, Vec::new(), platform::Options::default())
}
