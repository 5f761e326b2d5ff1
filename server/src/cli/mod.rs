//! Door: the command line. Parses, calls, prints; data on standard output, all else on
//! standard error.

mod admin;
mod naming;
mod remote;
mod save;
mod secret;
mod serve;
mod show;
mod source;
mod storage;
mod table;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::app;
use crate::config::{Config, Flags};
use crate::service::operator::Store;

/// Repositories behind an API: storage repos over buckets, source repos over git
#[derive(Parser)]
#[command(name = "repoplane", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve,
    /// Manage organisations
    #[command(subcommand)]
    Org(admin::OrgCommand),
    /// Manage users of an organisation
    #[command(subcommand)]
    User(admin::UserCommand),
    /// Manage the tokens of a user
    #[command(subcommand)]
    Token(admin::TokenCommand),
    /// Manage buckets, storage repos and their access keys, on a server that runs
    Storage(storage::Storage),
    /// Make, edit, search and clone source repos, on a server that runs
    Source(source::Source),
    /// Bring the database up to date
    Migrate,
    /// Ask a running server whether it is ready; exit code 0 if so
    Healthcheck {
        /// Server to ask [default: the configured address]
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Show the configuration
    #[command(subcommand)]
    Config(show::ConfigCommand),
    /// Print the API's OpenAPI document
    Openapi {
        /// The document generated from the code, as JSON, instead of the contract
        #[arg(long)]
        code: bool,
    },
    /// Print completions for a shell
    Completions { shell: Shell },
}

pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = || Config::load(&cli.flags);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(config()?).await?,
        Command::Org(command) => admin::org(&open(&config()?).await?, command).await?,
        Command::User(command) => admin::user(&open(&config()?).await?, command).await?,
        Command::Token(command) => admin::token(&open(&config()?).await?, command).await?,
        Command::Storage(storage) => storage::run(storage, config).await?,
        Command::Source(source) => source::run(source, config).await?,
        Command::Migrate => {
            app::make_store(&config()?).await?.migrate().await?;
            eprintln!("The database is up to date.");
        }
        Command::Healthcheck { url } => return show::healthcheck(url, &config()?).await,
        Command::Config(command) => show::config(&command, config)?,
        Command::Openapi { code: false } => print!("{}", app::CONTRACT),
        Command::Openapi { code: true } => println!("{}", app::document().to_pretty_json()?),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "repoplane", &mut std::io::stdout());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The database of a server that was started before.
async fn open(config: &Config) -> anyhow::Result<Store> {
    let store = app::open_store(config).await?;
    store.check_migrated().await?;
    Ok(store)
}
