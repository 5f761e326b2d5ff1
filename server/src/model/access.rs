//! Who is asking, and what that allows. Decisions are made in `service::access`.

use super::id::{OrgId, TokenId, UserId};
use super::token::{RepoAccess, TokenKind};

/// What somebody may do in one workspace; each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at everything.
    Read,
    /// Also create, change and delete what the workspace holds.
    Write,
    /// Also manage the workspace and its members.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::Admin => "ADMIN",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// What somebody may do in the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrgRole {
    /// Sees the workspaces somebody made them a member of.
    User,
    /// As `User`; kept for the billing contact.
    Billing,
    /// Also creates workspaces.
    Workspaces,
    /// ADMIN in every workspace.
    Administrator,
    /// As `Administrator`, and the one who started the organisation.
    Owner,
}

impl OrgRole {
    pub const ALL: [Self; 5] =
        [Self::User, Self::Billing, Self::Workspaces, Self::Administrator, Self::Owner];

    /// The number clients know the role by.
    pub const fn code(self) -> i32 {
        match self {
            Self::User => 0,
            Self::Billing => 1,
            Self::Workspaces => 2,
            Self::Administrator => 0xFE,
            Self::Owner => 0xFF,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Billing => "BILLING",
            Self::Workspaces => "WORKSPACES",
            Self::Administrator => "ADMINISTRATORS",
            Self::Owner => "OWNER",
        }
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| i64::from(role.code()) == code)
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str().eq_ignore_ascii_case(text))
    }
}

/// The authenticated sender of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub token: TokenId,
    pub kind: TokenKind,
    /// Of a repo token.
    pub access: RepoAccess,
    pub user: UserId,
    pub org: OrgId,
    pub org_role: OrgRole,
    /// Name and address for commits that carry no author of their own.
    pub name: String,
    pub email: String,
}

impl Caller {
    /// Administrators and owners hold ADMIN in every workspace without being members.
    pub fn sees_all_workspaces(&self) -> bool {
        self.kind == TokenKind::Account && self.org_role >= OrgRole::Administrator
    }
}
