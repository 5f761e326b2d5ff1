//! Decides what a caller may do. What the caller cannot see does not exist for them.

use crate::model::access::{Caller, OrgRole, Role};
use crate::model::bucket::REGION_CHARS_MAX;
use crate::model::id::{IdOrName, WorkspaceId};
use crate::model::org::Workspace;
use crate::model::storage_repo::{LIST_MAX, ListFilter};
use crate::model::token::TokenKind;
use crate::service::{Error, Result, text};
use crate::store::{Store, workspaces};

/// The caller's role, given their membership; nothing when they cannot see the workspace.
pub fn role(caller: &Caller, membership: Option<Role>) -> Option<Role> {
    if caller.sees_all_workspaces() { Some(Role::Admin) } else { membership }
}

/// Demands a token that acts as its user; a repo token reaches nothing but its repos.
pub fn require_account(caller: &Caller) -> Result<()> {
    match caller.kind {
        TokenKind::Account => Ok(()),
        TokenKind::Repo => Err(Error::Forbidden(
            "A repo token reaches only the source repos it names. Use an account token.".to_owned(),
        )),
    }
}

/// What stands for a membership where the caller may hold a repo token: it reads the repos it
/// names, and writes them unless it is for reading only, as its user could; it sees no other.
pub fn repo_role(caller: &Caller, membership: Option<Role>, named: bool) -> Option<Role> {
    match caller.kind {
        TokenKind::Account => membership,
        TokenKind::Repo if !named => None,
        TokenKind::Repo if caller.org_role >= OrgRole::Administrator => {
            Some(caller.access.as_role())
        }
        TokenKind::Repo => membership.map(|role| role.min(caller.access.as_role())),
    }
}

/// Demands `needed` on `what`, of which the caller holds `membership`.
pub fn require(caller: &Caller, membership: Option<Role>, needed: Role, what: &str) -> Result<()> {
    match role(caller, membership) {
        None => Err(Error::not_found(what)),
        Some(held) if held < needed => Err(Error::Forbidden(format!(
            "This needs the role {} in the workspace; you hold {}. Ask an administrator of \
             the workspace.",
            needed.as_str(),
            held.as_str()
        ))),
        Some(_) => Ok(()),
    }
}

/// Demands `needed` in a workspace, and returns it.
pub async fn require_workspace(
    store: &Store,
    caller: &Caller,
    id: WorkspaceId,
    needed: Role,
) -> Result<Workspace> {
    require_account(caller)?;
    let workspace = workspaces::get(store.read(), caller.org, id)
        .await?
        .ok_or_else(|| Error::not_found("Workspace"))?;
    let membership = workspaces::role_of(store.read(), id, caller.user).await?;
    require(caller, membership, needed, "Workspace")?;
    Ok(workspace)
}

/// Demands `needed` in the workspace that is named so, or in the default one. A name counts among
/// the workspaces that the caller can see.
pub async fn require_workspace_named(
    store: &Store,
    caller: &Caller,
    which: Option<&IdOrName>,
    needed: Role,
) -> Result<Workspace> {
    require_account(caller)?;
    let id = match which {
        None => workspaces::default_of(store.read(), caller.org).await?,
        Some(IdOrName::Id(id)) => WorkspaceId::from(*id),
        Some(IdOrName::Name(name)) => {
            let visible = workspaces::list(store.read(), caller).await?;
            let mut called = visible.iter().filter(|workspace| workspace.name == *name);
            match (called.next(), called.next()) {
                (None, _) => return Err(Error::not_found("Workspace")),
                (Some(one), None) => one.id,
                (Some(_), Some(_)) => {
                    let message = format!(
                        "workspaceId: several workspaces are called `{name}`; give the id of one"
                    );
                    return Err(Error::invalid("workspaceId", message));
                }
            }
        }
    };
    require_workspace(store, caller, id, needed).await
}

/// Demands READ in the workspace a list is narrowed to, if it is, and checks its length.
pub async fn list_filter(
    store: &Store,
    caller: &Caller,
    filter: ListFilter<IdOrName>,
) -> Result<ListFilter> {
    require_account(caller)?;
    if !(1..=LIST_MAX).contains(&filter.limit) {
        return Err(Error::invalid_at(
            &["query", "limit"],
            format!("limit: must be 1 to {LIST_MAX}"),
        ));
    }
    let wallet = text::optional("walletAddress", filter.wallet.clone(), REGION_CHARS_MAX)?;
    let filter = ListFilter { wallet, ..filter };
    let workspace = match &filter.workspace {
        None => None,
        named => Some(require_workspace_named(store, caller, named.as_ref(), Role::Read).await?.id),
    };
    Ok(filter.within(workspace))
}

/// Demands a role in the organisation.
pub fn require_org_role(caller: &Caller, needed: OrgRole) -> Result<()> {
    require_account(caller)?;
    if caller.org_role >= needed {
        return Ok(());
    }
    Err(Error::Forbidden(format!(
        "This needs the organisation role {} or higher; you hold {}.",
        needed.as_str(),
        caller.org_role.as_str()
    )))
}
