//! Writes many small changes in few transactions: what comes while one is being written goes into the
//! next. A change is written whole or not at all, and whoever asked for it hears when it is.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::future::BoxFuture;
use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot};

use super::direct;
use super::intents::{self, Intent};
pub use super::log::Synced;
use super::objects::{self, Owing};
use super::{Kind, Store};
use crate::model::id::{SpaceId, Version};
use crate::model::object::Object;

/// Most changes of one transaction.
const BATCH_MAX: usize = 64;
/// Changes that wait before whoever brings one more has to wait.
const QUEUE_MAX: usize = 1_024;
/// PostgreSQL writes several transactions at a time; SQLite does not.
pub(super) const LANES_POSTGRES: u32 = 4;

type Outcome = Result<Box<dyn Any + Send>, sqlx::Error>;
/// May be called again, when what was written with it failed.
type Change =
    Box<dyn for<'c> Fn(&'c mut AnyConnection) -> BoxFuture<'c, Outcome> + Send + Sync + 'static>;

struct Asked {
    /// Changes of one transaction are written in this order, so that no two of them wait for each other.
    key: String,
    manner: Manner,
    change: Change,
    reply: oneshot::Sender<Outcome>,
}

#[derive(Clone, Copy)]
struct Manner {
    /// Whether no power cut may undo it.
    durable: bool,
    /// Whether it needs no transaction around it when it is alone, since it is done in one go.
    at_once: bool,
}

const LIGHTLY_AT_ONCE: Manner = Manner { durable: false, at_once: true };

#[derive(Clone)]
pub struct Ledger {
    store: Store,
    lanes: Vec<mpsc::Sender<Asked>>,
}

impl Ledger {
    pub fn open(store: &Store) -> Self {
        let lanes = if store.kind() == Kind::Sqlite { 1 } else { LANES_POSTGRES };
        let lane = |_| {
            let (sender, receiver) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(write(store.clone(), receiver));
            sender
        };
        Self { store: store.clone(), lanes: (0..lanes).map(lane).collect() }
    }

    /// Writes a change; durable once this returns.
    pub async fn durably<T: Send + 'static>(
        &self,
        key: &str,
        change: impl for<'c> Fn(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>
        + Send
        + Sync
        + 'static,
    ) -> Result<T, sqlx::Error> {
        self.ask(key, Manner { durable: true, at_once: false }, change).await
    }

    /// Writes a change that survives the end of this process, but maybe not that of the machine. It is
    /// never lost while a later one is kept.
    pub async fn lightly<T: Send + 'static>(
        &self,
        key: &str,
        change: impl for<'c> Fn(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>
        + Send
        + Sync
        + 'static,
    ) -> Result<T, sqlx::Error> {
        self.ask(key, Manner { durable: false, at_once: false }, change).await
    }

    /// Takes a key, and reads what is there. Nothing, if somebody has it.
    pub async fn take(&self, lane: &str, intent: Intent) -> Result<Option<Owing>, sqlx::Error> {
        if let Some(direct) = &self.store.direct {
            return direct.write(move |connection| direct::take(connection, &intent)).await;
        }
        let taken = self.ask(lane, LIGHTLY_AT_ONCE, move |connection| {
            let intent = intent.clone();
            Box::pin(async move { intents::take(connection, &intent).await })
        });
        taken.await
    }

    /// Returns once no power cut undoes that a key was taken; false if it turns out to be no longer theirs.
    pub async fn secure(&self, lane: &str, intent: Intent) -> Result<bool, sqlx::Error> {
        if let Some(synced) = self.sync() {
            synced.wait().await?;
            return Ok(true);
        }
        let manner = Manner { durable: true, at_once: true };
        let renewed = self.ask(lane, manner, move |connection| {
            let Intent { space, key, version, lease_until, .. } = intent.clone();
            Box::pin(async move {
                intents::renew(connection, (space, &key), version, lease_until).await
            })
        });
        renewed.await
    }

    /// Gives a key back; false if it was not, or no longer, theirs.
    pub async fn release(
        &self,
        lane: &str,
        (space, key): (SpaceId, &str),
        version: Version,
    ) -> Result<bool, sqlx::Error> {
        let key = key.to_owned();
        if let Some(direct) = &self.store.direct {
            let change = move |c: &_| direct::release(c, (space, &key), version);
            return direct.write(change).await;
        }
        let released = self.ask(lane, LIGHTLY_AT_ONCE, move |connection| {
            let key = key.clone();
            Box::pin(async move { intents::release(connection, (space, &key), version).await })
        });
        released.await
    }

    /// Whether a write whose intent is durable may be acknowledged before [`Self::put_told`].
    pub fn tells_early(&self) -> bool {
        self.store.direct.is_some()
    }

    /// Begins to make durable what was written before.
    pub fn sync(&self) -> Option<Synced> {
        self.store.sync()
    }

    /// Writes an object that all its buckets hold, for whoever has taken its key, which is given back; durable
    /// once this returns. False if somebody else has the key by now.
    pub async fn put_taken(
        &self,
        lane: &str,
        space: SpaceId,
        object: Object,
        intent: Version,
    ) -> Result<bool, sqlx::Error> {
        let manner = Manner { durable: true, at_once: true };
        let put = self.ask(lane, manner, move |connection| {
            let object = object.clone();
            Box::pin(async move { objects::put_taken(connection, space, &object, intent).await })
        });
        put.await
    }

    /// As [`Self::put_taken`], but a power cut may undo it: the intent is durable then, and the buckets say
    /// that they hold the object.
    pub async fn put_told(
        &self,
        lane: &str,
        space: SpaceId,
        object: Object,
        intent: Version,
    ) -> Result<bool, sqlx::Error> {
        let Some(direct) = &self.store.direct else {
            return self.put_taken(lane, space, object, intent).await;
        };
        direct.write(move |c| direct::put_taken(c, space, &object, intent)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        key: &str,
        manner: Manner,
        change: impl for<'c> Fn(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>
        + Send
        + Sync
        + 'static,
    ) -> Result<T, sqlx::Error> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % self.lanes.len() as u64).unwrap_or(0);
        let change: Change = Box::new(move |tx| {
            let done = change(tx);
            Box::pin(async move { Ok(Box::new(done.await?) as Box<dyn Any + Send>) })
        });
        let (reply, replied) = oneshot::channel();
        let asked = Asked { key: key.to_owned(), manner, change, reply };
        self.lanes[lane].send(asked).await.map_err(|_| sqlx::Error::PoolClosed)?;
        let done = replied.await.map_err(|_| sqlx::Error::PoolClosed)??;
        Ok(*done.downcast().expect("the outcome of the same change"))
    }
}

async fn write(store: Store, mut queue: mpsc::Receiver<Asked>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
        batch.sort_by(|a, b| a.key.cmp(&b.key));
        match write_all(&store, &batch).await {
            Ok(outcomes) => tell(&store, batch.drain(..).zip(outcomes.into_iter().map(Ok))),
            // One of them is to blame; the others shall not suffer for it.
            Err(_) => {
                for asked in batch.drain(..) {
                    let outcome = write_all(&store, std::slice::from_ref(&asked)).await;
                    tell(&store, [(asked, outcome.map(|mut outcomes| outcomes.remove(0)))]);
                }
            }
        }
    }
}

/// Tells those who asked; if it is to be durable, when it is. The next batch need not wait for that.
fn tell(store: &Store, written: impl IntoIterator<Item = (Asked, Outcome)>) {
    let (durable, light): (Vec<_>, Vec<_>) =
        written.into_iter().partition(|(asked, outcome)| asked.manner.durable && outcome.is_ok());
    for (asked, outcome) in light {
        // Whoever asked may be gone; it is written all the same.
        let _ = asked.reply.send(outcome);
    }
    if durable.is_empty() {
        return;
    }
    let synced = store.sync();
    tokio::spawn(async move {
        let synced = match synced {
            Some(synced) => synced.wait().await,
            None => Ok(()),
        };
        for (asked, outcome) in durable {
            let told = match &synced {
                Ok(()) => outcome,
                Err(error) => Err(std::io::Error::new(error.kind(), error.to_string()).into()),
            };
            let _ = asked.reply.send(told);
        }
    });
}

async fn write_all(
    store: &Store,
    batch: &[Asked],
) -> Result<Vec<Box<dyn Any + Send>>, sqlx::Error> {
    let durable = batch.iter().any(|asked| asked.manner.durable);
    let pool = store.objects(durable);
    if let [asked] = batch
        && asked.manner.at_once
    {
        let mut connection = pool.acquire().await?;
        return (asked.change)(&mut connection).await.map(|outcome| vec![outcome]);
    }
    let mut tx = store.begin_on(pool).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for asked in batch {
        outcomes.push((asked.change)(&mut tx).await?);
    }
    tx.commit().await?;
    Ok(outcomes)
}
