//! `repoplane storage put`, `get`, `ls` and `rm`: objects, through the S3 gateway of a server that runs.
//! Must never use another way to them than every other client has.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use clap::Subcommand;
use futures::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::secret;
use crate::cli::save::{STDOUT, save};
use crate::service::gateway_client::GatewayClient;

const BAR: &str = "{msg} {wide_bar} {bytes}/{total_bytes} {eta}";

#[derive(Subcommand)]
pub enum ObjectCommand {
    /// Write a file to a storage repo
    Put {
        /// File to read
        file: PathBuf,
        /// Name of a storage repo or of a bucket in it, and a key; one that ends in / gets the file's name
        #[arg(value_name = "REPO/KEY")]
        to: Spot,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Read an object of a storage repo into a file
    Get {
        /// Name of a storage repo or of a bucket in it, and a key
        #[arg(value_name = "REPO/KEY")]
        from: Spot,
        /// File to write, - for standard output [default: what the key ends in]
        file: Option<PathBuf>,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// List the objects of a storage repo
    Ls {
        /// Name of a storage repo or of a bucket in it, and what keys have to begin with
        #[arg(value_name = "REPO[/PREFIX]")]
        of: Spot,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Delete an object of a storage repo
    Rm {
        /// Name of a storage repo or of a bucket in it, and a key
        #[arg(value_name = "REPO/KEY")]
        what: Spot,
        /// Delete all objects whose keys begin with KEY
        #[arg(long)]
        recursive: bool,
        #[command(flatten)]
        gateway: Gateway,
    },
}

/// Where the gateway is. The access key comes from REPOPLANE_S3_KEY and REPOPLANE_S3_SECRET.
#[derive(clap::Args)]
pub struct Gateway {
    /// S3 gateway to work with
    #[arg(
        long,
        value_name = "URL",
        env = "REPOPLANE_S3_URL",
        default_value = "http://127.0.0.1:9000"
    )]
    s3_url: String,
}

/// A place in a storage repo.
#[derive(Clone)]
pub struct Spot {
    bucket: String,
    key: String,
}

impl FromStr for Spot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (bucket, key) = text.split_once('/').unwrap_or((text, ""));
        if bucket.is_empty() {
            return Err("the name of a storage repo or bucket comes first".to_owned());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl Spot {
    fn shown(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }

    fn check_key(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.key.is_empty(), "{:?} names no object; add /KEY", self.bucket);
        Ok(())
    }

    /// What a file is called that holds the object.
    fn file_name(&self) -> anyhow::Result<PathBuf> {
        let name = self.key.rsplit('/').next().filter(|name| !matches!(*name, "" | "." | ".."));
        name.map(PathBuf::from).with_context(|| format!("{} is no file; name one", self.shown()))
    }
}

pub async fn run(command: ObjectCommand, json: bool) -> anyhow::Result<()> {
    match command {
        ObjectCommand::Put { file, to, gateway } => put(&gateway, &file, to, json).await,
        ObjectCommand::Get { from, file, gateway } => get(&gateway, &from, file, json).await,
        ObjectCommand::Ls { of, gateway } => list(&gateway, &of, json).await,
        ObjectCommand::Rm { what, recursive: false, gateway } => {
            remove(&gateway, &what, json).await
        }
        ObjectCommand::Rm { what, recursive: true, gateway } => {
            remove_all(&gateway, &what, json).await
        }
    }
}

impl Gateway {
    async fn open(&self, bucket: &str) -> anyhow::Result<GatewayClient> {
        let variable = |name: &str| {
            let found = secret::from_variable(name)?;
            found.with_context(|| {
                format!(
                    "{name} is not set; an access key and its secret come from \
                     `repoplane storage key create`"
                )
            })
        };
        let key = variable("REPOPLANE_S3_KEY")?.expose_secret().to_owned();
        let pair = (key, variable("REPOPLANE_S3_SECRET")?);
        let opened = GatewayClient::open(&self.s3_url, bucket, pair).await;
        opened.with_context(|| format!("the gateway {}", self.s3_url))
    }
}

async fn put(gateway: &Gateway, file: &Path, mut to: Spot, json: bool) -> anyhow::Result<()> {
    let shown = file.display();
    let about = tokio::fs::metadata(file).await.with_context(|| format!("cannot read {shown}"))?;
    anyhow::ensure!(about.is_file(), "{shown} is no file");
    if to.key.is_empty() || to.key.ends_with('/') {
        let name = file.file_name().and_then(|name| name.to_str());
        to.key += name.with_context(|| format!("{shown} has no name for a key; add one"))?;
    }
    let client = gateway.open(&to.bucket).await?;
    let bar = bar(about.len(), &to.key);
    let seen = bar.clone();
    let put = client.put(&to.key, file, about.len(), move |bytes| seen.inc(bytes)).await;
    bar.finish_and_clear();
    let etag = put.with_context(|| format!("cannot write {}", to.shown()))?;
    eprintln!("Wrote {} bytes to {}.", about.len(), to.shown());
    print(json, &json!({ "key": to.key, "size": about.len(), "etag": etag }))
}

async fn get(
    gateway: &Gateway,
    from: &Spot,
    file: Option<PathBuf>,
    json: bool,
) -> anyhow::Result<()> {
    from.check_key()?;
    let file = file.map_or_else(|| from.file_name(), Ok)?;
    let client = gateway.open(&from.bucket).await?;
    let cannot = || format!("cannot read {}", from.shown());
    let read = client.get(&from.key).await.with_context(cannot)?;
    let bar = bar(read.size, &from.key);
    let body = read.body.inspect_ok(|piece| bar.inc(piece.len() as u64));
    let body = body.map_err(|error| anyhow::Error::new(error).context(cannot()));
    let saved = save(&file, body).await;
    bar.finish_and_clear();
    saved?;
    if file == Path::new(STDOUT) {
        return Ok(());
    }
    eprintln!("Wrote {} bytes to {}.", read.size, file.display());
    print(json, &json!({ "key": from.key, "size": read.size, "etag": read.etag }))
}

async fn list(gateway: &Gateway, of: &Spot, json: bool) -> anyhow::Result<()> {
    let client = gateway.open(&of.bucket).await?;
    let mut objects = client.list(&of.key);
    let mut all = vec![];
    let mut out = std::io::stdout().lock();
    while let Some(object) =
        objects.try_next().await.with_context(|| format!("cannot list {}", of.shown()))?
    {
        if json {
            all.push(json!({ "key": object.key, "size": object.size, "etag": object.etag }));
        } else {
            writeln!(out, "{:>15}  {}", object.size, object.key)?;
        }
    }
    print(json, &all.into())
}

async fn remove(gateway: &Gateway, what: &Spot, json: bool) -> anyhow::Result<()> {
    what.check_key()?;
    let client = gateway.open(&what.bucket).await?;
    let cannot = || format!("cannot delete {}", what.shown());
    // The gateway deletes what is not there without a word.
    client.find(&what.key).await.with_context(cannot)?;
    client.delete(&what.key).await.with_context(cannot)?;
    eprintln!("Deleted {}.", what.shown());
    print(json, &json!({ "deleted": 1 }))
}

async fn remove_all(gateway: &Gateway, what: &Spot, json: bool) -> anyhow::Result<()> {
    let client = gateway.open(&what.bucket).await?;
    let bar = ProgressBar::new_spinner();
    let deleted = client.delete_all(&what.key, |key| {
        bar.inc(1);
        bar.set_message(key.to_owned());
    });
    let deleted = deleted.await;
    bar.finish_and_clear();
    let deleted = deleted.with_context(|| format!("cannot delete all of {}", what.shown()))?;
    eprintln!("Deleted {deleted} objects of {}.", what.shown());
    print(json, &json!({ "deleted": deleted }))
}

fn bar(length: u64, key: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR).expect("a template that is right");
    ProgressBar::new(length).with_style(style).with_message(key.to_owned())
}

fn print(json: bool, answer: &serde_json::Value) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(answer)?);
    }
    Ok(())
}
