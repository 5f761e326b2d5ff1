//! What edits look like on the wire, and what they become inside.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use utoipa::ToSchema;

use super::git_sources::Place;
use super::storage_words::secret;
use super::strict::{strict, tagged};
use super::wire::{BranchName, CommitId, CommitMessage, FilePath, Metadata};
use crate::model::edit::{self, Change, Edit, Identity};
use crate::model::patch;
use crate::service::{Error, Result, source_fetch, source_repos};

/// One edit. At least one of `source` and `metadata` is needed.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(min_properties = 1, example = json!({"source": {"type": "diff", "operations": [{"type": "write", "filename": "src/search.ts", "content": "export const search = () => [];\n"}, {"type": "rename", "old_filename": "src/utils.ts", "new_filename": "src/helpers.ts"}, {"type": "delete", "filename": "old-file.js"}]}, "expected_head": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "message": "Add search"}))]
pub struct EditSourceRepoRequest {
    /// What to change of the files.
    #[serde(default)]
    source: Option<EditSource>,
    /// The new metadata, in place of all the old.
    #[serde(default)]
    metadata: Option<Metadata>,
    /// Make the edit only if this still is the branch's head; otherwise 409.
    #[serde(default)]
    expected_head: Option<CommitId>,
    /// Message of the commit. Default is a line that names the change.
    #[serde(default)]
    message: Option<CommitMessage>,
    /// Author of the commit. Default is the caller.
    #[serde(default)]
    author: Option<CommitAuthor>,
    /// Branch to make the edit on; it has to be there. Default is `main`.
    #[serde(default)]
    branch: Option<BranchName>,
}

/// What an edit does to the files.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"type": "diff", "operations": [{"type": "delete", "filename": "old-file.js"}]}))]
pub enum EditSource {
    /// Make these files the whole content of the repo.
    Files {
        /// The files. All others are deleted. If a path is listed twice, the later entry counts.
        #[schema(max_items = 10000)]
        files: Vec<FileWrite>,
    },
    /// Change single files and leave the others alone.
    Diff {
        /// The operations. Run in three phases: deletes, writes, renames.
        #[schema(max_items = 10000)]
        operations: Vec<EditOperation>,
    },
    /// Merge what a repository elsewhere has on a branch, fetched over git.
    Git {
        /// Where it is: https, or http in a network that the operator allows. Without user name and password.
        #[schema(min_length = 1, max_length = 2083, pattern = r"^[^\u0000]+$")]
        url: String,
        /// Branch to take. Default is the one that the other repository calls its own.
        #[serde(default)]
        branch: Option<BranchName>,
        /// User name to fetch with, where a password is needed. Default is `token`.
        #[serde(default)]
        #[schema(min_length = 1, max_length = 1024, pattern = r"^[^:\u0000-\u001f\u007f]+$")]
        username: Option<String>,
        /// Password or token to fetch with. Write-only: it is used this once and never kept.
        #[serde(default, deserialize_with = "secret")]
        #[schema(min_length = 1, max_length = 1024, pattern = r"^[^\u0000-\u001f\u007f]+$")]
        password: Option<String>,
    },
    /// Apply a unified diff, as `git diff` writes it. Every line has to be where the patch says it is.
    Patch {
        /// The patch, of any number of files. Text files only.
        #[schema(min_length = 1)]
        patch: String,
    },
}

/// Who wrote a change, as git records it. The server itself is always the committer.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "Ada Example", "email": "ada@example.com"}))]
pub struct CommitAuthor {
    /// Name. Angle brackets, line breaks and NUL are not allowed, nor only white space.
    #[schema(min_length = 1, max_length = 255, pattern = "^[^<>\\r\\n\\u0000]+$")]
    name: String,
    /// E-mail address. Angle brackets, line breaks and NUL are not allowed, nor only white space.
    #[schema(min_length = 1, max_length = 255, pattern = "^[^<>\\r\\n\\u0000]+$")]
    email: String,
}

/// A file with its content.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"filename": "src/main.py", "content": "print(\"hello\")\n"}))]
pub struct FileWrite {
    filename: FilePath,
    /// The whole content, in the way `encoding` says.
    content: String,
    /// How `content` holds the bytes. Default `utf-8`.
    #[serde(default)]
    encoding: Option<FileEncoding>,
    /// Git file mode. Default is the mode of the file that is overwritten, or `100644`.
    #[serde(default)]
    mode: Option<FileMode>,
}

/// One operation of a `diff`.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"type": "rename", "old_filename": "src/utils.ts", "new_filename": "src/helpers.ts"}))]
pub enum EditOperation {
    /// Create a file or overwrite it.
    Write {
        filename: FilePath,
        /// The whole content, in the way `encoding` says.
        content: String,
        /// How `content` holds the bytes. Default `utf-8`.
        #[serde(default)]
        encoding: Option<FileEncoding>,
        /// Git file mode. Default is the mode of the file that is overwritten, or `100644`.
        #[serde(default)]
        mode: Option<FileMode>,
    },
    /// Delete a file, or a directory with everything in it.
    Delete { filename: FilePath },
    /// Give a file another path.
    Rename { old_filename: FilePath, new_filename: FilePath },
}

/// Mode of a file in git, `100644` for a plain one, `100755` for an executable one.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(remote = "Self")]
#[schema(example = json!("100644"))]
pub enum FileMode {
    #[serde(rename = "100644")]
    Regular,
    #[serde(rename = "100755")]
    Executable,
}

/// How `content` holds the file's bytes, as text or as standard base64 with padding.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(remote = "Self")]
#[schema(example = json!("utf-8"))]
pub enum FileEncoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "base64")]
    Base64,
}

strict!(EditSourceRepoRequest, CommitAuthor, FileWrite, FileEncoding, FileMode);
tagged!(EditSource, EditOperation);

/// What an edit asks for.
pub enum Asked {
    /// A change that is all in the request.
    Edit(source_repos::Change),
    /// One that is elsewhere.
    Fetch(source_fetch::Update),
}

impl EditSourceRepoRequest {
    pub fn into_asked(self) -> Result<Asked> {
        let message = self.message.map(CommitMessage::into_text);
        let author = self.author.map(CommitAuthor::into_identity).transpose()?;
        let head = self.expected_head.map(|head| head.into_id(&["body", "expected_head"]));
        let expected_head = head.transpose()?;
        let branch = self.branch.map(|name| name.into_name(&["body", "branch"])).transpose()?;
        let metadata = self.metadata.map(Metadata::into_pairs);
        if let Some(EditSource::Git { url, branch: from, username, password }) = self.source {
            let source = Place { url, branch: from, username, password }.into_update()?;
            let update =
                source_fetch::Update { source, branch, message, author, expected_head, metadata };
            return Ok(Asked::Fetch(update));
        }
        let source = self.source.map(EditSource::into_change).transpose()?;
        let edit = Edit { source, message, author, expected_head };
        Ok(Asked::Edit(source_repos::Change { branch, edit, metadata }))
    }
}

impl EditSource {
    fn into_change(self) -> Result<Change> {
        match self {
            Self::Files { files } => writes(files).map(Change::Replace),
            Self::Git { .. } => unreachable!("what is elsewhere is fetched first"),
            Self::Patch { patch } => patch::parse(&patch).map(Change::Patch).map_err(|error| {
                Error::invalid_at(&["body", "source", "patch"], error.to_string())
            }),
            Self::Diff { operations } => {
                let operations = operations.into_iter().enumerate();
                operations
                    .map(|(index, operation)| operation.into_operation(index))
                    .collect::<Result<_>>()
                    .map(Change::Operations)
            }
        }
    }
}

impl EditOperation {
    fn into_operation(self, index: usize) -> Result<edit::Operation> {
        let index = index.to_string();
        let place = |field| ["body", "source", "operations", &index, field];
        Ok(match self {
            Self::Write { filename, content, encoding, mode } => {
                edit::Operation::Write(edit::FileWrite {
                    path: filename.into_path(&place("filename"))?,
                    content: decode(content, encoding, &place("content"))?,
                    mode: mode.map(edit::FileMode::from),
                })
            }
            Self::Delete { filename } => {
                edit::Operation::Delete { path: filename.into_path(&place("filename"))? }
            }
            Self::Rename { old_filename, new_filename } => edit::Operation::Rename {
                from: old_filename.into_path(&place("old_filename"))?,
                to: new_filename.into_path(&place("new_filename"))?,
            },
        })
    }
}

/// The files of a `files` source.
pub fn writes(files: Vec<FileWrite>) -> Result<Vec<edit::FileWrite>> {
    let one = |(index, file): (usize, FileWrite)| {
        let index = index.to_string();
        let place = |field| ["body", "source", "files", &index, field];
        Ok(edit::FileWrite {
            path: file.filename.into_path(&place("filename"))?,
            content: decode(file.content, file.encoding, &place("content"))?,
            mode: file.mode.map(edit::FileMode::from),
        })
    };
    files.into_iter().enumerate().map(one).collect()
}

fn decode(content: String, encoding: Option<FileEncoding>, place: &[&str]) -> Result<Bytes> {
    match encoding {
        None | Some(FileEncoding::Utf8) => Ok(content.into()),
        Some(FileEncoding::Base64) => {
            BASE64_STANDARD.decode(content).map(Bytes::from).map_err(|error| {
                Error::invalid_at(
                    place,
                    format!("content: is not standard base64 with padding: {error}"),
                )
            })
        }
    }
}

impl CommitAuthor {
    pub fn into_identity(self) -> Result<Identity> {
        for (field, text) in [("name", &self.name), ("email", &self.email)] {
            let usable = !text.trim().is_empty() && !text.contains(['<', '>', '\r', '\n', '\0']);
            if !usable || text.chars().count() > 255 {
                let message = format!(
                    "author.{field}: must have 1 to 255 characters, none of them an angle bracket, \
                     line break or NUL"
                );
                return Err(Error::invalid_at(&["body", "author", field], message));
            }
        }
        Ok(Identity { name: self.name, email: self.email })
    }
}

impl From<FileMode> for edit::FileMode {
    fn from(mode: FileMode) -> Self {
        match mode {
            FileMode::Regular => Self::Regular,
            FileMode::Executable => Self::Executable,
        }
    }
}
