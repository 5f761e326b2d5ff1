//! Bearer tokens of the JSON API. Only their hashes are stored.

use super::access::Role;
use super::id::{SourceRepoId, TokenId, UserId};
use super::time::Timestamp;

/// What an account token starts with.
pub const ACCOUNT_PREFIX: &str = "rlc-";
/// What a token starts with that reaches only the source repos it names.
pub const REPO_PREFIX: &str = "rlcr-";
/// Random characters after the prefix; 62 symbols each, so 190 bits.
pub const RANDOM_CHARS: usize = 32;
/// Leading characters that lists may show, to tell tokens apart.
pub const SHOWN_CHARS: usize = 8;
/// Most source repos that a repo token names.
pub const REPOS_PER_TOKEN_MAX: usize = 100;
/// Longest life that a token may be given, in seconds: ten years.
pub const TTL_SECONDS_MAX: i64 = 10 * 365 * 86_400;
/// Most live tokens of one user.
pub const TOKENS_PER_USER_MAX: i64 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Reaches everything its user does.
    Account,
    /// Reads the source repos it names, edits them if it may, and nothing else.
    Repo,
}

impl TokenKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Repo => "repo",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Account, Self::Repo].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a repo token allows on the repos it names; never more than its user may there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepoAccess {
    Read,
    #[default]
    Write,
}

impl RepoAccess {
    pub const fn as_role(self) -> Role {
        match self {
            Self::Read => Role::Read,
            Self::Write => Role::Write,
        }
    }

    pub const fn as_str(self) -> &'static str {
        self.as_role().as_str()
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|access| access.as_str() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Token {
    pub id: TokenId,
    pub user: UserId,
    pub kind: TokenKind,
    pub name: String,
    /// The first [`SHOWN_CHARS`] characters.
    pub shown: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// A token that reaches only the source repos it names.
#[derive(Clone, Debug)]
pub struct RepoToken {
    pub token: Token,
    pub access: RepoAccess,
    pub repos: Vec<SourceRepoId>,
}
