//! Builds commits out of words users chose; it must never emit one that `git fsck --strict` would
//! refuse.

use gix::ObjectId;
use gix::actor::Signature;
use gix::date::Time;
use gix::objs::{Commit, Tree};

use super::objects::{Object, ObjectError};
use crate::model::edit::{CommitId, Identity};

/// Stands in for a name that has no usable character.
const NAMELESS: &str = "unknown";

pub struct Draft<'a> {
    pub tree: ObjectId,
    pub parents: &'a [CommitId],
    pub author: &'a Identity,
    pub committer: &'a Identity,
    pub message: &'a str,
    /// Seconds since 1970, UTC.
    pub seconds: i64,
}

pub fn build(draft: &Draft<'_>) -> Result<Object, ObjectError> {
    Object::encode(&Commit {
        tree: draft.tree,
        parents: draft.parents.iter().copied().map(ObjectId::from).collect(),
        author: signature(draft.author, draft.seconds),
        committer: signature(draft.committer, draft.seconds),
        encoding: None,
        message: format!("{}\n", draft.message.replace('\0', "").trim_end()).into(),
        extra_headers: Vec::new(),
    })
}

/// The commit without files or parents that a repo starts from, and the empty tree it needs.
pub fn build_first(
    identity: &Identity,
    message: &str,
    seconds: i64,
) -> Result<(CommitId, [Object; 2]), ObjectError> {
    let tree = Object::encode(&Tree::empty())?;
    let draft = Draft {
        tree: tree.id,
        parents: &[],
        author: identity,
        committer: identity,
        message,
        seconds,
    };
    let commit = build(&draft)?;
    Ok((commit.id.into(), [commit, tree]))
}

fn signature(identity: &Identity, seconds: i64) -> Signature {
    let name = token(&identity.name);
    Signature {
        name: if name.is_empty() { NAMELESS.into() } else { name.into() },
        email: token(&identity.email).into(),
        // git has no times before 1970.
        time: Time::new(seconds.max(0), 0),
    }
}

/// Leaves out what delimits the fields of a commit header.
fn token(text: &str) -> String {
    let kept: String =
        text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
    kept.trim().to_owned()
}
