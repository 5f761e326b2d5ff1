//! What ranked searches answer, as plain data.

use super::edit::CommitId;

/// Longest question, in characters; one in a URL is shorter.
pub const QUERY_CHARS_MAX: usize = 16_000;
pub const URL_QUERY_CHARS_MAX: usize = 1_000;
/// Files on a page of a search, unless the request says otherwise.
pub const FILES_PAGE: usize = 20;
/// Most files on a page of a search.
pub const FILES_PAGE_MAX: usize = 100;
/// Most files that are retrieved at once.
pub const RETRIEVED_MAX: usize = 1_000;
/// Tokens that are retrieved, unless the request says otherwise.
pub const TOKENS: u32 = 30_000;
/// Most tokens that are retrieved at once.
pub const TOKENS_MAX: u32 = 5_000_000;
/// Bytes that count as a token.
pub const TOKEN_BYTES: usize = 4;
/// How well a file must fit to be retrieved, unless the request says otherwise.
pub const SCORE_MIN: f64 = 0.3;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    /// The line, or of a very long one the part around the match.
    pub text: String,
    /// Where in `text` the match is, in characters counted from 0.
    pub start: usize,
    pub end: usize,
}

/// Lines of a file that belong together.
#[derive(Clone, Debug)]
pub struct Passage {
    /// Counted from 1, the last one included.
    pub first: u64,
    pub last: u64,
    /// The lines that say most.
    pub lines: Vec<Line>,
}

/// A file that fits.
#[derive(Clone, Debug)]
pub struct FoundFile {
    pub path: String,
    pub score: f32,
    /// In the order of the file; none if only the path fits.
    pub passages: Vec<Passage>,
}

/// What was retrieved.
#[derive(Clone, Debug)]
pub struct Retrieved {
    pub commit: CommitId,
    /// Path, score, and the content if it was asked for and is text.
    pub files: Vec<(String, f32, Option<String>)>,
}

/// How much of a commit is ready for a search.
#[derive(Clone, Copy, Debug)]
pub struct IndexProgress {
    pub commit: CommitId,
    pub done: u64,
    pub pending: u64,
}

/// What happens while a question is answered.
#[derive(Clone, Debug)]
pub enum Step {
    /// The files were searched for a text or a pattern.
    Grep(String),
    /// A file was read.
    View(String),
    /// The answer.
    Report { explanation: String, files: Vec<FoundFile> },
}
