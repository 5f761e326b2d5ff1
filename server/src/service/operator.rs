//! What the operator does at the machine itself. There is no caller and no access check here,
//! so only the command line and the first start may call it, never a network door.

use secrecy::{ExposeSecret, SecretString};

use crate::backend::vault::Vault;
use crate::model::access::{OrgRole, Role};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{OrgId, SourceRepoId, TokenId, UserId, WorkspaceId};
use crate::model::org::{NAME_CHARS_MAX, Org, User, Workspace};
use crate::model::time::Timestamp;
use crate::model::token::{ACCOUNT_PREFIX, RANDOM_CHARS, Token};
use crate::model::webhook::Slot;
use crate::service::tokens::{self, Scope};
use crate::service::{Error, Result};
use crate::store::{Tx, audit, orgs, settings, users, webhooks, workspaces};

/// The database that the commands open and hand over; only the rules here look inside.
pub use crate::store::Store;

/// The organisation that the first start makes.
const FIRST_ORG: &str = "default";
const FIRST_USER: &str = "owner@localhost";
const MASTER_KEY_PLACE: &str = "settings/master_key_check";

/// A new organisation's owner, with the only copy of the token.
pub struct Owner {
    pub org: Org,
    pub user: User,
    pub token: SecretString,
}

/// Makes the first organisation, unless there is one. Several processes may try at once;
/// one of them wins.
pub async fn first_start(store: &Store, token: Option<&SecretString>) -> Result<Option<Owner>> {
    if !orgs::list(store.read()).await?.is_empty() {
        return Ok(None);
    }
    match create_org(store, FIRST_ORG, FIRST_USER, token).await {
        Err(Error::Conflict { .. }) => Ok(None),
        made => made.map(Some),
    }
}

/// Refuses a master key that is not the one this database was made with.
pub async fn check_master_key(store: &Store, vault: &Vault) -> Result<()> {
    let sealed = vault.seal(MASTER_KEY_PLACE, &"repoplane".into()).map_err(Error::internal)?;
    settings::put_new(store.write_now(), settings::MASTER_KEY_CHECK, &sealed).await?;
    let kept = settings::get(store.read(), settings::MASTER_KEY_CHECK).await?.unwrap_or_default();
    vault.open(MASTER_KEY_PLACE, &kept).map(drop).map_err(Error::internal)
}

/// Makes an organisation with a default workspace, an owner and the owner's first token.
pub async fn create_org(
    store: &Store,
    name: &str,
    owner_email: &str,
    token: Option<&SecretString>,
) -> Result<Owner> {
    check_name("name", name)?;
    let token = match token {
        Some(chosen) => checked_token(chosen)?,
        None => tokens::generate(ACCOUNT_PREFIX),
    };
    let now = Timestamp::now();
    let org = Org { id: OrgId::new(), name: name.to_owned(), created_at: now };
    let workspace = Workspace {
        id: WorkspaceId::new(),
        org: org.id,
        name: "Default".to_owned(),
        is_default: true,
    };
    let mut tx = store.begin().await?;
    orgs::insert(&mut *tx, &org).await.map_err(|error| taken(error, "organisation", name))?;
    workspaces::insert(&mut *tx, &workspace, now).await?;
    let user = insert_user(&mut tx, org.id, owner_email, ("Owner", ""), OrgRole::Owner).await?;
    let (whose, scope) = ((org.id, user.id), Scope::default());
    tokens::register(&mut tx, whose, None, "first token", token.expose_secret(), &scope).await?;
    let line = event(org.id, Context::Org, org.id.to_string(), Action::Created);
    audit::insert(&mut *tx, &line).await?;
    let line = event(org.id, Context::Workspace, workspace.id.to_string(), Action::Created);
    audit::insert(&mut *tx, &NewEvent { workspace: Some(workspace.id), ..line }).await?;
    tx.commit().await?;
    Ok(Owner { org, user, token })
}

pub async fn list_orgs(store: &Store) -> Result<Vec<Org>> {
    Ok(orgs::list(store.read()).await?)
}

/// The organisation of that name; the first one when no name is given.
pub async fn find_org(store: &Store, name: Option<&str>) -> Result<Org> {
    let Some(name) = name else {
        return list_orgs(store).await?.into_iter().next().ok_or_else(|| {
            Error::NotFound("There is no organisation yet. Make one: repoplane org create".into())
        });
    };
    orgs::find(store.read(), name).await?.ok_or_else(|| {
        Error::NotFound(format!("No organisation {name:?}. `repoplane org list` shows them."))
    })
}

/// Makes a user, and a member of `workspace` when a role is given.
pub async fn create_user(
    store: &Store,
    org: &Org,
    email: &str,
    names: (&str, &str),
    org_role: OrgRole,
    membership: Option<(WorkspaceId, Role)>,
) -> Result<User> {
    let mut tx = store.begin().await?;
    let user = insert_user(&mut tx, org.id, email, names, org_role).await?;
    if let Some((workspace, role)) = membership {
        workspaces::get(&mut *tx, org.id, workspace)
            .await?
            .ok_or_else(|| Error::not_found("Workspace"))?;
        workspaces::set_member(&mut *tx, workspace, user.id, role).await?;
        let line = event(org.id, Context::WorkspaceUser, user.id.to_string(), Action::Created);
        audit::insert(&mut *tx, &NewEvent { workspace: Some(workspace), ..line }).await?;
    }
    tx.commit().await?;
    Ok(user)
}

pub async fn list_users(store: &Store, org: &Org) -> Result<Vec<User>> {
    Ok(users::list(store.read(), org.id).await?)
}

pub async fn find_user(store: &Store, org: &Org, email: &str) -> Result<User> {
    users::find_by_email(store.read(), org.id, email).await?.ok_or_else(|| {
        Error::NotFound(format!(
            "No user {email:?} in the organisation {:?}. `repoplane user list` shows them.",
            org.name
        ))
    })
}

/// Deletes a user, revokes their tokens and takes their roles away.
pub async fn delete_user(store: &Store, user: &User) -> Result<()> {
    let now = Timestamp::now();
    let mut tx = store.begin().await?;
    if !users::delete(&mut *tx, user.id, now).await? {
        return Err(Error::not_found("User"));
    }
    crate::store::tokens::revoke_all(&mut *tx, user.id, now).await?;
    workspaces::remove_everywhere(&mut *tx, user.id).await?;
    webhooks::remove(&mut tx, Slot::User(user.id)).await?;
    let line = event(user.org, Context::User, user.id.to_string(), Action::Deleted);
    audit::insert(&mut *tx, &line).await?;
    Ok(tx.commit().await?)
}

/// Makes a token of a user; the secret is in the answer only.
pub async fn create_token(
    store: &Store,
    user: &User,
    name: &str,
    scope: &Scope,
) -> Result<(Token, SecretString)> {
    check_name("name", name)?;
    tokens::make(store, (user.org, user.id), None, name, scope).await
}

pub async fn list_tokens(store: &Store, user: &User) -> Result<Vec<Token>> {
    Ok(crate::store::tokens::list(store.read(), user.id, Timestamp::now()).await?)
}

pub async fn revoke_token(store: &Store, user: &User, id: TokenId) -> Result<()> {
    tokens::revoke_of(store, user.org, user.id, None, id).await
}

/// Repos that a repo token may name: live ones of the user's organisation.
pub async fn check_repos(store: &Store, org: &Org, repos: &[SourceRepoId]) -> Result<()> {
    for id in repos {
        if crate::store::source_repos::org_of(store.read(), *id).await? != Some(org.id) {
            return Err(Error::NotFound(format!("No source repo {id} in this organisation.")));
        }
    }
    Ok(())
}

async fn insert_user(
    tx: &mut Tx,
    org: OrgId,
    email: &str,
    (name, last_name): (&str, &str),
    org_role: OrgRole,
) -> Result<User> {
    check_name("email", email)?;
    check_name("name", name)?;
    // They become the author of commits, where git has no way to write these.
    for (field, text) in [("email", email), ("name", name), ("last_name", last_name)] {
        if text.contains(['<', '>']) || text.chars().any(char::is_control) {
            let message = format!("{field}: must not hold angle brackets or control characters");
            return Err(Error::invalid(field, message));
        }
    }
    let user = User {
        id: UserId::new(),
        org,
        email: email.to_owned(),
        name: name.to_owned(),
        last_name: last_name.to_owned(),
        org_role,
    };
    users::insert(&mut **tx, &user, Timestamp::now())
        .await
        .map_err(|error| taken(error, "user", email))?;
    let line = event(org, Context::User, user.id.to_string(), Action::Created);
    audit::insert(&mut **tx, &line).await?;
    Ok(user)
}

fn checked_token(token: &SecretString) -> Result<SecretString> {
    let usable = token.expose_secret().strip_prefix(ACCOUNT_PREFIX).is_some_and(|random| {
        random.len() >= RANDOM_CHARS
            && random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    if usable {
        return Ok(token.clone());
    }
    Err(Error::invalid(
        "bootstrap_token",
        format!(
            "The bootstrap token must be {ACCOUNT_PREFIX} and at least {RANDOM_CHARS} letters, \
             digits, `-` or `_`."
        ),
    ))
}

fn check_name(field: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Error::invalid(
            field,
            format!("{field}: must have 1 to {NAME_CHARS_MAX} characters"),
        ));
    }
    Ok(())
}

fn taken(error: sqlx::Error, what: &str, name: &str) -> Error {
    if crate::store::is_unique_violation(&error) {
        let message = format!("There is a {what} {name:?} already. Choose another name.");
        return Error::Conflict { message, current_head: None };
    }
    error.into()
}

fn event(org: OrgId, context: Context, context_id: String, action: Action) -> NewEvent {
    NewEvent { org, user: None, context, context_id, action, workspace: None, data: None }
}
