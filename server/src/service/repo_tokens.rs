//! Repo tokens, which their users make for others: each reaches only the source repos it names, and
//! no repo token makes or sees another.

use secrecy::SecretString;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::model::access::Caller;
use crate::model::id::{SourceRepoId, TokenId};
use crate::model::page::{Page, PageRequest};
use crate::model::time::Timestamp;
use crate::model::token::{REPOS_PER_TOKEN_MAX, RepoAccess, RepoToken, TTL_SECONDS_MAX};
use crate::service::text::check_name;
use crate::service::tokens::{self, Scope};
use crate::service::{Error, Result, Services, access, source_repos};
use crate::store::repo_tokens;

/// A repo token to be made.
pub struct NewRepoToken {
    pub name: String,
    pub repos: Vec<SourceRepoId>,
    pub access: RepoAccess,
    pub ttl_seconds: Option<i64>,
}

/// Makes a token of the caller, who must hold on every repo what the token is to allow. The secret
/// is in the answer only.
pub async fn create(
    services: &Services,
    caller: &Caller,
    new: NewRepoToken,
) -> Result<(RepoToken, SecretString)> {
    access::require_account(caller)?;
    check_name(&new.name)?;
    if !(1..=REPOS_PER_TOKEN_MAX).contains(&new.repos.len()) {
        let message = format!("repo_ids: must name 1 to {REPOS_PER_TOKEN_MAX} source repos");
        return Err(Error::invalid("repo_ids", message));
    }
    let mut repos = new.repos;
    repos.sort_unstable();
    repos.dedup();
    for repo in &repos {
        source_repos::require(services, caller, *repo, new.access.as_role()).await?;
    }
    let expires_at = new.ttl_seconds.map(expiry).transpose()?;
    let scope = Scope { repos, access: new.access, expires_at };
    let (user, by) = ((caller.org, caller.user), Some(caller.user));
    let (token, secret) = tokens::make(&services.store, user, by, &new.name, &scope).await?;
    Ok((RepoToken { token, access: scope.access, repos: scope.repos }, secret))
}

/// One of the caller's own, by the token itself or by its id.
pub async fn get(services: &Services, caller: &Caller, which: &str) -> Result<RepoToken> {
    access::require_account(caller)?;
    let (db, now) = (services.store.read(), Timestamp::now());
    let id = id_of(services, caller, which, now).await?;
    repo_tokens::get(db, caller.user, id, now).await?.ok_or_else(absent)
}

/// The caller's own live ones, newest first.
pub async fn list(
    services: &Services,
    caller: &Caller,
    page: PageRequest,
) -> Result<Page<RepoToken>> {
    access::require_account(caller)?;
    Ok(repo_tokens::list(services.store.read(), caller.user, page, Timestamp::now()).await?)
}

/// Revokes one of the caller's own; it fails from the next request on, wherever that goes.
pub async fn revoke(services: &Services, caller: &Caller, which: &str) -> Result<()> {
    let found = get(services, caller, which).await?;
    let (org, user) = (caller.org, caller.user);
    tokens::revoke_of(&services.store, org, user, Some(user), found.token.id).await
}

async fn id_of(
    services: &Services,
    caller: &Caller,
    which: &str,
    now: Timestamp,
) -> Result<TokenId> {
    if let Ok(id) = which.parse::<Uuid>() {
        return Ok(id.into());
    }
    let presented = tokens::hash(which);
    let db = services.store.read();
    let (id, stored) =
        repo_tokens::find(db, caller.user, &presented.lookup, now).await?.ok_or_else(absent)?;
    if bool::from(stored.hash.as_slice().ct_eq(&presented.hash)) { Ok(id) } else { Err(absent()) }
}

fn expiry(ttl_seconds: i64) -> Result<Timestamp> {
    let seconds = u64::try_from(ttl_seconds).ok().filter(|_| ttl_seconds <= TTL_SECONDS_MAX);
    match seconds {
        None | Some(0) => {
            let message = format!("ttl_seconds: must be 1 to {TTL_SECONDS_MAX}");
            Err(Error::invalid("ttl_seconds", message))
        }
        Some(seconds) => Ok(Timestamp::now().plus(std::time::Duration::from_secs(seconds))),
    }
}

fn absent() -> Error {
    Error::NotFound("Repo token not found. It may be revoked or expired.".to_owned())
}
