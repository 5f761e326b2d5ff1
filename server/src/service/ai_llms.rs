//! AI LLMs: registering, changing and deleting them. Credentials go in and never come out.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::Url;

use crate::model::access::{Caller, Role};
use crate::model::ai::{AI_LLMS_MAX, AiLlm, AiType, SHOWN_KEY_CHARS};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::bucket::{CREDENTIAL_CHARS_MAX, ENDPOINT_CHARS_MAX};
use crate::model::id::{AiLlmId, IdOrName};
use crate::model::storage_repo::{ListFilter, ListPage, Mention};
use crate::model::time::Timestamp;
use crate::service::storage_holders::{require_free, with_holders};
use crate::service::storage_repos::{hold, hold_to_add};
use crate::service::text::{self, check_name};
use crate::service::{Error, Result, Services, access};
use crate::store::ai_llms::Sealed;
use crate::store::storage_links::Held;
use crate::store::{ai_llms, audit};

/// What a new AI LLM is to be. An empty text counts as none.
pub struct NewAiLlm {
    pub workspace: Option<IdOrName>,
    pub name: String,
    pub ai_type: AiType,
    pub endpoint: Option<String>,
    pub key: Option<SecretString>,
    pub secret: Option<SecretString>,
}

/// What to change of an AI LLM: `None` leaves.
#[derive(Default)]
pub struct AiLlmChange {
    pub name: Option<String>,
    pub ai_type: Option<AiType>,
    pub endpoint: Option<String>,
    pub key: Option<SecretString>,
    pub secret: Option<SecretString>,
}

/// An AI LLM with the storage repos that name it.
pub type WithHolders = (AiLlm, Vec<Mention>);

pub async fn create(services: &Services, caller: &Caller, new: NewAiLlm) -> Result<AiLlmId> {
    let which = new.workspace.as_ref();
    let workspace =
        access::require_workspace_named(&services.store, caller, which, Role::Write).await?;
    check_name(&new.name)?;
    let id = AiLlmId::new();
    let endpoint = check_endpoint(new.ai_type, new.endpoint)?;
    let key = text::secret("key", new.key, CREDENTIAL_CHARS_MAX)?;
    let secret = text::secret("secret", new.secret, CREDENTIAL_CHARS_MAX)?;
    let llm = AiLlm {
        id,
        org: caller.org,
        workspace: workspace.id,
        user: caller.user,
        name: new.name,
        ai_type: new.ai_type,
        endpoint,
        shown_key: key.as_ref().map(shown),
        created_at: Timestamp::now(),
    };
    let sealed = seal(services, id, key.as_ref(), secret.as_ref())?;
    let mut tx = services.store.begin().await?;
    hold_to_add(&mut tx, caller.org, workspace.id).await?;
    if ai_llms::count(&mut *tx, caller.org).await? >= AI_LLMS_MAX {
        return Err(Error::LimitReached(format!(
            "The organisation has {AI_LLMS_MAX} AI LLMs, which is the most. Delete one first."
        )));
    }
    ai_llms::insert(&mut *tx, &llm, &sealed).await?;
    audit::insert(&mut *tx, &line(caller, &llm, Action::Created)).await?;
    tx.commit().await?;
    Ok(id)
}

pub async fn list(
    services: &Services,
    caller: &Caller,
    filter: ListFilter<IdOrName>,
) -> Result<ListPage<WithHolders>> {
    let filter = access::list_filter(&services.store, caller, filter).await?;
    let found = ai_llms::list(services.store.read(), caller, &filter).await?;
    let ListPage { items, more } = ListPage::new(found, filter.limit);
    let id = |llm: &AiLlm| llm.id.uuid();
    let items = with_holders(&services.store, caller.org, Held::AiLlms, items, id).await?;
    Ok(ListPage { items, more })
}

pub async fn update(
    services: &Services,
    caller: &Caller,
    id: AiLlmId,
    change: AiLlmChange,
) -> Result<()> {
    let mut llm = require(services, caller, id).await?;
    if let Some(name) = change.name {
        check_name(&name)?;
        llm.name = name;
    }
    // What nobody chose follows the provider.
    let provider = llm.ai_type.default_endpoint();
    let chosen = Some(llm.endpoint).filter(|kept| provider != Some(kept));
    llm.ai_type = change.ai_type.unwrap_or(llm.ai_type);
    llm.endpoint = check_endpoint(llm.ai_type, change.endpoint.or(chosen))?;
    let key = text::secret("key", change.key, CREDENTIAL_CHARS_MAX)?
        .filter(|key| llm.shown_key.as_deref() != Some(key.expose_secret()));
    let secret = text::secret("secret", change.secret, CREDENTIAL_CHARS_MAX)?;
    if let Some(key) = &key {
        llm.shown_key = Some(shown(key));
    }
    let sealed = seal(services, id, key.as_ref(), secret.as_ref())?;
    let mut tx = services.store.begin().await?;
    if !ai_llms::update(&mut *tx, &llm, &sealed).await? {
        return Err(Error::not_found("AI LLM"));
    }
    audit::insert(&mut *tx, &line(caller, &llm, Action::Updated)).await?;
    Ok(tx.commit().await?)
}

pub async fn delete(services: &Services, caller: &Caller, id: AiLlmId) -> Result<()> {
    let llm = require(services, caller, id).await?;
    let mut tx = services.store.begin().await?;
    hold(&mut tx, &[llm.workspace]).await?;
    require_free(&mut tx, caller.org, Held::AiLlms, id.uuid(), "AI LLM").await?;
    if !ai_llms::delete(&mut *tx, id).await? {
        return Err(Error::not_found("AI LLM"));
    }
    audit::insert(&mut *tx, &line(caller, &llm, Action::Deleted)).await?;
    Ok(tx.commit().await?)
}

/// The AI LLM, if the caller may change it.
async fn require(services: &Services, caller: &Caller, id: AiLlmId) -> Result<AiLlm> {
    access::require_account(caller)?;
    let found = ai_llms::get(services.store.read(), caller, id).await?;
    let (llm, role) = found.ok_or_else(|| Error::not_found("AI LLM"))?;
    access::require(caller, role, Role::Write, "AI LLM")?;
    Ok(llm)
}

fn check_endpoint(ai_type: AiType, endpoint: Option<String>) -> Result<String> {
    let given = text::optional("endpoint", endpoint, ENDPOINT_CHARS_MAX)?;
    let default = || ai_type.default_endpoint().map(str::to_owned);
    let endpoint = given.or_else(default).ok_or_else(|| {
        let message = "endpoint: must be given for the type OTHER, which has no default";
        Error::invalid("endpoint", message)
    })?;
    let usable = Url::parse(&endpoint).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
    });
    if usable {
        return Ok(endpoint);
    }
    let message = "endpoint: must be an http or https URL without a user name or password in it";
    Err(Error::invalid("endpoint", message))
}

/// Enough of a key to recognise it, and too little to use it.
fn shown(key: &SecretString) -> String {
    let key = key.expose_secret();
    let first: String = key.chars().take(SHOWN_KEY_CHARS).collect();
    // Of a short one even that would be much.
    let short = key.chars().count() < 4 * SHOWN_KEY_CHARS;
    format!("{}...", if short { "" } else { &first })
}

fn seal(
    services: &Services,
    id: AiLlmId,
    key: Option<&SecretString>,
    secret: Option<&SecretString>,
) -> Result<Sealed> {
    let seal = |part: &str, text: Option<&SecretString>| {
        let sealed = text.map(|text| services.vault.seal(&format!("ai_llm/{id}/{part}"), text));
        sealed.transpose()
    };
    Ok(Sealed { key: seal("key", key)?, secret: seal("secret", secret)? })
}

fn line(caller: &Caller, llm: &AiLlm, action: Action) -> NewEvent {
    NewEvent::by(caller, Context::AiLlm, llm.id, action, llm.workspace)
        .with(json!({ "name": llm.name }))
}
