//! Bearer tokens: making, checking, listing and revoking them.

use rand::Rng;
use rand::distr::Alphanumeric;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model::access::Caller;
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{OrgId, SourceRepoId, TokenId, UserId};
use crate::model::time::Timestamp;
use crate::model::token::{
    ACCOUNT_PREFIX, RANDOM_CHARS, REPO_PREFIX, RepoAccess, SHOWN_CHARS, TOKENS_PER_USER_MAX, Token,
    TokenKind,
};
use crate::service::{Error, Result, Services, access};
use crate::store::tokens::{self, TokenHash};
use crate::store::{Store, Tx, audit};

/// Bytes of the hash that find the row; the rest is compared in constant time.
const LOOKUP_BYTES: usize = 8;

/// What a new token reaches, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The only source repos it reaches; without any, everything its user does.
    pub repos: Vec<SourceRepoId>,
    /// What it allows on them.
    pub access: RepoAccess,
    pub expires_at: Option<Timestamp>,
}

impl Scope {
    fn kind(&self) -> TokenKind {
        if self.repos.is_empty() { TokenKind::Account } else { TokenKind::Repo }
    }

    pub fn prefix(&self) -> &'static str {
        match self.kind() {
            TokenKind::Account => ACCOUNT_PREFIX,
            TokenKind::Repo => REPO_PREFIX,
        }
    }
}

/// Who holds the token, if it is valid now.
pub async fn authenticate(store: &Store, presented: &str) -> Result<Caller> {
    const INVALID: Error = Error::Unauthenticated(
        "The token is not valid: unknown, expired or revoked. Make a new one with \
         `repoplane token create`.",
    );
    let TokenHash { lookup, hash } = hash(presented);
    let read = tokens::find(store.read(), &lookup);
    let memos = store.memos();
    let found = memos.get(&memos.callers, lookup.clone(), read).await?.ok_or(INVALID)?;
    let live = found.expires_at.is_none_or(|end| end > Timestamp::now());
    if live && bool::from(found.hash.as_slice().ct_eq(&hash)) {
        Ok(found.caller)
    } else {
        Err(INVALID)
    }
}

/// A token nobody has seen yet.
pub fn generate(prefix: &str) -> SecretString {
    let random = rand::rng().sample_iter(Alphanumeric).take(RANDOM_CHARS).map(char::from);
    SecretString::from(prefix.chars().chain(random).collect::<String>())
}

/// Makes a token of `user` on behalf of `by`; the secret is in the answer only.
pub async fn make(
    store: &Store,
    user: (OrgId, UserId),
    by: Option<UserId>,
    name: &str,
    scope: &Scope,
) -> Result<(Token, SecretString)> {
    let secret = generate(scope.prefix());
    let mut tx = store.begin().await?;
    let token = register(&mut tx, user, by, name, secret.expose_secret(), scope).await?;
    tx.commit().await?;
    Ok((token, secret))
}

/// Registers `secret` as a token of `user`, on behalf of `by`.
pub async fn register(
    tx: &mut Tx,
    (org, user): (OrgId, UserId),
    by: Option<UserId>,
    name: &str,
    secret: &str,
    scope: &Scope,
) -> Result<Token> {
    let now = Timestamp::now();
    if tokens::count(&mut **tx, user, now).await? >= TOKENS_PER_USER_MAX {
        return Err(Error::LimitReached(format!(
            "The user has {TOKENS_PER_USER_MAX} tokens, which is the most. Revoke one first."
        )));
    }
    let token = Token {
        id: TokenId::new(),
        user,
        kind: scope.kind(),
        name: name.to_owned(),
        shown: secret.chars().take(SHOWN_CHARS).collect(),
        created_at: now,
        expires_at: scope.expires_at,
    };
    let hash = hash(secret);
    tokens::insert(tx, &token, &hash, scope.access, &scope.repos).await.map_err(|error| {
        if crate::store::is_unique_violation(&error) {
            Error::invalid("token", "This token is in use already. Choose another one.")
        } else if crate::store::is_foreign_key_violation(&error) {
            // Deleted for good since somebody looked.
            Error::not_found("Source repo")
        } else {
            error.into()
        }
    })?;
    let mut line = event(org, by, token.id, Action::Created);
    if token.kind == TokenKind::Repo {
        line = line.with(json!({ "repo_ids": scope.repos, "access": scope.access.as_str() }));
    }
    audit::insert(&mut **tx, &line).await?;
    Ok(token)
}

/// The caller's own live tokens, newest first.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<Token>> {
    access::require_account(caller)?;
    Ok(tokens::list(services.store.read(), caller.user, Timestamp::now()).await?)
}

/// Revokes one of the caller's own tokens; it fails from the next request on.
pub async fn revoke(services: &Services, caller: &Caller, id: TokenId) -> Result<()> {
    access::require_account(caller)?;
    revoke_of(&services.store, caller.org, caller.user, Some(caller.user), id).await
}

/// Revokes a token of `user`, on behalf of `by`.
pub async fn revoke_of(
    store: &Store,
    org: OrgId,
    user: UserId,
    by: Option<UserId>,
    id: TokenId,
) -> Result<()> {
    let mut tx = store.begin().await?;
    if !tokens::revoke(&mut *tx, user, id, Timestamp::now()).await? {
        return Err(Error::not_found("Token"));
    }
    audit::insert(&mut *tx, &event(org, by, id, Action::Deleted)).await?;
    Ok(tx.commit().await?)
}

fn event(org: OrgId, user: Option<UserId>, token: TokenId, action: Action) -> NewEvent {
    let context_id = token.to_string();
    NewEvent {
        org,
        user,
        context: Context::ApiKey,
        context_id,
        action,
        workspace: None,
        data: None,
    }
}

/// Tokens are random, so a plain hash is as good as a slow one.
pub(super) fn hash(secret: &str) -> TokenHash {
    let hash = Sha256::digest(secret.as_bytes());
    let lookup = hash[..LOOKUP_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    TokenHash { lookup, hash: hash.to_vec() }
}
