//! AI API keys of storage repos. Of their secrets only hashes are kept.

use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::model::access::{Caller, Role};
use crate::model::access_key::{KEY_RANDOM_CHARS, KEYS_PER_REPO_MAX};
use crate::model::ai::{AI_KEY_PREFIX, AiKey, AiType};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{AiKeyId, StorageRepoId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::service::access_keys::{Pair, secret, upper_case};
use crate::service::storage_repos::{again, hold, require};
use crate::service::text::check_name;
use crate::service::{Error, Result, Services};
use crate::store::{ai_keys, audit};

pub async fn create(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    name: &str,
    ai_type: AiType,
) -> Result<Pair<AiKeyId>> {
    let repo = require(services, caller, repo, Role::Write).await?;
    check_name(name)?;
    let secret = secret();
    let key = AiKey {
        id: AiKeyId::new(),
        repo: repo.id,
        name: name.to_owned(),
        ai_type,
        key: format!("{AI_KEY_PREFIX}{}", upper_case(KEY_RANDOM_CHARS)),
        created_at: Timestamp::now(),
    };
    // Random, so that a plain hash is as good as a slow one.
    let hash = Sha256::digest(secret.expose_secret().as_bytes());
    let mut tx = services.store.begin().await?;
    hold(&mut tx, &[repo.workspace]).await?;
    again(&mut tx, caller, &repo).await?;
    if ai_keys::count(&mut *tx, repo.id).await? >= KEYS_PER_REPO_MAX {
        return Err(Error::LimitReached(format!(
            "The storage repo has {KEYS_PER_REPO_MAX} AI API keys, which is the most. Delete one \
             first."
        )));
    }
    ai_keys::insert(&mut *tx, &key, &hash).await?;
    let line = line(caller, repo.workspace, key.id, Action::Created);
    audit::insert(&mut *tx, &line.with(json!({ "name": name, "repoId": repo.id }))).await?;
    tx.commit().await?;
    Ok(Pair { id: key.id, key: key.key, secret })
}

pub async fn list(services: &Services, caller: &Caller, repo: StorageRepoId) -> Result<Vec<AiKey>> {
    let repo = require(services, caller, repo, Role::Read).await?;
    Ok(ai_keys::list(services.store.read(), repo.id).await?)
}

pub async fn rename(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    id: AiKeyId,
    name: Option<&str>,
) -> Result<()> {
    let repo = require(services, caller, repo, Role::Write).await?;
    name.map_or(Ok(()), check_name)?;
    let mut tx = services.store.begin().await?;
    if !ai_keys::rename(&mut *tx, repo.id, id, name).await? {
        return Err(Error::not_found("AI API key"));
    }
    let Some(name) = name else { return Ok(()) };
    let line = line(caller, repo.workspace, id, Action::Updated);
    audit::insert(&mut *tx, &line.with(json!({ "name": name, "repoId": repo.id }))).await?;
    Ok(tx.commit().await?)
}

pub async fn delete(
    services: &Services,
    caller: &Caller,
    repo: StorageRepoId,
    id: AiKeyId,
) -> Result<()> {
    let repo = require(services, caller, repo, Role::Write).await?;
    let mut tx = services.store.begin().await?;
    if !ai_keys::delete(&mut *tx, repo.id, id).await? {
        return Err(Error::not_found("AI API key"));
    }
    let line = line(caller, repo.workspace, id, Action::Deleted);
    audit::insert(&mut *tx, &line.with(json!({ "repoId": repo.id }))).await?;
    Ok(tx.commit().await?)
}

fn line(caller: &Caller, workspace: WorkspaceId, id: AiKeyId, action: Action) -> NewEvent {
    NewEvent::by(caller, Context::AiKey, id, action, workspace)
}
