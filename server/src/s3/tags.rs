//! Tags of objects.

use std::collections::HashSet;

use s3s::dto::*;
use s3s::{S3ErrorCode as Code, S3Response, S3Result};

use super::errors::{refused, render};
use super::operations::{Asked, Gateway, check_version};
use super::signature::pairs;
use crate::model::access::Role;
use crate::service::objects::{Conditions, changing, reading};

/// Tags as a header carries them: like a query.
pub fn of_header(text: Option<&str>) -> S3Result<Vec<(String, String)>> {
    let tags = pairs(text.unwrap_or_default());
    let mut names = HashSet::new();
    if tags.iter().all(|(name, _)| names.insert(name)) {
        return Ok(tags);
    }
    Err(refused(Code::InvalidTag, "Cannot provide multiple Tags with the same key"))
}

pub async fn get(
    gateway: &Gateway,
    asked: Asked,
    input: GetObjectTaggingInput,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    check_version(input.version_id.as_ref())?;
    let space = asked.space(&input.bucket, Role::Read)?;
    let none = Conditions::default();
    let object = reading::head(&gateway.services, &asked.session, &space, &input.key, &none).await;
    let tags = object.map_err(render)?.about.tags;
    let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
    let tag_set = tags.into_iter().map(tag).collect();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
}

pub async fn put(
    gateway: &Gateway,
    asked: Asked,
    input: PutObjectTaggingInput,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    check_version(input.version_id.as_ref())?;
    let malformed = || refused(Code::MalformedXML, "A tag needs a key and a value.");
    let tag = |tag: Tag| Some((tag.key?, tag.value?));
    let tags: Option<Vec<_>> = input.tagging.tag_set.into_iter().map(tag).collect();
    set(gateway, &asked, (&input.bucket, &input.key), tags.ok_or_else(malformed)?).await?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub async fn delete(
    gateway: &Gateway,
    asked: Asked,
    input: DeleteObjectTaggingInput,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    check_version(input.version_id.as_ref())?;
    set(gateway, &asked, (&input.bucket, &input.key), vec![]).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
}

async fn set(
    gateway: &Gateway,
    asked: &Asked,
    (bucket, key): (&str, &str),
    tags: Vec<(String, String)>,
) -> S3Result<()> {
    let space = asked.space(bucket, Role::Write)?;
    let set = changing::set_tags(&gateway.services, &asked.session, &space, key, tags);
    set.await.map_err(render)
}
