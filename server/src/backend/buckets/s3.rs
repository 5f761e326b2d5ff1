//! S3, whatever is compatible with it, and GCS by HMAC key. Requests are signed in their URL, so a
//! URL never leaves this module but to the one it is for.

mod multipart;
mod objects;
mod page;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, Request};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use secrecy::ExposeSecret;
use url::Url;

use super::dial::{Answer, Line};
use super::listing::{self, ListedObject, PAGE_KEYS_MAX};
use super::{BucketDriver, BucketError, Target, is_plain};
use crate::backend::egress::{Egress, EgressError};
use crate::model::bucket::{CLOUD_NAME_BYTES_MAX, Place, StorageType};
use page::Page;

/// Where a bucket of S3 is when nobody says.
const S3_REGION: &str = "us-east-1";
const GCS_ENDPOINT: &str = "https://storage.googleapis.com";
/// GCS finds the bucket by itself; its region only has to be signed.
const GCS_REGION: &str = "auto";
/// Domains of the endpoints of AWS.
const AWS_DOMAINS: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"];
/// Longest name of a bucket that can be part of a host name, in bytes.
const HOST_LABEL_BYTES_MAX: usize = 63;
/// Longest name of a region, in bytes.
const REGION_BYTES_MAX: usize = 64;
/// How long a signed request is good for: long enough for clocks that differ.
const SIGNATURE_TTL: Duration = Duration::from_secs(300);

pub struct S3Bucket {
    bucket: Bucket,
    credentials: Credentials,
    storage_type: StorageType,
    line: Line,
}

impl S3Bucket {
    pub async fn open(
        egress: &Egress,
        target: &Target,
        patience: Duration,
    ) -> Result<Self, BucketError> {
        let credentials = credentials(target)?;
        let bucket = bucket(&target.place)?;
        // The bucket's name may be part of the host, so this is the URL to check.
        let checked = egress.check(bucket.base_url().as_str()).await?;
        let storage_type = target.place.storage_type;
        Ok(Self { bucket, credentials, storage_type, line: Line::to(&checked, patience)? })
    }

    async fn send<'a>(
        &self,
        method: Method,
        action: impl S3Action<'a>,
    ) -> Result<Answer, BucketError> {
        self.line.send(Request::new(method, action.sign(SIGNATURE_TTL))).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        max: usize,
    ) -> Result<Page, BucketError> {
        let mut action = self.bucket.list_objects_v2(Some(&self.credentials));
        action.with_max_keys(max.min(PAGE_KEYS_MAX));
        if !prefix.is_empty() {
            action.with_prefix(prefix);
        }
        if let Some(after) = after {
            action.with_start_after(after);
        }
        let answer = self.send(Method::GET, action).await?;
        if !answer.status.is_success() {
            return Err(refusal(&answer));
        }
        let page = Page::parse(&answer.body)?;
        listing::check(prefix, after, &page.objects)?;
        Ok(page)
    }
}

#[async_trait]
impl BucketDriver for S3Bucket {
    async fn head(&self) -> Result<(), BucketError> {
        let head = self.bucket.head_bucket(Some(&self.credentials));
        if self.send(Method::HEAD, head).await?.status.is_success() {
            return Ok(());
        }
        // The answer to a HEAD has no room for a reason; that to a list has.
        self.page("", None, 1).await.map(drop)
    }

    async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        max: usize,
    ) -> Result<Vec<ListedObject>, BucketError> {
        let mut found: Vec<ListedObject> = Vec::new();
        while found.len() < max {
            let after = found.last().map(|object| object.key.as_str()).or(start_after);
            let page = self.page(prefix, after, max - found.len()).await?;
            if page.truncated && page.objects.is_empty() {
                return Err(BucketError::Unexpected("a list that never ends".to_owned()));
            }
            found.extend(page.objects);
            if !page.truncated {
                break;
            }
        }
        found.truncate(max);
        Ok(found)
    }
}

fn credentials(target: &Target) -> Result<Credentials, BucketError> {
    let place = |text: &str| BucketError::Place(text.to_owned());
    let key = target.place.key.as_deref().filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| place("the key is missing; enter an access key id"))?;
    let secret = target.secret.as_ref().map(ExposeSecret::expose_secret);
    let secret = secret.filter(|secret| !secret.is_empty());
    let secret = secret.ok_or_else(|| place("the secret is missing; enter the key's secret"))?;
    if target.place.storage_type == StorageType::Gcs && secret.starts_with("-----BEGIN") {
        return Err(place(
            "the secret is a part of a service account's key; enter the whole JSON file",
        ));
    }
    Ok(Credentials::new(key, secret))
}

fn bucket(place: &Place) -> Result<Bucket, BucketError> {
    let name = place.bucket.as_str();
    if !is_plain(name, CLOUD_NAME_BYTES_MAX) {
        return Err(BucketError::Place("its name takes only a-z A-Z 0-9 . _ -".to_owned()));
    }
    let given = place.region.as_deref().filter(|region| !region.is_empty());
    if given.is_some_and(|region| !is_plain(region, REGION_BYTES_MAX)) {
        return Err(BucketError::Place("its region takes only a-z A-Z 0-9 . _ -".to_owned()));
    }
    let (region, endpoint) = match place.storage_type {
        StorageType::Gcs => (given.unwrap_or(GCS_REGION), GCS_ENDPOINT.to_owned()),
        _ => {
            let region = given.unwrap_or(S3_REGION);
            (region, format!("https://s3.{region}.amazonaws.com"))
        }
    };
    let endpoint = place.endpoint.as_ref().filter(|url| !url.is_empty()).unwrap_or(&endpoint);
    let malformed = |error: &dyn std::fmt::Display| {
        BucketError::Place(format!(
            "its endpoint is not https://HOST: {error}; correct the endpoint"
        ))
    };
    let url = Url::parse(endpoint).map_err(|error| malformed(&error))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BucketError::Refused(EgressError::Credentials));
    }
    let style = style(&url, name);
    Bucket::new(url, style, name.to_owned(), region.to_owned()).map_err(|error| malformed(&error))
}

/// AWS wants the bucket in the host, where the name and its certificate allow it; others rarely have
/// the names for that.
fn style(endpoint: &Url, bucket: &str) -> UrlStyle {
    let host = endpoint.domain().unwrap_or_default();
    let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let aws = AWS_DOMAINS.iter().any(|domain| host.ends_with(domain));
    if aws && bucket.len() <= HOST_LABEL_BYTES_MAX && bucket.bytes().all(label) {
        UrlStyle::VirtualHost
    } else {
        UrlStyle::Path
    }
}

fn refusal(answer: &Answer) -> BucketError {
    let region = answer.header("x-amz-bucket-region");
    BucketError::of_answer(answer.status, None, region, &answer.body)
}

#[cfg(test)]
mod tests;
