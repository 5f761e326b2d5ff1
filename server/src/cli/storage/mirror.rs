//! `repoplane storage mirror` and `repoplane storage restore`: how alike copies are, and what mends
//! them. The server does the work; giving up here does not end it.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use futures::Stream;
use repoplane_client::FollowError;
use repoplane_client::types::{self, Job, MirrorMember, RestoreObjectsRequestPrefix};
use serde_json::json;
use uuid::Uuid;

use super::remote::Remote;
use super::{find, shown_time, watch};
use crate::cli::table::table;

#[derive(Subcommand)]
pub enum MirrorCommand {
    /// Show what each bucket has to catch up with
    Status {
        /// Id or name of the storage repo
        repo: String,
    },
    /// Make the copies alike now, and wait until they are
    Repair {
        /// Id or name of the storage repo
        repo: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Compare the buckets with the catalog now; what is found is mended by itself
    Scrub {
        /// Id or name of the storage repo
        repo: String,
        /// Read all content as well
        #[arg(long)]
        read: bool,
        #[command(flatten)]
        wait: Wait,
    },
}

#[derive(clap::Args)]
pub struct Restore {
    /// Id or name of the storage repo
    repo: String,
    /// Only objects whose keys begin so
    #[arg(long)]
    prefix: Option<RestoreObjectsRequestPrefix>,
    /// Only what was deleted at or after this time, like 2026-01-15T10:30:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// Count what there is to bring back, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: Wait,
}

/// Whether to wait for the end.
#[derive(clap::Args)]
pub struct Wait {
    /// Print the ids of the jobs, and do not wait for their end
    #[arg(long)]
    no_wait: bool,
}

pub async fn run(remote: &Remote, command: MirrorCommand) -> anyhow::Result<()> {
    match command {
        MirrorCommand::Status { repo } => {
            let id = find::repo(remote, &repo).await?;
            let answer = remote.call(remote.client.get_mirror().repo_id(id).send()).await?;
            let members = answer.spaces.iter().flat_map(|space| &space.members);
            remote.print(&answer, &shown(members))
        }
        MirrorCommand::Repair { repo, wait } => {
            let id = find::repo(remote, &repo).await?;
            let answer = remote.call(remote.client.repair_mirror().repo_id(id).send()).await?;
            end(remote, vec![answer.job_id], &wait).await
        }
        MirrorCommand::Scrub { repo, read, wait } => {
            let id = find::repo(remote, &repo).await?;
            let body = types::ScrubMirrorRequest::builder().read(Some(read));
            let request = remote.client.scrub_mirror().repo_id(id).body(body);
            end(remote, remote.call(request.send()).await?.job_ids, &wait).await
        }
    }
}

pub async fn restore(remote: &Remote, restore: Restore) -> anyhow::Result<()> {
    let id = find::repo(remote, &restore.repo).await?;
    let body = types::RestoreObjectsRequest::builder()
        .prefix(restore.prefix)
        .deleted_since(restore.since)
        .dry_run(Some(restore.dry_run));
    let answer = remote.call(remote.client.restore_objects().repo_id(id).body(body).send()).await?;
    end(remote, vec![answer.job_id], &restore.wait).await
}

impl watch::Watched for Job {
    fn follow(remote: &Remote, id: Uuid) -> impl Stream<Item = Result<Self, FollowError>> + Send {
        remote.client.follow_job().id(id).stream()
    }

    fn sight(&self) -> watch::Sight {
        watch::Sight {
            what: self.kind.clone(),
            state: self.state.clone(),
            percent: self.percent,
            message: self.message.clone().unwrap_or_default(),
            done: self.done,
            total: self.total,
        }
    }
}

/// Waits for the jobs, if that is wanted, and prints what came of them.
async fn end(remote: &Remote, ids: Vec<Uuid>, wait: &Wait) -> anyhow::Result<()> {
    if wait.no_wait {
        let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
        return remote.print(&json!({ "jobIds": ids }), &text);
    }
    let mut jobs: Vec<Job> = vec![];
    for id in ids {
        jobs.push(watch::to_the_end(remote, id).await?);
    }
    let text: String = jobs.iter().map(result).collect();
    remote.print(&json!({ "jobs": jobs }), &text)?;
    match jobs.iter().find(|job| job.state == "failed") {
        Some(failed) => anyhow::bail!("{}", failed.message.as_deref().unwrap_or("the job failed")),
        None => Ok(()),
    }
}

fn result(job: &Job) -> String {
    let bucket = job.bucket_id.map(|id| format!(" of {id}")).unwrap_or_default();
    let (done, found) = (job.done, job.found);
    let said = match job.kind.as_str() {
        "repair" => format!("{done} objects mended"),
        "restore" => format!("{found} of {done} deleted objects can be had again"),
        _ => format!("{done} objects looked at, {found} imported or to be mended"),
    };
    format!("{}{bucket}: {}, {said}\n", job.kind, job.state)
}

fn shown<'a>(members: impl Iterator<Item = &'a MirrorMember>) -> String {
    let rows = members.map(|member| {
        let import = member.imported.map(|looked| format!(" ({looked})")).unwrap_or_default();
        [
            member.name.clone(),
            member.folder.clone(),
            if member.master { "yes" } else { "no" }.to_owned(),
            format!("{}{import}", member.state),
            member.debts.to_string(),
            member.bytes_behind.to_string(),
            member.oldest_debt_seconds.map(|age| format!("{age} s")).unwrap_or_default(),
            member.retained.to_string(),
            member.last_scrub_at.map(shown_time).unwrap_or_default(),
            member.last_read_at.map(shown_time).unwrap_or_default(),
        ]
    });
    let header = [
        "BUCKET", "FOLDER", "PRIMARY", "STATE", "DEBTS", "BYTES", "OLDEST", "RETAINED", "LISTED",
        "READ",
    ];
    table(header, rows)
}
