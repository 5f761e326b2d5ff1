//! Tag `source_repos`: source repos, and edits of many files at once.

use axum::Json;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::edits::{Asked, EditSourceRepoRequest, FileWrite, writes};
use super::extract::{SourceJson, SourceJsonOrNothing, SourcePath, SourceQuery};
use super::git_sources::{Choice, Place};
use super::half::SourceFault;
use super::responses::{
    SourceAbsent, SourceAlways, SourceBody, SourceConflict, SourceElsewhere, SourceForbidden,
    SourceInvalid, SourceLocked,
};
use super::storage_words::secret;
use super::strict::{strict, tagged};
use super::wire::{self, BranchName, CommitId, Metadata, Revision};
use super::{By, Shared};
use crate::model::id::SourceRepoId;
use crate::model::page::PageRequest;
use crate::model::source_ref;
use crate::model::source_repo::{self, OrderBy, SourceRepoFilter};
use crate::model::time::Timestamp;
use crate::service::edits::Edited;
use crate::service::source_create::{self, NewRepo, Source};
use crate::service::{Error, Result, source_fetch, source_repos};

type Answer<T> = Result<Json<T>, SourceFault>;

/// Create a source repo
///
/// Needs WRITE in the workspace, and an account token. Without a `source` the repo starts with one
/// commit that holds no file, so there is always a head. A request without a body is read as `{}`.
///
/// **git** fetches from another server, which must be one that this server may reach. That has to be done
/// within 50 s, or 5/6 of what the operator lets a request take; `POST /v1/repo_import` has more time and says
/// how far it is. If the client goes before the answer, the fetch is given up and nothing is made. What cannot
/// be fetched, or is more than the operator allows, is 400. By default only the one commit is taken, without
/// what was before it; then the log ends there, and `git clone` gives a shallow clone.
#[utoipa::path(post, path = "/v1/repo", tag = "source_repos", request_body(content = CreateSourceRepoRequest, description = "May be left out altogether, which creates an empty repo."),
    responses(
        (status = 201, description = "The repo is created. `changed_files` is left out.", body = SourceRepoInfo),
        SourceElsewhere, SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceBody, SourceInvalid,
    ))]
pub async fn create_source_repo(
    services: Shared,
    caller: By,
    body: SourceJsonOrNothing<CreateSourceRepoRequest>,
) -> Result<(StatusCode, Json<SourceRepoInfo>), SourceFault> {
    let repo = source_create::create(&services, &caller, body.0.into_new()?).await?;
    let (repo_id, repo_head) = (repo.id.uuid(), repo.head);
    let info = SourceRepoInfo { repo_id, repo_head, changed_files: None };
    Ok((StatusCode::CREATED, Json(info)))
}

/// List source repos
///
/// The source repos of every workspace the caller can read, one page at a time. Needs an account
/// token. Repos with equal times are ordered by id, so that pages neither overlap nor leave gaps.
#[utoipa::path(get, path = "/v1/repo", tag = "source_repos", params(ListQuery),
    responses(
        (status = 200, description = "One page of repos.", body = SourceRepoPage),
        SourceAlways, SourceForbidden, SourceAbsent, SourceInvalid,
    ))]
pub async fn list_source_repos(
    services: Shared,
    caller: By,
    query: SourceQuery<ListQuery>,
) -> Answer<SourceRepoPage> {
    let (filter, page) = query.0.into_filter()?;
    let found = source_repos::list(&services, &caller, &filter, page).await?;
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    Ok(Json(SourceRepoPage {
        items: found.items.into_iter().map(SourceRepo::from).collect(),
        total_items: count(found.total),
        next_page: found.next.map(count),
    }))
}

/// Read a source repo's record
///
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}", tag = "source_repos", params(RepoPath),
    responses(
        (status = 200, description = "The repo's record, without its files.", body = SourceRepo),
        SourceAlways, SourceAbsent,
    ))]
pub async fn get_source_repo(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
) -> Answer<SourceRepo> {
    let repo = source_repos::get(&services, &caller, path.0.repo_id.into()).await?;
    Ok(Json(repo.into()))
}

/// Delete a source repo
///
/// Needs WRITE in the repo's workspace, or a repo token that names the repo. Files, history and
/// metadata are gone for good.
#[utoipa::path(delete, path = "/v1/repo/{repo_id}", tag = "source_repos", params(RepoPath),
    responses(
        (status = 204, description = "The repo is deleted. No body."),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn delete_source_repo(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
) -> Result<StatusCode, SourceFault> {
    source_repos::delete(&services, &caller, path.0.repo_id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Edit files or metadata of a source repo
///
/// One call is one edit: all of it becomes one commit, or none of it happens, metadata included.
/// Needs WRITE in the repo's workspace, or a repo token that names the repo.
///
/// **files** makes the list the whole content of the repo. Every tracked file that is not listed is
/// deleted, whatever it holds. If a path is listed twice, the later entry counts.
///
/// **diff** runs its operations in three phases, whatever their order in the request: first the
/// deletes, then the writes, then the renames.
///
/// - Delete takes a file, or a directory with everything in it. A path that is missing is 404.
/// - Write creates the file and its parent directories, or overwrites it. Of several writes to one
///   path the last one counts.
/// - Rename moves one file; a directory cannot be renamed (422). Its source must exist once the writes
///   are done, else 404. All sources are picked up before any is put down, so two files can be swapped
///   and a chain moves each by one. Of several renames of one source the last one counts. An existing
///   file at the new name is overwritten.
/// - Deleting and writing one path in the same call therefore leaves the written file.
///
/// **patch** applies a unified diff, as `git diff` writes it, with its creations, deletions, renames, copies
/// and modes. Each line it takes for granted has to be there, in the very place; nothing is searched for. A
/// hunk that does not fit is 409, and the message names the file, the hunk and the line; a file that is
/// missing is 404; a text that is no patch, or one of a binary file, is 422.
///
/// **git** fetches a branch from another server and merges it, as `git pull` does. Where the branch has
/// nothing of its own, it moves to the commit that was fetched; otherwise a merge becomes a commit. What
/// conflicts is 400, and the message names the paths; so is what has no commit in common with the branch, and
/// what cannot be fetched in time. A repo that never held a file takes any history. An import without history
/// goes on from the commit that it has.
///
/// A result in which one path would be both a file and a directory is 409; no file is ever dropped to
/// make room. Symlinks and submodules can be deleted, renamed or replaced; they are never followed.
///
/// **metadata** replaces the stored map as a whole; `{}` clears it. Alone, it makes no commit.
/// Giving neither `source` nor `metadata` is 422.
///
/// **The answer** names the new head. `changed_files` has one entry per path that really differs, in the
/// order of the request: the path of a write or delete (each file of a deleted directory), the new name
/// of a rename. For `files` the written paths come first, then the deleted ones in path order. An edit
/// that changes nothing makes no commit, keeps the head and answers an empty list.
///
/// **Concurrency.** Edits of one repo run one after the other, in order of arrival. With
/// `expected_head` the edit happens only if the repo's head still is that commit; otherwise 409, with
/// the present head in `current_head`. An edit that has waited too long in the queue answers 423
/// and has not happened.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/update", tag = "source_repos", params(RepoPath),
    request_body = EditSourceRepoRequest,
    responses(
        (status = 200, description = "The edit is durable; or there was nothing to change.", body = SourceRepoInfo),
        SourceElsewhere, SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceBody, SourceInvalid, SourceLocked,
    ))]
pub async fn edit_source_repo(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    body: SourceJson<EditSourceRepoRequest>,
) -> Answer<SourceRepoInfo> {
    let id = path.0.repo_id.into();
    let edited = match body.0.into_asked()? {
        Asked::Edit(change) => source_repos::edit(&services, &caller, id, change).await?,
        Asked::Fetch(update) => source_fetch::update(&services, &caller, id, update).await?,
    };
    Ok(Json(SourceRepoInfo::new(id, edited)))
}

/// Read every text file of a source repo
///
/// All tracked files that are valid UTF-8, in path order, as one JSON document. Binary files, symlinks
/// and submodules are left out; read a binary file by its path, or clone with git to get everything.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/clone", tag = "source_repos", params(RepoPath, CommitQuery),
    responses(
        (status = 200, description = "The files with their contents.", body = SourceFiles),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn clone_source_repo(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<CommitQuery>,
) -> Answer<SourceFiles> {
    let at = query.0.into_revision()?;
    let found = source_repos::text_files(&services, &caller, path.0.repo_id.into(), at).await?;
    let file = |(filename, content)| SourceFile { filename, content };
    Ok(Json(SourceFiles { files: found.into_iter().map(file).collect() }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RepoPath {
    /// Id of the source repo.
    #[param(example = "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50")]
    pub repo_id: Uuid,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CommitQuery {
    /// Read at this commit. Default is the head. A commit the repo does not have is 404.
    #[param(nullable = false)]
    pub commit: Option<CommitId>,
    /// Read at this branch, tag or commit, instead of `commit`. Only one of the two may be given.
    #[serde(rename = "ref")]
    #[param(nullable = false)]
    pub revision: Option<Revision>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// JSON object of strings, at most 64 pairs. Only repos whose metadata has every one of these pairs, compared exactly.
    #[param(example = "{\"team\": \"search\"}", nullable = false)]
    filter_metadata: Option<String>,
    /// Only repos created after this instant, exclusive.
    #[param(example = "2026-01-15T10:30:00Z", nullable = false)]
    created_after: Option<DateTime<Utc>>,
    /// Only repos created before this instant, exclusive.
    #[param(example = "2026-02-15T10:30:00Z", nullable = false)]
    created_before: Option<DateTime<Utc>>,
    /// What to order by. Default `created_at`.
    #[param(nullable = false)]
    order_by: Option<SourceRepoOrder>,
    /// Newest first instead of oldest first.
    #[param(default = false, nullable = false)]
    order_descending: Option<bool>,
    /// Index of the first repo of the page, counted from 0; `next_page` of the page before.
    #[param(minimum = 0, default = 0, nullable = false)]
    page_start: Option<i64>,
    /// How many repos a page holds at most.
    #[param(minimum = 1, maximum = 100, default = 100, nullable = false)]
    page_size: Option<u32>,
    /// Only repos of this workspace. One the caller cannot see answers 404.
    #[param(example = "7c9e6679-7425-40de-944b-e07fc1f90ae7", nullable = false)]
    workspace_id: Option<Uuid>,
}

/// The source repo to create. `{}` creates an empty one.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"source": {"type": "files", "files": [{"filename": "README.md", "content": "# Search\n"}]}, "metadata": {"team": "search"}}))]
pub struct CreateSourceRepoRequest {
    /// What the repo starts with. Default is nothing.
    #[serde(default)]
    source: Option<CreateSource>,
    /// The repo's metadata. Wins over what `copy_metadata` would copy.
    #[serde(default)]
    metadata: Option<Metadata>,
    /// Index the files after the creation and after each change of the default branch, so that they can be
    /// retrieved. A search indexes what it needs, whatever this says.
    #[serde(default)]
    #[schema(default = false)]
    auto_index: bool,
    /// Workspace the repo belongs to. Default is the organisation's default workspace.
    #[serde(default)]
    workspace_id: Option<Uuid>,
}

/// What a new source repo starts with.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"type": "relace", "repo_id": "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50", "copy_metadata": true}))]
pub enum CreateSource {
    /// These files, in one commit.
    Files {
        /// The files. If a path is listed twice, the later entry counts.
        #[schema(max_items = 10000)]
        files: Vec<FileWrite>,
    },
    /// What a repository elsewhere holds, fetched over git. The commit becomes the head of `main`, whatever its
    /// branch is called there.
    Git {
        /// Where it is: https, or http in a network that the operator allows. Without user name and password.
        #[schema(min_length = 1, max_length = 2083, pattern = r"^[^\u0000]+$")]
        url: String,
        /// Branch to take. Default is the one that the other repository calls its own.
        #[serde(default)]
        branch: Option<BranchName>,
        /// Commit to take instead of the head of a branch; `branch` does not count then. The other server has
        /// to hand out single commits, as those do that speak version 2 of the protocol.
        #[serde(default)]
        hash: Option<CommitId>,
        /// Another name for `hash`.
        #[serde(default)]
        commit: Option<CommitId>,
        /// Leave the commits before it out. Default is `true`; `false` takes all of its history.
        #[serde(default)]
        shallow: Option<bool>,
        /// How many commits of each line of development to take. Default is 1. Not beside `shallow: false`.
        #[serde(default)]
        #[schema(minimum = 1, maximum = 1000000)]
        depth: Option<u32>,
        /// User name to fetch with, where a password is needed. Default is `token`.
        #[serde(default)]
        #[schema(min_length = 1, max_length = 1024, pattern = r"^[^:\u0000-\u001f\u007f]+$")]
        username: Option<String>,
        /// Password or token to fetch with. Write-only: it is used this once and never kept.
        #[serde(default, deserialize_with = "secret")]
        #[schema(min_length = 1, max_length = 1024, pattern = r"^[^\u0000-\u001f\u007f]+$")]
        password: Option<String>,
    },
    /// A copy of another source repo the caller can read: same files, same history, same head. The two
    /// share nothing afterwards.
    Relace {
        /// Id of the repo to copy.
        repo_id: Uuid,
        /// Copy its metadata too, unless the request has `metadata` of its own.
        #[serde(default)]
        #[schema(default = false)]
        copy_metadata: bool,
        /// Accepted, and without effect. A source repo of this server has no remote to copy.
        #[serde(default)]
        #[schema(default = false)]
        copy_remote: bool,
    },
}

/// Head of a source repo after a change.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"repo_id": "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50", "repo_head": "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a", "changed_files": ["src/search.ts", "src/helpers.ts", "old-file.js"]}))]
pub struct SourceRepoInfo {
    /// Id of the repo.
    repo_id: Uuid,
    /// The commit the branch points to now that was changed, 40 hexadecimal digits.
    repo_head: String,
    /// Paths the change touched, see `edit_source_repo`. An empty list says that nothing differed; left
    /// out when a repo was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_files: Option<Vec<String>>,
}

/// Record of a source repo.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"repo_id": "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50", "created_at": "2026-01-15T10:30:00Z", "updated_at": null, "metadata": {"team": "search"}, "auto_index": false, "workspace_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "repo_head": "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a"}))]
pub struct SourceRepo {
    /// Id of the repo.
    repo_id: Uuid,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When files or metadata last changed; `null` if never since creation.
    #[schema(required = true)]
    updated_at: Option<DateTime<Utc>>,
    /// Its metadata; `null` if none was ever set.
    #[schema(required = true)]
    metadata: Option<Metadata>,
    /// Whether its files are indexed by themselves, and can be retrieved.
    auto_index: bool,
    /// Id of the workspace it belongs to.
    workspace_id: Uuid,
    /// The commit its branch points to, 40 hexadecimal digits.
    repo_head: String,
}

/// One page of source repos.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct SourceRepoPage {
    /// The repos, in the order asked for.
    items: Vec<SourceRepo>,
    /// How many repos match, over all pages.
    total_items: u64,
    /// `page_start` of the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page: Option<u64>,
}

/// The readable files of a source repo at one commit.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct SourceFiles {
    /// The files, in path order.
    files: Vec<SourceFile>,
}

/// A text file with its content.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"filename": "src/main.py", "content": "print(\"hello\")\n"}))]
pub struct SourceFile {
    /// Path in the repo.
    filename: String,
    /// The whole content.
    content: String,
}

/// A time to order source repos by. A repo never updated counts as updated when it was created.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema, JsonSchema)]
#[schema(example = json!("created_at"))]
pub enum SourceRepoOrder {
    #[serde(rename = "created_at")]
    CreatedAt,
    #[serde(rename = "updated_at")]
    UpdatedAt,
}

strict!(CreateSourceRepoRequest);
tagged!(CreateSource);

impl CommitQuery {
    pub fn into_revision(self) -> Result<Option<source_ref::Revision>> {
        match (self.commit, self.revision) {
            (None, None) => Ok(None),
            (Some(commit), None) => {
                commit.into_id(&["query", "commit"]).map(source_ref::Revision::Id).map(Some)
            }
            (None, Some(revision)) => revision.into_revision(&["query", "ref"]).map(Some),
            (Some(_), Some(_)) => {
                let message = "ref: was given beside `commit`; leave one of them out";
                Err(Error::invalid_at(&["query", "ref"], message))
            }
        }
    }
}

impl ListQuery {
    fn into_filter(self) -> Result<(SourceRepoFilter, PageRequest)> {
        let metadata = match self.filter_metadata.as_deref().map(serde_json::from_str) {
            None => source_repo::Metadata::new(),
            Some(Ok(pairs)) => pairs,
            Some(Err(error)) => {
                let message = format!("filter_metadata: is no JSON object of strings: {error}");
                return Err(Error::invalid_at(&["query", "filter_metadata"], message));
            }
        };
        let page = wire::page(self.page_start, self.page_size)?;
        let filter = SourceRepoFilter {
            workspace: self.workspace_id.map(Into::into),
            metadata,
            created_after: self.created_after.map(Timestamp::from),
            created_before: self.created_before.map(Timestamp::from),
            order_by: match self.order_by {
                Some(SourceRepoOrder::UpdatedAt) => OrderBy::UpdatedAt,
                Some(SourceRepoOrder::CreatedAt) | None => OrderBy::CreatedAt,
            },
            descending: self.order_descending.unwrap_or(false),
        };
        Ok((filter, page))
    }
}

impl CreateSourceRepoRequest {
    pub fn into_new(self) -> Result<NewRepo> {
        let source = match self.source {
            Some(CreateSource::Git {
                url,
                branch,
                hash,
                commit,
                shallow,
                depth,
                username,
                password,
            }) => {
                let place = Place { url, branch, username, password };
                Source::Git(place.into_new(Choice { hash, commit, shallow, depth })?)
            }
            None => Source::Files(Vec::new()),
            Some(CreateSource::Files { files }) => Source::Files(writes(files)?),
            // There is no remote to copy, whatever `copy_remote` says.
            Some(CreateSource::Relace { repo_id, copy_metadata, copy_remote: _ }) => {
                Source::Copy { of: repo_id.into(), metadata: copy_metadata }
            }
        };
        Ok(NewRepo {
            source,
            metadata: self.metadata.map(Metadata::into_pairs),
            auto_index: self.auto_index,
            workspace: self.workspace_id.map(Into::into),
        })
    }
}

impl SourceRepoInfo {
    pub fn new(id: SourceRepoId, edited: Edited) -> Self {
        Self {
            repo_id: id.uuid(),
            repo_head: edited.head.to_string(),
            changed_files: Some(edited.changed_files),
        }
    }
}

impl From<source_repo::SourceRepo> for SourceRepo {
    fn from(repo: source_repo::SourceRepo) -> Self {
        Self {
            repo_id: repo.id.uuid(),
            created_at: repo.created_at.into(),
            updated_at: repo.updated_at.map(DateTime::from),
            metadata: repo.metadata.map(Metadata::from_pairs),
            auto_index: repo.auto_index,
            workspace_id: repo.workspace.uuid(),
            repo_head: repo.head,
        }
    }
}
