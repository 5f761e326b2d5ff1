//! Lists of objects: the first way to ask for them, the second, and that of versions.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3ErrorCode as Code, S3Response, S3Result};

use super::buckets::{self, of_token};
use super::errors::{refused, render};
use super::objects::{kind, moment};
use super::operations::{Asked, Gateway};
use super::uploads::spelt;
use crate::model::access::Role;
use crate::model::object::{LIST_KEYS_MAX, Object as Known};
use crate::service::objects::listing::{self, ListRequest, Listing};

/// What stays as it is in a key that is said like a URL.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'*');

/// How the client wants to read keys.
#[derive(Clone)]
pub struct Spelling(Option<EncodingType>);

impl Spelling {
    pub fn read(encoding: Option<EncodingType>) -> S3Result<Self> {
        match encoding {
            Some(encoding) if encoding.as_str() != EncodingType::URL => {
                let message = "Invalid Encoding Method specified in Request";
                Err(refused(Code::InvalidArgument, message))
            }
            encoding => Ok(Self(encoding)),
        }
    }

    pub fn encoding(self) -> Option<EncodingType> {
        self.0
    }

    pub fn spell(&self, text: &str) -> String {
        match self.0 {
            Some(_) => utf8_percent_encode(text, KEPT).to_string(),
            None => text.to_owned(),
        }
    }

    pub fn prefixes(&self, prefixes: &[String]) -> Option<CommonPrefixList> {
        let prefix = |prefix: &String| CommonPrefix { prefix: Some(self.spell(prefix)) };
        let all: CommonPrefixList = prefixes.iter().map(prefix).collect();
        (!all.is_empty()).then_some(all)
    }

    fn object(&self, object: &Known, owner: Option<&Owner>) -> Object {
        let class = ObjectStorageClass::from_static(ObjectStorageClass::STANDARD);
        Object {
            checksum_algorithm: algorithms(object),
            checksum_type: checksum_type(object),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            key: Some(self.spell(&object.key)),
            last_modified: Some(moment(object.modified_at)),
            owner: owner.cloned(),
            size: i64::try_from(object.size).ok(),
            storage_class: Some(class),
            ..Object::default()
        }
    }

    fn version(&self, object: &Known, owner: &Owner) -> ObjectVersion {
        let class = ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD);
        ObjectVersion {
            checksum_algorithm: algorithms(object),
            checksum_type: checksum_type(object),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            is_latest: Some(true),
            key: Some(self.spell(&object.key)),
            last_modified: Some(moment(object.modified_at)),
            owner: Some(owner.clone()),
            size: i64::try_from(object.size).ok(),
            storage_class: Some(class),
            version_id: Some("null".to_owned()),
            ..ObjectVersion::default()
        }
    }
}

fn algorithms(object: &Known) -> Option<ChecksumAlgorithmList> {
    let checksum = object.about.checksum.as_ref()?;
    Some(vec![spelt(checksum.algorithm)])
}

fn checksum_type(object: &Known) -> Option<ChecksumType> {
    object.about.checksum.as_ref().map(|checksum| ChecksumType::from_static(kind(checksum)))
}

/// Most keys of the page, as it is and as it is answered.
pub fn limit(max_keys: Option<i32>) -> S3Result<(usize, Option<i32>)> {
    let most = i32::try_from(LIST_KEYS_MAX).unwrap_or(i32::MAX);
    let keys = max_keys.unwrap_or(most).min(most);
    let message = "Argument maxKeys must be an integer between 0 and 2147483647";
    let limit = usize::try_from(keys).map_err(|_| refused(Code::InvalidArgument, message))?;
    Ok((limit, Some(keys)))
}

async fn list(
    gateway: &Gateway,
    asked: &Asked,
    bucket: &str,
    request: ListRequest,
) -> S3Result<Listing> {
    let space = asked.space(bucket, Role::Read)?;
    listing::list(&gateway.services, &asked.session, &space, &request).await.map_err(render)
}

pub async fn first(
    gateway: &Gateway,
    asked: Asked,
    input: ListObjectsInput,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let spelling = Spelling::read(input.encoding_type)?;
    let (limit, max_keys) = limit(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let marker = input.marker.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let request = ListRequest {
        prefix: prefix.clone(),
        delimiter: delimiter.clone(),
        after: Some(marker.clone()).filter(|marker| !marker.is_empty()),
        limit,
    };
    let listing = list(gateway, &asked, &input.bucket, request).await?;
    let owner = asked.owner();
    let objects = listing.objects.iter().map(|object| spelling.object(object, Some(&owner)));
    let next = listing.next.as_ref().filter(|_| delimiter.is_some());
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.spell(&prefix)),
        marker: Some(spelling.spell(&marker)),
        max_keys,
        is_truncated: Some(listing.next.is_some()),
        contents: Some(objects.collect()),
        common_prefixes: spelling.prefixes(&listing.prefixes),
        delimiter: delimiter.map(|delimiter| spelling.spell(&delimiter)),
        next_marker: next.map(|next| spelling.spell(next)),
        encoding_type: spelling.0,
        request_charged: None,
    }))
}

pub async fn second(
    gateway: &Gateway,
    asked: Asked,
    input: ListObjectsV2Input,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let spelling = Spelling::read(input.encoding_type)?;
    let (limit, max_keys) = limit(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let token = input.continuation_token.as_deref().filter(|token| !token.is_empty());
    let after = match token {
        Some(token) => Some(of_token(token)?),
        None => input.start_after.clone().filter(|after| !after.is_empty()),
    };
    let request =
        ListRequest { prefix: prefix.clone(), delimiter: delimiter.clone(), after, limit };
    let listing = list(gateway, &asked, &input.bucket, request).await?;
    let owner = input.fetch_owner.unwrap_or(false).then(|| asked.owner());
    let objects = listing.objects.iter().map(|object| spelling.object(object, owner.as_ref()));
    let count = listing.objects.len() + listing.prefixes.len();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(spelling.spell(&prefix)),
        max_keys,
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(listing.next.is_some()),
        next_continuation_token: listing.next.as_deref().map(buckets::token),
        contents: Some(objects.collect()),
        common_prefixes: spelling.prefixes(&listing.prefixes),
        delimiter: delimiter.map(|delimiter| spelling.spell(&delimiter)),
        start_after: input.start_after.map(|after| spelling.spell(&after)),
        encoding_type: spelling.0,
        request_charged: None,
    }))
}

pub async fn versions(
    gateway: &Gateway,
    asked: Asked,
    input: ListObjectVersionsInput,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let spelling = Spelling::read(input.encoding_type)?;
    let (limit, max_keys) = limit(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let key_marker = input.key_marker.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let request = ListRequest {
        prefix: prefix.clone(),
        delimiter: delimiter.clone(),
        after: Some(key_marker.clone()).filter(|marker| !marker.is_empty()),
        limit,
    };
    let listing = list(gateway, &asked, &input.bucket, request).await?;
    let owner = asked.owner();
    let versions = listing.objects.iter().map(|object| spelling.version(object, &owner));
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: spelling.prefixes(&listing.prefixes),
        delete_markers: None,
        delimiter: delimiter.map(|delimiter| spelling.spell(&delimiter)),
        is_truncated: Some(listing.next.is_some()),
        key_marker: Some(spelling.spell(&key_marker)),
        max_keys,
        name: Some(input.bucket),
        next_key_marker: listing.next.as_deref().map(|next| spelling.spell(next)),
        next_version_id_marker: listing.next.as_ref().map(|_| "null".to_owned()),
        prefix: Some(spelling.spell(&prefix)),
        request_charged: None,
        version_id_marker: input.version_id_marker,
        versions: Some(versions.collect()),
        encoding_type: spelling.0,
    }))
}
