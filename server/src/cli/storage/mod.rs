//! `repoplane storage`: what a tenant does with buckets, storage repos and access keys, through the
//! API of a server that runs. Must never touch the database.

mod bucket;
mod find;
mod key;
mod member;
mod mirror;
mod objects;
mod repo;

use std::str::FromStr;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use repoplane_client::types;

use super::table::shown_time;
use super::{remote, secret, watch};
use crate::config::Config;

#[derive(clap::Args)]
pub struct Storage {
    #[command(flatten)]
    options: remote::Options,
    #[command(subcommand)]
    command: StorageCommand,
}

#[derive(Subcommand)]
enum StorageCommand {
    /// Manage buckets
    #[command(subcommand)]
    Bucket(bucket::BucketCommand),
    /// Manage storage repos
    #[command(subcommand)]
    Repo(repo::RepoCommand),
    /// Manage the access keys of a storage repo
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// See how alike the copies in a storage repo are, and mend them
    #[command(subcommand)]
    Mirror(mirror::MirrorCommand),
    /// Bring deleted objects back from the backups of a storage repo of mode BACKUP
    Restore(mirror::Restore),
    #[command(flatten)]
    Objects(objects::ObjectCommand),
}

pub async fn run(
    storage: Storage,
    config: impl FnOnce() -> anyhow::Result<Config>,
) -> anyhow::Result<()> {
    let command = match storage.command {
        // For these, another door of the server is the right one.
        StorageCommand::Objects(command) => {
            return objects::run(command, storage.options.json).await;
        }
        other => other,
    };
    let remote = remote::Remote::connect(storage.options, config)?;
    match command {
        StorageCommand::Bucket(command) => bucket::run(&remote, command).await,
        StorageCommand::Repo(command) => repo::run(&remote, command).await,
        StorageCommand::Key(command) => key::run(&remote, command).await,
        StorageCommand::Mirror(command) => mirror::run(&remote, command).await,
        StorageCommand::Restore(restore) => mirror::restore(&remote, restore).await,
        StorageCommand::Objects(_) => unreachable!("has been run"),
    }
}

fn storage_type() -> impl TypedValueParser<Value = types::StorageType> {
    one_of(["s3", "gcs", "blob", "azure"])
}

fn storage_mode() -> impl TypedValueParser<Value = types::StorageMode> {
    one_of(["normal", "mirror", "backup"])
}

fn access_type() -> impl TypedValueParser<Value = types::AccessType> {
    one_of(["read", "write", "admin"])
}

/// Takes one of the contract's words, and offers them to the shell. The contract has them in
/// capitals.
fn one_of<T, const N: usize>(words: [&'static str; N]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.to_ascii_uppercase().parse())
}
