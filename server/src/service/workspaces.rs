//! Workspaces: making, renaming and deleting them, and the roles of their users.

use serde_json::json;

use crate::model::access::{Caller, OrgRole, Role};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{UserId, WorkspaceId};
use crate::model::org::{WORKSPACE_MEMBERS_MAX, WORKSPACES_MAX, Workspace, WorkspaceMember};
use crate::model::time::Timestamp;
use crate::service::text::check_name;
use crate::service::{Error, Result, Services, access};
use crate::store::{audit, buckets, source_repos, users, workspaces};

/// A workspace with the users that have a role in it.
pub type WithUsers = (Workspace, Vec<WorkspaceMember>);

pub async fn create(services: &Services, caller: &Caller, name: &str) -> Result<Workspace> {
    access::require_org_role(caller, OrgRole::Workspaces)?;
    check_name(name)?;
    let (id, org) = (WorkspaceId::new(), caller.org);
    let workspace = Workspace { id, org, name: name.to_owned(), is_default: false };
    let mut tx = services.store.begin().await?;
    if workspaces::count(&mut *tx, org).await? >= WORKSPACES_MAX {
        return Err(Error::LimitReached(format!(
            "The organisation has {WORKSPACES_MAX} workspaces, which is the most. Delete one first."
        )));
    }
    workspaces::insert(&mut *tx, &workspace, Timestamp::now()).await?;
    workspaces::set_member(&mut *tx, id, caller.user, Role::Admin).await?;
    let line = NewEvent::by(caller, Context::Workspace, id, Action::Created, id);
    audit::insert(&mut *tx, &line.with(json!({ "name": name }))).await?;
    tx.commit().await?;
    Ok(workspace)
}

pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<WithUsers>> {
    access::require_account(caller)?;
    let found = workspaces::list(services.store.read(), caller).await?;
    let mut members = workspaces::members(services.store.read(), caller.org, None).await?;
    let with_users = |workspace: Workspace| {
        let own = members.extract_if(.., |(id, _)| *id == workspace.id);
        let users = own.map(|(_, member)| member).collect();
        (workspace, users)
    };
    Ok(found.into_iter().map(with_users).collect())
}

pub async fn get(services: &Services, caller: &Caller, id: WorkspaceId) -> Result<WithUsers> {
    let store = &services.store;
    let workspace = access::require_workspace(store, caller, id, Role::Read).await?;
    let members = workspaces::members(store.read(), caller.org, Some(id)).await?;
    Ok((workspace, members.into_iter().map(|(_, member)| member).collect()))
}

pub async fn rename(
    services: &Services,
    caller: &Caller,
    id: WorkspaceId,
    name: &str,
) -> Result<Workspace> {
    let workspace = access::require_workspace(&services.store, caller, id, Role::Admin).await?;
    check_name(name)?;
    let mut tx = services.store.begin().await?;
    if !workspaces::rename(&mut *tx, id, name).await? {
        return Err(Error::not_found("Workspace"));
    }
    let line = NewEvent::by(caller, Context::Workspace, id, Action::Updated, id);
    audit::insert(&mut *tx, &line.with(json!({ "name": name }))).await?;
    tx.commit().await?;
    Ok(Workspace { name: name.to_owned(), ..workspace })
}

pub async fn delete(services: &Services, caller: &Caller, id: WorkspaceId) -> Result<()> {
    let workspace = access::require_workspace(&services.store, caller, id, Role::Admin).await?;
    if workspace.is_default {
        let message = "The organisation's default workspace cannot be deleted.";
        return Err(Error::Invalid {
            place: vec!["path".into(), "id".into()],
            message: message.into(),
        });
    }
    let mut tx = services.store.begin().await?;
    // First, so that nothing can be put in while the rest is looked at.
    if !workspaces::delete(&mut *tx, id, Timestamp::now()).await? {
        return Err(Error::not_found("Workspace"));
    }
    if source_repos::count_in(&mut *tx, id).await? + buckets::count_in(&mut tx, id).await? > 0 {
        let message = "Cannot delete workspace with existing buckets or repos. Delete them first.";
        return Err(Error::Invalid {
            place: vec!["path".into(), "id".into()],
            message: message.into(),
        });
    }
    let line = NewEvent::by(caller, Context::Workspace, id, Action::Deleted, id);
    audit::insert(&mut *tx, &line).await?;
    Ok(tx.commit().await?)
}

pub async fn add_user(
    services: &Services,
    caller: &Caller,
    id: WorkspaceId,
    user: UserId,
    role: Role,
) -> Result<()> {
    access::require_workspace(&services.store, caller, id, Role::Admin).await?;
    let mut tx = services.store.begin().await?;
    users::get(&mut *tx, caller.org, user).await?.ok_or_else(|| Error::not_found("User"))?;
    let known = workspaces::role_of(&mut *tx, id, user).await?.is_some();
    if !known && workspaces::count_members(&mut *tx, id).await? >= WORKSPACE_MEMBERS_MAX {
        return Err(Error::LimitReached(format!(
            "The workspace has {WORKSPACE_MEMBERS_MAX} users, which is the most. Remove one first."
        )));
    }
    workspaces::set_member(&mut *tx, id, user, role).await?;
    let action = if known { Action::Updated } else { Action::Created };
    let line = NewEvent::by(caller, Context::WorkspaceUser, user, action, id);
    audit::insert(&mut *tx, &line.with(json!({ "role": role.as_str() }))).await?;
    Ok(tx.commit().await?)
}

pub async fn set_role(
    services: &Services,
    caller: &Caller,
    id: WorkspaceId,
    user: UserId,
    role: Role,
) -> Result<()> {
    access::require_workspace(&services.store, caller, id, Role::Admin).await?;
    let mut tx = services.store.begin().await?;
    if !workspaces::set_member_role(&mut *tx, id, user, role).await? {
        return Err(Error::not_found("User"));
    }
    let line = NewEvent::by(caller, Context::WorkspaceUser, user, Action::Updated, id);
    audit::insert(&mut *tx, &line.with(json!({ "role": role.as_str() }))).await?;
    Ok(tx.commit().await?)
}

pub async fn remove_user(
    services: &Services,
    caller: &Caller,
    id: WorkspaceId,
    user: UserId,
) -> Result<()> {
    access::require_workspace(&services.store, caller, id, Role::Admin).await?;
    let mut tx = services.store.begin().await?;
    if !workspaces::remove_member(&mut *tx, id, user).await? {
        return Err(Error::not_found("User"));
    }
    let line = NewEvent::by(caller, Context::WorkspaceUser, user, Action::Deleted, id);
    audit::insert(&mut *tx, &line).await?;
    Ok(tx.commit().await?)
}
