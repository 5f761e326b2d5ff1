//! Writes that were acknowledged before the server last started, although the catalog does not know of
//! them: a power cut undid its last change, see [`Ledger::put_taken`]. Until the buckets have been asked,
//! nothing is said of their keys.
//!
//! [`Ledger::put_taken`]: crate::store::ledger::Ledger::put_taken

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::layout::Space;
use super::{ObjectError, Result, roll};
use crate::model::id::{SpaceId, Version};
use crate::service::Services;
use crate::store::intents;

#[derive(Default)]
pub struct Unsettled(Mutex<Vec<(SpaceId, String, Version)>>);

impl Unsettled {
    pub fn of(found: Vec<(SpaceId, String, Version)>) -> Self {
        Self(Mutex::new(found))
    }

    fn all(&self) -> MutexGuard<'_, Vec<(SpaceId, String, Version)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns once it is known what the keys hold that are `asked` for.
pub(super) async fn settle(
    services: &Services,
    space: &Space,
    asked: impl Fn(&str) -> bool,
) -> Result<()> {
    let (plane, id) = (&services.plane, space.id);
    let mut found = plane.unsettled.all().clone();
    found.retain(|(space, key, _)| *space == id && asked(key));
    for unsettled in found {
        let (_, key, version) = &unsettled;
        let is_open = || intents::holds(services.store.read(), (id, key), *version);
        if is_open().await? {
            let _lock = plane.locks.of(id, key).lock_owned().await;
            roll::roll(services, id, key).await?;
            if is_open().await? {
                return Err(ObjectError::Unavailable(
                    "After a crash it is not known yet what was written last: the buckets that know \
                     do not answer. Try again in a moment."
                        .to_owned(),
                ));
            }
        }
        plane.unsettled.all().retain(|other| *other != unsettled);
    }
    Ok(())
}
