//! A source repo's past as it is answered, as plain data.

use std::fmt;

use super::edit::CommitId;

/// Commits on a page of the log, unless the request says otherwise.
pub const COMMITS_PAGE: usize = 50;
/// Most commits on a page of the log.
pub const COMMITS_PAGE_MAX: usize = 100;
/// Paths on a page of a listing, unless the request says otherwise.
pub const PATHS_PAGE: usize = 1_000;
/// Most paths on a page of a listing.
pub const PATHS_PAGE_MAX: usize = 10_000;

/// A commit without its files.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: CommitId,
    pub parents: Vec<CommitId>,
    pub author: Signed,
    pub committer: Signed,
    pub message: String,
}

/// Who did something, and when.
#[derive(Clone, Debug)]
pub struct Signed {
    pub name: String,
    pub email: String,
    /// Seconds since 1970, UTC.
    pub seconds: i64,
}

/// What a path of a tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryType {
    File,
    Directory,
    Symlink,
    Submodule,
}

/// A path of a tree.
#[derive(Clone, Debug)]
pub struct TreeEntry {
    pub path: String,
    pub kind: EntryType,
    pub mode: GitMode,
    /// Name of the content, 40 hexadecimal digits.
    pub oid: String,
    /// Bytes of a file or symlink.
    pub size: Option<u64>,
}

/// Mode of an entry, as git keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GitMode(pub u16);

impl fmt::Display for GitMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06o}", self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
    Renamed,
}

/// How one file differs between two commits.
#[derive(Clone, Debug)]
pub struct FileDiff {
    pub kind: ChangeKind,
    /// The new path; of a deleted file, the one it had.
    pub path: String,
    /// Where a renamed file was.
    pub old_path: Option<String>,
    pub old_mode: Option<GitMode>,
    pub new_mode: Option<GitMode>,
    pub additions: u32,
    pub deletions: u32,
    /// Not text in UTF-8, so that there is no patch.
    pub binary: bool,
    /// Unified diff with git's header.
    pub patch: Option<String>,
    /// Whether a limit kept the patch out.
    pub truncated: bool,
}

/// How two commits differ.
#[derive(Clone, Debug, Default)]
pub struct TreeDiff {
    /// In path order.
    pub files: Vec<FileDiff>,
    /// Whether more files differ than are listed.
    pub truncated: bool,
}

/// Matches on a page of a search, unless the request says otherwise.
pub const MATCHES_PAGE: usize = 100;
/// Most matches on a page of a search.
pub const MATCHES_PAGE_MAX: usize = 1_000;
/// Longest pattern to look for, and longest glob, in characters.
pub const PATTERN_CHARS_MAX: usize = 1_000;

/// A line that holds what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrepMatch {
    pub path: String,
    /// Counted from 1.
    pub line: u64,
    /// Where in the line the first match begins, in bytes, counted from 1.
    pub column: u64,
    /// The line, or of a very long one the part around the match.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    Tar,
    TarGz,
    Zip,
}

impl ArchiveFormat {
    /// What file names end in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
            Self::Zip => "zip",
        }
    }
}
