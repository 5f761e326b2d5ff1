//! The shortest way into SQLite: on the thread that asks, with no queue and no other thread between.
//! A PUT would wait longer for two changes of threads than for what is written.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Row, Transaction, TransactionBehavior};

use super::intents::{self, Intent};
use super::objects::{self, Owing};
use super::row::{Columns, decode};
use super::{LIGHT_SQLITE, SQLITE_SETTINGS};
use crate::model::id::{SpaceId, Version};
use crate::model::object::Object;

/// Commits after which the log is put into the database.
const CHECKPOINT_COMMITS: u32 = 1000;
/// How long to wait for others who write.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Direct {
    /// Nothing, once it is closed.
    connection: Arc<Mutex<Option<Connection>>>,
    commits: Arc<AtomicU32>,
}

impl Direct {
    pub fn open(file: &Path) -> Result<Self, sqlx::Error> {
        let open = || {
            let connection = Connection::open(file)?;
            connection.execute_batch(SQLITE_SETTINGS)?;
            connection.execute_batch(LIGHT_SQLITE)?;
            // Nobody who asks for something else shall wait for the disk.
            connection.execute_batch("PRAGMA wal_autocheckpoint = 0")?;
            connection.busy_timeout(Duration::ZERO)?;
            Ok(connection)
        };
        let connection = Arc::new(Mutex::new(Some(open().map_err(told)?)));
        Ok(Self { connection, commits: Arc::default() })
    }

    /// Writes a change that survives the end of this process. It is called again, from where it may wait,
    /// if somebody else was writing.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&Connection) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T, sqlx::Error> {
        let done = match self.write_now(&change) {
            Some(done) => done?,
            None => {
                let this = self.clone();
                let waited = tokio::task::spawn_blocking(move || this.write_waiting(&change));
                waited.await.map_err(|error| sqlx::Error::Io(error.into()))??
            }
        };
        if self.commits.fetch_add(1, Ordering::Relaxed) + 1 == CHECKPOINT_COMMITS {
            let this = self.clone();
            drop(tokio::task::spawn_blocking(move || this.checkpoint()));
        }
        Ok(done)
    }

    /// Nothing, if somebody else is writing.
    fn write_now<T>(
        &self,
        change: &impl Fn(&Connection) -> Result<T, sqlx::Error>,
    ) -> Option<Result<T, sqlx::Error>> {
        let open = self.connection.try_lock().ok()?;
        let done = open.as_ref().ok_or(sqlx::Error::PoolClosed).and_then(change);
        if matches!(&done, Err(error) if is_busy(error)) { None } else { Some(done) }
    }

    fn write_waiting<T>(
        &self,
        change: &impl Fn(&Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let open = self.lock();
        let connection = open.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        connection.busy_timeout(PATIENCE).map_err(told)?;
        let done = change(connection);
        connection.busy_timeout(Duration::ZERO).map_err(told)?;
        done
    }

    fn checkpoint(&self) {
        let done = self.lock().as_ref().map(|open| open.execute_batch("PRAGMA wal_checkpoint"));
        self.commits.store(0, Ordering::Relaxed);
        if let Some(Err(error)) = done {
            tracing::warn!(%error, "the log cannot be put into the database, to be tried again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn close(&self) {
        let this = self.clone();
        let _ = tokio::task::spawn_blocking(move || drop(this.lock().take())).await;
    }
}

/// As [`intents::take`].
pub(super) fn take(connection: &Connection, intent: &Intent) -> Result<Option<Owing>, sqlx::Error> {
    let space = intent.space.to_string();
    let content = intent.content()?;
    let (version, until) = (intent.version.to_string(), intent.lease_until.micros());
    let values = (&space, &intent.key, version, &intent.node, until, content, intent.told);
    let tx = begin(connection)?;
    if run(&tx, intents::TAKE, values)? == 0 {
        return Ok(None);
    }
    let mut found = Owing::default();
    {
        let mut known = tx.prepare_cached(objects::KNOWN).map_err(told)?;
        let mut rows = known.query((&space, &intent.key)).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            objects::note(&mut found, row)?;
        }
    }
    tx.commit().map_err(told)?;
    Ok(Some(found))
}

/// As [`intents::release`].
pub(super) fn release(
    connection: &Connection,
    (space, key): (SpaceId, &str),
    version: Version,
) -> Result<bool, sqlx::Error> {
    let released =
        run(connection, intents::RELEASE, (space.to_string(), key, version.to_string()))?;
    Ok(released == 1)
}

/// As [`objects::put_taken`].
pub(super) fn put_taken(
    connection: &Connection,
    space: SpaceId,
    object: &Object,
    intent: Version,
) -> Result<bool, sqlx::Error> {
    let tx = begin(connection)?;
    if !release(&tx, (space, &object.key), intent)? {
        return Ok(false);
    }
    let size = i64::try_from(object.size).map_err(|error| decode("size", error))?;
    let (about, parts) = (objects::about(object)?, objects::parts(&object.about.parts)?);
    let values = (
        space.to_string(),
        &object.key,
        object.version.to_string(),
        object.deleted,
        size,
        &object.etag,
        about,
        object.modified_at.micros(),
        parts,
    );
    run(&tx, objects::PUT, values)?;
    tx.commit().map_err(told)?;
    Ok(true)
}

fn begin(connection: &Connection) -> Result<Transaction<'_>, sqlx::Error> {
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(told)
}

fn run(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<usize, sqlx::Error> {
    let statement = connection.prepare_cached(sql);
    statement.and_then(|mut statement| statement.execute(values)).map_err(told)
}

impl Columns for Row<'_> {
    fn text(&self, column: &str) -> Result<Option<&str>, sqlx::Error> {
        let value = self.get_ref(column).map_err(told)?;
        value.as_str_or_null().map_err(|error| decode(column, error))
    }

    fn number(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        let value = self.get_ref(column).map_err(told)?;
        value.as_i64_or_null().map_err(|error| decode(column, error))
    }
}

/// As whoever asks for anything else of the store is told.
fn told(error: rusqlite::Error) -> sqlx::Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => {
            sqlx::Error::Io(io::Error::new(io::ErrorKind::WouldBlock, error))
        }
        _ => sqlx::Error::AnyDriverError(error.into()),
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}
