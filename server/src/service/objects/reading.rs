//! Reads objects: the catalog says which version is the current one, and a bucket that holds a copy of
//! just that version gives its bytes. When one breaks off, another goes on.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, StreamExt as _, try_unfold};

use super::intake::Crc64;
use super::layout::{Member, Space};
use super::{Account, Conditions, ObjectError, Result, Session, locks, recovering, roll};
use crate::backend::buckets::{Body, BucketError, ByteRange, Fetched};
use crate::model::access::Role;
use crate::model::id::BucketId;
use crate::model::object::Object;
use crate::model::time::Timestamp;
use crate::model::usage::Counted;
use crate::service::Services;
use crate::store::debts::{self, Note};
use crate::store::intents;
use crate::store::objects::{self, Known};

/// Objects up to this size are read and checked before the first byte goes out, in bytes.
const CHECKED_FIRST_MAX: u64 = 256 * 1024;

/// What a client wants of an object.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub range: Option<ByteRange>,
    /// One of the parts that the object came in, by its number.
    pub part: Option<u32>,
    pub conditions: Conditions,
}

/// An object that is being read.
pub struct Reading {
    pub object: Object,
    /// The bytes that `body` brings.
    pub range: Range<u64>,
    pub body: BoxStream<'static, Result<Bytes>>,
}

pub async fn head(
    services: &Services,
    session: &Session,
    space: &Space,
    key: &str,
    conditions: &Conditions,
) -> Result<Object> {
    session.require(Role::Read)?;
    let begun = Instant::now();
    let asked = async {
        let object = current(services, space, key).await?.object;
        conditions.check_read(&object)?;
        Ok(object)
    };
    Account::of(services, session).request(begun, asked.await, Counted::default())
}

pub async fn get(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    key: &str,
    wanted: Wanted,
) -> Result<Reading> {
    session.require(Role::Read)?;
    let (begun, account) = (Instant::now(), Account::of(services, session));
    let asked = open(services, &account, space, key, |object| {
        wanted.conditions.check_read(object)?;
        range(object, &wanted)
    });
    let mut reading = account.request(begun, asked.await, Counted::default())?;
    let count = move |piece: &Result<Bytes>| {
        if let Ok(piece) = piece {
            account.client(Counted { down: piece.len() as u64, ..Counted::default() });
        }
    };
    reading.body = reading.body.inspect(count).boxed();
    Ok(reading)
}

/// The current version, if there is one.
pub(super) async fn current(services: &Services, space: &Space, key: &str) -> Result<Known> {
    // PostgreSQL knows no text with a NUL in it.
    if key.contains('\0') {
        return Err(ObjectError::NoSuchKey);
    }
    recovering::settle(services, space, |other| other == key).await?;
    let mut known = objects::get(services.store.read(), space.id, key).await?;
    if known.is_none() && !space.is_imported() {
        space.until_imported(services).await?;
        known = objects::get(services.store.read(), space.id, key).await?;
    }
    known.filter(|known| !known.object.deleted).ok_or(ObjectError::NoSuchKey)
}

/// Reads of the current version what `range` says. If that is being replaced just now, of the next.
pub(super) async fn open(
    services: &Arc<Services>,
    account: &Account,
    space: &Arc<Space>,
    key: &str,
    range: impl Fn(&Object) -> Result<Range<u64>>,
) -> Result<Reading> {
    let mut known = current(services, space, key).await?;
    loop {
        let (version, wanted) = (known.object.version, range(&known.object)?);
        match read(services, account, space, known, wanted).await {
            Err(ObjectError::Busy) => {
                locks::wait(services, space, key).await?;
                known = current(services, space, key).await?;
                if known.object.version == version {
                    return Err(nobody());
                }
            }
            done => return done,
        }
    }
}

/// The bytes that are wanted of an object.
pub fn range(object: &Object, wanted: &Wanted) -> Result<Range<u64>> {
    let none = || ObjectError::Range { size: object.size };
    if let Some(number) = wanted.part {
        let parts = &object.about.parts;
        if parts.is_empty() && number == 1 {
            return Ok(0..object.size);
        }
        let begin =
            parts.iter().take_while(|part| part.number < number).map(|part| part.size).sum();
        let part = parts
            .iter()
            .find(|part| part.number == number)
            .ok_or(ObjectError::InvalidPart(number))?;
        return Ok(begin..begin + part.size);
    }
    let Some(range) = wanted.range else { return Ok(0..object.size) };
    range.of(object.size).map_err(|_| none())
}

/// Reads a part of a version.
pub(super) async fn read(
    services: &Arc<Services>,
    account: &Account,
    space: &Arc<Space>,
    known: Known,
    range: Range<u64>,
) -> Result<Reading> {
    let object = known.object.clone();
    if range.is_empty() {
        return Ok(Reading { object, range, body: futures::stream::empty().boxed() });
    }
    let mut source = Source::new(services, account, space, known, range.clone());
    source.connect().await?;
    let whole = range == (0..object.size);
    if whole && object.size <= CHECKED_FIRST_MAX {
        let all = source.whole().await?;
        let body = futures::stream::once(async move { Ok(all) }).boxed();
        return Ok(Reading { object, range, body });
    }
    Ok(Reading { object, range, body: source.stream(whole) })
}

/// The copies of one version, one after the other.
struct Source {
    services: Arc<Services>,
    account: Account,
    space: Arc<Space>,
    object: Object,
    /// Those that have not been tried yet; the best one comes last.
    members: Vec<Arc<Member>>,
    now: Option<(Arc<Member>, Body)>,
    left: Range<u64>,
    /// Whether a bucket held something else.
    changed: bool,
}

impl Source {
    fn new(
        services: &Arc<Services>,
        account: &Account,
        space: &Arc<Space>,
        known: Known,
        left: Range<u64>,
    ) -> Self {
        let clean = |member: &&Arc<Member>| !known.owing.contains(&member.bucket.id);
        let mut members: Vec<_> = space.members.iter().filter(clean).rev().cloned().collect();
        // Those that are left alone for now come last, but a last resort they are.
        members.sort_by_key(|member| !member.health.is_paused());
        let (services, space) = (services.clone(), space.clone());
        let account = account.clone();
        let object = known.object;
        Self { services, account, space, object, members, now: None, left, changed: false }
    }

    /// Goes to the next copy that is of this version.
    async fn connect(&mut self) -> Result<()> {
        self.now = None;
        while let Some(member) = self.members.pop() {
            match self.open(&member).await {
                Ok(fetched) => {
                    self.now = Some((member, fetched.body));
                    return Ok(());
                }
                Err(error) => {
                    let bucket = member.bucket.id;
                    tracing::info!(%bucket, %error, "bucket cannot be read from");
                }
            }
        }
        Err(if self.changed { ObjectError::Busy } else { nobody() })
    }

    async fn open(&mut self, member: &Arc<Member>) -> Result<Fetched, BucketError> {
        let whole = self.left == (0..self.object.size);
        let part = (!whole).then(|| ByteRange::Span(self.left.start, self.left.end - 1));
        let key = member.key(&self.object.key);
        let begun = Instant::now();
        let asked = async { member.driver(&self.services).await?.get(&key, part).await };
        let asked = tokio::time::timeout(self.services.plane.tuning.patience, asked).await;
        let asked = asked.unwrap_or(Err(BucketError::TimedOut));
        member.note(&asked);
        self.account.exchange(member.bucket.id, begun, &asked, Counted::default());
        let wrong = match &asked {
            Ok(fetched) => {
                !roll::is_copy(&self.object, &fetched.object) || fetched.range != self.left
            }
            Err(error) => matches!(error, BucketError::NoSuchObject | BucketError::Range),
        };
        if wrong {
            self.changed = true;
            let (bucket, note) = (member.bucket.id, Note::Due(Timestamp::now()));
            doubt(&self.services, &self.space, &self.object, bucket, note).await;
            return Err(BucketError::Unexpected("another version of the object".to_owned()));
        }
        asked
    }

    /// The next piece, from wherever it is to be had.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.left.is_empty() {
            let Some((member, body)) = &mut self.now else {
                self.connect().await?;
                continue;
            };
            match body.next().await {
                Some(Ok(piece)) if piece.len() as u64 <= self.left.end - self.left.start => {
                    let down = piece.len() as u64;
                    self.left.start += down;
                    self.account.bucket(member.bucket.id, Counted { down, ..Counted::default() });
                    return Ok(Some(piece));
                }
                Some(Err(error)) => {
                    tracing::info!(bucket = %member.bucket.id, %error, "a download broke off");
                    member.note::<()>(&Err(error));
                }
                Some(Ok(_)) | None => {
                    tracing::info!(bucket = %member.bucket.id, "a download had another length");
                }
            }
            self.now = None;
        }
        Ok(None)
    }

    /// All of a small object, from a copy whose digest is right.
    async fn whole(mut self) -> Result<Bytes> {
        loop {
            let mut all = BytesMut::new();
            let mut crc = Crc64::new();
            let mut from = vec![];
            while let Some(piece) = self.next().await? {
                crc.update(&piece);
                all.extend_from_slice(&piece);
                let now = self.now.as_ref().map(|(member, _)| member.bucket.id);
                from.extend(now.filter(|id| from.last() != Some(id)));
            }
            if self.object.about.crc64.is_none_or(|known| known == crc.value()) {
                return Ok(all.freeze());
            }
            for bucket in from {
                doubt(&self.services, &self.space, &self.object, bucket, Note::Damaged).await;
            }
            self.left = 0..self.object.size;
            self.connect().await?;
        }
    }

    /// The bytes as they come; if all of them are wanted, the last do not go out before all are known
    /// to be right.
    fn stream(self, whole: bool) -> BoxStream<'static, Result<Bytes>> {
        let crc = self.object.about.crc64.filter(|_| whole).map(|known| (known, Crc64::new()));
        let next = |(mut source, mut crc, mut held): (
            Self,
            Option<(u64, Crc64)>,
            Option<Bytes>,
        )| async move {
            loop {
                let piece = source.next().await?;
                if let (Some((_, crc)), Some(piece)) = (&mut crc, &piece) {
                    crc.update(piece);
                }
                let ended = piece.is_none();
                if ended && crc.as_ref().is_some_and(|(known, crc)| *known != crc.value()) {
                    let from = source.now.take().map(|(member, _)| member.bucket.id);
                    if let Some(bucket) = from {
                        let (space, object) = (&source.space, &source.object);
                        doubt(&source.services, space, object, bucket, Note::Damaged).await;
                    }
                    let message = "The object that came is damaged. Try again.";
                    return Err(ObjectError::Unavailable(message.to_owned()));
                }
                let before = std::mem::replace(&mut held, piece);
                match before {
                    Some(piece) => return Ok(Some((piece, (source, crc, held)))),
                    None if ended => return Ok(None),
                    None => {}
                }
            }
        };
        try_unfold((self, crc, None), next).boxed()
    }
}

/// Says that a bucket does not hold what it should. It is not read from again before it does. False if it
/// is right after all.
pub(super) async fn doubt(
    services: &Services,
    space: &Space,
    object: &Object,
    bucket: BucketId,
    note: Note,
) -> bool {
    let (id, key, version, deleted) =
        (space.id, object.key.clone(), object.version, object.deleted);
    let lane = space.lane(&key);
    let said = services.plane.ledger.durably(&lane, move |tx| {
        let key = key.clone();
        Box::pin(async move {
            // What was read may be old by now, and the bucket right.
            let known = objects::get(&mut *tx, id, &key).await?;
            let same = known.is_some_and(|known| {
                known.object.version == version && known.object.deleted == deleted
            });
            // Or it is ahead: whoever changes the key says who holds what.
            let odd = same && !intents::any(&mut *tx, (id, &key)).await?;
            if odd {
                debts::set(tx, (id, &key), bucket, note).await?;
            }
            Ok(odd)
        })
    });
    match said.await {
        Ok(true) => {
            tracing::warn!(%bucket, space = %id, "bucket does not hold the current version of an object");
            true
        }
        Ok(false) => false,
        Err(error) => {
            tracing::warn!(%error, "a debt could not be noted");
            true
        }
    }
}

fn nobody() -> ObjectError {
    let message = "No bucket that holds the object answers. Try again in a moment.";
    ObjectError::Unavailable(message.to_owned())
}
