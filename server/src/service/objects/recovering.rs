//! Writes that were acknowledged although the catalog does not know of them: those it is being told of just
//! now, and those whose change a crash or a power cut undid before the server last started, see
//! [`Ledger::put_told`]. Nothing is said of their keys meanwhile. After a crash the buckets are asked.
//!
//! [`Ledger::put_told`]: crate::store::ledger::Ledger::put_told

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::layout::Space;
use super::locks::Taken;
use super::writing::commit;
use super::{ObjectError, Result, roll};
use crate::model::id::{SpaceId, Version};
use crate::model::object::Object;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::store::intents;

#[derive(Default)]
pub struct Unsettled(Mutex<Vec<Write>>);

#[derive(Clone)]
struct Write {
    space: SpaceId,
    key: String,
    version: Version,
    /// Held while the catalog is being told.
    telling: Arc<tokio::sync::Mutex<()>>,
}

impl Unsettled {
    pub fn of(found: Vec<(SpaceId, String, Version)>) -> Self {
        let write = |(space, key, version)| Write { space, key, version, telling: Arc::default() };
        Self(Mutex::new(found.into_iter().map(write).collect()))
    }

    fn all(&self) -> MutexGuard<'_, Vec<Write>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, version: Version) {
        self.all().retain(|other| other.version != version);
    }
}

/// Tells the catalog of an object that all its buckets hold and whose intent is durable. Whoever wrote it
/// need not wait for that, only who asks for its key then.
pub(super) fn tell(services: &Arc<Services>, space: &Arc<Space>, object: Object, taken: Taken) {
    let telling = Arc::<tokio::sync::Mutex<()>>::default();
    let told = telling.clone().try_lock_owned().expect("nobody else knows of it");
    let (key, version) = (taken.key.clone(), taken.version);
    services.plane.unsettled.all().push(Write { space: space.id, key, version, telling });
    let (shared, space) = (services.clone(), space.clone());
    services.plane.writes.spawn(async move {
        match put(&shared, &space, object, &taken).await {
            Ok(()) => shared.plane.unsettled.remove(version),
            Err(error) => {
                tracing::error!(%error, "the catalog does not take what was written");
                leave(&shared, &space, &taken).await;
            }
        }
        drop((told, taken));
    });
}

async fn put(services: &Services, space: &Space, object: Object, taken: &Taken) -> Result<()> {
    let (ledger, lane) = (&services.plane.ledger, space.lane(&taken.key));
    if ledger.put_told(&lane, space.id, object.clone(), taken.version).await? {
        return Ok(());
    }
    let holding: Vec<_> = space.members.iter().map(|member| member.bucket.id).collect();
    commit(services, space, &object, taken, &holding).await
}

/// Leaves it to whoever asks for the key next to find out from the buckets what it holds.
pub(super) async fn leave(services: &Services, space: &Space, taken: &Taken) {
    let (place, now) = ((space.id, taken.key.as_str()), Timestamp::now());
    // If this fails as well, its lease runs out all the same.
    let _ = intents::renew(services.store.write_now(), place, taken.version, now).await;
}

/// Returns once it is known what the keys hold that are `asked` for.
pub(super) async fn settle(
    services: &Services,
    space: &Space,
    asked: impl Fn(&str) -> bool,
) -> Result<()> {
    let (plane, id) = (&services.plane, space.id);
    let is_asked = |write: &&Write| write.space == id && asked(&write.key);
    let found: Vec<_> = plane.unsettled.all().iter().filter(is_asked).cloned().collect();
    for Write { key, version, telling, .. } in found {
        drop(telling.lock().await);
        if !plane.unsettled.all().iter().any(|write| write.version == version) {
            continue;
        }
        let is_open = || intents::holds(services.store.read(), (id, &key), version);
        if is_open().await? {
            let _lock = plane.locks.of(id, &key).lock_owned().await;
            roll::roll(services, id, &key).await?;
            if is_open().await? {
                return Err(ObjectError::Unavailable(
                    "It is not known yet what was written last: the catalog failed, and the buckets that \
                     know do not answer. Try again in a moment."
                        .to_owned(),
                ));
            }
        }
        plane.unsettled.remove(version);
    }
    Ok(())
}
