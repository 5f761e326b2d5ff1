//! Tag `source_search`: looking for words in the files of a source repo.

mod events;
mod shapes;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{SourceJson, SourcePath, SourceQuery};
use super::half::SourceFault;
use super::responses::{SourceAbsent, SourceAlways, SourceBody, SourceInvalid};
use super::source_history::{revision_of, within};
use super::source_repos::RepoPath;
use super::wire::{BranchName, CommitId, Revision};
use super::{By, Shared};
use crate::model::history::{self, MATCHES_PAGE, MATCHES_PAGE_MAX};
use crate::model::search::{FILES_PAGE, FILES_PAGE_MAX, URL_QUERY_CHARS_MAX};
use crate::model::source_ref;
use crate::service::source_grep::{self, Asked};
use crate::service::{Error, Result, source_index, source_ranking};

pub use events::SearchEvent;
pub use shapes::{
    AgentInputs, AgentName, AgentOverrides, AgentRequest, EmbeddingStatus, FilePage,
    RetrieveRequest, RetrieveResponse, SearchRequest, SearchResponse,
};

/// Search for an exact text or a regular expression
///
/// The lines that match, in the order of paths and lines, one entry per line. Binary files, symlinks and
/// submodules are left out. A request looks for at most 5 s; a page may therefore hold fewer matches than
/// asked for, even none, and the search is not at its end while there is a `next_cursor`.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/grep", tag = "source_search", params(RepoPath, GrepQuery),
    responses(
        (status = 200, description = "One page of matches.", body = GrepPage),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn grep_source_repo(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<GrepQuery>,
) -> Result<Json<GrepPage>, SourceFault> {
    let query = query.0;
    let asked = Asked {
        at: revision_of(query.revision, "ref")?,
        pattern: query.pattern,
        regex: query.regex.unwrap_or(false),
        ignore_case: query.ignore_case.unwrap_or(false),
        glob: query.path,
        cursor: query.cursor,
        limit: within(query.limit, MATCHES_PAGE, MATCHES_PAGE_MAX)?,
    };
    let (commit, page) =
        source_grep::grep(&services, &caller, path.0.repo_id.into(), asked).await?;
    let items = page.items.into_iter().map(GrepMatch::from).collect();
    Ok(Json(GrepPage { commit: commit.to_string(), items, next_cursor: page.next }))
}

/// Search for what answers a question
///
/// The question is put in words; what it has between quotes or backticks, and what only code is spelt like
/// (`max_size`, `parseConfig`, `std::env`), is also looked for exactly, and `/.../` as a regular expression. Files
/// are ranked by the words in them and in their paths, without a model: the same question at the same commit always
/// has the same answer.
///
/// The answer is a stream of server-sent events, each with JSON as its data:
///
/// - `started` with a `prompt_id`;
/// - `tool` for what was really done: `{"name": "grep_search", "command": TEXT}` and
///   `{"name": "view_file", "path": "/repo/..."}`;
/// - `tool` with the answer: `{"name": "report_back", "explanation": TEXT, "files": {PATH: [[FIRST, LAST], ...]}}`,
///   at most 10 files, each with the lines that fit, the best file named in `explanation`;
/// - `done` with `{}`, always the last one; or, should the search fail half way, `prompt_error` with an `error`.
///
/// Where `Accept` has `application/json` and not `text/event-stream`, the answer is the lines that fit, as one JSON
/// document. Searches the head of the default branch. A repo that was never searched is indexed first; that may
/// take a while, and 503 says that it is still under way.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/search", tag = "source_search", params(RepoPath),
    request_body = SearchRequest,
    responses(
        (status = 200, description = "The events, or the lines.",
            content((SearchResponse = "application/json"), (SearchEvent = "text/event-stream"))),
        SourceAlways, SourceAbsent, SourceBody, SourceInvalid,
    ))]
pub async fn search_source_repo(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    headers: HeaderMap,
    body: SourceJson<SearchRequest>,
) -> Result<Response, SourceFault> {
    let (id, query) = (path.0.repo_id.into(), body.0.query);
    let ready = source_ranking::prepare(&services, &caller, id, None, &query).await?;
    if !wants_json(&headers) {
        return Ok(events::stream(services.0, ready).into_response());
    }
    let files = source_ranking::best(&services, &ready).await?;
    Ok(Json(SearchResponse::from(files)).into_response())
}

/// Run an agent
///
/// The only agent is `relace-search`; it answers as `search_source_repo` does, by the same events.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/agent", tag = "source_search", params(RepoPath),
    request_body = AgentRequest,
    responses(
        (status = 200, description = "The events.", body = SearchEvent, content_type = "text/event-stream"),
        SourceAlways, SourceAbsent, SourceBody, SourceInvalid,
    ))]
pub async fn run_agent(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    body: SourceJson<AgentRequest>,
) -> Result<Response, SourceFault> {
    let (id, query) = (path.0.repo_id.into(), body.0.into_query());
    let ready = source_ranking::prepare(&services, &caller, id, None, &query).await?;
    Ok(events::stream(services.0, ready).into_response())
}

/// Retrieve the files that fit a question
///
/// The files are ranked as `search_source_repo` ranks them; those that fit well enough are answered, the best one
/// first, as many as there is room for, at most 1,000. Without `branch` and `hash` at the head of the default branch;
/// `hash` wins over `branch`. What is not indexed yet is indexed before the answer, so that nothing is ever pending
/// in it. The repo must have been created with `auto_index`; otherwise 404.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/retrieve", tag = "source_search", params(RepoPath),
    request_body = RetrieveRequest,
    responses(
        (status = 200, description = "The files.", body = RetrieveResponse),
        SourceAlways, SourceAbsent, SourceBody, SourceInvalid,
    ))]
pub async fn retrieve_source_files(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    body: SourceJson<RetrieveRequest>,
) -> Result<Json<RetrieveResponse>, SourceFault> {
    let (id, asked) = (path.0.repo_id.into(), body.0.into_retrieval()?);
    Ok(Json(source_ranking::retrieve(&services, &caller, id, asked).await?.into()))
}

/// Read how far the index of a source repo is
///
/// Counts files, since this server has no embeddings. Indexing goes on whenever this is asked, for at most 1 s.
/// Without `branch` and `hash` about the head of the default branch; `hash` wins over `branch`. The repo must have
/// been created with `auto_index`; otherwise 404.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/embedding_status", tag = "source_search", params(RepoPath, StatusQuery),
    responses(
        (status = 200, description = "How far it is.", body = EmbeddingStatus),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn get_embedding_status(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<StatusQuery>,
) -> Result<Json<EmbeddingStatus>, SourceFault> {
    let at = commit_or_branch(query.0.hash, query.0.branch, "query")?;
    let progress = source_index::progress(&services, &caller, path.0.repo_id.into(), at).await?;
    Ok(Json(progress.into()))
}

/// Search for files
///
/// Files ranked as `search_source_repo` ranks them, the best one first, with the lines that fit, one page at a time.
/// Binary files are found by their paths, as are those over 1 MiB.
/// Needs READ in the repo's workspace, or a repo token that names the repo.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/files/search", tag = "source_search", params(RepoPath, FileQuery),
    responses(
        (status = 200, description = "One page of files.", body = FilePage),
        SourceAlways, SourceAbsent, SourceInvalid,
    ))]
pub async fn search_source_files(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<FileQuery>,
) -> Result<Json<FilePage>, SourceFault> {
    let FileQuery { query, path: glob, revision, limit, cursor } = query.0;
    let limit = within(limit, FILES_PAGE, FILES_PAGE_MAX)?;
    for (field, text) in [("query", Some(&query)), ("path", glob.as_ref())] {
        short(field, text)?;
    }
    let asked = (revision_of(revision, "ref")?, query.as_str(), glob.as_deref());
    let (id, cursor) = (path.0.repo_id.into(), cursor.as_deref());
    let found = source_ranking::files(&services, &caller, id, asked, cursor, limit).await?;
    Ok(Json(found.into()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatusQuery {
    /// Look at the head of this branch.
    #[param(nullable = false)]
    branch: Option<BranchName>,
    /// Look at this commit.
    #[param(nullable = false)]
    hash: Option<CommitId>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// What to look for: words, names, something in quotes, or `/.../` as a regular expression.
    #[param(min_length = 1, max_length = 1000, example = "where are retries counted")]
    query: String,
    /// Only files that fit this glob. `*` and `?` stand for anything but a slash, `**` for any directories. A glob
    /// without a slash is for file names, wherever they are.
    #[param(min_length = 1, max_length = 1000, example = "src/**/*.rs", nullable = false)]
    path: Option<String>,
    /// Branch, tag or commit to look at. Default is the head.
    #[serde(rename = "ref")]
    #[param(nullable = false)]
    revision: Option<Revision>,
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `next_cursor` of the page before. Its commit counts, not `ref`.
    #[param(max_length = 16384, nullable = false)]
    cursor: Option<String>,
}

/// Whether a client would rather have one document than events.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<_> = accepted.collect();
    let has = |kind| accepted.iter().any(|value| value.contains(kind));
    has("application/json") && !has("text/event-stream")
}

fn commit_or_branch(
    hash: Option<CommitId>,
    branch: Option<BranchName>,
    part: &str,
) -> Result<Option<source_ref::Revision>> {
    if let Some(hash) = hash {
        return hash.into_id(&[part, "hash"]).map(source_ref::Revision::Id).map(Some);
    }
    let branch = branch.map(|branch| branch.into_name(&[part, "branch"])).transpose()?;
    Ok(branch.map(|branch| source_ref::Revision::Name(branch.full())))
}

fn short(field: &str, text: Option<&String>) -> Result<()> {
    let chars = text.map_or(1, |text| text.chars().count());
    if (1..=URL_QUERY_CHARS_MAX).contains(&chars) {
        return Ok(());
    }
    let message = format!("{field}: must have 1 to {URL_QUERY_CHARS_MAX} characters");
    Err(Error::invalid_at(&["query", field], message))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct GrepQuery {
    /// The text to look for, at most 1,000 characters.
    #[param(min_length = 1, max_length = 1000, example = "fn main")]
    pattern: String,
    /// Read `pattern` as a regular expression, in the syntax of the Rust crate `regex`; `^` and `$` stand for
    /// the ends of a line.
    #[param(default = false, nullable = false)]
    regex: Option<bool>,
    /// Take upper and lower case as the same.
    #[param(default = false, nullable = false)]
    ignore_case: Option<bool>,
    /// Only files that fit this glob. `*` and `?` stand for anything but a slash, `**` for any directories. A glob
    /// without a slash is for file names, wherever they are.
    #[param(min_length = 1, max_length = 1000, example = "src/**/*.rs", nullable = false)]
    path: Option<String>,
    /// Branch, tag or commit to look at. Default is the head.
    #[serde(rename = "ref")]
    #[param(nullable = false)]
    revision: Option<Revision>,
    /// How many to answer at most.
    #[param(minimum = 1, maximum = 1000, default = 100, nullable = false)]
    limit: Option<u32>,
    /// Where to go on; `next_cursor` of the page before. Its commit counts, not `ref`.
    #[param(max_length = 16384, nullable = false)]
    cursor: Option<String>,
}

/// One page of matches.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct GrepPage {
    /// Id of the commit that was searched.
    commit: String,
    /// The matches.
    items: Vec<GrepMatch>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A line that matches.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"path": "src/main.rs", "line": 12, "column": 1, "text": "fn main() {"}))]
pub struct GrepMatch {
    /// Path in the repo.
    path: String,
    /// Number of the line, counted from 1.
    line: u64,
    /// Where in the line the first match begins, in bytes, counted from 1.
    column: u64,
    /// The line without its end; of one longer than 1,000 bytes, a part with the beginning of the match.
    text: String,
}

impl From<history::GrepMatch> for GrepMatch {
    fn from(found: history::GrepMatch) -> Self {
        let history::GrepMatch { path, line, column, text } = found;
        Self { path, line, column, text }
    }
}
