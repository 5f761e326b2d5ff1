//! Everything that can be wrong with an input. An error names the place and what to do; it never quotes a whole document.

/// Why a document, a comparison or an allow list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not YAML or JSON, or a key written twice.
    #[error("line {line} column {column}: {message}")]
    Syntax { line: usize, column: usize, message: String },
    /// Valid YAML or JSON, but not the shape OpenAPI asks for.
    #[error("{}: {message}", place(pointer))]
    Malformed { pointer: String, message: String },
    /// Not OpenAPI 3.0 or 3.1.
    #[error("{found}; only OpenAPI 3.0 and 3.1 documents can be compared, convert it first")]
    Version { found: String },
    /// Something of OpenAPI 3.1 that 3.0 cannot say.
    #[error("{pointer}: {message}")]
    NotIn30 { pointer: String, message: String },
    #[error(
        "{pointer}: `$ref: {reference}` points to nothing; add the target or correct the reference"
    )]
    DanglingRef { pointer: String, reference: String },
    #[error(
        "{pointer}: `$ref: {reference}` points outside the document; bundle it into one file first"
    )]
    ExternalRef { pointer: String, reference: String },
    #[error(
        "{pointer}: `$ref: {reference}` leads back to itself; only schemas below components/schemas may be recursive, \
         and not through allOf"
    )]
    RefCycle { pointer: String, reference: String },
    #[error("{}: nested deeper than {limit} levels; flatten the document", place(pointer))]
    TooDeep { pointer: String, limit: usize },
    #[error("more than {limit} {what}; split the document")]
    TooLarge { what: &'static str, limit: usize },
    #[error("allow list line {line}: {message}")]
    AllowList { line: usize, message: String },
    /// An error in one of the two documents of a comparison.
    #[error("{side}: {source}")]
    Side { side: Side, source: Box<Error> },
}

/// Which of the two documents given to `drift` or `compat` an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A, or the old document.
    First,
    /// B, or the new document.
    Second,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::First => "first document",
            Self::Second => "second document",
        })
    }
}

impl Error {
    pub(crate) fn malformed(pointer: &str, message: impl Into<String>) -> Self {
        Self::Malformed { pointer: pointer.to_owned(), message: message.into() }
    }

    pub(crate) fn not_in_30(pointer: String, message: impl Into<String>) -> Self {
        Self::NotIn30 { pointer, message: message.into() }
    }

    pub(crate) fn on(self, side: Side) -> Self {
        Self::Side { side, source: Box::new(self) }
    }
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the document" } else { pointer }
}
