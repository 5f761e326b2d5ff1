//! Takes parts in, from clients or from other objects, and sends them on as they come, but for their end.

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt as _;

use super::copies::{self, Copy};
use super::find;
use crate::backend::buckets::{ByteRange, Content, Part as Stored};
use crate::model::access::Role;
use crate::model::id::UploadId;
use crate::model::object::Object;
use crate::model::time::Timestamp;
use crate::model::upload::{PART_BYTES_MAX, PART_NUMBER_MAX, Part, Upload, Wanted};
use crate::model::usage::Counted;
use crate::service::Services;
use crate::service::objects::changing::check_source;
use crate::service::objects::fan::{Done, Fan};
use crate::service::objects::intake::{Digests, Given, Intake, Promised};
use crate::service::objects::layout::{Member, Space};
use crate::service::objects::to_end::ToEnd;
use crate::service::objects::writing::{hex, is_md5, note};
use crate::service::objects::{Account, Conditions, ObjectError, Result, Session, reading};
use crate::store::upload_parts::{self, Tags};
use crate::store::uploads;

/// Buckets that have to tell a part's MD5 digest before it is not computed here: one of them may fail
/// when it is too late to compute it.
const TELLERS_MIN: usize = 2;

/// A part that is to be.
pub struct NewPart {
    pub number: u32,
    pub length: u64,
    pub promised: Promised,
}

/// Where a part that is copied comes from.
pub struct SourcePart<'a> {
    pub space: &'a Arc<Space>,
    pub key: &'a str,
    pub conditions: &'a Conditions,
    /// All of it, if nothing is said.
    pub range: Option<ByteRange>,
}

/// Takes a part in, in place of the one that has its number.
pub async fn part(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    (key, id): (&str, UploadId),
    new: NewPart,
    content: Content,
) -> Result<Part> {
    let content = Account::of(services, session).sent(content);
    own_part(services, session, space, (key, id), new, content).await
}

/// Takes a part in whose content no client sends.
async fn own_part(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    (key, id): (&str, UploadId),
    new: NewPart,
    content: Content,
) -> Result<Part> {
    session.require(Role::Write)?;
    let (begun, account) = (Instant::now(), Account::of(services, session));
    let work = {
        let (services, space, account) = (services.clone(), space.clone(), account.clone());
        let key = key.to_owned();
        async move {
            check(new.number, new.length)?;
            let upload = find(&services, &space, &key, id).await?;
            Sending { services, account, space, upload }.send(new, content).await
        }
    };
    // A client that goes away must not stop what has gone out already.
    let done = ToEnd::new(&services.plane.writes, work).await;
    account.request(begun, done, Counted::default())
}

/// Makes a part of what an object holds.
pub async fn copy_part(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    place: (&str, UploadId),
    number: u32,
    source: SourcePart<'_>,
) -> Result<Part> {
    session.require(Role::Write)?;
    let range = |object: &Object| {
        check_source(source.conditions, object)?;
        let size = object.size;
        let range = match source.range {
            None => 0..size,
            // Whoever names bytes that are not there has another object in mind.
            Some(ByteRange::Span(_, last)) if last >= size => {
                return Err(ObjectError::Range { size });
            }
            Some(range) => range.of(size).map_err(|_| ObjectError::Range { size })?,
        };
        check(number, range.end - range.start)?;
        Ok(range)
    };
    let known = reading::current(services, source.space, source.key).await?;
    range(&known.object)?;
    // Better before the source is read than after it.
    find(services, space, place.0, place.1).await?;
    let account = Account::of(services, session);
    let reading = reading::open(services, &account, source.space, source.key, range).await?;
    let length = reading.range.end - reading.range.start;
    let content = reading.body.map(|piece| piece.map_err(std::io::Error::other)).boxed();
    let new = NewPart { number, length, promised: Promised::default() };
    own_part(services, session, space, place, new, content).await
}

fn check(number: u32, length: u64) -> Result<()> {
    if !(1..=PART_NUMBER_MAX).contains(&number) {
        let message = format!("Parts have numbers from 1 to {PART_NUMBER_MAX}.");
        return Err(ObjectError::Invalid(message));
    }
    if length > PART_BYTES_MAX { Err(ObjectError::TooLarge(PART_BYTES_MAX)) } else { Ok(()) }
}

struct Sending {
    services: Arc<Services>,
    account: Account,
    space: Arc<Space>,
    upload: Upload,
}

/// What became of a part in the catalog.
enum Noted {
    Kept,
    Ended,
    Sealed,
    /// No member has this part and all others.
    Nobody,
}

impl Sending {
    async fn send(&self, new: NewPart, content: Content) -> Result<Part> {
        if self.upload.sealed.is_some() {
            return Err(sealed());
        }
        let NewPart { number, length, promised } = new;
        let asked = promised.checksum.is_some() || self.upload.announced.checksum.is_some();
        let promised = agreed(self.upload.announced.checksum, promised)?;
        let going = self.going(number, length).await?;
        let mut intake = Intake::new(content, length, promised, needs_md5(&going));
        let begun = Instant::now();
        let mut next = intake.next().await?;
        // Not before something has come: whoever sends nothing keeps no bucket busy.
        let mut fan = self.open(&going, number, length);
        while let Some(piece) = next {
            if !fan.send(piece).await {
                note(&fan.finish(0).await);
                return Err(nobody());
            }
            next = intake.next().await?;
        }
        let known = intake.finish()?;
        // Of two contents for one number, the one whose end comes last is the part: everywhere.
        let lock = self.services.plane.locks.of(self.space.id, &self.lock_of(number));
        let _lock = lock.lock().await;
        let ended = fan.finish(self.space.min_ack.min(going.len())).await;
        note(&ended);
        for (member, done) in &ended {
            let up = if done.is_ok() { length } else { 0 };
            let counted = Counted { up, ..Counted::default() };
            self.account.exchange(member.bucket.id, begun, done, counted);
        }
        let (etag, tags) = settled(&known, ended).ok_or_else(nobody)?;
        let checksum = asked.then_some(known.checksum);
        let modified_at = Timestamp::now();
        let part = Part { number, size: length, etag, crc64: known.crc64, checksum, modified_at };
        match self.note(&part, tags).await? {
            Noted::Kept => Ok(part),
            Noted::Sealed => Err(sealed()),
            Noted::Nobody => Err(nobody()),
            Noted::Ended => {
                // The part may have come to a bucket after all others were removed from it.
                for copy in &going {
                    let driver = copy.member.driver(&self.services).await;
                    if let Ok(driver) = driver {
                        let _ = driver.abort_multipart(&copy.upload).await;
                    }
                }
                Err(ObjectError::NoSuchUpload)
            }
        }
    }

    /// The members that a part goes to now.
    async fn going(&self, number: u32, length: u64) -> Result<Vec<Copy>> {
        let rows = uploads::copies(self.services.store.read(), self.upload.id).await?;
        let mut too_large = None;
        let mut going = vec![];
        for copy in copies::whole(&self.space, &self.upload.key, &rows) {
            let driver = copy.member.driver(&self.services).await;
            let admitted = driver.and_then(|driver| {
                too_large = too_large.max(Some(driver.limits().part_bytes_max));
                driver.admit_part(number, length)
            });
            if admitted.is_err() {
                copy.member.note(&admitted);
            } else if copy.member.health.admits() {
                going.push(copy);
            }
        }
        match too_large.filter(|most| length > *most) {
            _ if !going.is_empty() => Ok(going),
            Some(most) => Err(ObjectError::TooLarge(most)),
            None => Err(nobody()),
        }
    }

    fn open(&self, going: &[Copy], number: u32, length: u64) -> Fan<Arc<Member>, Stored> {
        let members: Vec<_> = going.iter().map(|copy| copy.member.clone()).collect();
        Fan::open(&members, self.services.plane.tuning.stall, None, |member, content| {
            let upload = going.iter().find(|copy| Arc::ptr_eq(&copy.member, &member));
            let (services, upload) =
                (self.services.clone(), upload.map(|copy| copy.upload.clone()));
            Box::pin(async move {
                let upload = upload.ok_or(crate::backend::buckets::BucketError::NoSuchUpload)?;
                member.driver(&services).await?.upload_part(&upload, number, length, content).await
            })
        })
    }

    /// What keeps a number apart from all others, and from keys, in which there is no NUL.
    fn lock_of(&self, number: u32) -> String {
        format!("\0{}/{number}", self.upload.id)
    }

    /// Writes down a part, and who is lost to the upload for want of it.
    async fn note(&self, part: &Part, tags: Tags) -> Result<Noted> {
        let (id, part) = (self.upload.id, part.clone());
        let lane = self.space.lane(&self.upload.key);
        let noted = self.services.plane.ledger.durably(&lane, move |tx| {
            let (part, tags) = (part.clone(), tags.clone());
            Box::pin(async move {
                match uploads::touch(tx, id, part.modified_at).await? {
                    None => return Ok(Noted::Ended),
                    Some(true) => return Ok(Noted::Sealed),
                    Some(false) => {}
                }
                let rows = uploads::copies(&mut *tx, id).await?;
                let whole = rows.iter().filter(|row| !row.lost);
                let (kept, lost): (Vec<_>, Vec<_>) =
                    whole.partition(|row| tags.contains_key(&row.bucket));
                if kept.is_empty() {
                    return Ok(Noted::Nobody);
                }
                for row in lost {
                    uploads::lose(tx, id, row.bucket).await?;
                }
                upload_parts::put(tx, id, &part, &tags).await.map(|()| Noted::Kept)
            })
        });
        Ok(noted.await?)
    }
}

/// What the client promises of a part, with the digest that it announced of the whole.
fn agreed(announced: Option<Wanted>, promised: Promised) -> Result<Promised> {
    let Some(wanted) = announced else { return Ok(promised) };
    let checksum = match promised.checksum {
        None => (wanted.algorithm, Given::Compute),
        Some((algorithm, given)) if algorithm == wanted.algorithm => (algorithm, given),
        Some(_) => {
            return Err(ObjectError::Invalid(
                "The checksum of the part is of another kind than the upload was begun with."
                    .to_owned(),
            ));
        }
    };
    Ok(Promised { checksum: Some(checksum), ..promised })
}

fn needs_md5(going: &[Copy]) -> bool {
    let tellers = going.iter().filter(|copy| copy.member.tells_md5()).count();
    tellers < going.len().min(TELLERS_MIN)
}

/// The part's ETag, and what those call it that have it; nothing, if nobody has. Whoever tells another
/// digest is not believed to have it, as long as somebody else does: it may as well be that of what a
/// bucket has encrypted.
fn settled(known: &Digests, ended: Vec<(Arc<Member>, Done<Stored>)>) -> Option<(String, Tags)> {
    let taken: Vec<_> =
        ended.into_iter().filter_map(|(member, done)| Some((member, done.ok()?.tag))).collect();
    let told = |(member, tag): &(Arc<Member>, String)| {
        let tells = member.tells_md5() && is_md5(tag);
        tells.then(|| tag.to_ascii_lowercase())
    };
    let etag = known.md5.map(hex).or_else(|| taken.iter().find_map(told))?;
    let doubtful = |taken: &&(Arc<Member>, String)| told(taken).is_some_and(|told| told != etag);
    let named = |(member, tag): &(Arc<Member>, String)| (member.bucket.id, tag.clone());
    let sure: Tags = taken.iter().filter(|taken| !doubtful(taken)).map(named).collect();
    let tags = if sure.is_empty() { taken.iter().map(named).collect() } else { sure };
    (!tags.is_empty()).then_some((etag, tags))
}

fn nobody() -> ObjectError {
    ObjectError::Unavailable(
        "No bucket that has all parts of the upload took this one. Send it again in a moment."
            .to_owned(),
    )
}

fn sealed() -> ObjectError {
    ObjectError::Invalid(
        "The upload is being completed, and takes no parts any more. Complete it again, or abort it."
            .to_owned(),
    )
}
