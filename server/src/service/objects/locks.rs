//! One at a time may change a key: within this process by a lock, among all by an intent. Whoever dies
//! with one leaves it to be rolled forward.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::layout::Space;
use super::{ObjectError, Result, roll};
use crate::model::id::{BucketId, SpaceId, Version};
use crate::model::object::Object;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::store::intents::{self, Intent};
use crate::store::ledger::Synced;
use crate::store::objects::{Known, Owing};

/// How often to look whether another process is done with a key.
const POLL: Duration = Duration::from_millis(25);
/// Locks above which those that nobody holds are cleared away.
const LOCKS_KEPT: usize = 4_096;

type Lock = tokio::sync::Mutex<()>;

#[derive(Default)]
pub struct Locks(Mutex<HashMap<(SpaceId, String), Weak<Lock>>>);

impl Locks {
    pub fn of(&self, space: SpaceId, key: &str) -> Arc<Lock> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.len() > LOCKS_KEPT {
            locks.retain(|_, lock| lock.strong_count() > 0);
        }
        let place = locks.entry((space, key.to_owned())).or_default();
        place.upgrade().unwrap_or_else(|| {
            let lock = Arc::new(Lock::default());
            *place = Arc::downgrade(&lock);
            lock
        })
    }
}

/// A key that is this request's to change.
pub struct Taken {
    pub key: String,
    /// The intent's; whoever writes makes it the object's.
    pub version: Version,
    /// What is there now.
    pub known: Option<Known>,
    /// The buckets that owe something, be there an object or not. Nothing, if nobody has asked.
    pub owing: Option<Vec<BucketId>>,
    /// Whether a client may know it as done already.
    pub told: bool,
    /// Ends when the intent is durable. Nothing, if nobody waits for that.
    pub synced: Option<Synced>,
    /// Nothing, if whoever took it has the lock.
    _lock: Option<OwnedMutexGuard<()>>,
}

impl Taken {
    /// Of an intent that was taken over.
    pub fn over(intent: &Intent, known: Option<Known>) -> Self {
        let owing = known.as_ref().map(|known| known.owing.clone());
        let (key, version, told) = (intent.key.clone(), intent.version, intent.told);
        Self { key, version, known, owing, told, synced: None, _lock: None }
    }

    /// What is there for clients.
    pub fn live(&self) -> Option<&Object> {
        self.known.as_ref().map(|known| &known.object).filter(|object| !object.deleted)
    }
}

/// Takes a key, for something that is known already.
pub async fn take(services: &Services, space: &Space, key: &str) -> Result<Taken> {
    take_to(services, space, key, Aim { version: Version::new(), object: None, told: false }).await
}

/// What is to become of a key.
pub struct Aim {
    pub version: Version,
    pub object: Option<Object>,
    /// Whether all buckets are about to hold it, so that the intent is enough to find it by.
    pub told: bool,
}

pub async fn take_to(
    services: &Services,
    space: &Space,
    key: &str,
    Aim { version, object, told }: Aim,
) -> Result<Taken> {
    let plane = &services.plane;
    let deadline = Instant::now() + plane.tuning.wait;
    let lock = plane.locks.of(space.id, key).lock_owned();
    let lock = tokio::time::timeout_at(deadline, lock).await.map_err(|_| ObjectError::Busy)?;
    let intent = Intent {
        space: space.id,
        key: key.to_owned(),
        version,
        node: plane.node.clone(),
        lease_until: Timestamp::now().plus(intents::LEASE),
        object,
        told,
    };
    loop {
        if let Some((object, owing)) = try_take(services, space, &intent).await? {
            let known = object.map(|object| Known { object, owing: owing.clone() });
            let (key, owing) = (key.to_owned(), Some(owing));
            let mut taken =
                Taken { key, version, known, owing, told: false, synced: None, _lock: Some(lock) };
            taken.synced = if intent.object.is_some() && taken.live().is_some() {
                // A power cut must not leave what comes in its place, and nobody who knows of that.
                match plane.ledger.secure(&space.lane(&taken.key), intent).await {
                    Ok(true) => told.then(Synced::done),
                    // Too slow: somebody else has taken care of the key.
                    Ok(false) => return Err(ObjectError::Busy),
                    Err(error) => {
                        release(services, space, &taken).await?;
                        return Err(error.into());
                    }
                }
            } else if told {
                plane.ledger.sync()
            } else {
                None
            };
            return Ok(taken);
        }
        if Instant::now() >= deadline {
            return Err(ObjectError::Busy);
        }
        if !roll::roll(services, space.id, key).await? {
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Waits until nobody is changing a key, for a while.
pub async fn wait(services: &Services, space: &Space, key: &str) -> Result<()> {
    let plane = &services.plane;
    let deadline = Instant::now() + plane.tuning.wait;
    let lock = plane.locks.of(space.id, key).lock_owned();
    let lock = tokio::time::timeout_at(deadline, lock).await;
    drop(lock.map_err(|_| ObjectError::Busy)?);
    while Instant::now() < deadline && intents::any(services.store.read(), (space.id, key)).await? {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Nothing, if somebody else has the key.
async fn try_take(services: &Services, space: &Space, intent: &Intent) -> Result<Option<Owing>> {
    let lane = space.lane(&intent.key);
    Ok(services.plane.ledger.take(&lane, intent.clone()).await?)
}

/// Keeps a key for as long as this is waited for.
pub async fn keep(services: &Services, space: &Space, taken: &Taken) -> Infallible {
    loop {
        tokio::time::sleep(intents::LEASE / 3).await;
        let place = (space.id, taken.key.as_str());
        let until = Timestamp::now().plus(intents::LEASE);
        let renewed = intents::renew(services.store.write_now(), place, taken.version, until).await;
        if let Err(error) = renewed {
            tracing::warn!(%error, "a key cannot be kept, to be tried again");
        }
    }
}

/// Gives a key back, unchanged.
pub async fn release(services: &Services, space: &Space, taken: &Taken) -> Result<()> {
    let (lane, place) = (space.lane(&taken.key), (space.id, taken.key.as_str()));
    services.plane.ledger.release(&lane, place, taken.version).await?;
    Ok(())
}
