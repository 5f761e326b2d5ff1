//! Organisations, their users and their workspaces.

use super::access::{OrgRole, Role};
use super::id::{OrgId, UserId, WorkspaceId};
use super::time::Timestamp;

/// Longest name of an organisation, workspace, user or token, in characters.
pub const NAME_CHARS_MAX: usize = 255;
/// Most live workspaces of one organisation.
pub const WORKSPACES_MAX: i64 = 1_000;
/// Most members of one workspace.
pub const WORKSPACE_MEMBERS_MAX: i64 = 1_000;

#[derive(Clone, Debug)]
pub struct Org {
    pub id: OrgId,
    pub name: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub org: OrgId,
    pub email: String,
    pub name: String,
    pub last_name: String,
    pub org_role: OrgRole,
}

#[derive(Clone, Debug)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub org: OrgId,
    pub name: String,
    /// The one that takes what names no workspace.
    pub is_default: bool,
}

/// A user's place in a workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceMember {
    pub user: User,
    pub role: Role,
}
