//! Holds what a bucket lists against the catalog, page by page: what is missing or another becomes a
//! debt, what nobody knew is taken in. The first survey of a bucket is its import.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use tokio::time::Instant;

use super::Result;
use super::layout::{Member, Space};
use super::reading::doubt;
use super::roll::{self, Sight};
use super::writing::is_md5;
use crate::backend::buckets::{BucketError, ListedObject, Object as Stored};
use crate::model::id::Version;
use crate::model::object::{About, KEY_BYTES_MAX, Object};
use crate::model::storage_job::StorageJob;
use crate::model::storage_repo::Mode;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::store::debts::{self, Note};
use crate::store::objects::{self, Span};
use crate::store::{intents, spaces};

/// Keys that are held against each other at once.
const PAGE: usize = 1_000;
/// Objects of a bucket that are looked at, or read, at the same time.
const LOOKS: usize = 16;

/// Goes on with a survey until it is done, or for as long as `until`.
pub async fn survey(
    services: &Arc<Services>,
    space: &Arc<Space>,
    member: &Arc<Member>,
    job: &mut StorageJob,
    until: Instant,
) -> Result<ControlFlow<()>, BucketError> {
    let survey = Survey { services, space, member, read: job.asked.read };
    loop {
        let page = survey.page(job.cursor.as_deref().unwrap_or_default()).await?;
        job.done += page.looked;
        job.found += page.found;
        job.updated_at = Timestamp::now();
        match page.end {
            Some(cursor) => job.cursor = Some(cursor),
            None => {
                survey.finish().await?;
                return Ok(ControlFlow::Break(()));
            }
        }
        if Instant::now() >= until {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

struct Survey<'a> {
    services: &'a Arc<Services>,
    space: &'a Arc<Space>,
    member: &'a Arc<Member>,
    read: bool,
}

struct Page {
    looked: i64,
    found: i64,
    /// The last key; nothing, if there are no more.
    end: Option<String>,
}

impl Survey<'_> {
    /// Looks at the keys after `after`, as far as one page of each side goes.
    async fn page(&self, after: &str) -> Result<Page, BucketError> {
        // First the catalog: what comes to the bucket after this is not looked for.
        let span = Span { from: after, after: true, until: None, with_deleted: true, limit: PAGE };
        let store = self.services.store.read();
        let rows = objects::list(store, self.space.id, &span).await.map_err(internal)?;
        let listed = self.list(after).await?;
        let ends = [
            rows.last().filter(|_| rows.len() == PAGE).map(|row| row.key.clone()),
            listed.last().filter(|_| listed.len() == PAGE).map(|(key, _)| key.clone()),
        ];
        let end = ends.into_iter().flatten().min();
        let within = |key: &str| end.as_deref().is_none_or(|end| key <= end);
        let mut pairs: BTreeMap<String, (Option<Object>, Option<ListedObject>)> = BTreeMap::new();
        for row in rows.into_iter().filter(|row| within(&row.key)) {
            let pair = pairs.entry(row.key.clone()).or_default();
            pair.0 = Some(row);
        }
        for (key, object) in listed.into_iter().filter(|(key, _)| within(key)) {
            pairs.entry(key).or_default().1 = Some(object);
        }
        let looked = i64::try_from(pairs.len()).unwrap_or(i64::MAX);
        let compared =
            stream::iter(pairs).map(|(key, (row, object))| self.compare(key, row, object));
        let mut compared = compared.buffer_unordered(LOOKS);
        let mut found = 0;
        while let Some(odd) = compared.next().await {
            found += i64::from(odd?);
        }
        Ok(Page { looked, found, end })
    }

    async fn list(&self, after: &str) -> Result<Vec<(String, ListedObject)>, BucketError> {
        let driver = self.member.driver(self.services).await?;
        let prefix = self.member.key("");
        let after = Some(self.member.key(after)).filter(|after| !after.is_empty());
        let listed = driver.list(&prefix, after.as_deref(), PAGE).await;
        self.member.note(&listed);
        let named = listed?.into_iter().filter_map(|object| {
            let key = self.member.stripped(&object.key)?.to_owned();
            Some((key, object))
        });
        Ok(named.collect())
    }

    /// Whether a key was not as it should be.
    async fn compare(
        &self,
        key: String,
        row: Option<Object>,
        listed: Option<ListedObject>,
    ) -> Result<bool, BucketError> {
        match (row, listed) {
            (Some(row), Some(_)) if row.deleted => {
                // Backups keep it for a while, and owe its removal already.
                doubt(self.services, self.space, &row, self.member.bucket.id, Note::IfNone).await;
                Ok(false)
            }
            (Some(row), None) if row.deleted => Ok(false),
            (Some(row), None) => self.missing(row).await,
            (Some(row), Some(listed)) => self.verify(row, listed).await,
            (None, Some(_)) => self.adopt(key).await,
            (None, None) => Ok(false),
        }
    }

    async fn missing(&self, row: Object) -> Result<bool, BucketError> {
        if !self.follows() {
            return Ok(self.owe(&row, Note::Due(Timestamp::now())).await);
        }
        match roll::look(self.services, self.member, &row).await {
            Sight::Absent => self.forget(&row).await,
            Sight::Other(stored) => self.follow(&row, stored).await,
            Sight::Right(_) => Ok(false),
            Sight::Unknown => Err(BucketError::TimedOut),
        }
    }

    /// Whether a bucket's copy is not what it should be.
    async fn verify(&self, row: Object, listed: ListedObject) -> Result<bool, BucketError> {
        let known = listed
            .etag
            .as_ref()
            .is_some_and(|etag| *etag == row.etag || Some(etag) == row.about.native.as_ref());
        if !(known && listed.size == row.size) {
            match roll::look(self.services, self.member, &row).await {
                Sight::Right(_) => {}
                Sight::Other(stored) if self.follows() => {
                    return self.follow(&row, stored).await;
                }
                Sight::Other(_) | Sight::Absent => {
                    return Ok(self.owe(&row, Note::Due(Timestamp::now())).await);
                }
                Sight::Unknown => return Err(BucketError::TimedOut),
            }
        }
        // Two digests that differ, and a mark that says that they should not.
        let digest = listed.etag.as_deref().filter(|etag| self.member.tells_md5() && is_md5(etag));
        let is_odd = !known && digest.is_some() && is_md5(&row.etag);
        if !(self.read || is_odd) || roll::is_sound(self.services, self.member, &row).await? {
            return Ok(false);
        }
        Ok(self.owe(&row, Note::Damaged).await)
    }

    /// Takes in what nobody knew. What bears a mark was ours, and is not wanted any more; unless all of
    /// it is from before, when another storage repo was here.
    async fn adopt(&self, key: String) -> Result<bool, BucketError> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX || key.contains('\0') {
            return Ok(false);
        }
        // Whoever deletes it meanwhile shall not see it come back.
        let _lock = self.services.plane.locks.of(self.space.id, &key).lock_owned().await;
        let driver = self.member.driver(self.services).await?;
        let stored = driver.head_object(&self.member.key(&key)).await;
        self.member.note(&stored);
        let stored = match stored {
            Ok(stored) => stored,
            Err(BucketError::NoSuchObject) => return Ok(false),
            Err(error) => return Err(error),
        };
        if self.member.surveyed_at.is_some() && roll::mark(&stored).is_some() {
            // It may be on its way, or have come after the catalog was read.
            let (store, id) = (self.services.store.read(), self.space.id);
            if intents::any(store, (id, &key)).await.map_err(internal)?
                || objects::get(store, id, &key).await.map_err(internal)?.is_some()
            {
                return Ok(false);
            }
            tracing::warn!(bucket = %self.member.bucket.id, "bucket holds what nobody wants");
            return Ok(true);
        }
        let object = adopted(key, stored);
        let (id, bucket) = (self.space.id, self.member.bucket.id);
        let others: Vec<_> = self.space.members.iter().map(|member| member.bucket.id).collect();
        let lane = self.space.lane(&object.key);
        let adopted = self.services.plane.ledger.durably(&lane, move |tx| {
            let (object, others) = (object.clone(), others.clone());
            Box::pin(async move {
                if !objects::adopt(tx, id, &object).await? {
                    return Ok(false);
                }
                for other in others.into_iter().filter(|other| *other != bucket) {
                    debts::set(tx, (id, &object.key), other, Note::IfNone).await?;
                }
                Ok(true)
            })
        });
        adopted.await.map_err(internal)
    }

    /// Whether the bucket is the truth: nobody else holds a copy.
    fn follows(&self) -> bool {
        self.space.mode == Mode::Normal
    }

    async fn owe(&self, row: &Object, note: Note) -> bool {
        doubt(self.services, self.space, row, self.member.bucket.id, note).await
    }

    async fn follow(&self, row: &Object, stored: Stored) -> Result<bool, BucketError> {
        follow(self.services, self.space, row, Some(stored)).await.map_err(internal)
    }

    async fn forget(&self, row: &Object) -> Result<bool, BucketError> {
        follow(self.services, self.space, row, None).await.map_err(internal)
    }

    async fn finish(&self) -> Result<(), BucketError> {
        let (id, bucket, read) = (self.space.id, self.member.bucket.id, self.read);
        let written = async {
            // Layouts say what has been surveyed, so it is no change of objects alone.
            let mut tx = self.services.store.begin().await?;
            spaces::set_surveyed(&mut tx, id, bucket, Timestamp::now(), read).await?;
            tx.commit().await
        };
        written.await.map_err(internal)
    }
}

/// Makes the catalog say what the only bucket of a space holds, unless it has changed meanwhile. Whether it
/// did not say so before.
pub(super) async fn follow(
    services: &Services,
    space: &Space,
    row: &Object,
    stored: Option<Stored>,
) -> Result<bool, sqlx::Error> {
    let (id, was, key) = (space.id, row.version, row.key.clone());
    let object = stored.map(|stored| adopted(key.clone(), stored));
    let buckets: Vec<_> = space.members.iter().map(|member| member.bucket.id).collect();
    let lane = space.lane(&row.key);
    let followed = services.plane.ledger.durably(&lane, move |tx| {
        let (key, object, buckets) = (key.clone(), object.clone(), buckets.clone());
        Box::pin(async move {
            let known = objects::get(&mut *tx, id, &key).await?;
            let Some(known) = known.filter(|known| known.object.version == was) else {
                return Ok(false);
            };
            for bucket in buckets {
                debts::clear(tx, (id, &key), bucket).await?;
            }
            match object {
                Some(object) => objects::put(tx, id, &object).await?,
                None => {
                    let gone = Object { deleted: true, ..known.object };
                    objects::put(tx, id, &gone).await?;
                    objects::forget(tx, id, &key).await?;
                }
            }
            Ok(true)
        })
    });
    followed.await
}

/// What a bucket holds, as the catalog says it.
fn adopted(key: String, stored: Stored) -> Object {
    let mark = roll::mark(&stored);
    let mut attributes = stored.attributes;
    attributes.metadata.remove(super::writing::MARK);
    // Clients take an ETag without a dash for the MD5 digest of the content.
    let is_plain = is_md5(&stored.etag) || stored.etag.contains('-');
    let etag = if is_plain { stored.etag.clone() } else { format!("{}-1", stored.etag) };
    Object {
        key,
        version: mark.unwrap_or_else(Version::new),
        deleted: false,
        size: stored.size,
        etag,
        about: About { attributes, native: Some(stored.etag), ..About::default() },
        modified_at: Timestamp::now(),
    }
}

fn internal(error: sqlx::Error) -> BucketError {
    tracing::error!(%error, "a survey cannot write");
    BucketError::Unexpected("an error of the database".to_owned())
}
