//! Tag `source_search`: looking for words in the files of a source repo.

use axum::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{SourcePath, SourceQuery};
use super::half::SourceFault;
use super::responses::{SourceAbsent, SourceAlways, SourceInvalid};
use super::source_history::{revision_of, within};
use super::source_repos::RepoPath;
use super::wire::Revision;
use super::{By, Shared};
use crate::model::history::{self, MATCHES_PAGE, MATCHES_PAGE_MAX};
use crate::service::Result;
use crate::service::source_grep::{self, Asked};

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
