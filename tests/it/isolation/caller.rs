//! The kinds of callers, and what each of them has in its hands.

use repoplane::model::access::Role;

use super::stage::{Props, Stage};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Caller {
    NoToken,
    /// Another scheme than `Bearer`.
    Malformed,
    Unknown,
    /// A token of the owner, revoked.
    Revoked,
    /// A token of the owner, expired.
    Expired,
    /// The owner of another organisation.
    OtherOrg,
    /// Of the same organisation, ADMIN of another workspace only.
    OtherWorkspace,
    Reader,
    Writer,
    Admin,
    Owner,
    /// A repo token that names the repo, of a user with READ.
    RepoTokenOfReader,
    /// A repo token that names the repo, of a user with ADMIN.
    RepoTokenOfAdmin,
    /// A repo token of the owner that names another repo.
    RepoTokenElsewhere,
}

pub enum Holds {
    Nothing,
    /// An account token, and a role in the workspace.
    Account(Option<Role>),
    /// A repo token, and what it allows on the repo.
    RepoToken(Option<Role>),
}

impl Caller {
    pub const ALL: [Self; 14] = [
        Self::NoToken,
        Self::Malformed,
        Self::Unknown,
        Self::Revoked,
        Self::Expired,
        Self::OtherOrg,
        Self::OtherWorkspace,
        Self::Reader,
        Self::Writer,
        Self::Admin,
        Self::Owner,
        Self::RepoTokenOfReader,
        Self::RepoTokenOfAdmin,
        Self::RepoTokenElsewhere,
    ];

    pub fn holds(self) -> Holds {
        match self {
            Self::NoToken | Self::Malformed | Self::Unknown | Self::Revoked | Self::Expired => {
                Holds::Nothing
            }
            Self::OtherOrg | Self::OtherWorkspace => Holds::Account(None),
            Self::Reader => Holds::Account(Some(Role::Read)),
            Self::Writer => Holds::Account(Some(Role::Write)),
            Self::Admin | Self::Owner => Holds::Account(Some(Role::Admin)),
            Self::RepoTokenOfReader => Holds::RepoToken(Some(Role::Read)),
            Self::RepoTokenOfAdmin => Holds::RepoToken(Some(Role::Write)),
            Self::RepoTokenElsewhere => Holds::RepoToken(None),
        }
    }

    pub fn owns_an_organisation(self) -> bool {
        matches!(self, Self::Owner | Self::OtherOrg)
    }

    /// The value of the header `Authorization`.
    pub fn credential(self, stage: &Stage, props: &Props) -> Option<String> {
        let token = match self {
            Self::NoToken => return None,
            Self::Malformed => return Some("Basic b3duZXI6b3duZXI=".to_owned()),
            Self::Unknown => "rlc-nobodynobodynobodynobodynobodyno",
            Self::Revoked => &stage.revoked,
            Self::Expired => &stage.expired,
            Self::OtherOrg => &stage.other_org,
            Self::OtherWorkspace => &stage.outsider,
            Self::Reader => &stage.reader,
            Self::Writer => &stage.writer,
            Self::Admin => &stage.admin,
            Self::Owner => crate::support::OWNER_TOKEN,
            Self::RepoTokenOfReader => &props.reader_repo_token,
            Self::RepoTokenOfAdmin => &props.admin_repo_token,
            Self::RepoTokenElsewhere => &stage.repo_token_elsewhere,
        };
        Some(format!("Bearer {token}"))
    }
}
