//! Tag `source_files`: single files of a source repo, as raw bytes.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::edits::FileMode;
use super::extract::{SourceFile, SourcePath, SourceQuery};
use super::half::{SourceError, SourceFault};
use super::problem::Problem;
use super::ranges::{self, Part};
use super::responses::{
    SourceAbsent, SourceAlways, SourceBody, SourceConflict, SourceForbidden, SourceInvalid,
    SourceLocked,
};
use super::source_repos::{CommitQuery, SourceRepoInfo};
use super::wire::{BinaryBody, BranchName, CommitId, FilePath, ShortCommitMessage};
use super::{By, Shared};
use crate::model::edit::{self, Change, Edit, Operation};
use crate::service::{Result, Services, source_repos};

/// The routes as they are served: the path may hold raw slashes, which OpenAPI cannot describe.
pub fn slashed() -> Router<Arc<Services>> {
    let methods = get(get_source_file).put(put_source_file).delete(delete_source_file);
    Router::new().route("/v1/repo/{repo_id}/file/{*file_path}", methods)
}

/// Write one file
///
/// The body is the file, byte for byte, text or binary, at most 50 MiB. Makes one commit; writing what
/// is already there makes none. Parent directories are created. A directory at the path, or a file in
/// the place of one of its parents, is 409. A symlink at the path is replaced, not followed.
/// Needs WRITE in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(put, path = "/v1/repo/{repo_id}/file/{file_path}", tag = "source_files", params(FileAt, PutQuery),
    request_body(content = inline(BinaryBody), content_type = "application/octet-stream",
        description = "The file's bytes. Nothing is decoded or converted; an empty body is an empty file."),
    responses(
        (status = 200, description = "The file existed and is overwritten.", body = SourceRepoInfo),
        (status = 201, description = "The file is new.", body = SourceRepoInfo),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceBody, SourceInvalid, SourceLocked,
    ))]
pub async fn put_source_file(
    services: Shared,
    caller: By,
    path: SourcePath<FileAt>,
    query: SourceQuery<PutQuery>,
    body: SourceFile,
) -> Result<(StatusCode, Json<SourceRepoInfo>), SourceFault> {
    let (id, path) = (path.0.repo_id.into(), path.0.file_path.into_path(&["path", "file_path"])?);
    let PutQuery { expected_head, message, mode, branch } = query.0;
    let write = edit::FileWrite { path, content: body.0, mode: mode.map(edit::FileMode::from) };
    let change = single(Operation::Write(write), expected_head, message, branch)?;
    let edited = source_repos::edit(&services, &caller, id, change).await?;
    let status = if edited.existed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(SourceRepoInfo::new(id, edited))))
}

/// Read one file
///
/// The file's bytes, always as `application/octet-stream`, so that no client mistakes a JSON file for
/// an answer of the API. A path that is absent, or is a directory, symlink or submodule, is 404.
/// `ETag` is git's id of the content; a part is asked for with `Range`.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/file/{file_path}", tag = "source_files", params(FileAt, CommitQuery, Conditions),
    responses(
        (status = 200, description = "The file's bytes.", body = inline(BinaryBody),
            content_type = "application/octet-stream",
            headers(("ETag" = String, description = "Git's id of the content, in quotes."))),
        (status = 206, description = "The bytes that were asked for.", body = inline(BinaryBody),
            content_type = "application/octet-stream",
            headers(("ETag" = String, description = "Git's id of the content, in quotes."),
                ("Content-Range" = String, description = "Which bytes these are, and how many the file has."))),
        (status = 304, description = "The client has it already, see `If-None-Match`."),
        (status = 416, description = "The file ends before the bytes that were asked for begin.", body = SourceError,
            headers(("Content-Range" = String, description = "How many bytes the file has.")),
            example = json!({"error": "The file has 100 bytes. Ask for less.", "code": "range_not_satisfiable", "message": "The file has 100 bytes. Ask for less."})),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn get_source_file(
    services: Shared,
    caller: By,
    path: SourcePath<FileAt>,
    query: SourceQuery<CommitQuery>,
    headers: HeaderMap,
) -> Result<Response, SourceFault> {
    let (id, path) = (path.0.repo_id.into(), path.0.file_path.into_path(&["path", "file_path"])?);
    let at = query.0.into_revision()?;
    let asked = headers.clone();
    let known = move |id: &str| ranges::is_known(&asked, &format!("\"{id}\""));
    let file = source_repos::file(&services, &caller, id, path, at, known).await?;
    Ok(part_of(file, &headers))
}

/// As much of a file as was asked for.
fn part_of(file: source_repos::File, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", file.id);
    let named = [(header::ETAG, etag.clone()), (header::ACCEPT_RANGES, "bytes".to_owned())];
    let Some(content) = file.content else {
        return (StatusCode::NOT_MODIFIED, named).into_response();
    };
    let raw = [(header::CONTENT_TYPE, "application/octet-stream")];
    let length = content.len();
    match ranges::part(headers, &etag, length) {
        Part::Whole => (named, raw, content).into_response(),
        Part::Some(part) => {
            let which = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            let which = [(header::CONTENT_RANGE, which)];
            (StatusCode::PARTIAL_CONTENT, named, raw, which, content.slice(part)).into_response()
        }
        Part::Beyond => {
            let length_only = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            (length_only, SourceFault::from(Problem::beyond(length))).into_response()
        }
    }
}

/// Delete one file or directory
///
/// Makes one commit. A directory goes with everything in it, and `changed_files` names each file of it.
/// A path that is absent is 404. A body, if one is sent, is not read.
/// Needs WRITE in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(delete, path = "/v1/repo/{repo_id}/file/{file_path}", tag = "source_files", params(FileAt, DeleteQuery),
    responses(
        (status = 200, description = "The path is deleted.", body = SourceRepoInfo),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceInvalid, SourceLocked,
    ))]
pub async fn delete_source_file(
    services: Shared,
    caller: By,
    path: SourcePath<FileAt>,
    query: SourceQuery<DeleteQuery>,
) -> Result<Json<SourceRepoInfo>, SourceFault> {
    let (id, path) = (path.0.repo_id.into(), path.0.file_path.into_path(&["path", "file_path"])?);
    let DeleteQuery { expected_head, message, branch } = query.0;
    let change = single(Operation::Delete { path }, expected_head, message, branch)?;
    let edited = source_repos::edit(&services, &caller, id, change).await?;
    Ok(Json(SourceRepoInfo::new(id, edited)))
}

fn single(
    operation: Operation,
    expected_head: Option<CommitId>,
    message: Option<ShortCommitMessage>,
    branch: Option<BranchName>,
) -> Result<source_repos::Change> {
    let branch = branch.map(|name| name.into_name(&["query", "branch"])).transpose()?;
    let expected_head =
        expected_head.map(|head| head.into_id(&["query", "expected_head"])).transpose()?;
    let edit = Edit {
        source: Some(Change::Operations(vec![operation])),
        message: message.map(|message| message.into_text(&["query", "message"])).transpose()?,
        author: None,
        expected_head,
    };
    Ok(source_repos::Change { branch, edit, metadata: None })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FileAt {
    /// Id of the source repo.
    #[param(example = "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50")]
    repo_id: Uuid,
    /// Path of the file in the repo. Its slashes may be sent raw or as `%2F`; both arrive.
    file_path: FilePath,
}

/// Read by [`ranges`].
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "read by the document only")]
pub struct Conditions {
    /// The part to send, as in `bytes=0-499`, `bytes=500-` or `bytes=-500`. What is none, or several, is answered
    /// with the whole file.
    #[param(rename = "Range", nullable = false)]
    range: Option<String>,
    /// `ETag` of the file that `Range` is about; if the file is another by now, all of it is sent.
    #[param(rename = "If-Range", nullable = false)]
    if_range: Option<String>,
    /// `ETag`s of what the client has; if the file is among it, the answer is 304.
    #[param(rename = "If-None-Match", nullable = false)]
    if_none_match: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PutQuery {
    /// Make the change only if this still is the branch's head; otherwise 409.
    #[param(nullable = false)]
    expected_head: Option<CommitId>,
    /// Commit message. Default is a line that names the change.
    #[param(nullable = false)]
    message: Option<ShortCommitMessage>,
    /// Git file mode. Default is the mode of the file that is overwritten, or `100644`.
    #[param(nullable = false)]
    mode: Option<FileMode>,
    /// Branch to make the change on; it has to be there. Default is `main`.
    #[param(nullable = false)]
    branch: Option<BranchName>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeleteQuery {
    /// Make the change only if this still is the branch's head; otherwise 409.
    #[param(nullable = false)]
    expected_head: Option<CommitId>,
    /// Commit message. Default is a line that names the change.
    #[param(nullable = false)]
    message: Option<ShortCommitMessage>,
    /// Branch to make the change on; it has to be there. Default is `main`.
    #[param(nullable = false)]
    branch: Option<BranchName>,
}
