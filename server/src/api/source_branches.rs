//! Tag `source_branches`: branches of a source repo, joining them, and taking back what was done.

use axum::Json;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::edits::CommitAuthor;
use super::extract::{SourceJson, SourceJsonOrNothing, SourcePath, SourceQuery};
use super::half::SourceFault;
use super::responses::{
    SourceAbsent, SourceAlways, SourceBody, SourceConflict, SourceForbidden, SourceInvalid,
    SourceLocked,
};
use super::source_history::{CommitPath, within};
use super::source_repos::{RepoPath, SourceRepoInfo};
use super::strict::strict;
use super::wire::{BranchName, CommitId, CommitMessage, Revision};
use super::{By, Shared};
use crate::model::source_ref::BRANCHES_PAGE_MAX;
use crate::service::source_branches::{self, Terms, Whole};
use crate::service::{Result, Services};

type Answer<T> = Result<Json<T>, SourceFault>;

/// List branches
///
/// The branches of a source repo in the order of their names. Needs READ in the repo's workspace, or a repo
/// token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/branches", tag = "source_branches", params(RepoPath, BranchQuery),
    responses(
        (status = 200, description = "One page of branches.", body = BranchPage),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn list_branches(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<BranchQuery>,
) -> Answer<BranchPage> {
    let BranchQuery { limit, cursor } = query.0;
    let limit = within(limit, BRANCHES_PAGE_MAX, BRANCHES_PAGE_MAX)?;
    let after = cursor.map(|name| name.into_name(&["query", "cursor"])).transpose()?;
    let page =
        source_branches::list(&services, &caller, path.0.repo_id.into(), after, limit).await?;
    let items = page.items.into_iter().map(Branch::from).collect();
    Ok(Json(BranchPage { items, next_cursor: page.next }))
}

/// Create a branch
///
/// The branch points to the commit of `from`. A name that is taken, or that is the beginning of another one up
/// to a slash, is 409. Needs WRITE in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/branches", tag = "source_branches", params(RepoPath),
    request_body = CreateBranchRequest,
    responses(
        (status = 201, description = "The branch is created.", body = Branch),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceBody, SourceInvalid,
    ))]
pub async fn create_branch(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    body: SourceJson<CreateBranchRequest>,
) -> Result<(StatusCode, Json<Branch>), SourceFault> {
    let name = body.0.name.into_name(&["body", "name"])?;
    let from = body.0.from.map(|from| from.into_revision(&["body", "from"])).transpose()?;
    let id = path.0.repo_id.into();
    let made = source_branches::create(&services, &caller, id, name, from).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Read a branch
///
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/branches/{branch}", tag = "source_branches", params(BranchPath),
    responses(
        (status = 200, description = "The branch.", body = Branch),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn get_branch(
    services: Shared,
    caller: By,
    path: SourcePath<BranchPath>,
) -> Answer<Branch> {
    let name = path.0.branch.into_name(&["path", "branch"])?;
    let found = source_branches::get(&services, &caller, path.0.repo_id.into(), name).await?;
    Ok(Json(found.into()))
}

/// Delete a branch
///
/// Its commits stay readable by their ids. The default branch cannot be deleted (409).
/// Needs WRITE in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(delete, path = "/v1/repo/{repo_id}/branches/{branch}", tag = "source_branches", params(BranchPath, DeleteBranchQuery),
    responses(
        (status = 204, description = "The branch is deleted. No body."),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceInvalid,
    ))]
pub async fn delete_branch(
    services: Shared,
    caller: By,
    path: SourcePath<BranchPath>,
    query: SourceQuery<DeleteBranchQuery>,
) -> Result<StatusCode, SourceFault> {
    let name = path.0.branch.into_name(&["path", "branch"])?;
    let expected = query.0.expected_head;
    let expected = expected.map(|head| head.into_id(&["query", "expected_head"])).transpose()?;
    source_branches::delete(&services, &caller, path.0.repo_id.into(), name, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Merge into a branch
///
/// Brings what `from` has into the branch. Where the branch has nothing of its own it moves to that commit;
/// otherwise the two are merged, and the merge is one commit. Where both changed the same lines the answer is
/// 409, its message names the paths, and nothing changed. Where there is nothing to bring, the head stays.
/// Needs WRITE in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/merge", tag = "source_branches", params(RepoPath),
    request_body = MergeRequest,
    responses(
        (status = 200, description = "The merge is durable; or there was nothing to merge.", body = SourceRepoInfo),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceBody, SourceInvalid, SourceLocked,
    ))]
pub async fn merge_branch(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    body: SourceJson<MergeRequest>,
) -> Answer<SourceRepoInfo> {
    let MergeRequest { from, branch, message, author, expected_head } = body.0;
    let whole = Whole::Merge(from.into_revision(&["body", "from"])?);
    let terms = CommitTerms { branch, message, author, expected_head };
    apply(&services, &caller, path.0.repo_id, whole, terms).await
}

/// Revert a commit
///
/// Makes one commit that takes back what the commit changed, and leaves alone what came after it. Where later
/// commits changed the same lines the answer is 409, its message names the paths, and nothing changed. A
/// merge cannot be reverted (422). A request without a body is read as `{}`.
/// Needs WRITE in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/commits/{commit_id}/revert", tag = "source_branches", params(CommitPath),
    request_body = CommitTerms,
    responses(
        (status = 200, description = "The revert is durable; or there was nothing to take back.", body = SourceRepoInfo),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceBody, SourceInvalid, SourceLocked,
    ))]
pub async fn revert_commit(
    services: Shared,
    caller: By,
    path: SourcePath<CommitPath>,
    body: SourceJsonOrNothing<CommitTerms>,
) -> Answer<SourceRepoInfo> {
    let commit = path.0.commit_id.into_id(&["path", "commit_id"])?;
    apply(&services, &caller, path.0.repo_id, Whole::Revert(commit), body.0).await
}

/// Reset to a commit
///
/// Makes one commit on top of the branch with all files as they are at the commit; no history is lost.
/// A request without a body is read as `{}`. Needs WRITE in the repo's workspace, or a repo token that names
/// the repo.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/commits/{commit_id}/reset", tag = "source_branches", params(CommitPath),
    request_body = CommitTerms,
    responses(
        (status = 200, description = "The reset is durable; or nothing differed.", body = SourceRepoInfo),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict, SourceBody, SourceInvalid, SourceLocked,
    ))]
pub async fn reset_to_commit(
    services: Shared,
    caller: By,
    path: SourcePath<CommitPath>,
    body: SourceJsonOrNothing<CommitTerms>,
) -> Answer<SourceRepoInfo> {
    let commit = path.0.commit_id.into_id(&["path", "commit_id"])?;
    apply(&services, &caller, path.0.repo_id, Whole::Reset(commit), body.0).await
}

async fn apply(
    services: &Services,
    caller: &By,
    repo: Uuid,
    whole: Whole,
    terms: CommitTerms,
) -> Answer<SourceRepoInfo> {
    let (id, terms) = (repo.into(), terms.into_terms()?);
    let edited = source_branches::apply(services, caller, id, whole, terms).await?;
    Ok(Json(SourceRepoInfo::new(id, edited)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BranchPath {
    /// Id of the source repo.
    #[param(example = "9b2c7a54-1f0e-4d8a-bb5e-6a1d2c3e4f50")]
    repo_id: Uuid,
    /// Name of the branch, its slashes sent as `%2F`.
    branch: BranchName,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BranchQuery {
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 1000, default = 1000, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<BranchName>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeleteBranchQuery {
    /// Make the change only if this still is the branch's head; otherwise 409.
    #[param(nullable = false)]
    expected_head: Option<CommitId>,
}

/// The branch to create.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"name": "feature/search", "from": "main"}))]
pub struct CreateBranchRequest {
    name: BranchName,
    /// Where it begins. Default is the head of the default branch.
    #[serde(default)]
    from: Option<Revision>,
}

/// What to merge, and into what.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"from": "feature/search", "branch": "main"}))]
pub struct MergeRequest {
    from: Revision,
    /// Branch to merge into; it has to be there. Default is `main`.
    #[serde(default)]
    branch: Option<BranchName>,
    /// Message of the commit. Default is a line that names the change.
    #[serde(default)]
    message: Option<CommitMessage>,
    /// Author of the commit. Default is the caller.
    #[serde(default)]
    author: Option<CommitAuthor>,
    /// Make the change only if this still is the branch's head; otherwise 409.
    #[serde(default)]
    expected_head: Option<CommitId>,
}

/// Where and how to make a commit.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"message": "Take back the search"}))]
pub struct CommitTerms {
    /// Branch to make the commit on; it has to be there. Default is `main`.
    #[serde(default)]
    branch: Option<BranchName>,
    /// Message of the commit. Default is a line that names the change.
    #[serde(default)]
    message: Option<CommitMessage>,
    /// Author of the commit. Default is the caller.
    #[serde(default)]
    author: Option<CommitAuthor>,
    /// Make the change only if this still is the branch's head; otherwise 409.
    #[serde(default)]
    expected_head: Option<CommitId>,
}

/// One page of branches.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct BranchPage {
    /// The branches.
    items: Vec<Branch>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A branch.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"name": "feature/search", "head": "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a", "is_default": false}))]
pub struct Branch {
    /// Its name.
    name: String,
    /// Id of the commit it points to, 40 hexadecimal digits.
    head: String,
    /// Whether it is the one that edits go to and reads come from, unless they say otherwise.
    is_default: bool,
}

strict!(CreateBranchRequest, MergeRequest, CommitTerms);

impl CommitTerms {
    fn into_terms(self) -> Result<Terms> {
        let head = self.expected_head;
        Ok(Terms {
            branch: self.branch.map(|name| name.into_name(&["body", "branch"])).transpose()?,
            message: self.message.map(CommitMessage::into_text),
            author: self.author.map(CommitAuthor::into_identity).transpose()?,
            expected_head: head.map(|head| head.into_id(&["body", "expected_head"])).transpose()?,
        })
    }
}

impl From<source_branches::Branch> for Branch {
    fn from(branch: source_branches::Branch) -> Self {
        let source_branches::Branch { name, head, is_default } = branch;
        Self { name: name.to_string(), head, is_default }
    }
}
