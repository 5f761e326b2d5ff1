//! Access keys of storage repos. Nobody hands out more than they hold themselves.

use rand::Rng;
use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;
use serde_json::json;

use crate::model::access::{Caller, Role};
use crate::model::access_key::{
    AccessKey, KEY_PREFIX, KEY_RANDOM_CHARS, KEYS_PER_REPO_MAX, SECRET_CHARS,
};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{AccessKeyId, StorageRepoId};
use crate::model::storage_repo::StorageRepo;
use crate::model::time::Timestamp;
use crate::service::storage_repos::{again, hold, require};
use crate::service::text::check_name;
use crate::service::{Error, Result, Services};
use crate::store::{access_keys, audit};

/// A new pair. The secret is not to be had again.
pub struct Pair<I> {
    pub id: I,
    pub key: String,
    pub secret: SecretString,
}

pub async fn create(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    name: &str,
    access: Role,
) -> Result<Pair<AccessKeyId>> {
    let repo = require(services, caller, repo, needed(access)).await?;
    check_name(name)?;
    let (id, secret) = (AccessKeyId::new(), secret());
    let key = AccessKey {
        id,
        repo: repo.id,
        name: name.to_owned(),
        access,
        key: format!("{KEY_PREFIX}{}", upper_case(KEY_RANDOM_CHARS)),
        sealed: services.vault.seal(&format!("access_key/{id}"), &secret)?,
        created_at: Timestamp::now(),
    };
    let mut tx = services.store.begin().await?;
    hold(&mut tx, &[repo.workspace]).await?;
    if again(&mut tx, caller, &repo).await?.disabled {
        let message = "The storage repo is disabled. Enable it first, with `disabled: false`.";
        return Err(Error::Forbidden(message.to_owned()));
    }
    if access_keys::count(&mut *tx, repo.id).await? >= KEYS_PER_REPO_MAX {
        return Err(Error::LimitReached(format!(
            "The storage repo has {KEYS_PER_REPO_MAX} access keys, which is the most. Delete one \
             first."
        )));
    }
    access_keys::insert(&mut *tx, &key).await?;
    audit::insert(&mut *tx, &line(caller, &repo, &key, Action::Created)).await?;
    tx.commit().await?;
    Ok(Pair { id, key: key.key, secret })
}

pub async fn list(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
) -> Result<Vec<AccessKey>> {
    let repo = require(services, caller, repo, Role::Read).await?;
    Ok(access_keys::list(services.store.read(), repo.id).await?)
}

pub async fn update(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    id: AccessKeyId,
    name: &str,
    access: Role,
) -> Result<()> {
    let (repo, old) = find(services, caller, repo, id, access).await?;
    check_name(name)?;
    let new = AccessKey { name: name.to_owned(), access, ..old };
    let mut tx = services.store.begin().await?;
    if !access_keys::update(&mut *tx, id, name, access).await? {
        return Err(Error::not_found("Access key"));
    }
    audit::insert(&mut *tx, &line(caller, &repo, &new, Action::Updated)).await?;
    Ok(tx.commit().await?)
}

pub async fn delete(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    id: AccessKeyId,
) -> Result<()> {
    let (repo, key) = find(services, caller, repo, id, Role::Read).await?;
    let mut tx = services.store.begin().await?;
    if !access_keys::delete(&mut *tx, id).await? {
        return Err(Error::not_found("Access key"));
    }
    audit::insert(&mut *tx, &line(caller, &repo, &key, Action::Deleted)).await?;
    Ok(tx.commit().await?)
}

/// The key, if the caller may change it to have `access`.
async fn find(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    id: AccessKeyId,
    access: Role,
) -> Result<(StorageRepo, AccessKey)> {
    let repo = require(services, caller, repo, needed(access)).await?;
    let key = access_keys::get(services.store.read(), repo.id, id).await?;
    let key = key.ok_or_else(|| Error::not_found("Access key"))?;
    require(services, caller, repo.id, needed(key.access)).await?;
    Ok((repo, key))
}

/// What it takes to deal with a key of that access.
fn needed(access: Role) -> Role {
    access.max(Role::Write)
}

/// A secret nobody has seen yet.
pub fn secret() -> SecretString {
    Alphanumeric.sample_string(&mut rand::rng(), SECRET_CHARS).into()
}

/// Random characters as key ids have them.
pub fn upper_case(chars: usize) -> String {
    const SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut random = rand::rng();
    (0..chars).map(|_| char::from(SYMBOLS[random.random_range(0..SYMBOLS.len())])).collect()
}

fn line(caller: &Caller, repo: &StorageRepo, key: &AccessKey, action: Action) -> NewEvent {
    let data = json!({ "name": key.name, "accessType": key.access.as_str(), "repoId": repo.id });
    NewEvent::by(caller, Context::ApiKey, key.id, action, repo.workspace).with(data)
}
