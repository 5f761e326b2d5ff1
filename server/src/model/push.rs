//! A push to a source repo: which refs are to point where, and how many there may be.

use std::collections::BTreeMap;

use super::edit::CommitId;

/// Most refs of a repo.
pub const REFS_MAX: usize = 20_000;
/// Most refs that one push changes.
pub const UPDATES_MAX: usize = 5_000;
/// Longest name of a ref, in bytes.
pub const REF_BYTES_MAX: usize = 512;
/// What a client may push to. Everything else is the server's own.
pub const PUSHABLE: [&str; 3] = ["refs/heads/", "refs/tags/", "refs/notes/"];

/// What a ref points to: a commit, or the object of a tag.
pub type Target = CommitId;

/// Full names, as in `refs/heads/main`.
pub type Refs = BTreeMap<String, Target>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    pub name: String,
    /// Where the client believes it to point; nowhere if it is to be made.
    pub old: Option<Target>,
    /// Nowhere if it is to be deleted.
    pub new: Option<Target>,
}

/// What became of each update, in their order: a refusal says why, in a few words.
pub type Outcomes = Vec<Result<(), String>>;
