//! The only file that knows everything: from configuration to a running server and back.

mod listen;
mod lock;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::api::guard::{Guard, Limits};
use crate::backend::buckets::Buckets;
use crate::backend::egress::Egress;
use crate::backend::git::fetch::{self, Fetcher};
use crate::backend::objects::{Bucket, Objects};
use crate::backend::vault::Vault;
use crate::backend::webhooks::Posts;
use crate::config::{Config, ObjectsS3};
use crate::service::meter::Meter;
use crate::service::operator::{self, Owner};
use crate::service::rates::Rates;
use crate::service::source_grep::Searches;
use crate::service::{Node, Quota, Services, edits, objects, source_index};
use crate::store::{self, Kind, Store, intents, webhooks};
use crate::{api, git, s3, telemetry, worker};
use listen::{Bounds, Speech};
use lock::Lock;

/// The API's two documents, for the command that prints them.
pub use crate::api::{docs::CONTRACT, document};

/// A server that is ready to listen.
pub struct App {
    pub services: Arc<Services>,
    /// The owner that the first start made.
    pub owner: Option<Owner>,
    guard: Arc<Guard>,
    lock: Lock,
    connections: usize,
    drain: Duration,
    s3: s3::Limits,
    git: git::Limits,
}

/// A server that is listening.
pub struct Running {
    pub address: SocketAddr,
    /// Of the S3 gateway, if there is one.
    pub s3_address: Option<SocketAddr>,
    pub services: Arc<Services>,
    stop: CancellationToken,
    done: tokio::task::JoinHandle<()>,
    /// Released when the server has stopped.
    _lock: Lock,
}

impl App {
    /// Opens everything that `config` names, and makes what is missing.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        Self::open_tuned(config, objects::Tuning::default()).await
    }

    /// As [`Self::open`], with other times for buckets than everybody else has.
    pub async fn open_tuned(config: &Config, tuning: objects::Tuning) -> anyhow::Result<Self> {
        telemetry::init_metrics();
        let folder = config.data_dir.as_path();
        make_private(folder)?;
        let lock = Lock::take(folder)?;
        let store = connect(config).await?;
        if store.kind() == Kind::Sqlite {
            store.migrate().await.context("the database cannot be brought up to date")?;
        } else {
            store.check_migrated().await?;
        }
        let vault = Vault::open_or_create(&folder.join("master.key"))?;
        operator::check_master_key(&store, &vault).await.with_context(|| {
            format!(
                "{} is not the master key of this database; put the file there that it was made with, \
                 from a backup or from another server on the same database",
                folder.join("master.key").display()
            )
        })?;
        let objects = open_objects(config).await?;
        let wait_max = Duration::from_secs(config.limits.edit_wait_seconds);
        let cache = (folder.join("cache"), config.limits.cache_mib.saturating_mul(1024 * 1024));
        let editors = edits::Editors::new(store.clone(), objects.clone(), cache, wait_max)?;
        let mut unsettled = objects::Unsettled::default();
        if store.kind() == Kind::Sqlite {
            // Nobody else is on it, so whoever began something is gone.
            intents::end_all(store.write_now()).await?;
            unsettled = objects::Unsettled::of(intents::told(store.read()).await?);
            webhooks::release_all(store.write_now()).await?;
        }
        objects::spaces::arrange_old(&store).await?;
        // Last, because a token that was made and never shown would be lost.
        let token = config.bootstrap_token.clone().map(SecretString::from);
        let owner = operator::first_start(&store, token.as_ref()).await?;
        let egress = Egress::new(config.egress.allow.clone()).with_public(config.egress.public);
        let node = Node { ip: config.listen.ip(), region: config.region.clone() };
        let plane = objects::Plane::new(&store, tuning, unsettled);
        let services = Arc::new(Services {
            plane,
            meter: Meter::new(store.clone(), node.name()),
            followers: Arc::default(),
            posts: Posts::new(egress.clone())?,
            fetcher: Fetcher::new(egress.clone(), bounds(config)),
            imports: Default::default(),
            store,
            vault,
            objects,
            buckets: Buckets::new(egress, config.disks_folder()).with_patience(tuning.transfer),
            editors,
            searches: Searches::new(index_bounds(config)),
            archives: Default::default(),
            quota: quota(config),
            rates: Rates::new(config.limits.requests_per_second, config.limits.burst),
            node,
            stopping: AtomicBool::new(false),
        });
        Ok(Self {
            guard: Arc::new(Guard::new(services.clone(), limits(config))),
            services,
            owner,
            lock,
            connections: config.limits.connections,
            drain: Duration::from_secs(config.limits.drain_seconds),
            s3: s3::Limits {
                concurrent: config.limits.concurrent_requests,
                domain: config.s3_domain.clone(),
            },
            git: git::Limits::of(config),
        })
    }

    /// Serves the API on `listener`, and the gateway on `s3`, until [`Running::stop`].
    pub fn start(self, listener: TcpListener, s3: Option<TcpListener>) -> std::io::Result<Running> {
        let address = listener.local_addr()?;
        let s3_address = s3.as_ref().map(TcpListener::local_addr).transpose()?;
        let stop = CancellationToken::new();
        let git = git::router(&self.services, self.git);
        let router = api::router(&self.services, &self.guard, git);
        let gateway = s3::router(&self.services, self.s3);
        let services = self.services.clone();
        let background = TaskTracker::new();
        for _ in 0..worker::JOBS_AT_ONCE {
            background.spawn(worker::run(services.clone(), stop.clone()));
        }
        background.spawn(worker::mend(services.clone(), stop.clone()));
        background.spawn(worker::schedule(services.clone(), stop.clone()));
        background.spawn(worker::sweep(services.clone(), stop.clone()));
        background.spawn(worker::measure(services.clone(), stop.clone()));
        background.spawn(worker::watch(services.clone(), stop.clone()));
        background.spawn(worker::deliver(services.clone(), stop.clone()));
        background.spawn(worker::trim(services.clone(), stop.clone()));
        background.close();
        let stopping = stop.clone();
        let owned = self.services;
        let done = tokio::spawn(async move {
            let bounds = Bounds {
                connections: self.connections,
                drain: self.drain,
                write: listen::WRITE_TIMEOUT,
            };
            let api = listen::serve(listener, router, Speech::Any, bounds, stopping.clone());
            let gateway = async {
                if let Some(listener) = s3 {
                    listen::serve(listener, gateway, Speech::Small, bounds, stopping).await;
                }
            };
            tokio::join!(api, gateway);
            background.wait().await;
            owned.plane.writes.close();
            owned.plane.writes.wait().await;
            owned.imports.close().await;
            owned.editors.close().await;
            // Last of those who write: everything above may have counted.
            if let Err(error) = owned.meter.flush().await {
                tracing::error!(%error, "the last statistics are lost");
            }
            owned.store.close().await;
        });
        Ok(Running { address, s3_address, services, stop, done, _lock: self.lock })
    }
}

impl Running {
    /// Takes no more connections, finishes what is under way, and returns once all is quiet.
    pub async fn stop(self) {
        self.services.stopping.store(true, Ordering::Relaxed);
        self.stop.cancel();
        if let Err(error) = self.done.await {
            tracing::error!(%error, "the server did not stop in order");
        }
    }
}

/// The database alone, for commands that need nothing else. Never makes one.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    if let Some(file) = store::sqlite_file(&config.database_url())
        && !file.exists()
    {
        anyhow::bail!(
            "there is no database at {}; start the server once to make it, or name the server's \
             folder with --data-dir",
            file.display()
        );
    }
    connect(config).await
}

/// Connects to the database, and makes it when it is a file that is absent.
pub async fn make_store(config: &Config) -> anyhow::Result<Store> {
    make_private(&config.data_dir)?;
    connect(config).await
}

async fn connect(config: &Config) -> anyhow::Result<Store> {
    let url = config.database_url();
    Store::open(&url).await.with_context(|| {
        let shown = config.clone().masked().database.unwrap_or_default();
        format!("the database {shown} cannot be opened; check the URL, and that it is running")
    })
}

/// The store for large packs: a bucket if one is named, else a folder.
async fn open_objects(config: &Config) -> anyhow::Result<Objects> {
    let Some(text) = &config.objects else {
        let folder = config.objects_folder();
        let opened = Objects::open(&folder);
        return opened.with_context(|| format!("{} cannot be used for objects", folder.display()));
    };
    anyhow::ensure!(config.objects_dir.is_none(), "set `objects` or `objects_dir`, not both");
    let plain = |url: &Url| {
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        bare && url.scheme() == "s3" && url.has_host()
    };
    let url = Url::parse(text).ok().filter(plain);
    let url = url.context("objects: it has to be like s3://BUCKET/PREFIX, and nothing else")?;
    let ObjectsS3 { endpoint, region, key, secret } = config.objects_s3.clone();
    anyhow::ensure!(
        key.is_some() == secret.is_some(),
        "objects_s3: `key` and `secret` belong together; set both, or none"
    );
    let credential = key.zip(secret.map(SecretString::from));
    Objects::open_bucket(Bucket { url, endpoint, region, credential }).await.with_context(|| {
        format!(
            "the object store {text} cannot be used; check that the bucket is there, that `objects_s3` \
             says where and as whom, and that it may read and write"
        )
    })
}

/// What requests to the API may take.
fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        concurrent: limits.concurrent_requests,
        body_mib: limits.body_mib,
        request: Duration::from_secs(limits.request_seconds),
    }
}

/// What is fetched from elsewhere. A request is told that it takes too long before its client gives up.
fn bounds(config: &Config) -> fetch::Bounds {
    let request = Duration::from_secs(config.limits.request_seconds) * 5 / 6;
    let total = Duration::from_secs(config.git.total_seconds);
    fetch::Bounds {
        concurrent: config.git.imports,
        wait: Duration::from_secs(config.git.wait_seconds).min(request / 3),
        bytes_max: u64::from(config.git.import_mib) * 1024 * 1024,
        idle: Duration::from_secs(config.git.idle_seconds),
        total,
        request: request.min(total),
    }
}

fn index_bounds(config: &Config) -> source_index::Bounds {
    let bytes_max = config.limits.index_mib.saturating_mul(1024 * 1024);
    source_index::Bounds {
        bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
        time: Duration::from_secs(config.limits.index_seconds),
    }
}

fn quota(config: &Config) -> Quota {
    let limits = &config.limits;
    Quota { buckets: limits.buckets.into(), storage_repos: limits.storage_repos.into() }
}

/// The folder holds keys and repositories, so nobody else may look inside.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))
}
