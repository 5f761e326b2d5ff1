//! `repoplane source`: what a tenant does with source repos, through the API of a server that runs.
//! Must never touch the database.

mod branch;
mod clone;
mod create;
mod edit;
mod folder;
mod history;
mod import;
mod read;
mod repo;

use clap::Subcommand;

use super::remote::{Options, Remote};
use crate::config::Config;

#[derive(clap::Args)]
pub struct Source {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: SourceCommand,
}

#[derive(Subcommand)]
enum SourceCommand {
    Create(create::Create),
    /// List the source repos
    Ls,
    /// Show a source repo
    Show {
        /// Its id or name
        repo: String,
    },
    /// Delete a source repo with all its history
    Rm {
        /// Its id or name
        repo: String,
    },
    Edit(edit::Edit),
    Log(history::Log),
    Diff(history::Diff),
    Tree(read::Tree),
    Cat(read::Cat),
    Grep(read::Grep),
    Archive(read::Archive),
    /// Manage the branches of a source repo
    #[command(subcommand)]
    Branch(branch::BranchCommand),
    Clone(clone::Clone),
}

pub async fn run(
    source: Source,
    config: impl FnOnce() -> anyhow::Result<Config>,
) -> anyhow::Result<()> {
    let remote = Remote::connect(source.options, config)?;
    match source.command {
        SourceCommand::Create(create) => create::run(&remote, create).await,
        SourceCommand::Ls => repo::list(&remote).await,
        SourceCommand::Show { repo } => repo::show(&remote, &repo).await,
        SourceCommand::Rm { repo } => repo::remove(&remote, &repo).await,
        SourceCommand::Edit(edit) => edit::run(&remote, edit).await,
        SourceCommand::Log(log) => history::log(&remote, log).await,
        SourceCommand::Diff(diff) => history::diff(&remote, diff).await,
        SourceCommand::Tree(tree) => read::tree(&remote, tree).await,
        SourceCommand::Cat(cat) => read::cat(&remote, cat).await,
        SourceCommand::Grep(grep) => read::grep(&remote, grep).await,
        SourceCommand::Archive(archive) => read::archive(&remote, archive).await,
        SourceCommand::Branch(command) => branch::run(&remote, command).await,
        SourceCommand::Clone(clone) => clone::run(&remote, clone).await,
    }
}
