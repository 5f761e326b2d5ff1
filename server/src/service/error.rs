//! What can go wrong, without a word of HTTP. Every message says what to do next; what is
//! nobody's business goes to the log.

use crate::backend::vault::VaultError;
use crate::model::storage_repo::Rule;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token, or not one that is valid now.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Visible, but not the caller's to do.
    #[error("{0}")]
    Forbidden(String),
    /// Absent, or not the caller's to see: nobody can tell which.
    #[error("{0}")]
    NotFound(String),
    /// The request is readable but asks for something that cannot be.
    #[error("{message}")]
    Invalid {
        /// Where in the request: `body`, `query` or `path`, then the fields.
        place: Vec<String>,
        message: String,
    },
    /// At odds with what is there now.
    #[error("{message}")]
    Conflict {
        message: String,
        /// The head as it is, when the request expected another one.
        current_head: Option<String>,
    },
    #[error("{0}")]
    TooLarge(String),
    /// What was to be taken from elsewhere cannot be; sending the same again hardly helps.
    #[error("{0}")]
    Source(String),
    /// Busy with somebody else's change; trying again soon helps.
    #[error("{0}")]
    Locked(String),
    /// Against a rule of storage repos that clients know by its code.
    #[error("{message}")]
    Rule { rule: Rule, message: String },
    /// A limit of the installation or the organisation is reached; waiting does not help.
    #[error("{0}")]
    LimitReached(String),
    /// Overloaded or shutting down; trying again helps.
    #[error("{0}")]
    Unavailable(String),
    /// Something the server depends on does not answer. The cause is for the log only.
    #[error("The database does not answer. Try again in a moment.")]
    Unreachable(Box<dyn std::error::Error + Send + Sync>),
    /// Ours to mend. The message is for the log only.
    #[error("{0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A field of the body that cannot be as it is.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::invalid_at(&["body", field], message)
    }

    /// A part of the request that cannot be as it is.
    pub fn invalid_at(place: &[&str], message: impl Into<String>) -> Self {
        let place = place.iter().map(|part| (*part).to_owned()).collect();
        Self::Invalid { place, message: message.into() }
    }

    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    pub fn rule(rule: Rule, message: impl Into<String>) -> Self {
        Self::Rule { rule, message: message.into() }
    }

    pub fn not_found(what: &str) -> Self {
        Self::NotFound(format!("{what} not found. Check the id; it may have been deleted."))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if !crate::store::is_temporary(&error) {
            return Self::internal(error);
        }
        Self::Unreachable(error.into())
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        Self::internal(error)
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::internal(error)
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(error)
    }
}
