//! What an edit of a source repo is made of, as plain data; how it is applied is `service::edits`
//! alone.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::file_path::FilePath;
use super::patch::FilePatch;

/// Most operations, or files of a replacement, in one edit.
pub const OPERATIONS_MAX: usize = 10_000;
/// Largest content of one written file, in bytes.
pub const FILE_BYTES_MAX: usize = 50 * 1024 * 1024;
/// Longest commit message, in characters.
pub const MESSAGE_CHARS_MAX: usize = 64 * 1024;
/// Longest name, and longest mail address, of an identity, in characters.
pub const IDENTITY_CHARS_MAX: usize = 255;

/// One atomic set of changes: one commit, or none at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    pub source: Option<Change>,
    /// Commit message; the server words one when absent.
    pub message: Option<String>,
    /// Author of the commit; the server's own identity when absent.
    pub author: Option<Identity>,
    /// Refuse the edit unless the branch still points here.
    pub expected_head: Option<CommitId>,
}

impl Edit {
    /// How much the edit writes.
    pub fn bytes(&self) -> usize {
        let size = |write: &FileWrite| write.content.len();
        match &self.source {
            None | Some(Change::Merge { .. } | Change::Revert(_) | Change::Reset(_)) => 0,
            Some(Change::Patch(files)) => files.iter().map(FilePatch::bytes).sum(),
            Some(Change::Replace(files)) => files.iter().map(size).sum(),
            Some(Change::Operations(operations)) => operations
                .iter()
                .map(|operation| match operation {
                    Operation::Write(write) => size(write),
                    Operation::Delete { .. } | Operation::Rename { .. } => 0,
                })
                .sum(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The complete new content: everything else goes, binaries and symlinks included.
    Replace(Vec<FileWrite>),
    /// Collected, then applied as deletes, writes, renames, whatever their order in the request.
    Operations(Vec<Operation>),
    /// Fits exactly or fails.
    Patch(Vec<FilePatch>),
    /// What a commit has that the branch has not.
    Merge { commit: CommitId, name: String },
    /// The opposite of what a commit changed.
    Revert(CommitId),
    /// The files as a commit has them.
    Reset(CommitId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Write(FileWrite),
    /// A file, or a directory with everything below it.
    Delete {
        path: FilePath,
    },
    /// Files only.
    Rename {
        from: FilePath,
        to: FilePath,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileWrite {
    pub path: FilePath,
    pub content: Bytes,
    /// Absent: as it was, or regular for a new file.
    pub mode: Option<FileMode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileMode {
    Regular,
    Executable,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub name: String,
    pub email: String,
}

/// Name of a commit; 40 hexadecimal digits on every wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId([u8; Self::BYTES]);

impl CommitId {
    pub const BYTES: usize = 20;

    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitId({self})")
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CommitId {
    type Error = CommitIdError;

    fn try_from(text: String) -> Result<Self, CommitIdError> {
        text.parse()
    }
}

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, CommitIdError> {
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
        if text.len() != 2 * Self::BYTES {
            return Err(CommitIdError);
        }
        let mut bytes = [0; Self::BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (high, low) =
                (digit(pair[0]).ok_or(CommitIdError)?, digit(pair[1]).ok_or(CommitIdError)?);
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitIdError;

impl fmt::Display for CommitIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a commit is named by its full 40 hexadecimal digits")
    }
}

impl std::error::Error for CommitIdError {}
