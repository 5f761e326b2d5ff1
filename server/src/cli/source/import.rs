//! `repoplane source create --from-url`: the server fetches from a repository elsewhere; this waits and
//! shows how far it has come. Must never take a password from an argument.

use std::num::NonZeroU32;
use std::path::PathBuf;

use futures::Stream;
use repoplane_client::FollowError;
use repoplane_client::types::{
    BranchName, CommitId, CreateSource, CreateSourceRepoRequest, CreateSourceUrl,
    CreateSourceUsername, SourceImport,
};
use secrecy::ExposeSecret as _;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use crate::cli::remote::Remote;
use crate::cli::secret;
use crate::cli::watch::{self, Sight, Watched};

/// A repository elsewhere, and what to take of it.
#[derive(clap::Args)]
pub struct Elsewhere {
    /// Repository elsewhere to take the files and their history from, without a password in it
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    from_url: Option<CreateSourceUrl>,
    /// Its branch to take [default: the one it calls its own]
    #[arg(long, requires = "from_url")]
    branch: Option<BranchName>,
    /// Its commit to take
    #[arg(long, value_name = "ID", requires = "from_url", conflicts_with = "branch")]
    commit: Option<CommitId>,
    /// How many commits of each line of development to take [default: 1]
    #[arg(long, value_name = "COUNT", requires = "from_url")]
    depth: Option<NonZeroU32>,
    /// Take all of the history
    #[arg(long, requires = "from_url", conflicts_with = "depth")]
    full: bool,
    /// User name to log in with there, beside a password
    #[arg(long, value_name = "NAME", requires = "from_url")]
    username: Option<CreateSourceUsername>,
    /// File that holds the password or token to log in with there, - for standard input [default:
    /// the variable REPOPLANE_GIT_PASSWORD]
    #[arg(long, value_name = "FILE", requires = "from_url")]
    password_file: Option<PathBuf>,
}

impl Elsewhere {
    /// Where the first content comes from, if it comes from elsewhere.
    pub fn into_source(self) -> anyhow::Result<Option<CreateSource>> {
        let Self { from_url, branch, commit, depth, full, username, password_file } = self;
        let Some(url) = from_url else { return Ok(None) };
        let password = match password_file {
            Some(path) => Some(secret::from_file("--password-file", &path)?),
            None => secret::from_variable("REPOPLANE_GIT_PASSWORD")?,
        };
        let password = password.map(|password| password.expose_secret().parse()).transpose();
        // What is wrong with it is not said in words that hold it.
        let password = password.map_err(|_| {
            anyhow::anyhow!(
                "the password must have at most 1,024 characters, all of them on one line"
            )
        })?;
        let shallow = full.then_some(false);
        let hash = None;
        Ok(Some(CreateSource::Git {
            url,
            branch,
            commit,
            hash,
            depth,
            shallow,
            username,
            password,
        }))
    }
}

/// Has the server make the repo. Whoever interrupts this does not want it any more.
pub async fn run(remote: &Remote, request: CreateSourceRepoRequest) -> anyhow::Result<()> {
    let started = remote.call(remote.client.start_source_import().body(request).send()).await?;
    let id = started.import_id;
    let mut interrupts = signal(SignalKind::interrupt())?;
    let ended = tokio::select! {
        ended = watch::to_the_end(remote, id) => ended?,
        _ = interrupts.recv() => {
            let cancel = remote.client.cancel_source_import().import_id(id).send();
            tokio::select! {
                cancelled = remote.call(cancel) => cancelled?,
                _ = interrupts.recv() => anyhow::bail!("the import {id} may go on"),
            }
        }
    };
    let text = ended.repo_id.map(|id| format!("{id}\n")).unwrap_or_default();
    remote.print(&ended, &text)?;
    match ended.repo_id {
        Some(_) => Ok(()),
        None => anyhow::bail!(ended.message.unwrap_or_else(|| "the import failed".to_owned())),
    }
}

impl Watched for SourceImport {
    fn follow(remote: &Remote, id: Uuid) -> impl Stream<Item = Result<Self, FollowError>> + Send {
        remote.client.follow_source_import().import_id(id).stream()
    }

    fn sight(&self) -> Sight {
        let is_over = self.finished_at.is_some();
        Sight {
            what: "import".to_owned(),
            state: if is_over { self.state.clone() } else { self.phase.clone() },
            percent: Some(self.percent),
            message: String::new(),
            done: self.objects,
            total: (self.objects_total > 0).then_some(self.objects_total),
        }
    }
}
