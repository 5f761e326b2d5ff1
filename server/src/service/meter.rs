//! Counts what goes through storage repos: in memory, and every few seconds in the database. A crash
//! loses what was counted since the last flush, of statistics only; nothing is ever counted twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::time::Timestamp;
use crate::model::usage::{
    Counted, DAY, DAYS_KEPT, Grain, MINUTE, MINUTES_KEPT, Metered, Usage, UsageRow,
};
use crate::service::Result;
use crate::store::{Store, sights, usage};

/// Rows that wait in memory at most, while the database is away. What is more is not counted.
const WAITING_MAX: usize = 100_000;
/// How much of what is old goes in one transaction.
const FOLD: Duration = Duration::from_hours(1);

/// The meter of this server.
#[derive(Clone)]
pub struct Meter(Arc<Inner>);

struct Inner {
    store: Store,
    node: String,
    waiting: Mutex<Waiting>,
    /// One flush at a time: whoever has waited for one sees what it has written.
    flushing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    /// By the minute.
    rows: BTreeMap<(Timestamp, Metered), Usage>,
    /// How often there was no room.
    dropped: u64,
}

impl Meter {
    /// `node` is what this server is called in statistics.
    pub fn new(store: Store, node: String) -> Self {
        let (waiting, flushing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { store, node, waiting, flushing }))
    }

    pub fn count(&self, what: &Metered, counted: Counted) {
        self.count_at(Timestamp::now(), what, counted);
    }

    /// Counts what happened at another time.
    pub fn count_at(&self, at: Timestamp, what: &Metered, counted: Counted) {
        self.0.waiting().add((at.floor(MINUTE), *what), &counted.into());
    }

    /// Writes what was counted. Whoever reads the database afterwards sees it.
    pub async fn flush(&self) -> Result<()> {
        let inner = self.0.clone();
        // On its own, because whoever asks may stop waiting in the middle.
        tokio::spawn(async move { inner.flush().await }).await?
    }

    /// Adds up what is old: minutes to days, and days nobody can ask for any more to one row.
    pub async fn roll(&self, now: Timestamp) -> Result<()> {
        let (store, last_day) = (&self.0.store, now.minus(DAYS_KEPT).floor(DAY));
        let whole_days = now.minus(MINUTES_KEPT).floor(DAY);
        fold(store, Grain::Minute, whole_days, |at| at.floor(DAY)).await?;
        fold(store, Grain::Day, last_day, |_| Timestamp::from_micros(0)).await?;
        Ok(sights::forget(store.write_now(), last_day).await?)
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn flush(&self) -> Result<()> {
        let _turn = self.flushing.lock().await;
        let Waiting { rows, dropped } = std::mem::take(&mut *self.waiting());
        if dropped > 0 {
            tracing::warn!(dropped, "no room to count; statistics miss these operations");
        }
        if rows.is_empty() {
            return Ok(());
        }
        let written = async {
            let mut tx = self.store.begin().await?;
            for ((at, what), usage) in &rows {
                let (node, usage) = (self.node.clone(), usage.bounded());
                let row = UsageRow { at: *at, what: *what, node, usage };
                usage::add(&mut tx, Grain::Minute, &row).await?;
            }
            Ok::<_, sqlx::Error>(tx)
        };
        match written.await {
            // If that fails, nobody knows whether it happened. Rather too little than twice.
            Ok(tx) => Ok(tx.commit().await?),
            Err(error) => {
                let mut waiting = self.waiting();
                for (key, usage) in rows {
                    waiting.add(key, &usage);
                }
                Err(error.into())
            }
        }
    }
}

impl Waiting {
    fn add(&mut self, key: (Timestamp, Metered), usage: &Usage) {
        if self.rows.len() < WAITING_MAX || self.rows.contains_key(&key) {
            self.rows.entry(key).or_default().add(usage);
        } else {
            self.dropped += 1;
        }
    }
}

/// Moves rows from before `until` to the days that `day` names. Each row is in one table or the other
/// at any moment, whoever else does the same.
async fn fold(
    store: &Store,
    grain: Grain,
    until: Timestamp,
    day: impl Fn(Timestamp) -> Timestamp,
) -> Result<()> {
    let old = |at: &Timestamp| *at < until;
    while let Some(oldest) = usage::oldest(store.read(), grain).await?.filter(old) {
        let mut tx = store.begin().await?;
        let next = until.min(oldest.plus(FOLD));
        let mut sums = BTreeMap::<_, Usage>::new();
        for row in usage::take(&mut tx, grain, oldest, next).await? {
            sums.entry((day(row.at), row.what, row.node)).or_default().add(&row.usage);
        }
        for ((at, what, node), usage) in sums {
            usage::add(&mut tx, Grain::Day, &UsageRow { at, what, node, usage }).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
