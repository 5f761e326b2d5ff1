//! `repoplane org|user|token`: what only the operator at the machine may do. Works on the
//! database itself, also while a server runs on it.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Subcommand;
use secrecy::ExposeSecret;

use crate::model::access::{OrgRole, Role};
use crate::model::id::{SourceRepoId, TokenId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::token::RepoAccess;
use crate::service::operator::{self, Store};
use crate::service::tokens::Scope;

#[derive(Subcommand)]
pub enum OrgCommand {
    /// Make an organisation, and print its owner's token
    Create {
        name: String,
        /// E-mail address of its owner
        #[arg(long, value_name = "EMAIL", default_value = "owner@localhost")]
        owner: String,
    },
    /// List the organisations
    List,
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// Make a user
    Create {
        email: String,
        #[arg(long, default_value = "User")]
        name: String,
        #[arg(long, default_value = "")]
        last_name: String,
        /// USER, BILLING, WORKSPACES, ADMINISTRATORS or OWNER
        #[arg(long, default_value = "USER", value_parser = org_role)]
        org_role: OrgRole,
        /// Workspace to make the user a member of
        #[arg(long, value_name = "ID", requires = "role")]
        workspace: Option<WorkspaceId>,
        /// READ, WRITE or ADMIN in that workspace
        #[arg(long, value_parser = role, requires = "workspace")]
        role: Option<Role>,
        #[command(flatten)]
        org: Org,
    },
    /// List the users
    List {
        #[command(flatten)]
        org: Org,
    },
    /// Delete a user and revoke their tokens
    Delete {
        email: String,
        #[command(flatten)]
        org: Org,
    },
}

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token, and print it once
    Create {
        /// What to call it
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days until it expires [default: never]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires_in: Option<u32>,
        /// Make a repo token, which reaches only this source repo; may be repeated
        #[arg(long, value_name = "ID")]
        repo: Vec<SourceRepoId>,
        /// What a repo token allows there: READ or WRITE [default: WRITE]
        #[arg(long, value_parser = repo_access, requires = "repo")]
        access: Option<RepoAccess>,
        #[command(flatten)]
        user: User,
    },
    /// List a user's live tokens
    List {
        #[command(flatten)]
        user: User,
    },
    /// Revoke a token by its id
    Revoke {
        id: TokenId,
        #[command(flatten)]
        user: User,
    },
}

#[derive(clap::Args)]
pub struct Org {
    /// Name of the organisation [default: the first one]
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
}

#[derive(clap::Args)]
pub struct User {
    /// E-mail address of the user
    #[arg(long, value_name = "EMAIL", default_value = "owner@localhost")]
    user: String,
    #[command(flatten)]
    org: Org,
}

pub async fn org(store: &Store, command: OrgCommand) -> anyhow::Result<()> {
    match command {
        OrgCommand::Create { name, owner } => {
            let made = operator::create_org(store, &name, &owner, None).await?;
            eprintln!("Made the organisation {name:?} with the owner {owner}. Their token, once:");
            println!("{}", made.token.expose_secret());
        }
        OrgCommand::List => {
            for org in operator::list_orgs(store).await? {
                println!("{}\t{}", org.id, org.name);
            }
        }
    }
    Ok(())
}

pub async fn user(store: &Store, command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Create { email, name, last_name, org_role, workspace, role, org } => {
            let org = operator::find_org(store, org.org.as_deref()).await?;
            let names = (name.as_str(), last_name.as_str());
            let membership = workspace.zip(role);
            let user =
                operator::create_user(store, &org, &email, names, org_role, membership).await?;
            println!("{}", user.id);
        }
        UserCommand::List { org } => {
            let org = operator::find_org(store, org.org.as_deref()).await?;
            for user in operator::list_users(store, &org).await? {
                println!("{}\t{}\t{}", user.id, user.email, user.org_role.as_str());
            }
        }
        UserCommand::Delete { email, org } => {
            let org = operator::find_org(store, org.org.as_deref()).await?;
            let user = operator::find_user(store, &org, &email).await?;
            operator::delete_user(store, &user).await?;
            eprintln!("Deleted {email} and revoked their tokens.");
        }
    }
    Ok(())
}

pub async fn token(store: &Store, command: TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create { name, expires_in, repo, access, user } => {
            let org = operator::find_org(store, user.org.org.as_deref()).await?;
            let user = operator::find_user(store, &org, &user.user).await?;
            operator::check_repos(store, &org, &repo).await?;
            let expires_at = expires_in
                .map(|days| Timestamp::now().plus(Duration::from_secs(u64::from(days) * 86_400)));
            let access = access.unwrap_or_default();
            let scope = Scope { repos: repo, access, expires_at };
            let (token, secret) = operator::create_token(store, &user, &name, &scope).await?;
            eprintln!("Made token {} of {}. It is shown this once:", token.id, user.email);
            println!("{}", secret.expose_secret());
        }
        TokenCommand::List { user } => {
            let org = operator::find_org(store, user.org.org.as_deref()).await?;
            let user = operator::find_user(store, &org, &user.user).await?;
            for token in operator::list_tokens(store, &user).await? {
                let (kind, expires) = (token.kind.as_str(), token.expires_at.map(DateTime::from));
                let expires =
                    expires.map_or("never".to_owned(), |at: DateTime<Utc>| at.to_rfc3339());
                println!("{}\t{}…\t{kind}\t{expires}\t{}", token.id, token.shown, token.name);
            }
        }
        TokenCommand::Revoke { id, user } => {
            let org = operator::find_org(store, user.org.org.as_deref()).await?;
            let user = operator::find_user(store, &org, &user.user).await?;
            operator::revoke_token(store, &user, id).await?;
            eprintln!("Revoked {id}.");
        }
    }
    Ok(())
}

fn org_role(text: &str) -> anyhow::Result<OrgRole> {
    OrgRole::parse(text).context("use USER, BILLING, WORKSPACES, ADMINISTRATORS or OWNER")
}

fn role(text: &str) -> anyhow::Result<Role> {
    Role::parse(&text.to_ascii_uppercase()).context("use READ, WRITE or ADMIN")
}

fn repo_access(text: &str) -> anyhow::Result<RepoAccess> {
    RepoAccess::parse(&text.to_ascii_uppercase()).context("use READ or WRITE")
}
