//! `repoplane storage key`: the S3 key pairs of a storage repo.

use clap::Subcommand;
use repoplane_client::types::{self, AccessKey, AccessType, Name};
use uuid::Uuid;

use super::remote::Remote;
use super::{access_type, find, shown_time};
use crate::cli::table::table;

#[derive(Subcommand)]
pub enum KeyCommand {
    /// List the access keys of a storage repo
    List {
        /// Id or name of the storage repo
        repo: String,
    },
    /// Make an access key, and print its secret once
    Create {
        /// Id or name of the storage repo
        repo: String,
        /// What it may do with the data
        #[arg(long, value_parser = access_type(), ignore_case = true)]
        access: AccessType,
        /// What to call it
        #[arg(long, default_value = "command line")]
        name: Name,
    },
    /// Change what an access key is called or may do; the pair stays
    Update {
        /// Id or name of the storage repo
        repo: String,
        /// Id or name of the access key, or the key itself
        key: String,
        /// What to call it from now on
        #[arg(long, required_unless_present = "access")]
        name: Option<Name>,
        /// What it may do with the data
        #[arg(long, value_parser = access_type(), ignore_case = true)]
        access: Option<AccessType>,
    },
    /// Delete an access key, which fails from then on
    Delete {
        /// Id or name of the storage repo
        repo: String,
        /// Id or name of the access key, or the key itself
        key: String,
    },
}

pub async fn run(remote: &Remote, command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::List { repo } => {
            let repo = find::repo(remote, &repo).await?;
            let answer = remote.call(remote.client.list_access_keys().repo_id(repo).send()).await?;
            remote.print(&answer, &shown(&answer.keys))
        }
        KeyCommand::Create { repo, access, name } => {
            let id = find::repo(remote, &repo).await?;
            let body =
                types::CreateAccessKeyRequest::builder().name(name.clone()).access_type(access);
            let request = remote.client.create_access_key().repo_id(id).body(body);
            let answer = remote.call(request.send()).await?;
            eprintln!(
                "Made the access key {} ({:?}, {access}) of {repo:?}. Its secret, once:",
                answer.key, *name
            );
            remote.print(&answer, &format!("{}\n", answer.secret))
        }
        KeyCommand::Update { repo, key, name, access } => {
            let (repo, before) = find(remote, &repo, &key).await?;
            let body = types::UpdateAccessKeyRequest::builder()
                .name(name.map_or(before.name, String::from))
                .access_type(access.unwrap_or(before.access_type));
            let request = remote.client.update_access_key().repo_id(repo).key_id(before.id);
            let answer = remote.call(request.body(body).send()).await?;
            eprintln!("Changed the access key {}.", before.key);
            remote.print(&answer, "")
        }
        KeyCommand::Delete { repo, key } => {
            let (repo, before) = find(remote, &repo, &key).await?;
            let request = remote.client.delete_access_key().repo_id(repo).key_id(before.id);
            let answer = remote.call(request.send()).await?;
            eprintln!("Deleted the access key {} ({:?}).", before.key, before.name);
            remote.print(&answer, "")
        }
    }
}

pub fn shown(keys: &[AccessKey]) -> String {
    let rows = keys.iter().map(|key| {
        let (id, access) = (key.id.to_string(), key.access_type.to_string());
        [id, key.name.clone(), access, key.key.clone(), shown_time(key.created_at)]
    });
    table(["ID", "NAME", "ACCESS", "KEY", "CREATED"], rows)
}

/// The access key that `wanted` names, and the id of its storage repo.
async fn find(remote: &Remote, repo: &str, wanted: &str) -> anyhow::Result<(Uuid, AccessKey)> {
    let id = find::repo(remote, repo).await?;
    let keys = remote.call(remote.client.list_access_keys().repo_id(id).send()).await?.keys;
    let names = |key: &AccessKey| [key.id.to_string(), key.name.clone(), key.key.clone()];
    let known: Vec<(Uuid, String)> =
        keys.iter().flat_map(|key| names(key).map(|name| (key.id, name))).collect();
    let list = format!("repoplane storage key list {repo}");
    let known = known.iter().map(|(id, name)| (*id, name.as_str()));
    let the_one = find::the_one("access key", wanted, known, &list)?;
    let key = keys.into_iter().find(|key| key.id == the_one);
    Ok((id, key.expect("it was found among them")))
}
