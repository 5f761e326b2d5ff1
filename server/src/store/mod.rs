//! The only SQL: opens the database, reads, and writes in transactions.
//!
//! One SQL text runs on SQLite and PostgreSQL. Rules do not live here, and nothing
//! in here calls out to the network while a transaction is open.

pub mod access_keys;
pub mod ai_keys;
pub mod ai_llms;
pub mod audit;
pub mod buckets;
pub mod debts;
mod direct;
pub mod intents;
pub mod jobs;
pub mod ledger;
pub mod memo;
pub mod objects;
pub mod orgs;
pub mod repo_tokens;
pub mod settings;
pub mod sights;
pub mod source_imports;
pub mod source_packs;
pub mod source_refs;
pub mod source_repos;
pub mod spaces;
pub mod storage_jobs;
pub mod storage_links;
pub mod storage_repos;
pub mod storage_wholes;
pub mod tokens;
pub mod upload_parts;
pub mod uploads;
pub mod usage;
pub mod usage_groups;
pub mod users;
pub mod webhook_deliveries;
pub mod webhooks;
pub mod workspaces;

mod log;
mod row;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyPool, Executor};

use direct::Direct;
use log::{Log, Synced};
use memo::Memos;
use percent_encoding::percent_decode_str;

/// Connections that read, per process.
const READERS_MAX: u32 = 8;
/// Writers on PostgreSQL; SQLite has one by nature.
const WRITERS_MAX: u32 = 16;
/// How long a request waits for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a question whether the database answers may take.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
const NEWER: &str = "the database is of a newer version of repoplane; run that version";

/// WAL with FULL means that a committed transaction survives a power cut.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; PRAGMA cache_size = -16384; \
     PRAGMA mmap_size = 268435456;";

/// A commit waits for no disk; the next one that does takes it along.
const LIGHT_SQLITE: &str = "PRAGMA synchronous = NORMAL;";
const LIGHT_POSTGRES: &str = "SET synchronous_commit = off";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

#[derive(Clone)]
pub struct Store {
    readers: AnyPool,
    writers: AnyPool,
    /// For what a power cut may undo.
    light: AnyPool,
    kind: Kind,
    /// With SQLite, for the small changes that every write of an object waits for.
    direct: Option<Direct>,
    /// SQLite's write-ahead log, which holds what was committed.
    log: Option<Arc<Log>>,
    memos: Arc<Memos>,
    /// How often anything but objects has changed, as far as this process did it.
    settings: Arc<AtomicU64>,
}

/// A write transaction. Dropped without [`Tx::commit`], it leaves no trace.
pub struct Tx {
    tx: sqlx::Transaction<'static, Any>,
    /// What to count up once it is committed.
    counted: Option<Arc<AtomicU64>>,
}

impl Store {
    /// Connects to `url`: `sqlite://FILE` (made when absent) or `postgres://...`.
    pub async fn open(url: &str) -> Result<Self, sqlx::Error> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let kind = if url.starts_with("sqlite:") { Kind::Sqlite } else { Kind::Postgres };
        let options: AnyConnectOptions = url.parse()?;
        let (readers, writers) = match kind {
            Kind::Sqlite => (pool(kind, READERS_MAX), pool(kind, 1)),
            Kind::Postgres => (pool(kind, READERS_MAX), pool(kind, WRITERS_MAX)),
        };
        let writers = writers.connect_with(options.clone()).await?;
        let light = match kind {
            Kind::Sqlite => pool_with(kind, 1, LIGHT_SQLITE),
            Kind::Postgres => pool_with(kind, ledger::LANES_POSTGRES, LIGHT_POSTGRES),
        };
        let light = light.connect_with(options.clone()).await?;
        let readers = readers.connect_with(options).await?;
        Ok(Self {
            readers,
            writers,
            light,
            kind,
            direct: sqlite_file(url).map(|file| Direct::open(&file)).transpose()?,
            log: beside(url, "-wal").map(Log::open).transpose()?.map(Arc::new),
            memos: Arc::new(Memos::open(url)),
            settings: Arc::default(),
        })
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// For statements that change nothing.
    pub fn read(&self) -> &AnyPool {
        &self.readers
    }

    /// What was read since the database last changed.
    pub fn memos(&self) -> &Memos {
        &self.memos
    }

    /// For a single statement that changes something, when nothing has to change with it.
    pub fn write_now(&self) -> &AnyPool {
        &self.writers
    }

    /// As [`Store::write_now`], but a power cut may undo it, unless something that was committed
    /// durably comes after it.
    pub fn write_lightly(&self) -> &AnyPool {
        &self.light
    }

    /// The one way to write. On SQLite it takes the write lock at once, because a
    /// transaction that reads first and upgrades later fails under contention.
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        Ok(Tx { counted: Some(self.settings.clone()), ..self.begin_on(&self.writers).await? })
    }

    /// A number that is another one once anything but objects has changed. SQLite has one server, so
    /// nobody else changes what it keeps; with PostgreSQL there may be others, and no such number.
    pub fn settings(&self) -> Option<u64> {
        (self.kind == Kind::Sqlite).then(|| self.settings.load(Ordering::Acquire))
    }

    /// Where to write what changes objects and nothing else. It is durable after [`Store::sync`]; what
    /// is not `durable` need not be. SQLite has one connection for both, since what a connection has
    /// read is of no use to it once another one has written.
    fn objects(&self, durable: bool) -> &AnyPool {
        match self.kind {
            Kind::Postgres if durable => &self.writers,
            _ => &self.light,
        }
    }

    /// Begins to make sure that what was committed before survives a power cut. Nothing, if a commit does.
    fn sync(&self) -> Option<Synced> {
        self.log.as_ref().map(|log| log.sync())
    }

    async fn begin_on(&self, pool: &AnyPool) -> Result<Tx, sqlx::Error> {
        let start = match self.kind {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN",
        };
        let tx = pool.begin_with(start).await?;
        Ok(Tx { tx, counted: None })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        match migrations(self.kind).run(&self.writers).await {
            Err(MigrateError::VersionMissing(_)) => anyhow::bail!(NEWER),
            done => Ok(done?),
        }
    }

    /// Refuses a database that is older than this server, or newer.
    pub async fn check_migrated(&self) -> anyhow::Result<()> {
        let newest = migrations(self.kind).iter().map(|known| known.version).max().unwrap_or(0);
        let found: Result<i64, _> =
            sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
                .fetch_one(&self.readers)
                .await;
        match found {
            Ok(found) if found == newest => Ok(()),
            Ok(found) if found > newest => anyhow::bail!(NEWER),
            _ => anyhow::bail!("the database is not up to date; run: repoplane migrate"),
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        let asked = sqlx::query("SELECT 1").execute(&self.readers);
        match tokio::time::timeout(PING_TIMEOUT, asked).await {
            Ok(answered) => answered.map(drop),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    pub async fn close(&self) {
        self.readers.close().await;
        self.light.close().await;
        if let Some(direct) = &self.direct {
            direct.close().await;
        }
        self.writers.close().await;
    }
}

impl Tx {
    /// Durable once this returns.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let done = self.tx.commit().await;
        if let Some(counted) = self.counted {
            // Also if it failed: nobody knows then whether it happened.
            counted.fetch_add(1, Ordering::Release);
        }
        done
    }
}

impl Deref for Tx {
    type Target = sqlx::AnyConnection;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tx
    }
}

/// The file of a database, when it is one.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path).split('?').next()?;
    Some(PathBuf::from(&*percent_decode_str(path).decode_utf8().ok()?))
}

/// A file that SQLite keeps beside it.
fn beside(url: &str, ending: &str) -> Option<PathBuf> {
    let mut path = sqlite_file(url)?.into_os_string();
    path.push(ending);
    Some(path.into())
}

/// Twins: the same numbers and names for both databases.
fn migrations(kind: Kind) -> &'static Migrator {
    static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
    static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
    match kind {
        Kind::Sqlite => &SQLITE,
        Kind::Postgres => &POSTGRES,
    }
}

fn pool(kind: Kind, connections_max: u32) -> AnyPoolOptions {
    pool_with(kind, connections_max, "")
}

fn pool_with(kind: Kind, connections_max: u32, settings: &'static str) -> AnyPoolOptions {
    let options = AnyPoolOptions::new();
    let options = match kind {
        // While one is open, the files beside the database stay, see `memo`.
        Kind::Sqlite => options.idle_timeout(None).max_lifetime(None),
        Kind::Postgres => options,
    };
    options
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(kind == Kind::Postgres)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if kind == Kind::Sqlite {
                    connection.execute(SQLITE_SETTINGS).await?;
                }
                connection.execute(settings).await.map(drop)
            })
        })
}

/// Whether a statement failed because a unique index forbids the row.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether a statement failed because what it refers to is not there.
pub fn is_foreign_key_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}

/// Whether the same may succeed in a moment: the database is away, starting, stopping or
/// overloaded, or gave up one of two transactions that waited for each other.
pub fn is_temporary(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: &str = "5";
    const STATES: [&str; 5] = ["08", "53", "57P0", "40001", "40P01"];
    const STATE_CHARS: usize = 5;
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            let known = STATES.iter().any(|state| code.starts_with(state));
            code == SQLITE_BUSY || (code.len() == STATE_CHARS && known)
        }),
        _ => false,
    }
}
