//! Begins uploads: with every member that takes part, and then in the catalog.

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;

use super::copies::{discard, open};
use super::version;
use crate::model::access::Role;
use crate::model::id::{AccessKeyId, UploadId};
use crate::model::object::{Algorithm, Attributes};
use crate::model::time::Timestamp;
use crate::model::upload::{Announced, UPLOADS_MAX, Upload, Wanted};
use crate::model::usage::Counted;
use crate::service::Services;
use crate::service::objects::layout::{Member, Space};
use crate::service::objects::to_end::ToEnd;
use crate::service::objects::writing::{check, marked, ready};
use crate::service::objects::{Account, ObjectError, Result, Session};
use crate::store::uploads::{self, CopyRow};

/// An object that is to come in parts.
pub struct NewUpload {
    pub key: String,
    pub attributes: Attributes,
    pub tags: Vec<(String, String)>,
    /// The digest of the whole; CRC64NVME, if nothing is said.
    pub checksum: Option<Wanted>,
}

/// Begins an upload. It is there, on this server and every other, when this returns.
pub async fn create(
    services: &Arc<Services>,
    session: &Session,
    space: &Arc<Space>,
    new: NewUpload,
) -> Result<UploadId> {
    session.require(Role::Write)?;
    let (begun, account) = (Instant::now(), Account::of(services, session));
    let work = {
        let (services, space, account) = (services.clone(), space.clone(), account.clone());
        let by = session.caller.key;
        async move { begin(&services, &account, &space, by, new).await }
    };
    // A client that goes away must not leave buckets with uploads that nobody knows of.
    let done = ToEnd::new(&services.plane.writes, work).await;
    account.request(begun, done, Counted::default())
}

async fn begin(
    services: &Services,
    account: &Account,
    space: &Space,
    by: AccessKeyId,
    new: NewUpload,
) -> Result<UploadId> {
    check(&new.key, &new.attributes, &new.tags)?;
    check_wanted(new.checksum)?;
    if uploads::has_many(services.store.read(), space.id, UPLOADS_MAX).await? {
        return Err(ObjectError::Unavailable(format!(
            "The bucket has {UPLOADS_MAX} uploads that are neither completed nor aborted, which is \
             the most. Abort some."
        )));
    }
    let id = UploadId::new();
    let marked = marked(&new.attributes, version(id));
    let members = ready(services, space, &new.key, 0, &marked).await?;
    let opened = members.iter().map(|member| copy(services, account, member, &new.key, &marked));
    let copies: Vec<CopyRow> = join_all(opened).await.into_iter().flatten().collect();
    let upload = Upload {
        id,
        space: space.id,
        key: new.key,
        by,
        announced: Announced { attributes: new.attributes, tags: new.tags, checksum: new.checksum },
        sealed: None,
        changes: 0,
        created_at: Timestamp::now(),
    };
    let noted = if copies.len() < space.min_ack.min(space.written().len()) {
        Err(ObjectError::Unavailable(
            "Too few buckets of the storage repo began the upload. Try again in a moment."
                .to_owned(),
        ))
    } else {
        note(services, space, upload, &copies).await
    };
    if noted.is_err() {
        join_all(copies.iter().map(|row| discard(services, row))).await;
    }
    noted.map(|()| id)
}

/// Which digests of a whole there are.
fn check_wanted(wanted: Option<Wanted>) -> Result<()> {
    use Algorithm::{Crc64Nvme, Sha1, Sha256};
    let why = match wanted {
        Some(Wanted { algorithm: Crc64Nvme, composite: true }) => "CRC64NVME is one of the whole",
        Some(Wanted { algorithm: Sha1 | Sha256, composite: false }) => {
            "SHA-1 and SHA-256 are ones of the parts' digests"
        }
        _ => return Ok(()),
    };
    Err(ObjectError::Invalid(format!("There is no such checksum of an object in parts: {why}.")))
}

async fn copy(
    services: &Services,
    account: &Account,
    member: &Member,
    key: &str,
    marked: &Attributes,
) -> Option<CopyRow> {
    let (begun, bucket) = (Instant::now(), member.bucket.id);
    let opened = open(services, member, key, marked).await;
    member.note(&opened);
    account.exchange(bucket, begun, &opened, Counted::default());
    match opened {
        // What cannot be said in JSON is no upload.
        Ok(upload) => {
            let upload = serde_json::to_string(&upload).ok()?;
            Some(CopyRow { bucket, upload, lost: false })
        }
        Err(error) => {
            tracing::info!(%bucket, name = member.bucket.name, %error, "bucket missed an upload");
            None
        }
    }
}

async fn note(
    services: &Services,
    space: &Space,
    upload: Upload,
    copies: &[CopyRow],
) -> Result<()> {
    let (lane, copies) = (space.lane(&upload.key), copies.to_vec());
    let noted = services.plane.ledger.durably(&lane, move |tx| {
        let (upload, copies) = (upload.clone(), copies.clone());
        Box::pin(async move { uploads::add(tx, &upload, &copies).await })
    });
    Ok(noted.await?)
}
