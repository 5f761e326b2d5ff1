//! A real server for each test, on a free port and with a folder and a database of its own.

pub mod answer;
pub mod clouds;
pub mod database;
pub mod empty_cloud;
pub mod faulty_cloud;
pub mod fsck;
pub mod gateway;
pub mod peers;
pub mod program;
pub mod proxy;
pub mod receiver;
pub mod repo;
pub mod service_account;
pub mod upstream;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use repoplane::app::{App, Running};
use repoplane::config::{Config, Egress, ObjectsS3, S3Listen};
use repoplane::model::access::{OrgRole, Role};
use repoplane::model::id::WorkspaceId;
use repoplane::service::objects::Tuning;
use repoplane::service::operator;
use repoplane::service::tokens::Scope;
use repoplane_client::Client;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use faulty_cloud::FaultyCloud;

/// The owner's token of every test server.
pub const OWNER_TOKEN: &str = "rlc-ownerownerownerownerownerownerow";

pub struct Server {
    running: Running,
    folder: TempDir,
    database: database::Database,
    tuning: Option<Tuning>,
    /// What it may reach, also when it starts again.
    egress: Egress,
    /// Where it keeps objects, and how much it caches, likewise.
    storage: Storage,
}

/// Settings that a server keeps when it starts again, and that others of its database share.
#[derive(Clone, Default)]
struct Storage {
    objects: Option<String>,
    objects_s3: ObjectsS3,
    cache_mib: Option<u64>,
}

impl Storage {
    fn of(config: &Config) -> Self {
        let (objects, objects_s3) = (config.objects.clone(), config.objects_s3.clone());
        Self { objects, objects_s3, cache_mib: Some(config.limits.cache_mib) }
    }

    fn apply(&self, config: &mut Config) {
        config.objects.clone_from(&self.objects);
        config.objects_s3.clone_from(&self.objects_s3);
        config.limits.cache_mib = self.cache_mib.unwrap_or(config.limits.cache_mib);
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A server whose configuration `change` has adjusted.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let database = database::Database::create().await;
        let mut config = config(folder.path(), &database);
        change(&mut config);
        let running = run(&config, None).await;
        let storage = Storage::of(&config);
        Self { running, folder, database, tuning: None, egress: config.egress, storage }
    }

    /// A server whose buckets are clouds that fail, and that is less patient with them than others.
    pub async fn beside_faulty_clouds(clouds: usize) -> (Self, Vec<FaultyCloud>) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let database = database::Database::create().await;
        let tuning = Some(Tuning {
            stall: Duration::from_millis(500),
            patience: Duration::from_secs(1),
            transfer: Duration::from_secs(2),
            ..Tuning::default()
        });
        let running = run(&config(folder.path(), &database), tuning).await;
        let clouds = futures::future::join_all((0..clouds).map(|_| FaultyCloud::start())).await;
        let (egress, storage) = (Egress::default(), Storage::default());
        (Self { running, folder, database, tuning, egress, storage }, clouds)
    }

    /// A server that may reach a cloud on this machine.
    pub async fn beside_a_cloud() -> (Self, empty_cloud::EmptyCloud) {
        let loopback = "127.0.0.0/8".parse().expect("a network");
        let server = Self::start_with(|config| config.egress.allow = vec![loopback]).await;
        (server, empty_cloud::EmptyCloud::start().await)
    }

    /// A server that may reach receivers of webhooks on this machine.
    pub async fn beside_receivers() -> Self {
        let loopback = "127.0.0.0/8".parse().expect("a network");
        Self::start_with(|config| config.egress.allow = vec![loopback]).await
    }

    /// Stops in order, checks every repository on disk with git, and starts on the same data.
    pub async fn restart(self) -> Self {
        self.restart_after(|_| {}).await
    }

    /// From its next start on, it may not reach this machine any more.
    pub fn cut_off(mut self) -> Self {
        self.egress = Egress::default();
        self
    }

    /// As [`Self::restart`]; `meanwhile` is done to the data folder while no server runs.
    pub async fn restart_after(self, meanwhile: impl FnOnce(&Path)) -> Self {
        let Self { running, folder, database, tuning, egress, storage } = self;
        running.stop().await;
        fsck::check_all(folder.path());
        meanwhile(folder.path());
        let mut config = config(folder.path(), &database);
        config.egress = egress.clone();
        storage.apply(&mut config);
        let running = run(&config, tuning).await;
        Self { running, folder, database, tuning, egress, storage }
    }

    /// Stops in order and checks every repository on disk with git. Every test ends with it.
    pub async fn stop(self) {
        self.running.stop().await;
        fsck::check_all(self.folder.path());
        self.database.drop().await;
    }

    /// A second server on the same database, objects and disks, with a data folder of its own.
    pub async fn second(&self) -> Second {
        let folder = tempfile::tempdir().expect("temporary folder");
        let key = "master.key";
        std::fs::copy(self.folder.path().join(key), folder.path().join(key)).expect("the key");
        let mut config = config(folder.path(), &self.database);
        config.database = Some(self.database_url());
        self.storage.apply(&mut config);
        if config.objects.is_none() {
            config.objects_dir = Some(self.folder.path().join("objects"));
        }
        config.disks_dir = Some(self.folder.path().join("disks"));
        config.egress = self.egress.clone();
        Second { running: run(&config, self.tuning).await, folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Of the S3 gateway, which the configuration has to ask for.
    pub fn s3_address(&self) -> SocketAddr {
        self.running.s3_address.expect("a gateway")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The bare repository on disk that real git can look at, after a [`Self::restart`].
    pub fn cached(&self, repo: uuid::Uuid) -> String {
        let name = repo.to_string();
        let shelf = self.folder.path().join("cache").join(&name[name.len() - 2..]);
        shelf.join(format!("{name}.git")).display().to_string()
    }

    pub fn database_url(&self) -> String {
        self.database.url(self.folder.path())
    }

    pub fn services(&self) -> &Arc<repoplane::service::Services> {
        &self.running.services
    }

    pub fn owner(&self) -> Client {
        self.client(OWNER_TOKEN)
    }

    pub fn client(&self, token: &str) -> Client {
        Client::connect(&self.url(), token).expect("the test server's URL")
    }

    /// A further user of the first organisation, and their token.
    pub async fn user(
        &self,
        email: &str,
        org_role: OrgRole,
        membership: Option<(WorkspaceId, Role)>,
    ) -> String {
        let store = &self.running.services.store;
        let org = operator::find_org(store, None).await.expect("first organisation");
        let user =
            operator::create_user(store, &org, email, ("Test", "User"), org_role, membership)
                .await
                .expect("new user");
        let (_, secret) =
            operator::create_token(store, &user, "test", &Scope::default()).await.expect("token");
        secret.expose_secret().to_owned()
    }

    /// Another organisation on the same server, and its owner's token.
    pub async fn other_org(&self, name: &str) -> String {
        let store = &self.running.services.store;
        let made = operator::create_org(store, name, "owner@localhost", None).await.expect("org");
        made.token.expose_secret().to_owned()
    }
}

/// See [`Server::second`]. To be stopped before the first one.
pub struct Second {
    running: Running,
    folder: TempDir,
}

impl Second {
    pub fn services(&self) -> &Arc<repoplane::service::Services> {
        &self.running.services
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    pub fn owner(&self) -> Client {
        self.client(OWNER_TOKEN)
    }

    pub fn client(&self, token: &str) -> Client {
        Client::connect(&self.url(), token).expect("the test server's URL")
    }

    pub async fn stop(self) {
        self.running.stop().await;
        fsck::check_all(self.folder.path());
    }
}

fn config(folder: &Path, database: &database::Database) -> Config {
    let mut config = Config {
        data_dir: folder.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        s3_listen: S3Listen(None),
        database: Some(database.url(folder)),
        bootstrap_token: Some(OWNER_TOKEN.to_owned()),
        ..Config::default()
    };
    // Tests are as fast as they can be; the limit has a test of its own.
    config.limits.requests_per_second = NonZeroU32::MAX;
    config.limits.burst = NonZeroU32::MAX;
    config
}

/// Runs a server; one with a tuning of its own may reach clouds on this machine.
async fn run(config: &Config, tuning: Option<Tuning>) -> Running {
    let mut config = config.clone();
    if tuning.is_some() {
        config.egress.allow = vec!["127.0.0.0/8".parse().expect("a network")];
    }
    let app = App::open_tuned(&config, tuning.unwrap_or_default()).await;
    let app = app.expect("a server that opens");
    let listener = tokio::net::TcpListener::bind(config.listen).await.expect("a free port");
    let s3 = match config.s3_listen.0 {
        Some(address) => Some(tokio::net::TcpListener::bind(address).await.expect("a free port")),
        None => None,
    };
    app.start(listener, s3).expect("a server that starts")
}
