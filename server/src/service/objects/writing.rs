//! Writes objects: a body goes to all members as it comes, but for its end; a small one when it is here.
//! Only when it has turned out good is the key taken, the end let go, and what became of it committed.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::fan::{Done, Fan};
use super::intake::{Digests, Intake, Promised};
use super::layout::{Member, Space};
use super::locks::{self, Aim, Taken};
use super::to_end::ToEnd;
use super::{Account, Conditions, ObjectError, Result, Session, reading, recovering, roll};
use crate::backend::buckets::{Content, Stored};
use crate::model::access::Role;
use crate::model::id::{BucketId, Version};
use crate::model::object::{
    About, Attributes, KEY_BYTES_MAX, METADATA_BYTES_MAX, Object, TAG_NAME_CHARS_MAX,
    TAG_VALUE_CHARS_MAX, TAGS_MAX,
};
use crate::model::time::Timestamp;
use crate::model::usage::Counted;
use crate::service::Services;
use crate::store::debts::{self, Note};
use crate::store::objects::{self, Known};
use crate::store::{intents, uploads};

/// The piece of metadata that says which version a copy is of.
pub const MARK: &str = "repoplane-version";
/// Largest body that is here before anything of it goes out, in bytes.
const SMALL_BYTES_MAX: u64 = 64 * 1024;
/// Largest body that is read although it is refused, in bytes.
const DRAINED_BYTES_MAX: u64 = 1024 * 1024;
/// What is escaped in metadata that goes to a bucket.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// An object that is to be.
pub struct NewObject {
    pub key: String,
    pub length: u64,
    pub attributes: Attributes,
    pub tags: Vec<(String, String)>,
    pub conditions: Conditions,
    pub promised: Promised,
}

pub async fn put(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    new: NewObject,
    content: Content,
) -> Result<Object> {
    let content = Account::of(services, session).sent(content);
    put_own(services, session, space, new, content).await
}

/// Writes an object whose content no client sends.
pub(super) async fn put_own(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    new: NewObject,
    content: Content,
) -> Result<Object> {
    session.require(Role::Write)?;
    let (begun, account) = (Instant::now(), Account::of(services, session));
    let done = checked(services, &account, space, new, content).await;
    account.request(begun, done, Counted::default())
}

async fn checked(
    services: &Arc<Services>,
    account: &Account,
    space: &Arc<Space>,
    new: NewObject,
    content: Content,
) -> Result<Object> {
    let refused = match check(&new.key, &new.attributes, &new.tags) {
        Ok(()) => refuse_early(services, space, &new.key, &new.conditions).await,
        refused => refused,
    };
    if let Err(error) = refused {
        // Whoever is still sending does not listen yet.
        drain(content, new.length).await;
        return Err(error);
    }
    let work = {
        let (services, space, account) = (services.clone(), space.clone(), account.clone());
        async move { write(&services, &account, &space, new, content).await }
    };
    // A client that goes away must not stop what has gone out already.
    ToEnd::new(&services.plane.writes, work).await
}

/// Better before the body than after it; what counts of the conditions is asked again then. Nothing can be
/// said of them while it is not known whether a bucket held the object before.
pub(super) async fn refuse_early(
    services: &Services,
    space: &Space,
    key: &str,
    conditions: &Conditions,
) -> Result<()> {
    if *conditions == Conditions::default() {
        return Ok(());
    }
    match reading::current(services, space, key).await {
        Ok(known) => conditions.check_write(Some(&known.object)),
        Err(ObjectError::NoSuchKey) => conditions.check_write(None),
        Err(error) => Err(error),
    }
}

/// Reads a small body to its end.
async fn drain(mut content: Content, length: u64) {
    while length <= DRAINED_BYTES_MAX && matches!(content.next().await, Some(Ok(_))) {}
}

async fn write(
    services: &Arc<Services>,
    account: &Account,
    space: &Arc<Space>,
    new: NewObject,
    content: Content,
) -> Result<Object> {
    let version = Version::new();
    let NewObject { key, length, attributes, tags, conditions, promised } = new;
    let marked = Arc::new(marked(&attributes, version));
    let members = ready(services, space, &key, length, &marked).await?;
    let with_md5 = !members.iter().any(|member| member.tells_md5());
    let mut intake = Intake::new(content, length, promised, with_md5);
    let begun = Instant::now();
    let mut here = vec![];
    let mut fan = None;
    while let Some(piece) = intake.next().await? {
        if length <= SMALL_BYTES_MAX {
            here.push(piece);
            continue;
        }
        // Not before something has come: whoever sends nothing keeps no bucket busy.
        let begin = || open(services, &members, &key, (length, &marked), None);
        if !fan.get_or_insert_with(begin).send(piece).await {
            if let Some(fan) = fan {
                note(&fan.finish(0).await);
            }
            return Err(nobody());
        }
    }
    let known = intake.finish()?;
    let object = Object {
        key,
        version,
        deleted: false,
        size: length,
        etag: known.md5.map(hex).unwrap_or_default(),
        about: about(attributes, tags, &known),
        modified_at: Timestamp::now(),
    };
    let told = members.len() == space.members.len() && services.plane.ledger.tells_early();
    let aim = Aim { version, object: Some(object.clone()), told };
    let taken = locks::take_to(services, space, &object.key, aim).await?;
    if let Err(error) = conditions.check_write(taken.live()) {
        locks::release(services, space, &taken).await?;
        return Err(error);
    }
    let before = taken.live().map_or(0, |live| live.size);
    let whole = || open(services, &members, &object.key, (length, &marked), Some(&here));
    let ended = fan.unwrap_or_else(whole).finish(space.min_ack.min(members.len())).await;
    for (member, done) in &ended {
        let counted = match done {
            Ok(_) => {
                Counted { up: length, size_change: grown(before, length), ..Default::default() }
            }
            Err(_) => Counted::default(),
        };
        account.exchange(member.bucket.id, begun, done, counted);
    }
    let object = settle(services, space, object, taken, ended).await?;
    account.client(Counted { size_change: grown(before, length), ..Counted::default() });
    Ok(object)
}

/// Commits what became of a write: the version that is now the current one, and who owes it.
pub(super) async fn settle(
    services: &Arc<Services>,
    space: &Arc<Space>,
    mut object: Object,
    mut taken: Taken,
    ended: Vec<(Arc<Member>, Done<Stored>)>,
) -> Result<Object> {
    note(&ended);
    let holds = |(member, done): &(Arc<Member>, Done<Stored>)| {
        done.as_ref().is_ok_and(|stored| agrees(member, &object, stored))
    };
    let holding: Vec<_> =
        ended.iter().filter(|ended| holds(ended)).map(|(member, _)| member.bucket.id).collect();
    if holding.is_empty() {
        // Some may hold it all the same.
        return match roll::resolve(services, space, &taken, Some(object)).await? {
            Some(object) => Ok(object),
            None => Err(nobody()),
        };
    }
    if object.etag.is_empty() {
        object.etag = told(&ended, &object);
    }
    let alike = holding.len() == space.members.len()
        && taken.owing.as_ref().is_some_and(Vec::is_empty)
        && object.about.parts.is_empty();
    if alike && let Some(synced) = taken.synced.take() {
        if let Err(error) = synced.wait().await {
            recovering::leave(services, space, &taken).await;
            return Err(sqlx::Error::from(error).into());
        }
        recovering::tell(services, space, object.clone(), taken);
        return Ok(object);
    }
    if alike {
        let (ledger, lane) = (&services.plane.ledger, space.lane(&object.key));
        if ledger.put_taken(&lane, space.id, object.clone(), taken.version).await? {
            return Ok(object);
        }
    }
    commit(services, space, &object, &taken, &holding).await?;
    if holding.len() < space.min_ack.min(space.written().len()) {
        return Err(ObjectError::Unavailable(format!(
            "Only {} of {} buckets took the object, fewer than the storage repo wants. It is kept; \
             try again.",
            holding.len(),
            ended.len()
        )));
    }
    Ok(object)
}

/// One transaction: the catalog's row, a debt of each member that does not hold it, the intent gone, and
/// the upload, if it came in parts.
pub(super) async fn commit(
    services: &Services,
    space: &Space,
    object: &Object,
    taken: &Taken,
    holding: &[BucketId],
) -> Result<()> {
    let all = space.members.iter().map(|member| member.bucket.id);
    let (clear, owing): (Vec<_>, Vec<_>) = all.partition(|id| holding.contains(id));
    let before = taken.owing.as_deref();
    // Where nothing was, somebody may owe all the same, after a write of which nothing was heard.
    let owed = |id: &BucketId| before.is_none_or(|owing| owing.contains(id));
    let clear: Vec<_> = clear.into_iter().filter(owed).collect();
    let (id, version, object) = (space.id, taken.version, object.clone());
    let state = |known: &Known| (known.object.version, known.object.deleted);
    let was = taken.known.as_ref().map(state);
    let (lane, holding) = (space.lane(&object.key), holding.to_vec());
    let committed = services.plane.ledger.durably(&lane, move |tx| {
        let (object, clear, owing) = (object.clone(), clear.clone(), owing.clone());
        let holding = holding.clone();
        Box::pin(async move {
            let place = (id, object.key.as_str());
            if !intents::release(tx, place, version).await? {
                let now = objects::get(&mut *tx, id, &object.key).await?.map(|now| state(&now));
                if now == Some((object.version, false)) {
                    // Whoever took the key over has done just this.
                    return Ok(true);
                }
                if intents::any(&mut *tx, place).await? || now != was {
                    // What the buckets hold now may be in the way of what somebody else wrote.
                    for bucket in holding {
                        debts::set(tx, place, bucket, Note::Due(object.modified_at)).await?;
                    }
                    return Ok(false);
                }
            }
            objects::put(tx, id, &object).await?;
            for bucket in clear {
                debts::clear(tx, place, bucket).await?;
            }
            for bucket in owing {
                debts::set(tx, place, bucket, Note::Due(object.modified_at)).await?;
            }
            if !object.about.parts.is_empty() {
                let upload = version.uuid().into();
                uploads::complete(tx, upload, &holding, object.modified_at).await?;
            }
            Ok(true)
        })
    });
    // Too slow: somebody else has taken care of the key.
    if committed.await? { Ok(()) } else { Err(ObjectError::Busy) }
}

/// The members that take part in a write now. A key that one of them cannot hold is refused before
/// anything is sent.
pub(super) async fn ready(
    services: &Services,
    space: &Space,
    key: &str,
    length: u64,
    attributes: &Attributes,
) -> Result<Vec<Arc<Member>>> {
    let mut ready = vec![];
    for member in &space.members {
        match member.driver(services).await {
            Ok(driver) => driver
                .admit(&member.key(key), length, attributes)
                .map_err(|error| ObjectError::of_member(&member.bucket.name, error))?,
            unopened => {
                member.note(&unopened);
                continue;
            }
        }
        let writes = space.written().iter().any(|written| Arc::ptr_eq(written, member));
        if writes && member.health.would_admit() {
            ready.push(member.clone());
        }
    }
    let enough = space.min_ack.min(space.written().len());
    if ready.len() >= enough {
        // Only whoever is about to use a bucket may take the turn to try it.
        ready.retain(|member| member.health.admits());
    }
    if ready.len() < enough {
        return Err(ObjectError::Unavailable(
            "Too few buckets of the storage repo answer. Try again in a moment.".to_owned(),
        ));
    }
    Ok(ready)
}

/// Begins to write to members: `whole`, or what is sent then.
fn open(
    services: &Arc<Services>,
    members: &[Arc<Member>],
    key: &str,
    (length, marked): (u64, &Arc<Attributes>),
    whole: Option<&[Bytes]>,
) -> Fan<Arc<Member>, Stored> {
    let stall = services.plane.tuning.stall;
    let write = |member: Arc<Member>, content| -> BoxFuture<'static, Done<Stored>> {
        let (services, marked, key) = (services.clone(), marked.clone(), member.key(key));
        Box::pin(async move {
            member.driver(&services).await?.put(&key, length, &marked, content).await
        })
    };
    match whole {
        Some(content) => Fan::of_whole(members, stall, content, write),
        None => Fan::open(members, stall, services.plane.ahead.room(length), write),
    }
}

/// What goes to a bucket: as it was said, but for what headers cannot carry, and with the mark.
pub(super) fn marked(attributes: &Attributes, version: Version) -> Attributes {
    let kept = |text: &String| utf8_percent_encode(text.trim(), ESCAPED).to_string();
    let header = |text: &Option<String>| text.as_ref().map(kept).filter(|text| !text.is_empty());
    let plain =
        |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b)) && text.trim() == text;
    let metadata = attributes.metadata.iter().map(|(name, value)| {
        (name.clone(), if plain(value) { value.clone() } else { kept(value) })
    });
    let as_is = |text: &Option<String>| match text {
        Some(text) if plain(text) && !text.is_empty() => Some(text.clone()),
        _ => header(text),
    };
    Attributes {
        cache_control: as_is(&attributes.cache_control),
        content_disposition: as_is(&attributes.content_disposition),
        content_encoding: as_is(&attributes.content_encoding),
        content_language: as_is(&attributes.content_language),
        content_type: as_is(&attributes.content_type),
        expires: as_is(&attributes.expires),
        metadata: metadata.chain([(MARK.to_owned(), version.to_string())]).collect(),
    }
}

pub(super) fn grown(before: u64, after: u64) -> i64 {
    let signed = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    signed(after) - signed(before)
}

/// What no storage repo holds, whatever its buckets are.
pub(super) fn check(key: &str, attributes: &Attributes, tags: &[(String, String)]) -> Result<()> {
    if key.len() > KEY_BYTES_MAX {
        let message = format!("The key is longer than {KEY_BYTES_MAX} bytes.");
        return Err(ObjectError::KeyTooLong(message));
    }
    if key.is_empty() || key.contains('\0') {
        return Err(ObjectError::Invalid("A key has at least one byte, and no NUL.".to_owned()));
    }
    let metadata = &attributes.metadata;
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    let room = METADATA_BYTES_MAX - MARK.len() - uuid::fmt::Hyphenated::LENGTH;
    if bytes > room {
        let message = format!("The metadata has {bytes} bytes; at most {room} are kept.");
        return Err(ObjectError::MetadataTooLarge(message));
    }
    if metadata.contains_key(MARK) {
        return Err(ObjectError::Invalid(format!("The metadata {MARK} is the server's own.")));
    }
    check_tags(tags)
}

pub(super) fn check_tags(tags: &[(String, String)]) -> Result<()> {
    let refused = |why: String| Err(ObjectError::Tag(why));
    if tags.len() > TAGS_MAX {
        return refused(format!("an object has at most {TAGS_MAX}"));
    }
    for (position, (name, value)) in tags.iter().enumerate() {
        if name.is_empty() || name.chars().count() > TAG_NAME_CHARS_MAX {
            return refused(format!("a name has 1 to {TAG_NAME_CHARS_MAX} characters"));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
            return refused(format!("a value has at most {TAG_VALUE_CHARS_MAX} characters"));
        }
        if !name.chars().chain(value.chars()).all(is_of_tags) {
            return refused(
                "names and values are of letters, digits, spaces, and + - = . _ : / @".to_owned(),
            );
        }
        if tags[..position].iter().any(|(other, _)| other == name) {
            return refused(format!("the name {name} is there twice"));
        }
    }
    Ok(())
}

/// What S3 allows in tags.
fn is_of_tags(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c)
}

fn about(attributes: Attributes, tags: Vec<(String, String)>, known: &Digests) -> About {
    About {
        attributes,
        checksum: Some(known.checksum.clone()),
        crc64: Some(known.crc64),
        tags,
        ..About::default()
    }
}

/// Whether what a bucket says of a content is what came. Most say nothing.
fn agrees(member: &Member, object: &Object, stored: &Stored) -> bool {
    let known = is_md5(&object.etag) && member.tells_md5() && is_md5(&stored.etag);
    !known || object.etag == stored.etag
}

/// The ETag, as a bucket says it that knows; or one of our own, which says that it is no MD5 digest.
fn told(ended: &[(Arc<Member>, Done<Stored>)], object: &Object) -> String {
    let digests = ended.iter().filter(|(member, _)| member.tells_md5());
    let digests = digests.filter_map(|(_, done)| done.as_ref().ok()).map(|done| &done.etag);
    let mut digests = digests.filter(|etag| is_md5(etag));
    match digests.next() {
        // If they do not agree, nobody knows which is the digest of what came.
        Some(etag) if digests.all(|other| other == etag) => etag.clone(),
        _ => own_etag(object),
    }
}

pub(super) fn own_etag(object: &Object) -> String {
    format!("{:016x}{:016x}-1", object.about.crc64.unwrap_or_default(), object.size)
}

pub(super) fn is_md5(etag: &str) -> bool {
    const MD5_DIGITS: usize = 32;
    etag.len() == MD5_DIGITS && etag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn hex(digest: [u8; 16]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Notes how the members did; why they failed is for whoever runs the server.
pub(super) fn note<T>(ended: &[(Arc<Member>, Done<T>)]) {
    for (member, done) in ended {
        member.note(done);
        if let Err(error) = done {
            let (bucket, name) = (member.bucket.id, &member.bucket.name);
            tracing::info!(%bucket, name, %error, "bucket missed a write");
        }
    }
}

fn nobody() -> ObjectError {
    ObjectError::Unavailable("No bucket took the object. Try again in a moment.".to_owned())
}
