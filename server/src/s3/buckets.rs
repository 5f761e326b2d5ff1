//! Buckets, as S3 knows them: the names that a storage repo's objects are found under.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3ErrorCode as Code, S3Response, S3Result};

use super::errors::{refused, render};
use super::objects::moment;
use super::operations::{Asked, Gateway};
use crate::model::access::Role;
use crate::service::objects::{ObjectError, managed};

/// Most buckets of one page.
const BUCKETS_MAX: i32 = 10_000;
/// The oldest region of S3, whose name it leaves out, and which keeps to an older rule.
const FIRST_REGION: &str = "us-east-1";

pub async fn list(
    gateway: &Gateway,
    asked: Asked,
    input: ListBucketsInput,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let limit = input.max_buckets.unwrap_or(BUCKETS_MAX);
    if !(1..=BUCKETS_MAX).contains(&limit) {
        let message = format!("max-buckets has to be 1 to {BUCKETS_MAX}.");
        return Err(refused(Code::InvalidArgument, message));
    }
    let region = &gateway.services.node.region;
    let after = input.continuation_token.as_deref().map(of_token).transpose()?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let all = asked.session.spaces().map_err(render)?;
    let elsewhere = input.bucket_region.as_ref().is_some_and(|wanted| wanted != region);
    let mut names = all.into_iter().filter(|(name, _)| {
        !elsewhere && name.starts_with(prefix) && after.as_ref().is_none_or(|after| name > after)
    });
    let page: Vec<_> = names.by_ref().take(usize::try_from(limit).unwrap_or_default()).collect();
    let more = names.next().is_some();
    let continuation_token = page.last().filter(|_| more).map(|(name, _)| token(name));
    let bucket = |(name, created_at)| Bucket {
        bucket_region: Some(region.clone()),
        creation_date: Some(moment(created_at)),
        name: Some(name),
    };
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(page.into_iter().map(bucket).collect()),
        continuation_token,
        owner: Some(asked.owner()),
        prefix: input.prefix,
    }))
}

pub async fn head(
    gateway: &Gateway,
    asked: Asked,
    input: HeadBucketInput,
) -> S3Result<S3Response<HeadBucketOutput>> {
    asked.space(&input.bucket, Role::Read)?;
    let bucket_region = Some(gateway.services.node.region.clone());
    Ok(S3Response::new(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() }))
}

pub async fn location(
    gateway: &Gateway,
    asked: Asked,
    input: GetBucketLocationInput,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    asked.space(&input.bucket, Role::Read)?;
    let region = Some(gateway.services.node.region.clone());
    let region = region.filter(|region| region != FIRST_REGION);
    let location_constraint = region.map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub async fn create(
    gateway: &Gateway,
    asked: Asked,
    input: CreateBucketInput,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let made = managed::create(&gateway.services, &asked.session, &input.bucket).await;
    let first = gateway.services.node.region == FIRST_REGION;
    match made {
        // As in S3, only there.
        Err(ObjectError::Exists) if first => {}
        made => made.map_err(render)?,
    }
    let location = Some(format!("/{}", input.bucket));
    Ok(S3Response::new(CreateBucketOutput { location }))
}

pub async fn delete(
    gateway: &Gateway,
    asked: Asked,
    input: DeleteBucketInput,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    managed::delete(&gateway.services, &asked.session, &input.bucket).await.map_err(render)?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

/// Where the next page goes on.
pub fn token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

pub fn of_token(token: &str) -> S3Result<String> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let message = "The continuation token provided is incorrect";
    text.filter(|text| !text.is_empty()).ok_or_else(|| refused(Code::InvalidArgument, message))
}
