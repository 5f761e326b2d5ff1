//! Which storage repos hold a bucket or an AI LLM: lists say so, and deletes ask.

use std::collections::HashMap;

use uuid::Uuid;

use crate::model::id::OrgId;
use crate::model::storage_repo::Mention;
use crate::service::{Error, Result};
use crate::store::storage_links::{self as links, Held};
use crate::store::{Store, Tx};

/// Adds the storage repos that hold each of the things, which are in order of their ids.
pub async fn with_holders<T>(
    store: &Store,
    org: OrgId,
    held: Held,
    things: Vec<T>,
    id: impl Fn(&T) -> Uuid,
) -> Result<Vec<(T, Vec<Mention>)>> {
    let (Some(first), Some(last)) = (things.first(), things.last()) else { return Ok(vec![]) };
    let mut holders: HashMap<Uuid, Vec<Mention>> = HashMap::new();
    for (id, mention) in links::holders(store.read(), org, held, (id(first), id(last))).await? {
        holders.entry(id).or_default().push(mention);
    }
    let with = |thing: T| {
        let held_by = holders.remove(&id(&thing)).unwrap_or_default();
        (thing, held_by)
    };
    Ok(things.into_iter().map(with).collect())
}

/// Refuses as long as a storage repo holds the thing, which `what` is the word for.
pub async fn require_free(tx: &mut Tx, org: OrgId, held: Held, id: Uuid, what: &str) -> Result<()> {
    let holders = links::holders(&mut **tx, org, held, (id, id)).await?;
    let Some((_, holder)) = holders.first() else { return Ok(()) };
    Err(Error::Forbidden(format!(
        "The {what} is in use by the storage repo `{}`. Take it out there first.",
        holder.name
    )))
}
