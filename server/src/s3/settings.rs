//! Settings of buckets that S3 has and that are not to be had here: read, they are unset.

use axum::http::StatusCode;
use s3s::dto::*;
use s3s::{S3Response, S3Result};

use super::errors::custom;
use super::operations::{Asked, Gateway};
use crate::model::access::Role;

/// Where a setting is asked for, and what S3 says if it is unset.
pub trait Setting {
    const CODE: &'static str = "";
    fn bucket(&self) -> &str;
}

macro_rules! settings {
    ($($input:ty $(= $code:literal)?;)+) => {$(
        impl Setting for $input {
            $(const CODE: &'static str = $code;)?
            fn bucket(&self) -> &str {
                &self.bucket
            }
        }
    )+};
}

settings! {
    GetBucketVersioningInput;
    GetBucketLoggingInput;
    GetBucketAccelerateConfigurationInput;
    GetBucketNotificationConfigurationInput;
    GetBucketCorsInput = "NoSuchCORSConfiguration";
    GetBucketEncryptionInput = "ServerSideEncryptionConfigurationNotFoundError";
    GetBucketLifecycleConfigurationInput = "NoSuchLifecycleConfiguration";
    GetBucketOwnershipControlsInput = "OwnershipControlsNotFoundError";
    GetBucketPolicyInput = "NoSuchBucketPolicy";
    GetBucketPolicyStatusInput = "NoSuchBucketPolicy";
    GetBucketReplicationInput = "ReplicationConfigurationNotFoundError";
    GetBucketTaggingInput = "NoSuchTagSet";
    GetBucketWebsiteInput = "NoSuchWebsiteConfiguration";
    GetObjectLockConfigurationInput = "ObjectLockConfigurationNotFoundError";
    GetPublicAccessBlockInput = "NoSuchPublicAccessBlockConfiguration";
    GetObjectLegalHoldInput = "NoSuchObjectLockConfiguration";
    GetObjectRetentionInput = "NoSuchObjectLockConfiguration";
}

/// A setting that is empty when unset.
pub async fn none<O: Default>(
    _: &Gateway,
    asked: Asked,
    input: impl Setting,
) -> S3Result<S3Response<O>> {
    asked.space(input.bucket(), Role::Read)?;
    Ok(S3Response::new(O::default()))
}

/// A setting of which it is an error to ask when it is unset.
pub async fn absent<I: Setting, O>(_: &Gateway, asked: Asked, input: I) -> S3Result<S3Response<O>> {
    asked.space(input.bucket(), Role::Read)?;
    Err(custom(I::CODE, StatusCode::NOT_FOUND, "The bucket has no such setting."))
}

pub async fn request_payment(
    _: &Gateway,
    asked: Asked,
    input: GetBucketRequestPaymentInput,
) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
    asked.space(&input.bucket, Role::Read)?;
    let payer = Some(Payer::from_static(Payer::BUCKET_OWNER));
    Ok(S3Response::new(GetBucketRequestPaymentOutput { payer }))
}
