//! What searches look like on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::commit_or_branch;
use crate::api::strict::strict;
use crate::api::wire::{BranchName, CommitId};
use crate::model::search::{self, FoundFile, IndexProgress, SCORE_MIN, TOKENS, TOKENS_MAX};
use crate::service::source_history::Page;
use crate::service::source_ranking::Retrieval;
use crate::service::{Error, Result};

/// A question about the files of a source repo.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"query": "Where are `Retry-After` headers read?"}))]
pub struct SearchRequest {
    /// What to look for.
    #[schema(min_length = 1, max_length = 16000)]
    pub(super) query: String,
}

/// What an agent is to do.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"agent_name": "relace-search", "agent_inputs": {"query": "Where are retries counted?"}, "continue": false}))]
pub struct AgentRequest {
    #[allow(dead_code, reason = "there is one agent")]
    agent_name: AgentName,
    agent_inputs: AgentInputs,
    /// Accepted, and without effect: each search stands alone.
    #[serde(default, rename = "continue")]
    #[schema(default = false)]
    #[allow(dead_code, reason = "each search stands alone")]
    goes_on: bool,
    /// Accepted, and without effect: there is no model to be told anything.
    #[serde(default)]
    #[allow(dead_code, reason = "there is no model")]
    overrides: Option<AgentOverrides>,
}

impl AgentRequest {
    pub(super) fn into_query(self) -> String {
        self.agent_inputs.query
    }
}

/// An agent of this server.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(remote = "Self")]
#[schema(example = json!("relace-search"))]
pub enum AgentName {
    #[serde(rename = "relace-search")]
    RelaceSearch,
}

/// What the agent `relace-search` needs.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"query": "Where are retries counted?"}))]
pub struct AgentInputs {
    /// What to look for.
    #[schema(min_length = 1, max_length = 16000)]
    query: String,
}

/// What clients may say to a model.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[allow(dead_code, reason = "there is no model")]
#[schema(example = json!({"max_turns": 10}))]
pub struct AgentOverrides {
    /// Without effect.
    #[serde(default)]
    max_tokens: Option<i64>,
    /// Without effect.
    #[serde(default)]
    max_turns: Option<i64>,
    /// Without effect.
    #[serde(default)]
    model_name: Option<String>,
    /// Without effect.
    #[serde(default)]
    prompt_retries: Option<i64>,
    /// Without effect.
    #[serde(default)]
    prompt_timeout: Option<i64>,
    /// Without effect.
    #[serde(default)]
    system: Option<String>,
    /// Without effect.
    #[serde(default)]
    tools: Option<Vec<String>>,
    /// Without effect.
    #[serde(default)]
    user: Option<String>,
}

/// A question, and how much of what fits it is wanted.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schema(example = json!({"query": "How are retries counted?", "score_threshold": 0.3, "token_limit": 30000, "include_content": true}))]
pub struct RetrieveRequest {
    /// What to look for.
    #[schema(min_length = 1, max_length = 16000)]
    query: String,
    /// Look at the head of this branch.
    #[serde(default)]
    branch: Option<BranchName>,
    /// Look at this commit.
    #[serde(default)]
    hash: Option<CommitId>,
    /// Answer the contents too.
    #[serde(default)]
    #[schema(default = false)]
    include_content: bool,
    /// Whether what the question names exactly counts beside its words.
    #[serde(default = "yes")]
    #[schema(default = true)]
    rerank: bool,
    /// How well a file must fit. 0.5 is a file in which one passage has every word of the question once.
    #[serde(default = "score_min")]
    #[schema(minimum = 0, maximum = 1, default = 0.3)]
    score_threshold: f64,
    /// How long the files may be together, contents asked for or not; 4 bytes count as a token. A file for which
    /// there is no room left is passed over.
    #[serde(default = "tokens")]
    #[schema(minimum = 0, maximum = 5000000, default = 30000)]
    token_limit: u32,
}

const fn yes() -> bool {
    true
}

const fn score_min() -> f64 {
    SCORE_MIN
}

const fn tokens() -> u32 {
    TOKENS
}

impl RetrieveRequest {
    pub(super) fn into_retrieval(self) -> Result<Retrieval> {
        if !(0.0..=1.0).contains(&self.score_threshold) {
            return Err(Error::invalid("score_threshold", "score_threshold: must be 0 to 1"));
        }
        if self.token_limit > TOKENS_MAX {
            let message = format!("token_limit: must be 0 to {TOKENS_MAX}");
            return Err(Error::invalid("token_limit", message));
        }
        Ok(Retrieval {
            at: commit_or_branch(self.hash, self.branch, "body")?,
            query: self.query,
            score_min: self.score_threshold,
            tokens_max: self.token_limit,
            with_content: self.include_content,
            exact: self.rerank,
        })
    }
}

strict!(SearchRequest, AgentRequest, AgentName, AgentInputs, AgentOverrides, RetrieveRequest);

/// The files that fit.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct RetrieveResponse {
    /// The files, the best one first.
    results: Vec<RetrievedFile>,
    /// Id of the commit that was searched.
    hash: String,
    /// Files that are not indexed yet; always 0 here.
    pending_embeddings: u64,
}

/// A file that fits.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"filename": "src/retry.py", "score": 0.61}))]
pub struct RetrievedFile {
    /// Path in the repo.
    filename: String,
    /// How well it fits, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    score: f64,
    /// The content; left out if it was not asked for, or is not text in UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    content: Option<String>,
}

impl From<search::Retrieved> for RetrieveResponse {
    fn from(found: search::Retrieved) -> Self {
        let file =
            |(filename, score, content)| RetrievedFile { filename, score: rounded(score), content };
        let results = found.files.into_iter().map(file).collect();
        Self { results, hash: found.commit.to_string(), pending_embeddings: 0 }
    }
}

/// How far the index of a commit is.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"hash": "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "completed_embeddings": 3088, "pending_embeddings": 0}))]
pub struct EmbeddingStatus {
    /// Id of the commit.
    hash: String,
    /// Files that are indexed.
    completed_embeddings: u64,
    /// Files that are not indexed yet.
    pending_embeddings: u64,
}

impl From<IndexProgress> for EmbeddingStatus {
    fn from(progress: IndexProgress) -> Self {
        let (completed_embeddings, pending_embeddings) = (progress.done, progress.pending);
        Self { hash: progress.commit.to_string(), completed_embeddings, pending_embeddings }
    }
}

/// One page of the files that fit.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct FilePage {
    /// Id of the commit that was searched.
    commit: String,
    /// The files, the best one first.
    items: Vec<FileHit>,
    /// Where the next page begins, for `cursor`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A file that fits, and the parts of it that do.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"path": "src/retry.py", "score": 0.61, "passages": [{"start_line": 10, "end_line": 32, "lines": [{"line": 15, "text": "def retry(request):", "match_start": 4, "match_end": 9}]}]}))]
pub struct FileHit {
    /// Path in the repo.
    path: String,
    /// How well it fits, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    score: f64,
    /// Parts of the file, in its order; its beginning if only the path fits, nothing if it is binary.
    passages: Vec<FilePassage>,
}

/// Lines that belong together.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"start_line": 10, "end_line": 32, "lines": [{"line": 15, "text": "def retry(request):", "match_start": 4, "match_end": 9}]}))]
pub struct FilePassage {
    /// Number of the first line, counted from 1.
    start_line: u64,
    /// Number of the last line.
    end_line: u64,
    /// The lines among them that say most.
    lines: Vec<FileLine>,
}

/// A line that fits.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"line": 15, "text": "def retry(request):", "match_start": 4, "match_end": 9}))]
pub struct FileLine {
    /// Number of the line, counted from 1.
    line: u64,
    /// The line without its end; of one longer than 500 characters, the part around the match.
    text: String,
    /// Where in `text` the word begins that says most, in characters, counted from 0.
    match_start: u64,
    /// Where it ends.
    match_end: u64,
}

impl From<(crate::model::edit::CommitId, Page<FoundFile>)> for FilePage {
    fn from((commit, page): (crate::model::edit::CommitId, Page<FoundFile>)) -> Self {
        let items = page.items.into_iter().map(FileHit::from).collect();
        Self { commit: commit.to_string(), items, next_cursor: page.next }
    }
}

impl From<FoundFile> for FileHit {
    fn from(file: FoundFile) -> Self {
        let passage = |passage: search::Passage| FilePassage {
            start_line: passage.first,
            end_line: passage.last,
            lines: passage.lines.into_iter().map(FileLine::from).collect(),
        };
        let passages = file.passages.into_iter().map(passage).collect();
        Self { path: file.path, score: rounded(file.score), passages }
    }
}

impl From<search::Line> for FileLine {
    fn from(line: search::Line) -> Self {
        let (match_start, match_end) = (line.start as u64, line.end as u64);
        Self { line: line.number, text: line.text, match_start, match_end }
    }
}

/// The lines that fit, of the files that fit best.
#[derive(Serialize, ToSchema, JsonSchema)]
pub struct SearchResponse {
    /// The lines, those of the best file first.
    results: Vec<SearchResult>,
}

/// A line that fits.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"filename": "src/retry.py", "line_number": 15, "line_content": "def retry(request):", "match_start": 4, "match_end": 9}))]
pub struct SearchResult {
    /// Path in the repo.
    filename: String,
    /// Number of the line, counted from 1.
    line_number: u64,
    /// The line without its end; of one longer than 500 characters, the part around the match.
    line_content: String,
    /// Where in `line_content` the word begins that says most, in characters, counted from 0.
    match_start: u64,
    /// Where it ends.
    match_end: u64,
}

impl From<Vec<FoundFile>> for SearchResponse {
    fn from(files: Vec<FoundFile>) -> Self {
        let mut results = Vec::new();
        for FoundFile { path, passages, .. } in files {
            let lines = passages.into_iter().flat_map(|passage| passage.lines);
            results.extend(lines.map(|line| SearchResult {
                filename: path.clone(),
                line_number: line.number,
                line_content: line.text,
                match_start: line.start as u64,
                match_end: line.end as u64,
            }));
        }
        Self { results }
    }
}

/// Digits beyond these say nothing. Downwards, so that a file still fits the score it was answered with.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 10_000.0).floor() / 10_000.0
}
