//! Tables `workspaces` and `workspace_users`.

use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};

use super::row::{flag, known, parsed};
use super::users;
use crate::model::access::{Caller, Role};
use crate::model::id::{OrgId, UserId, WorkspaceId};
use crate::model::org::{Workspace, WorkspaceMember};
use crate::model::time::Timestamp;

pub async fn insert(
    db: impl AnyExecutor<'_>,
    workspace: &Workspace,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO workspaces (id, org_id, name, is_default, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(workspace.id.to_string())
    .bind(workspace.org.to_string())
    .bind(&workspace.name)
    .bind(i64::from(workspace.is_default))
    .bind(now.micros())
    .execute(db)
    .await
    .map(drop)
}

pub async fn get(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    id: WorkspaceId,
) -> Result<Option<Workspace>, sqlx::Error> {
    sqlx::query(
        "SELECT id, org_id, name, is_default FROM workspaces
         WHERE id = $1 AND org_id = $2 AND deleted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(org.to_string())
    .fetch_optional(db)
    .await?
    .map(|row| from_row(&row))
    .transpose()
}

/// The organisation's default workspace: it is made with the organisation and never deleted.
pub async fn default_of(db: impl AnyExecutor<'_>, org: OrgId) -> Result<WorkspaceId, sqlx::Error> {
    let row = sqlx::query("SELECT id FROM workspaces WHERE org_id = $1 AND is_default = 1")
        .bind(org.to_string())
        .fetch_one(db)
        .await?;
    parsed(&row, "id")
}

/// What the caller can see: all of the organisation's, or those they are a member of. Ordered
/// by name, then id; here, because each database has an order of its own for texts.
pub async fn list(
    db: impl AnyExecutor<'_>,
    caller: &Caller,
) -> Result<Vec<Workspace>, sqlx::Error> {
    let mut found = sqlx::query(
        "SELECT id, org_id, name, is_default FROM workspaces
         WHERE org_id = $1 AND deleted_at IS NULL AND ($2 = 1 OR EXISTS (
             SELECT 1 FROM workspace_users m WHERE m.workspace_id = id AND m.user_id = $3))",
    )
    .bind(caller.org.to_string())
    .bind(i64::from(caller.sees_all_workspaces()))
    .bind(caller.user.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(from_row)
    .collect::<Result<Vec<_>, _>>()?;
    found.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(found)
}

pub async fn count(db: impl AnyExecutor<'_>, org: OrgId) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) AS n FROM workspaces WHERE org_id = $1 AND deleted_at IS NULL")
        .bind(org.to_string())
        .fetch_one(db)
        .await?
        .try_get("n")
}

/// Keeps a live workspace from being deleted until the transaction ends; false when it is gone.
pub async fn hold(db: impl AnyExecutor<'_>, id: WorkspaceId) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE workspaces SET name = name WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

pub async fn rename(
    db: impl AnyExecutor<'_>,
    id: WorkspaceId,
    name: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE workspaces SET name = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .bind(name)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

pub async fn delete(
    db: impl AnyExecutor<'_>,
    id: WorkspaceId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE workspaces SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .bind(now.micros())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// The role of `user` in the workspace, when they are a member.
pub async fn role_of(
    db: impl AnyExecutor<'_>,
    id: WorkspaceId,
    user: UserId,
) -> Result<Option<Role>, sqlx::Error> {
    sqlx::query("SELECT role FROM workspace_users WHERE workspace_id = $1 AND user_id = $2")
        .bind(id.to_string())
        .bind(user.to_string())
        .fetch_optional(db)
        .await?
        .map(|row| known(&row, "role", Role::parse))
        .transpose()
}

/// Gives a user a role, in the place of the one they may have had.
pub async fn set_member(
    db: impl AnyExecutor<'_>,
    id: WorkspaceId,
    user: UserId,
    role: Role,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO workspace_users (workspace_id, user_id, role) VALUES ($1, $2, $3)
         ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = $3",
    )
    .bind(id.to_string())
    .bind(user.to_string())
    .bind(role.as_str())
    .execute(db)
    .await
    .map(drop)
}

/// Changes a member's role; false when they are not a member.
pub async fn set_member_role(
    db: impl AnyExecutor<'_>,
    id: WorkspaceId,
    user: UserId,
    role: Role,
) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE workspace_users SET role = $3 WHERE workspace_id = $1 AND user_id = $2")
        .bind(id.to_string())
        .bind(user.to_string())
        .bind(role.as_str())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Removes a member; false when they are not one.
pub async fn remove_member(
    db: impl AnyExecutor<'_>,
    id: WorkspaceId,
    user: UserId,
) -> Result<bool, sqlx::Error> {
    sqlx::query("DELETE FROM workspace_users WHERE workspace_id = $1 AND user_id = $2")
        .bind(id.to_string())
        .bind(user.to_string())
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Removes a user from whatever they are a member of.
pub async fn remove_everywhere(db: impl AnyExecutor<'_>, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM workspace_users WHERE user_id = $1")
        .bind(user.to_string())
        .execute(db)
        .await
        .map(drop)
}

pub async fn count_members(db: impl AnyExecutor<'_>, id: WorkspaceId) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT COUNT(*) AS n FROM workspace_users WHERE workspace_id = $1")
        .bind(id.to_string())
        .fetch_one(db)
        .await?
        .try_get("n")
}

/// The members of all workspaces the organisation has, each with the workspace's id, ordered
/// by e-mail address.
pub async fn members(
    db: impl AnyExecutor<'_>,
    org: OrgId,
    only: Option<WorkspaceId>,
) -> Result<Vec<(WorkspaceId, WorkspaceMember)>, sqlx::Error> {
    let mut found = sqlx::query(
        "SELECT m.workspace_id, m.role, u.id, u.org_id, u.email, u.name, u.last_name, u.org_role
         FROM workspace_users m JOIN users u ON u.id = m.user_id
         WHERE u.org_id = $1 AND u.deleted_at IS NULL AND ($2 = '' OR m.workspace_id = $2)",
    )
    .bind(org.to_string())
    .bind(only.map(|id| id.to_string()).unwrap_or_default())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        let member =
            WorkspaceMember { role: known(row, "role", Role::parse)?, user: users::from_row(row)? };
        Ok((parsed(row, "workspace_id")?, member))
    })
    .collect::<Result<Vec<(_, WorkspaceMember)>, sqlx::Error>>()?;
    found.sort_by(|(_, a), (_, b)| a.user.email.cmp(&b.user.email));
    Ok(found)
}

fn from_row(row: &AnyRow) -> Result<Workspace, sqlx::Error> {
    Ok(Workspace {
        id: parsed(row, "id")?,
        org: parsed(row, "org_id")?,
        name: row.try_get("name")?,
        is_default: flag(row, "is_default")?,
    })
}
