//! Reaching buckets: whether one can be used as it is, or as it is about to be.

use std::time::Duration;

use secrecy::SecretString;

use crate::backend::buckets::{BucketError, Target};
use crate::model::access::{Caller, Role};
use crate::model::bucket::{
    Bucket, CREDENTIAL_CHARS_MAX, ENDPOINT_CHARS_MAX, Place, REGION_CHARS_MAX,
};
use crate::model::id::BucketId;
use crate::model::time::Timestamp;
use crate::service::buckets::{BucketChange, require};
use crate::service::stats_sights::note;
use crate::service::text::{self, check_name};
use crate::service::{Error, Result, Services};

/// What this server sees of a bucket.
pub struct Sight {
    pub latency: Option<Duration>,
    pub at: Timestamp,
}

/// Reaches the bucket now, and keeps what came of it.
pub async fn look(services: &Services, caller: &Caller, id: BucketId) -> Result<Sight> {
    let bucket = require(services, caller, id, Role::Read).await?;
    let latency = services.buckets.ping(&target(services, &bucket)?).await;
    if let Err(error) = &latency {
        tracing::info!(bucket = %id, %error, "bucket does not answer");
    }
    let latency = latency.ok();
    let at = note(services, &bucket, latency).await?;
    Ok(Sight { latency, at })
}

/// Whether the bucket could be used if it were changed so; keeps what came of it if it is as it is.
pub async fn validate(
    services: &Services,
    caller: &Caller,
    id: BucketId,
    change: BucketChange,
) -> Result<Duration> {
    let stored = require(services, caller, id, Role::Write).await?;
    let mut tried = stored.clone();
    let secret = apply(&mut tried, change)?;
    let mut target = target(services, &tried)?;
    let as_stored = secret.is_none() && tried.place == stored.place;
    target.secret = secret.or(target.secret);
    let reached = services.buckets.probe(&target).await;
    if as_stored {
        note(services, &stored, reached.as_ref().ok().copied()).await?;
    }
    Ok(reached?)
}

/// Puts what is to change into `bucket`, and hands out the new secret, if there is one.
pub fn apply(bucket: &mut Bucket, change: BucketChange) -> Result<Option<SecretString>> {
    if let Some(name) = change.name {
        check_name(&name)?;
        bucket.name = name;
    }
    let place = &mut bucket.place;
    place.storage_type = change.storage_type.unwrap_or(place.storage_type);
    if let Some(name) = change.bucket {
        place.bucket = name;
    }
    text::change("endpoint", &mut place.endpoint, change.endpoint, ENDPOINT_CHARS_MAX)?;
    text::change("region", &mut place.region, change.region, REGION_CHARS_MAX)?;
    text::change("key", &mut place.key, change.key, CREDENTIAL_CHARS_MAX)?;
    bucket.place = check_place(place.clone())?;
    text::change("projectId", &mut bucket.project, change.project, REGION_CHARS_MAX)?;
    text::change("walletAddress", &mut bucket.wallet, change.wallet, REGION_CHARS_MAX)?;
    text::secret("secret", change.secret, CREDENTIAL_CHARS_MAX)
}

pub fn check_place(place: Place) -> Result<Place> {
    if !place.has_valid_name() {
        let message = "bucket: must have 1 to 222 letters, digits, `.`, `_` or `-`, and begin and \
                       end with a letter or digit";
        return Err(Error::invalid("bucket", message));
    }
    Ok(Place {
        endpoint: text::optional("endpoint", place.endpoint, ENDPOINT_CHARS_MAX)?,
        region: text::optional("region", place.region, REGION_CHARS_MAX)?,
        key: text::optional("key", place.key, CREDENTIAL_CHARS_MAX)?,
        ..place
    })
}

/// Where the bucket is, with its secret opened.
pub fn target(services: &Services, bucket: &Bucket) -> Result<Target> {
    let sealed = bucket.sealed.as_deref();
    let secret = sealed.map(|sealed| services.vault.open(&sealed_for(bucket.id), sealed));
    let (workspace, place) = (bucket.workspace, bucket.place.clone());
    Ok(Target { workspace, place, secret: secret.transpose()? })
}

pub fn sealed_for(id: BucketId) -> String {
    format!("bucket/{id}")
}

/// Whatever keeps the server from a bucket is for the client to mend.
impl From<BucketError> for Error {
    fn from(error: BucketError) -> Self {
        Self::invalid_at(&["body"], error.to_string())
    }
}
