//! What a repository elsewhere looks like in requests. The password in it is never shown, and no
//! refusal quotes it.

use secrecy::SecretString;

use super::wire::{BranchName, CommitId};
use crate::model::git_source::{DEPTH_MAX, History, LOGIN_CHARS_MAX, Start, URL_CHARS_MAX, Wanted};
use crate::service::source_fetch::{GitSource, Login, Remote};
use crate::service::{Error, Result};

/// Goes with a password that came without a user name; servers that take tokens do not look at it.
const USERNAME: &str = "token";

/// Where to fetch from, as it was sent.
pub struct Place {
    pub url: String,
    pub branch: Option<BranchName>,
    pub username: Option<String>,
    pub password: Option<String>,
}

/// What else may be said about what to fetch.
pub struct Choice {
    pub hash: Option<CommitId>,
    pub commit: Option<CommitId>,
    pub shallow: Option<bool>,
    pub depth: Option<u32>,
}

impl Place {
    /// For a new repo.
    pub fn into_new(self, choice: Choice) -> Result<GitSource> {
        let id = |id: Option<CommitId>, field| {
            id.map(|id| id.into_id(&["body", "source", field])).transpose()
        };
        let hash = id(choice.hash, "hash")?;
        let commit = id(choice.commit, "commit")?;
        if hash.is_some() && commit.is_some_and(|commit| Some(commit) != hash) {
            let message = "commit: is another one than `hash`; leave one of them out";
            return Err(refused("commit", message));
        }
        let history = match (choice.shallow, choice.depth) {
            (Some(false), Some(_)) => {
                let message = "depth: was given beside `shallow: false`; leave one of them out";
                return Err(refused("depth", message));
            }
            (Some(false), None) => History::Whole,
            (_, Some(depth)) if !(1..=DEPTH_MAX).contains(&depth) => {
                return Err(refused("depth", format!("depth: must be 1 to {DEPTH_MAX}")));
            }
            (_, depth) => History::Last(depth.unwrap_or(1)),
        };
        self.into_source(hash.or(commit), history)
    }

    /// For a repo that is there.
    pub fn into_update(self) -> Result<GitSource> {
        self.into_source(None, History::Missing)
    }

    fn into_source(
        self,
        commit: Option<crate::model::edit::CommitId>,
        history: History,
    ) -> Result<GitSource> {
        let Self { url, branch, username, password } = self;
        if !(1..=URL_CHARS_MAX).contains(&url.chars().count()) {
            return Err(refused("url", format!("url: must have 1 to {URL_CHARS_MAX} characters")));
        }
        let branch =
            branch.map(|name| name.into_name(&["body", "source", "branch"])).transpose()?;
        let start = match (commit, branch) {
            (Some(commit), _) => Start::Commit(commit),
            (None, Some(branch)) => Start::Branch(branch),
            (None, None) => Start::Default,
        };
        let login = login(username, password)?;
        Ok(GitSource { remote: Remote { url, login }, wanted: Wanted { start, history } })
    }
}

fn login(username: Option<String>, password: Option<String>) -> Result<Option<Login>> {
    let Some(password) = password else {
        return match username {
            None => Ok(None),
            Some(_) => Err(refused("username", "username: was given without a `password`")),
        };
    };
    let username = username.unwrap_or_else(|| USERNAME.to_owned());
    for (field, text, forbidden) in [("username", &username, ":"), ("password", &password, "")] {
        let usable = !text.contains(|c: char| c.is_control() || forbidden.contains(c));
        if !usable || !(1..=LOGIN_CHARS_MAX).contains(&text.chars().count()) {
            let message = format!(
                "{field}: must have 1 to {LOGIN_CHARS_MAX} characters, and no control characters; a user \
                 name no colon"
            );
            return Err(refused(field, message));
        }
    }
    Ok(Some(Login { username, password: SecretString::from(password) }))
}

fn refused(field: &str, message: impl Into<String>) -> Error {
    Error::invalid_at(&["body", "source", field], message)
}
