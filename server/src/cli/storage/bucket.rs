//! `repoplane storage bucket`: the buckets an organisation has registered.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Subcommand;
use repoplane_client::types::{self, Bucket, BucketListResponse, IdOrName, Name, StorageType};
use secrecy::{ExposeSecret, SecretString};

use super::remote::Remote;
use super::{find, secret, shown_time, storage_type};
use crate::cli::table::{fields, table};

#[derive(Subcommand)]
pub enum BucketCommand {
    /// List the buckets
    List {
        /// Only those of this workspace, by id or name
        #[arg(long, value_name = "WORKSPACE")]
        workspace: Option<IdOrName>,
    },
    /// Register a bucket and print its id
    ///
    /// The server must reach the bucket. Its name in its cloud is --bucket, else the folder of
    /// --disk, else NAME. Its type is s3 and its workspace the default one, unless others are
    /// named.
    Create {
        /// What to call it here
        name: Name,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        about: About,
    },
    /// Show a bucket
    Show {
        /// Its id or name
        bucket: String,
    },
    /// Change a bucket; what is not named stays, and an empty value removes what is there
    Update {
        /// Its id or name
        bucket: String,
        /// What to call it from now on
        #[arg(long)]
        name: Option<Name>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        about: About,
    },
    /// Forget a bucket; what is in it stays
    Delete {
        /// Its id or name
        bucket: String,
    },
    /// Check that a bucket can be used, as it is kept or with other values
    Validate {
        /// Its id or name
        bucket: String,
        #[command(flatten)]
        place: Place,
    },
    /// Ask whether a bucket answers now
    Status {
        /// Its id or name
        bucket: String,
    },
}

/// Where a bucket is, and how to get in.
#[derive(clap::Args, Default, PartialEq)]
pub struct Place {
    /// Its name in its cloud
    #[arg(long = "bucket", value_name = "CLOUD_NAME")]
    cloud_name: Option<String>,
    /// Access key id, or account name on Azure
    #[arg(long)]
    key: Option<String>,
    /// File that holds the secret, - for standard input [default with --key: the variable
    /// REPOPLANE_BUCKET_SECRET]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Where it answers, if not at the provider's own address
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Folder on the server's disk; short for --endpoint file:FOLDER
    #[arg(long, value_name = "FOLDER", conflicts_with = "endpoint")]
    disk: Option<String>,
}

/// What else there is to say of a bucket.
#[derive(clap::Args, Default, PartialEq)]
pub struct About {
    /// Its protocol
    #[arg(long = "type", value_name = "TYPE", value_parser = storage_type(), ignore_case = true)]
    storage_type: Option<StorageType>,
    /// Its region
    #[arg(long)]
    region: Option<String>,
    /// Project it belongs to, for GCS
    #[arg(long)]
    project: Option<String>,
    /// Workspace it belongs to, by id or name
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<IdOrName>,
}

pub async fn run(remote: &Remote, command: BucketCommand) -> anyhow::Result<()> {
    match command {
        BucketCommand::List { workspace } => list(remote, workspace).await,
        BucketCommand::Create { name, place, about } => create(remote, name, place, about).await,
        BucketCommand::Show { bucket } => {
            let id = find::bucket(remote, &bucket).await?;
            let answer = remote.call(remote.client.get_bucket().bucket_id(id).send()).await?;
            remote.print(&answer, &shown(&answer.bucket))
        }
        BucketCommand::Update { bucket, name, place, about } => {
            update(remote, &bucket, name, place, about).await
        }
        BucketCommand::Delete { bucket } => {
            let id = find::bucket(remote, &bucket).await?;
            let answer = remote.call(remote.client.delete_bucket().bucket_id(id).send()).await?;
            eprintln!("Deleted the bucket {bucket:?}. What is in it is still there.");
            remote.print(&answer, "")
        }
        BucketCommand::Validate { bucket, place } => validate(remote, &bucket, place).await,
        BucketCommand::Status { bucket } => {
            let id = find::bucket(remote, &bucket).await?;
            let answer =
                remote.call(remote.client.get_bucket_status().bucket_id(id).send()).await?;
            let rows = answer.node_status.iter().map(|node| {
                let latency = node.latency_ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
                [node.ip.clone(), node.region.clone(), node.status.clone(), latency]
            });
            remote.print(&answer, &table(["NODE", "REGION", "STATUS", "LATENCY"], rows))
        }
    }
}

async fn list(remote: &Remote, workspace: Option<IdOrName>) -> anyhow::Result<()> {
    let mut request = remote.client.list_buckets();
    if let Some(workspace) = workspace {
        request = request.workspace_id(workspace);
    }
    let buckets = remote.all(request.stream()).await?;
    let rows = buckets.iter().map(|bucket| {
        [
            bucket.id.to_string(),
            bucket.name.clone(),
            bucket.storage_type.to_string(),
            bucket.bucket.clone(),
            bucket.endpoint.clone().unwrap_or_default(),
            bucket.status.clone(),
            held_by(bucket),
        ]
    });
    let header = ["ID", "NAME", "TYPE", "BUCKET", "ENDPOINT", "STATUS", "REPOS"];
    let text = table(header, rows);
    remote.print(&BucketListResponse { success: true, buckets, next_cursor: None }, &text)
}

async fn create(remote: &Remote, name: Name, place: Place, about: About) -> anyhow::Result<()> {
    let cloud_name = place.cloud_name.as_ref().or(place.disk.as_ref()).unwrap_or(&name);
    let body = types::CreateBucketRequest::builder()
        .name(name.clone())
        .bucket(in_cloud::<types::CreateBucketRequestBucket>(cloud_name)?)
        .storage_type(about.storage_type.unwrap_or(StorageType::S3))
        .key(optional("--key", place.key.as_deref())?)
        .secret(optional("the secret", place.secret()?.as_ref().map(ExposeSecret::expose_secret))?)
        .endpoint(optional("--endpoint", place.endpoint().as_deref())?)
        .region(optional("--region", about.region.as_deref())?)
        .project_id(optional("--project", about.project.as_deref())?)
        .workspace_id(about.workspace);
    let answer = remote.call(remote.client.create_bucket().body(body).send()).await?;
    eprintln!("Registered the bucket {:?}{}.", *name, reached(answer.latency_ms));
    remote.print(&answer, &format!("{}\n", answer.bucket_id))
}

async fn update(
    remote: &Remote,
    wanted: &str,
    name: Option<Name>,
    place: Place,
    about: About,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        name.is_some() || place != Place::default() || about != About::default(),
        "nothing to change was named; see `repoplane storage bucket update --help`"
    );
    let body = types::UpdateBucketRequest::builder()
        .name(name)
        .bucket(place.cloud_name.as_deref().map(in_cloud).transpose()?)
        .storage_type(about.storage_type)
        .key(optional("--key", place.key.as_deref())?)
        .secret(optional("the secret", place.secret()?.as_ref().map(ExposeSecret::expose_secret))?)
        .endpoint(optional("--endpoint", place.endpoint().as_deref())?)
        .region(optional("--region", about.region.as_deref())?)
        .project_id(optional("--project", about.project.as_deref())?)
        .workspace_id(about.workspace);
    let id = find::bucket(remote, wanted).await?;
    let answer = remote.call(remote.client.update_bucket().bucket_id(id).body(body).send()).await?;
    eprintln!("Changed the bucket {wanted:?}{}.", reached(answer.latency_ms));
    remote.print(&answer, "")
}

async fn validate(remote: &Remote, wanted: &str, place: Place) -> anyhow::Result<()> {
    let body = types::ValidateBucketRequest::builder()
        .bucket(place.cloud_name.as_deref().map(in_cloud).transpose()?)
        .key(optional("--key", place.key.as_deref())?)
        .secret(optional("the secret", place.secret()?.as_ref().map(ExposeSecret::expose_secret))?)
        .endpoint(optional("--endpoint", place.endpoint().as_deref())?);
    let id = find::bucket(remote, wanted).await?;
    let request = remote.client.validate_bucket().bucket_id(id).body(body);
    let answer = remote.call(request.send()).await?;
    remote.print(&answer, &format!("{} ({} ms)\n", answer.message, answer.latency_ms))
}

impl Place {
    fn endpoint(&self) -> Option<String> {
        self.disk.as_ref().map(|folder| format!("file:{folder}")).or_else(|| self.endpoint.clone())
    }

    /// The variable counts only where a key is named, so that one left over in a shell does not
    /// change the secret of a bucket that shall only be renamed.
    fn secret(&self) -> anyhow::Result<Option<SecretString>> {
        match (&self.secret_file, self.key.as_deref()) {
            (Some(path), _) => secret::from_file("--secret-file", path).map(Some),
            (None, None | Some("")) => Ok(None),
            (None, Some(_)) => secret::from_variable("REPOPLANE_BUCKET_SECRET"),
        }
    }
}

/// A value that keeps the contract's rule for it. What is said of one that does not never holds it,
/// since it may be a secret.
fn optional<T: FromStr<Err: Display>>(
    what: &str,
    value: Option<&str>,
) -> anyhow::Result<Option<T>> {
    let parsed = value.map(|value| value.parse().map_err(|why| anyhow::anyhow!("{what}: {why}")));
    parsed.transpose()
}

fn in_cloud<T: FromStr>(name: &str) -> anyhow::Result<T> {
    name.parse().map_err(|_| {
        anyhow::anyhow!(
            "{name:?} is no name for a bucket in its cloud, which has at most 222 letters, digits, \
             `.`, `_` and `-`; say its name there with --bucket"
        )
    })
}

fn reached(latency_ms: Option<i32>) -> String {
    latency_ms.map(|ms| format!(", which answered in {ms} ms")).unwrap_or_default()
}

fn held_by(bucket: &Bucket) -> String {
    let names: Vec<&str> = bucket.repos.iter().map(|repo| repo.name.as_str()).collect();
    names.join(", ")
}

fn shown(bucket: &Bucket) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    fields([
        ("id", bucket.id.to_string()),
        ("name", bucket.name.clone()),
        ("type", bucket.storage_type.to_string()),
        ("bucket", bucket.bucket.clone()),
        ("endpoint", text(&bucket.endpoint)),
        ("region", text(&bucket.region)),
        ("project", text(&bucket.project_id)),
        ("key", text(&bucket.key)),
        ("secret", if bucket.secret.is_some() { "kept" } else { "none" }.to_owned()),
        ("status", bucket.status.clone()),
        ("last reached", shown_time(bucket.last_status_at)),
        ("workspace", bucket.workspace_id.to_string()),
        ("repos", held_by(bucket)),
        ("created", shown_time(bucket.created_at)),
    ])
}
