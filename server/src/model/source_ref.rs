//! What commits are called: by their ids, or by branches and tags.

use std::fmt;

use super::edit::CommitId;

/// Longest name of a branch or tag, in bytes.
pub const REF_NAME_BYTES_MAX: usize = 244;
/// Branches on a page, unless the request says otherwise, and at most.
pub const BRANCHES_PAGE_MAX: usize = 1_000;

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// A commit as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    Id(CommitId),
    /// A branch or a tag.
    Name(String),
}

impl Revision {
    /// 40 hexadecimal digits are an id, whatever branches there are.
    pub fn new(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }

    /// The refs that a name may stand for, the first one found counts.
    pub fn candidates(name: &str) -> [String; 3] {
        [format!("{BRANCHES}{name}"), format!("{TAGS}{name}"), name.to_owned()]
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A branch by its short name, `main` or `feature/search`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchName(String);

impl BranchName {
    /// Nothing when git would not have it, or when it looks like a commit's id.
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        let usable = name.len() <= REF_NAME_BYTES_MAX
            && !name.starts_with('-')
            && !["@", "HEAD"].contains(&name.as_str())
            && name.parse::<CommitId>().is_err()
            && !name.contains("..")
            && !name.contains("@{")
            && !name.contains(|c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c))
            && name.split('/').all(|part| {
                !part.is_empty()
                    && !part.starts_with('.')
                    && !part.ends_with('.')
                    && !part.ends_with(".lock")
            });
        usable.then_some(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As git keeps it.
    pub fn full(&self) -> String {
        format!("{BRANCHES}{}", self.0)
    }

    /// The branch that a ref is, if it is one.
    pub fn of(full: &str) -> Option<Self> {
        full.strip_prefix(BRANCHES).map(|name| Self(name.to_owned()))
    }

    /// The full names of all branches begin with this.
    pub const fn prefix() -> &'static str {
        BRANCHES
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
