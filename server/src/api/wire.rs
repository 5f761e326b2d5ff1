//! Spellings that several tags share.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::model::page::{PAGE_SIZE_MAX, PageRequest};
use crate::model::{edit, file_path, source_ref, source_repo};
use crate::service::{Error, Result};

/// A name for people to read.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000]+$", example = "Production")]
pub struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

/// The page that `page_start` and `page_size` ask for.
pub fn page(start: Option<i64>, size: Option<u32>) -> Result<PageRequest> {
    let size = size.map_or(PAGE_SIZE_MAX, i64::from);
    if !(1..=PAGE_SIZE_MAX).contains(&size) {
        let message = format!("page_size: must be 1 to {PAGE_SIZE_MAX}");
        return Err(Error::invalid_at(&["query", "page_size"], message));
    }
    let start = start.unwrap_or(0);
    if start < 0 {
        let message = "page_start: must not be negative";
        return Err(Error::invalid_at(&["query", "page_start"], message));
    }
    Ok(PageRequest { start, size })
}

/// What an operation answers that has nothing else to say.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"success": true}))]
pub struct ActionResponse {
    /// Always `true`.
    success: bool,
}

impl ActionResponse {
    pub fn done() -> axum::Json<Self> {
        axum::Json(Self { success: true })
    }
}

/// What an operation answers that has nothing else to say, for clients that show it.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"success": true, "message": "The AI API key is deleted."}))]
pub struct MessageResponse {
    /// Always `true`.
    success: bool,
    /// What was done.
    message: String,
}

impl MessageResponse {
    pub fn new(message: &str) -> axum::Json<Self> {
        axum::Json(Self { success: true, message: message.to_owned() })
    }
}

/// Path of a file in a source repo: relative, components separated by `/`, at most 4,096 bytes in all,
/// 255 bytes per component and 100 components. No component is empty, `.`, `..`, or a name that some
/// file system takes for `.git`. Backslash and NUL are not allowed anywhere. Letter case counts.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(
    min_length = 1,
    max_length = 4096,
    example = "src/main.py",
    pattern = r"^(?!(?:\.{1,2}|\.[gG][iI][tT])(?:/|$))[^/\\\u0000]+(?:/(?!(?:\.{1,2}|\.[gG][iI][tT])(?:/|$))[^/\\\u0000]+)*$"
)]
pub struct FilePath(String);

impl FilePath {
    pub fn into_path(self, place: &[&str]) -> Result<file_path::FilePath> {
        file_path::FilePath::new(self.0)
            .map_err(|error| Error::invalid_at(place, error.to_string()))
    }
}

/// Full id of a commit, 40 lower-case hexadecimal digits.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(pattern = r"^[0-9a-f]{40}$", example = "4b825dc642cb6eb9a060e54bf8d69288fbee4904")]
pub struct CommitId(String);

impl CommitId {
    pub fn into_id(self, place: &[&str]) -> Result<edit::CommitId> {
        let lower = !self.0.bytes().any(|byte| byte.is_ascii_uppercase());
        self.0.parse().ok().filter(|_| lower).ok_or_else(|| {
            Error::invalid_at(
                place,
                "A commit is named by all 40 of its lower-case hexadecimal digits.",
            )
        })
    }
}

/// A branch, a tag, or the full id of a commit. Of equal names, the branch counts.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000]+$", example = "main")]
pub struct Revision(String);

impl Revision {
    /// Longest name, in bytes; a full one has a prefix before it.
    const BYTES_MAX: usize = 255;

    pub fn into_revision(self, place: &[&str]) -> Result<source_ref::Revision> {
        if self.0.is_empty() || self.0.len() > Self::BYTES_MAX || self.0.contains('\0') {
            let message = "A branch, tag or commit has a name of 1 to 255 bytes, without NUL.";
            return Err(Error::invalid_at(place, message));
        }
        Ok(source_ref::Revision::new(&self.0))
    }
}

/// Name of a branch, as git has it: no part between slashes is empty, begins with a dot, or ends in a dot or
/// in `.lock`; no `..`, `@{`, space, control character or any of `~^:?*[\` anywhere; not `HEAD`, and not an id
/// of a commit. At most 244 bytes. In a path its slashes are sent as `%2F`.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(
    min_length = 1,
    max_length = 244,
    example = "feature/search",
    pattern = r"^(?![-./])(?!(?:@|HEAD|[0-9a-fA-F]{40})$)(?!.*(?:\.\.|@\{|//|/\.|\./|\.lock/))(?!.*(?:/|\.|\.lock)$)[^\u0000-\u0020\u007f~^:?*\[\\]+$"
)]
pub struct BranchName(String);

impl BranchName {
    pub fn into_name(self, place: &[&str]) -> Result<source_ref::BranchName> {
        source_ref::BranchName::new(self.0).ok_or_else(|| {
            let message = "Git takes no branch of this name. Use letters, digits, `-` and `/`.";
            Error::invalid_at(place, message)
        })
    }
}

/// Message of a commit, first line the subject. If empty, the server writes a line that names the change.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(max_length = 65536, example = "Add a search page")]
pub struct CommitMessage(String);

impl CommitMessage {
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Message of a commit, short enough for a URL.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(max_length = 4096, example = "Add a search page")]
pub struct ShortCommitMessage(String);

impl ShortCommitMessage {
    /// Most characters; fully escaped they still fit in a URL beside the longest path.
    const CHARS_MAX: usize = 4_096;

    pub fn into_text(self, place: &[&str]) -> Result<String> {
        if self.0.chars().count() > Self::CHARS_MAX {
            let message = format!("message: must have at most {} characters", Self::CHARS_MAX);
            return Err(Error::invalid_at(place, message));
        }
        Ok(self.0)
    }
}

/// Free pairs of strings, at most 64. A key has 1 to 128 bytes, a value at most 4,096 bytes.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    pub fn into_pairs(self) -> source_repo::Metadata {
        self.0
    }

    pub fn from_pairs(pairs: source_repo::Metadata) -> Self {
        Self(pairs)
    }
}

// The derive knows no bound on the number of a map's keys.
impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        let description = "Free pairs of strings, at most 64. A key has 1 to 128 bytes, a value at most 4,096 bytes.";
        ObjectBuilder::new()
            .description(Some(description))
            .max_properties(Some(source_repo::METADATA_KEYS_MAX))
            .additional_properties(Some(RefOr::T(Schema::from(Object::with_type(Type::String)))))
            .examples([serde_json::json!({"team": "search"})])
            .into()
    }
}

impl ToSchema for Metadata {}

// Bytes as they are. No doc comment, since it would become a description.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "read by the document only")]
pub struct BinaryBody(Vec<u8>);
