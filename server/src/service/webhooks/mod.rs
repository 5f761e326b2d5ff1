//! Webhooks: setting them, and their log. A user has one for all source repos they see, and each
//! repo has one of its own. Neither the token nor the signing secret of one is ever read back, and
//! repo tokens have nothing to do with them.

mod events;
mod schedule;
mod sending;
mod signature;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::backend::egress::EgressError;
use crate::model::access::{Caller, Role};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{EventId, SourceRepoId, WebhookId, WorkspaceId};
use crate::model::page::{Page, PageRequest};
use crate::model::time::Timestamp;
use crate::model::webhook::{
    Delivery, FORMER_SECRET, Slot, TOKEN_CHARS_MAX, URL_CHARS_MAX, Webhook,
};
use crate::service::{Error, Result, Services, access, source_repos, text};
use crate::store::{audit, webhook_deliveries, webhooks};

pub use events::announce;
pub use schedule::{rest_after, wait_after};
pub use sending::{Shift, claim, deliver, tidy};

/// What a webhook is to be. The signing secret stays as it is.
pub struct Setting {
    pub url: String,
    pub token: Option<SecretString>,
}

/// Sets the webhook of the caller, or of a repo.
pub async fn set(
    services: &Services,
    caller: &Caller,
    repo: Option<SourceRepoId>,
    setting: Setting,
) -> Result<()> {
    let place = reach(services, caller, repo).await?;
    let url = text::optional("url", Some(setting.url), URL_CHARS_MAX)?
        .ok_or_else(|| Error::invalid("url", "url: must not be empty"))?;
    services.posts.check(&url).await?;
    let token = token(setting.token)?;
    let now = Timestamp::now();
    let mut tx = services.store.begin().await?;
    let found = webhooks::get(&mut *tx, place.slot).await?.map(|webhook| webhook.id);
    let id = found.unwrap_or_else(WebhookId::new);
    let seal =
        |what: &str, secret: &SecretString| services.vault.seal(&sealed_for(id, what), secret);
    let sealed_token = token.map(|token| seal("token", &token)).transpose()?;
    let webhook = Webhook {
        id,
        org: caller.org,
        user: caller.user,
        repo,
        url,
        sealed_token,
        sealed_secret: seal("secret", &signature::new_secret())?,
        former: None,
        updated_at: now,
    };
    let written = match found {
        Some(_) => webhooks::redirect(&mut *tx, &webhook).await?,
        None => webhooks::insert(&mut *tx, &webhook).await?,
    };
    if !written {
        let message = "Somebody else set or deleted the webhook just now. Try again in 1 s.";
        return Err(Error::Unavailable(message.to_owned()));
    }
    audit::insert(&mut *tx, &place.line(caller, id, "set")).await?;
    Ok(tx.commit().await?)
}

pub async fn get(
    services: &Services,
    caller: &Caller,
    repo: Option<SourceRepoId>,
) -> Result<Webhook> {
    let place = reach(services, caller, repo).await?;
    find(services, place.slot).await
}

/// Removes a webhook with its log; nothing is told any more.
pub async fn delete(
    services: &Services,
    caller: &Caller,
    repo: Option<SourceRepoId>,
) -> Result<()> {
    let place = reach(services, caller, repo).await?;
    let webhook = find(services, place.slot).await?;
    let mut tx = services.store.begin().await?;
    if !webhooks::remove(&mut tx, place.slot).await? {
        return Err(absent());
    }
    audit::insert(&mut *tx, &place.line(caller, webhook.id, "deleted")).await?;
    Ok(tx.commit().await?)
}

/// A new signing secret, which is in the answer only. The one before goes on signing for a while.
pub async fn rotate(
    services: &Services,
    caller: &Caller,
    repo: Option<SourceRepoId>,
) -> Result<SecretString> {
    let place = reach(services, caller, repo).await?;
    let (secret, now) = (signature::new_secret(), Timestamp::now());
    let mut tx = services.store.begin().await?;
    let id = webhooks::get(&mut *tx, place.slot).await?.ok_or_else(absent)?.id;
    let sealed = services.vault.seal(&sealed_for(id, "secret"), &secret)?;
    webhooks::rotate(&mut *tx, id, &sealed, now.plus(FORMER_SECRET), now).await?;
    audit::insert(&mut *tx, &place.line(caller, id, "secret changed")).await?;
    tx.commit().await?;
    Ok(secret)
}

/// The log, newest first.
pub async fn deliveries(
    services: &Services,
    caller: &Caller,
    repo: Option<SourceRepoId>,
    page: PageRequest,
) -> Result<Page<Delivery>> {
    let place = reach(services, caller, repo).await?;
    let webhook = find(services, place.slot).await?;
    Ok(webhook_deliveries::list(services.store.read(), webhook.id, page).await?)
}

/// Sends an event once more, now, whatever became of it.
pub async fn redeliver(
    services: &Services,
    caller: &Caller,
    repo: Option<SourceRepoId>,
    id: EventId,
) -> Result<()> {
    let place = reach(services, caller, repo).await?;
    let webhook = webhooks::get(services.store.read(), place.slot).await?;
    let webhook = webhook.ok_or_else(|| Error::not_found("Delivery"))?;
    let mut tx = services.store.begin().await?;
    if !webhook_deliveries::queue_again(&mut *tx, webhook.id, id, Timestamp::now()).await? {
        return Err(Error::not_found("Delivery"));
    }
    webhooks::wake(&mut *tx, webhook.id).await?;
    audit::insert(&mut *tx, &place.line(caller, webhook.id, "delivery repeated")).await?;
    Ok(tx.commit().await?)
}

/// Where a webhook is, as far as the caller may go there.
struct Place {
    slot: Slot,
    /// Of a repo's webhook: the repo, and its workspace.
    repo: Option<(SourceRepoId, WorkspaceId)>,
}

impl Place {
    /// What the audit log keeps. A URL may hold a secret, so it is not in there.
    fn line(&self, caller: &Caller, webhook: WebhookId, done: &str) -> NewEvent {
        let data = json!({ "webhook": webhook.to_string(), "done": done });
        match self.repo {
            Some((repo, workspace)) => {
                NewEvent::by(caller, Context::Repo, repo, Action::Updated, workspace).with(data)
            }
            None => NewEvent {
                org: caller.org,
                user: Some(caller.user),
                context: Context::UserSettings,
                context_id: caller.user.to_string(),
                action: Action::Updated,
                workspace: None,
                data: Some(data.to_string()),
            },
        }
    }
}

async fn reach(services: &Services, caller: &Caller, repo: Option<SourceRepoId>) -> Result<Place> {
    access::require_account(caller)?;
    let Some(id) = repo else {
        return Ok(Place { slot: Slot::User(caller.user), repo: None });
    };
    let repo = source_repos::require(services, caller, id, Role::Write).await?;
    Ok(Place { slot: Slot::Repo(id), repo: Some((id, repo.workspace)) })
}

async fn find(services: &Services, slot: Slot) -> Result<Webhook> {
    webhooks::get(services.store.read(), slot).await?.ok_or_else(absent)
}

/// It goes into a header as it is.
fn token(token: Option<SecretString>) -> Result<Option<SecretString>> {
    let token = text::secret("token", token, TOKEN_CHARS_MAX)?;
    let plain = |token: &SecretString| token.expose_secret().bytes().all(|b| b.is_ascii_graphic());
    if token.as_ref().is_none_or(plain) {
        return Ok(token);
    }
    Err(Error::invalid("token", "token: must hold visible ASCII characters only"))
}

/// What a secret of a webhook is sealed for.
fn sealed_for(id: WebhookId, what: &str) -> String {
    format!("webhook/{id}/{what}")
}

fn absent() -> Error {
    Error::NotFound("No webhook is set.".to_owned())
}

impl From<EgressError> for Error {
    fn from(error: EgressError) -> Self {
        Self::invalid("url", format!("url: {error}"))
    }
}
