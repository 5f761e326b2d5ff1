//! `repoplane storage repo`: storage repos, and which buckets they hold.

use std::num::NonZeroU32;

use clap::Subcommand;
use repoplane_client::types::{
    self, BucketFolder, IdOrName, Name, RepoBucket, StorageMode, StorageRepo,
    StorageRepoListResponse, StorageType,
};

use super::member::{self, Members};
use super::remote::Remote;
use super::{find, key, shown_time, storage_mode, storage_type};
use crate::cli::table::{fields, table};

#[derive(Subcommand)]
pub enum RepoCommand {
    /// List the storage repos
    List {
        /// Only those of this workspace, by id or name
        #[arg(long, value_name = "WORKSPACE")]
        workspace: Option<IdOrName>,
    },
    /// Make a storage repo and print its id
    Create {
        /// What to call it
        name: Name,
        /// How it uses its buckets
        #[arg(long, value_parser = storage_mode(), ignore_case = true)]
        mode: StorageMode,
        /// Protocol of the applications in front of it
        #[arg(
            long = "type",
            value_name = "TYPE",
            value_parser = storage_type(),
            ignore_case = true,
            default_value = "s3"
        )]
        storage_type: StorageType,
        #[command(flatten)]
        members: Members,
        /// Workspace it belongs to, by id or name [default: the organisation's default one]
        #[arg(long, value_name = "WORKSPACE")]
        workspace: Option<IdOrName>,
        /// Copies that a write needs before it is acknowledged
        #[arg(long, value_name = "COPIES")]
        min_ack: Option<NonZeroU32>,
        /// How many days backups keep what was deleted
        #[arg(long, value_name = "DAYS")]
        retention_days: Option<NonZeroU32>,
    },
    /// Show a storage repo with its buckets and access keys
    Show {
        /// Its id or name
        repo: String,
    },
    /// Change a storage repo; what is not named stays
    ///
    /// Where buckets are named, they take the place of all it has; `link` and `unlink` change one.
    Update {
        /// Its id or name
        repo: String,
        #[command(flatten)]
        change: Change,
    },
    /// Delete a storage repo; its buckets and what is in them stay
    Delete {
        /// Its id or name
        repo: String,
    },
    /// Put a bucket into a storage repo, or change its folder or make it the primary one
    Link {
        /// Id or name of the storage repo
        repo: String,
        /// Id or name of the bucket
        bucket: IdOrName,
        /// Where in the bucket [default: its root, or where it is]
        #[arg(long, value_parser = member::folder)]
        folder: Option<BucketFolder>,
        /// Make it the primary bucket, in the place of the one there is
        #[arg(long)]
        primary: bool,
    },
    /// Take a bucket out of a storage repo; what is in it stays
    Unlink {
        /// Id or name of the storage repo
        repo: String,
        /// Id or name of the bucket
        bucket: String,
    },
    /// Check what a change, or without REPO a new storage repo, would meet; changes nothing
    Validate {
        /// Id or name of the storage repo
        repo: Option<String>,
        /// How it is to use its buckets [default with REPO: as it does]
        #[arg(
            long,
            value_parser = storage_mode(),
            ignore_case = true,
            required_unless_present = "repo"
        )]
        mode: Option<StorageMode>,
        #[command(flatten)]
        members: Members,
    },
}

/// What to change of a storage repo.
#[derive(clap::Args, Default, PartialEq)]
pub struct Change {
    /// What to call it from now on
    #[arg(long)]
    name: Option<Name>,
    /// How it uses its buckets
    #[arg(long, value_parser = storage_mode(), ignore_case = true)]
    mode: Option<StorageMode>,
    /// Protocol of the applications in front of it
    #[arg(long = "type", value_name = "TYPE", value_parser = storage_type(), ignore_case = true)]
    storage_type: Option<StorageType>,
    /// Workspace to move it to, by id or name
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<IdOrName>,
    /// Refuse its access keys
    #[arg(long)]
    disable: bool,
    /// Accept its access keys again
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    #[command(flatten)]
    members: Members,
    /// Copies that a write needs before it is acknowledged; 0 for as many as can be had
    #[arg(long, value_name = "COPIES", value_parser = clap::value_parser!(i32).range(0..))]
    min_ack: Option<i32>,
    /// How many days backups keep what is deleted from now on
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<NonZeroU32>,
}

pub async fn run(remote: &Remote, command: RepoCommand) -> anyhow::Result<()> {
    match command {
        RepoCommand::List { workspace } => list(remote, workspace).await,
        RepoCommand::Create {
            name,
            mode,
            storage_type,
            members,
            workspace,
            min_ack,
            retention_days,
        } => {
            let body = types::CreateStorageRepoRequest::builder()
                .name(name.clone())
                .mode(mode)
                .storage_type(storage_type)
                .repo_buckets(members.named())
                .workspace_id(workspace)
                .min_ack(min_ack)
                .retention_days(retention_days);
            let request = remote.client.create_storage_repo().body(body);
            let answer = remote.call(request.send()).await?;
            eprintln!("Made the storage repo {:?}.", *name);
            remote.print(&answer, &format!("{}\n", answer.repo_id))
        }
        RepoCommand::Show { repo } => {
            let id = find::repo(remote, &repo).await?;
            let answer = remote.call(remote.client.get_storage_repo().repo_id(id).send()).await?;
            remote.print(&answer, &shown(&answer.repo))
        }
        RepoCommand::Update { repo, change } => update(remote, &repo, change).await,
        RepoCommand::Delete { repo } => {
            let id = find::repo(remote, &repo).await?;
            let answer =
                remote.call(remote.client.delete_storage_repo().repo_id(id).send()).await?;
            eprintln!(
                "Deleted the storage repo {repo:?}. Its buckets and what is in them are left."
            );
            remote.print(&answer, "")
        }
        RepoCommand::Link { repo, bucket, folder, primary } => {
            let before = read(remote, &repo).await?;
            let words = format!("Linked the bucket {:?} to {repo:?}.", *bucket);
            let buckets = member::linked(&before.buckets, bucket, folder, primary)?;
            let body = as_it_is(&before).repo_buckets(Some(buckets));
            put(remote, &before, body, &words).await
        }
        RepoCommand::Unlink { repo, bucket } => {
            let before = read(remote, &repo).await?;
            let words = format!("Unlinked the bucket {bucket:?} from {repo:?}.");
            let buckets = member::unlinked(&before.buckets, &bucket)?;
            let body = as_it_is(&before).repo_buckets(Some(buckets));
            put(remote, &before, body, &words).await
        }
        RepoCommand::Validate { repo, mode, members } => {
            validate(remote, repo.as_deref(), mode, members.named()).await
        }
    }
}

async fn list(remote: &Remote, workspace: Option<IdOrName>) -> anyhow::Result<()> {
    let mut request = remote.client.list_storage_repos();
    if let Some(workspace) = workspace {
        request = request.workspace_id(workspace);
    }
    let repos = remote.all(request.stream()).await?;
    let rows = repos.iter().map(|repo| {
        let buckets: Vec<&str> = repo.buckets.iter().map(|b| b.bucket.name.as_str()).collect();
        [
            repo.id.to_string(),
            repo.name.clone(),
            repo.mode.to_string(),
            repo.storage_type.to_string(),
            buckets.join(", "),
            repo.api_keys.len().to_string(),
            state(repo).to_owned(),
        ]
    });
    let text = table(["ID", "NAME", "MODE", "TYPE", "BUCKETS", "KEYS", "STATE"], rows);
    remote.print(&StorageRepoListResponse { success: true, repos, next_cursor: None }, &text)
}

async fn update(remote: &Remote, wanted: &str, change: Change) -> anyhow::Result<()> {
    anyhow::ensure!(
        change != Change::default(),
        "nothing to change was named; see `repoplane storage repo update --help`"
    );
    let before = read(remote, wanted).await?;
    let mut body = as_it_is(&before)
        .repo_buckets(change.members.named())
        .workspace_id(change.workspace)
        .min_ack(change.min_ack)
        .retention_days(change.retention_days)
        .disabled((change.disable || change.enable).then_some(change.disable));
    if let Some(name) = change.name {
        body = body.name(name);
    }
    if let Some(mode) = change.mode {
        body = body.mode(mode);
    }
    if let Some(storage_type) = change.storage_type {
        body = body.storage_type(storage_type);
    }
    put(remote, &before, body, &format!("Changed the storage repo {wanted:?}.")).await
}

async fn validate(
    remote: &Remote,
    wanted: Option<&str>,
    mode: Option<StorageMode>,
    buckets: Option<Vec<RepoBucket>>,
) -> anyhow::Result<()> {
    let body = types::ValidateStorageRepoRequest::builder().repo_buckets(buckets);
    let answer = match (wanted, mode) {
        (Some(wanted), mode) => {
            let repo = read(remote, wanted).await?;
            let body = body.mode(mode.unwrap_or(repo.mode));
            let request = remote.client.validate_storage_repo().repo_id(repo.id).body(body);
            remote.call(request.send()).await?
        }
        (None, Some(mode)) => {
            let request = remote.client.validate_new_storage_repo().body(body.mode(mode));
            remote.call(request.send()).await?
        }
        (None, None) => anyhow::bail!("name a storage repo, or a --mode for a new one"),
    };
    remote
        .print(&answer, if answer.success { "The storage repo may be like that.\n" } else { "" })?;
    let why = answer.error_message.as_deref().unwrap_or("the storage repo may not be like that");
    anyhow::ensure!(answer.success, "{why} ({})", answer.error_code);
    Ok(())
}

async fn read(remote: &Remote, wanted: &str) -> anyhow::Result<StorageRepo> {
    let id = find::repo(remote, wanted).await?;
    Ok(remote.call(remote.client.get_storage_repo().repo_id(id).send()).await?.repo)
}

/// The body that changes nothing: a PUT says all of a storage repo but its lists.
fn as_it_is(repo: &StorageRepo) -> types::builder::UpdateStorageRepoRequest {
    types::UpdateStorageRepoRequest::builder()
        .name(repo.name.clone())
        .mode(repo.mode)
        .storage_type(repo.storage_type)
}

async fn put(
    remote: &Remote,
    repo: &StorageRepo,
    body: types::builder::UpdateStorageRepoRequest,
    words: &str,
) -> anyhow::Result<()> {
    let request = remote.client.update_storage_repo().repo_id(repo.id).body(body);
    let answer = remote.call(request.send()).await?;
    eprintln!("{words}");
    remote.print(&answer, "")
}

fn state(repo: &StorageRepo) -> &'static str {
    if repo.disabled { "disabled" } else { "enabled" }
}

fn shown(repo: &StorageRepo) -> String {
    let about = fields([
        ("id", repo.id.to_string()),
        ("name", repo.name.clone()),
        ("mode", repo.mode.to_string()),
        ("type", repo.storage_type.to_string()),
        ("state", state(repo).to_owned()),
        ("workspace", repo.workspace_id.to_string()),
        ("copies", repo.min_ack.map(|copies| copies.to_string()).unwrap_or_default()),
        ("retention", format!("{} days", repo.retention_days)),
        ("created", shown_time(repo.created_at)),
    ]);
    format!("{about}\n{}\n{}", member::shown(&repo.buckets), key::shown(&repo.api_keys))
}
