//! Completes uploads: the key is taken, all members that have all parts make an object of them at once,
//! and what became of it is committed as of any other write.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::copies::{self, Copy};
use super::ending::clear_later;
use super::whole::{self, Whole};
use super::{find, version};
use crate::backend::buckets::{BucketError, Part as Stored, Stored as Made};
use crate::model::access::Role;
use crate::model::id::UploadId;
use crate::model::object::{About, Object};
use crate::model::time::Timestamp;
use crate::model::upload::{PART_NUMBER_MAX, Part, Upload};
use crate::model::usage::Counted;
use crate::service::Services;
use crate::service::objects::fan::Done;
use crate::service::objects::layout::{Member, Space};
use crate::service::objects::locks::{self, Taken};
use crate::service::objects::to_end::ToEnd;
use crate::service::objects::writing::{grown, refuse_early, settle};
use crate::service::objects::{Account, Conditions, ObjectError, Result, Session, reading};
use crate::store::upload_parts::{self, Tags};
use crate::store::uploads::{self, CopyRow};

/// What members made of an upload.
type Ended = Vec<(Arc<Member>, Done<Made>)>;

/// What an upload is to become.
pub struct Completion {
    pub parts: Vec<Named>,
    pub conditions: Conditions,
    /// What the client has for the digest of the whole.
    pub checksum: Option<String>,
    /// Whether the client takes it for one of the parts' digests.
    pub composite: Option<bool>,
    /// What the client has for the size of the whole, in bytes.
    pub size: Option<u64>,
}

/// A part, as a client names it.
pub struct Named {
    pub number: u32,
    /// Without quotes.
    pub etag: String,
    pub checksum: Option<String>,
}

/// Makes an object of parts. Whoever asks once more for what is done hears the same.
pub async fn complete(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    (key, id): (&str, UploadId),
    asked: Completion,
) -> Result<Object> {
    session.require(Role::Write)?;
    let (begun, account) = (Instant::now(), Account::of(services, session));
    let work = {
        let (services, space, account) = (services.clone(), space.clone(), account.clone());
        let key = key.to_owned();
        async move { finish(&services, &account, &space, (&key, id), asked).await }
    };
    let done = ToEnd::new(&services.plane.writes, work).await;
    account.request(begun, done, Counted::default())
}

async fn finish(
    services: &Arc<Services>,
    account: &Account,
    space: &Arc<Space>,
    (key, id): (&str, UploadId),
    asked: Completion,
) -> Result<Object> {
    check_order(&asked.parts)?;
    let upload = match find(services, space, key, id).await {
        Err(ObjectError::NoSuchUpload) => return again(services, space, (key, id), &asked).await,
        found => found?,
    };
    let all = usize::try_from(PART_NUMBER_MAX).unwrap_or(usize::MAX);
    let came = upload_parts::list(services.store.read(), id, 0, all).await?;
    let (parts, tags) = match named(&asked.parts, came) {
        Ok(named) => named,
        // Parts go when their upload ends, and that may be just now.
        Err(error) => {
            return match find(services, space, key, id).await {
                Err(ObjectError::NoSuchUpload) => again(services, space, (key, id), &asked).await,
                _ => Err(error),
            };
        }
    };
    let object = object(&upload, &asked, &parts)?;
    let early = refuse_early(services, space, key, &asked.conditions).await;
    // Whatever else it says may be of this very object, and is asked again.
    if let Err(error @ ObjectError::Importing) = early {
        return Err(error);
    }
    let aim = locks::Aim { version: version(id), object: Some(object.clone()), told: false };
    let taken = locks::take_to(services, space, key, aim).await?;
    let sealed = match asked.conditions.check_write(taken.live()) {
        Ok(()) => seal(services, space, &upload, &object.etag).await?,
        Err(error) => {
            locks::release(services, space, &taken).await?;
            // The object that is in the way may be the very one.
            return again(services, space, (key, id), &asked).await.map_err(|_| error);
        }
    };
    let rows = match sealed {
        Sealed::Now(rows) => rows,
        not => {
            locks::release(services, space, &taken).await?;
            return match not {
                Sealed::Otherwise => Err(otherwise()),
                Sealed::Changed => Err(ObjectError::Busy),
                _ => again(services, space, (key, id), &asked).await,
            };
        }
    };
    let copies = copies::whole(space, key, &rows);
    let before = taken.live().map_or(0, |live| live.size);
    let begun = Instant::now();
    let parts: Vec<_> = parts.iter().map(|part| part.number).zip(tags).collect();
    let ended = tokio::select! {
        ended = make(services, space, copies, &parts) => ended,
        never = locks::keep(services, space, &taken) => match never {},
    };
    let done = conclude(services, account, space, (object, before), taken, (begun, ended)).await;
    clear_later(services, id);
    done
}

/// Settles what the members made of an upload, and counts it.
async fn conclude(
    services: &Arc<Services>,
    account: &Account,
    space: &Arc<Space>,
    (object, before): (Object, u64),
    taken: Taken,
    (begun, ended): (Instant, Ended),
) -> Result<Object> {
    let size_change = grown(before, object.size);
    let counted = Counted { size_change, ..Counted::default() };
    for (member, done) in &ended {
        let counted = if done.is_ok() { counted } else { Counted::default() };
        account.exchange(member.bucket.id, begun, done, counted);
    }
    let gone = |(_, done): &(_, Done<Made>)| matches!(done, Err(BucketError::NoSuchUpload));
    let all_gone = ended.iter().all(gone);
    let settled =
        settle(services, space, object, taken, ended).await.map_err(|error| match error {
            // Trying again would not help.
            ObjectError::Unavailable(_) if all_gone => ObjectError::NoSuchUpload,
            other => other,
        })?;
    account.client(counted);
    Ok(settled)
}

fn check_order(parts: &[Named]) -> Result<()> {
    if parts.is_empty() {
        return Err(ObjectError::Invalid("An object has at least one part.".to_owned()));
    }
    let ascending = parts.is_sorted_by(|a, b| a.number < b.number);
    if ascending { Ok(()) } else { Err(ObjectError::PartOrder) }
}

/// Those of the parts that came which the client names.
fn named(wanted: &[Named], came: Vec<(Part, Tags)>) -> Result<(Vec<Part>, Vec<Tags>)> {
    let mut came: HashMap<u32, _> =
        came.into_iter().map(|(part, tags)| (part.number, (part, tags))).collect();
    let found = wanted.iter().map(|named| {
        let is_meant = |(part, _): &(Part, Tags)| {
            let known = part.checksum.as_ref().map(|checksum| &checksum.value);
            let same = named.checksum.is_none() || named.checksum.as_ref() == known;
            same && part.etag == named.etag
        };
        let found = came.remove(&named.number).filter(is_meant);
        found.ok_or(ObjectError::InvalidPart(named.number))
    });
    found.collect()
}

/// The object that an upload is to become, if that is what the client has in mind.
fn object(upload: &Upload, asked: &Completion, parts: &[Part]) -> Result<Object> {
    let whole = Whole::of(upload.announced.checksum, parts)?;
    if let Some(size) = asked.size.filter(|size| *size != whole.size) {
        let message = format!("The parts have {} bytes together, not {size}.", whole.size);
        return Err(ObjectError::Invalid(message));
    }
    if let Some(said) = &asked.checksum {
        // Clients leave out the number of parts, or do not.
        let known = whole.checksum.value.split('-').next();
        if *said != whole.checksum.value && Some(said.as_str()) != known {
            return Err(ObjectError::BadDigest("checksum"));
        }
    }
    if asked.composite.is_some_and(|composite| composite != whole.checksum.composite) {
        return Err(ObjectError::BadDigest("checksum type"));
    }
    Ok(Object {
        key: upload.key.clone(),
        version: version(upload.id),
        deleted: false,
        size: whole.size,
        etag: whole.etag,
        about: About {
            attributes: upload.announced.attributes.clone(),
            checksum: Some(whole.checksum),
            crc64: Some(whole.crc64),
            parts: whole.parts,
            tags: upload.announced.tags.clone(),
            native: None,
        },
        modified_at: Timestamp::now(),
    })
}

enum Sealed {
    /// With what the buckets know it by.
    Now(Vec<CopyRow>),
    Ended,
    /// It is to become something else.
    Otherwise,
    /// Parts have come since they were read.
    Changed,
}

/// Says what an upload becomes, before any bucket is told to make it: it can become nothing else then,
/// whatever is heard of those buckets.
async fn seal(services: &Services, space: &Space, upload: &Upload, etag: &str) -> Result<Sealed> {
    let (id, changes, etag) = (upload.id, upload.changes, etag.to_owned());
    let lane = space.lane(&upload.key);
    let sealed = services.plane.ledger.durably(&lane, move |tx| {
        let etag = etag.clone();
        Box::pin(async move {
            if uploads::seal(tx, id, &etag, changes).await? {
                return uploads::copies(&mut *tx, id).await.map(Sealed::Now);
            }
            Ok(match uploads::get(&mut *tx, id).await? {
                None => Sealed::Ended,
                Some(upload) if upload.sealed.is_some() => Sealed::Otherwise,
                Some(_) => Sealed::Changed,
            })
        })
    });
    Ok(sealed.await?)
}

/// Has members make an object of the parts. Once enough have, the others have little time left.
async fn make(
    services: &Services,
    space: &Space,
    copies: Vec<Copy>,
    parts: &[(u32, Tags)],
) -> Ended {
    let (well, ill): (Vec<_>, Vec<_>) =
        copies.into_iter().partition(|copy| copy.member.health.admits());
    // Those that are left alone for now are a last resort.
    let mut waiting = if well.is_empty() { ill } else { well };
    let mut running: FuturesUnordered<_> = waiting
        .iter()
        .cloned()
        .map(|copy| async move {
            let done = make_one(services, &copy, parts).await;
            (copy.member, done)
        })
        .collect();
    let mut ended = vec![];
    let mut good = 0;
    while !running.is_empty() {
        let enough = good >= space.min_ack;
        let patience =
            if enough { services.plane.tuning.patience } else { std::time::Duration::MAX };
        let next = tokio::time::timeout(patience, running.next()).await;
        let Ok(Some((member, done))) = next else { break };
        waiting.retain(|copy| !Arc::ptr_eq(&copy.member, &member));
        good += usize::from(done.is_ok());
        ended.push((member, done));
    }
    let late = waiting.into_iter().map(|copy| (copy.member, Err(BucketError::TimedOut)));
    ended.extend(late);
    ended
}

async fn make_one(services: &Services, copy: &Copy, parts: &[(u32, Tags)]) -> Done<Made> {
    let bucket = copy.member.bucket.id;
    let part = |(number, tags): &(u32, Tags)| {
        let tag = tags.get(&bucket).cloned().ok_or(BucketError::NoSuchUpload)?;
        Ok(Stored { number: *number, tag })
    };
    let parts = parts.iter().map(part).collect::<Result<Vec<_>, BucketError>>()?;
    copy.member.driver(services).await?.complete_multipart(&copy.upload, &parts).await
}

/// Of an upload that there is not: the object, if it has just become the one that it should.
async fn again(
    services: &Services,
    space: &Space,
    (key, id): (&str, UploadId),
    asked: &Completion,
) -> Result<Object> {
    let known = reading::current(services, space, key).await.map_err(|error| match error {
        ObjectError::NoSuchKey | ObjectError::Importing => ObjectError::NoSuchUpload,
        other => other,
    })?;
    let etag = whole::etag(asked.parts.iter().map(|part| part.etag.as_str()));
    if known.object.version != version(id) || etag.as_ref() != Some(&known.object.etag) {
        return Err(ObjectError::NoSuchUpload);
    }
    let owing = |member: &&Arc<Member>| known.owing.contains(&member.bucket.id);
    let holding = space.members.len() - space.members.iter().filter(owing).count();
    if holding < space.min_ack.min(space.written().len()) {
        return Err(ObjectError::Unavailable(format!(
            "Only {holding} buckets hold the object yet, fewer than the storage repo wants. It is \
             kept; try again."
        )));
    }
    Ok(known.object)
}

fn otherwise() -> ObjectError {
    ObjectError::Invalid(
        "The upload is being completed with other parts. Name the same ones again, or abort it."
            .to_owned(),
    )
}
