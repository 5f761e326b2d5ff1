//! Makes objects of objects: copies them, and changes what is said about them.

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt as _;

use super::intake::{Given, Promised};
use super::layout::Space;
use super::locks;
use super::to_end::ToEnd;
use super::writing::{NewObject, check_tags, put_own};
use super::{Account, Conditions, ObjectError, Result, Session, reading};
use crate::model::access::Role;
use crate::model::object::{Algorithm, Attributes, Object};
use crate::model::usage::Counted;
use crate::service::Services;
use crate::store::{intents, objects};

/// What a copy is to be.
pub struct CopyObject {
    pub key: String,
    pub conditions: Conditions,
    /// Instead of what is said about the source.
    pub attributes: Option<Attributes>,
    pub tags: Option<Vec<(String, String)>>,
    /// Instead of the kind of digest that the source has.
    pub checksum: Option<Algorithm>,
}

pub async fn copy(
    services: &Arc<Services>,
    session: &Session,
    (from, key, conditions): (&Arc<Space>, &str, &Conditions),
    to: &Arc<Space>,
    wanted: CopyObject,
) -> Result<Object> {
    session.require(Role::Write)?;
    let same = from.id == to.id && key == wanted.key;
    let changes = wanted.attributes.is_some() || wanted.tags.is_some() || wanted.checksum.is_some();
    let account = Account::of(services, session);
    let reading = reading::open(services, &account, from, key, |object| {
        check_source(conditions, object)?;
        if same && !changes {
            return Err(ObjectError::Invalid(
                "A copy onto itself has to change what is said about the object.".to_owned(),
            ));
        }
        Ok(0..object.size)
    });
    let reading = reading.await?;
    let source = reading.object;
    let kind = source.about.checksum.as_ref().map(|checksum| checksum.algorithm);
    let new = NewObject {
        key: wanted.key,
        length: source.size,
        attributes: wanted.attributes.unwrap_or(source.about.attributes),
        tags: wanted.tags.unwrap_or(source.about.tags),
        conditions: wanted.conditions,
        promised: Promised {
            md5: None,
            checksum: wanted.checksum.or(kind).map(|algorithm| (algorithm, Given::Compute)),
        },
    };
    let content = reading.body.map(|piece| piece.map_err(std::io::Error::other)).boxed();
    put_own(services, session, to, new, content).await
}

/// Whoever copies has nothing that could be up to date.
pub(super) fn check_source(conditions: &Conditions, object: &Object) -> Result<()> {
    conditions.check_read(object).map_err(|error| match error {
        ObjectError::NotModified(_) => {
            ObjectError::PreconditionFailed("x-amz-copy-source-if-none-match")
        }
        other => other,
    })
}

/// Replaces an object's tags. The object stays what it is, version and all.
pub async fn set_tags(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    key: &str,
    tags: Vec<(String, String)>,
) -> Result<()> {
    session.require(Role::Write)?;
    let begun = Instant::now();
    let work = {
        let (services, space, key) = (services.clone(), space.clone(), key.to_owned());
        // A client that goes away must not leave the key taken.
        async move { set(&services, &space, &key, tags).await }
    };
    let done = ToEnd::new(&services.plane.writes, work).await;
    Account::of(services, session).request(begun, done, Counted::default())
}

async fn set(
    services: &Services,
    space: &Space,
    key: &str,
    tags: Vec<(String, String)>,
) -> Result<()> {
    check_tags(&tags)?;
    reading::current(services, space, key).await?;
    let taken = locks::take(services, space, key).await?;
    let Some(mut object) = taken.live().cloned() else {
        locks::release(services, space, &taken).await?;
        return Err(ObjectError::NoSuchKey);
    };
    object.about.tags = tags;
    let (id, intent, lane) = (space.id, taken.version, space.lane(key));
    let written = services.plane.ledger.durably(&lane, move |tx| {
        let object = object.clone();
        Box::pin(async move {
            if !intents::release(tx, (id, &object.key), intent).await? {
                return Ok(false);
            }
            objects::put(tx, id, &object).await.map(|()| true)
        })
    });
    if written.await? { Ok(()) } else { Err(ObjectError::Busy) }
}
