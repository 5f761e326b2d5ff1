//! The operations of S3 that there are. This file reads as one list of them; what is not in it is
//! answered `NotImplemented`.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::config::{S3Config, S3ConfigProvider, StaticConfigProvider};
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::errors::{internal, refused, render};
use super::guard::Admitted;
use super::observe::Operation;
use super::said::Said;
use super::{
    acl, attributes, buckets, copies, deletes, listings, objects, settings, tags, upload_lists,
    uploads, verified,
};
use crate::model::access::Role;
use crate::service::Services;
use crate::service::objects::{Session, Space};

pub struct Gateway {
    pub services: Arc<Services>,
}

/// What every operation begins with.
pub struct Asked {
    pub session: Arc<Session>,
    pub said: Said,
}

impl Asked {
    pub fn of<T>(request: &S3Request<T>) -> S3Result<Self> {
        let admitted = request.extensions.get::<Admitted>().ok_or_else(internal)?;
        let said = request.extensions.get::<Said>().cloned().ok_or_else(internal)?;
        let asked = Self { session: admitted.session.clone(), said };
        asked.check_owner("x-amz-expected-bucket-owner")?;
        asked.check_owner("x-amz-source-expected-bucket-owner")?;
        Ok(asked)
    }

    /// The bucket, if the access key opens it this far.
    pub fn space(&self, bucket: &str, needed: Role) -> S3Result<Arc<Space>> {
        self.session.space(bucket, needed).map_err(render)
    }

    /// Who owns everything in a storage repo: the repo.
    pub fn owner(&self) -> Owner {
        let id = self.session.caller.repo.uuid().simple().to_string();
        Owner { display_name: Some(self.session.layout.plan.name.clone()), id: Some(id) }
    }

    fn check_owner(&self, header: &str) -> S3Result<()> {
        match (self.said.get(header), self.owner().id) {
            (Some(expected), Some(owner)) if expected != owner => {
                Err(refused(S3ErrorCode::AccessDenied, "The bucket has another owner."))
            }
            _ => Ok(()),
        }
    }
}

/// There is one version of each object, and it is called null.
pub fn check_version(version: Option<&String>) -> S3Result<()> {
    match version.map(String::as_str) {
        None | Some("null") => Ok(()),
        Some(_) => Err(refused(S3ErrorCode::NoSuchVersion, "The object has no version but null.")),
    }
}

pub fn config() -> Arc<dyn S3ConfigProvider> {
    let mut config = S3Config::default();
    config.xml_max_body_size = usize::try_from(verified::BODY_BYTES_MAX).unwrap_or(usize::MAX);
    Arc::new(StaticConfigProvider::new(Arc::new(config)))
}

/// Lets through whom the guard has admitted, and notes what for. How far an access key opens a bucket
/// is for the service to say.
pub struct Access;

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.extensions_mut().get::<Admitted>().is_none() {
            return Err(S3Error::new(S3ErrorCode::AccessDenied));
        }
        let name = context.s3_op().name().to_owned();
        if let Some(operation) = context.extensions_mut().get::<Operation>() {
            operation.is(name);
        }
        Ok(())
    }
}

/// For where only signatures are checked.
pub struct Nothing;

impl S3 for Nothing {}

macro_rules! operations {
    ($($name:ident: $input:ty => $output:ty = $place:path;)+) => {
        #[async_trait::async_trait]
        impl S3 for Gateway {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                $place(self, Asked::of(&request)?, request.input).await
            })+
        }
    };
}

operations! {
    put_object: PutObjectInput => PutObjectOutput = objects::put;
    get_object: GetObjectInput => GetObjectOutput = objects::get;
    head_object: HeadObjectInput => HeadObjectOutput = objects::head;
    copy_object: CopyObjectInput => CopyObjectOutput = copies::copy;
    delete_object: DeleteObjectInput => DeleteObjectOutput = deletes::one;
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput = deletes::many;
    get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput = attributes::get;
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput = tags::get;
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput = tags::put;
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput = tags::delete;
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput
        = uploads::create;
    upload_part: UploadPartInput => UploadPartOutput = uploads::part;
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput = uploads::copy;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput
        = uploads::complete;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput
        = uploads::abort;
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput
        = upload_lists::uploads;
    list_parts: ListPartsInput => ListPartsOutput = upload_lists::parts;
    list_objects: ListObjectsInput => ListObjectsOutput = listings::first;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output = listings::second;
    list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput = listings::versions;
    list_buckets: ListBucketsInput => ListBucketsOutput = buckets::list;
    head_bucket: HeadBucketInput => HeadBucketOutput = buckets::head;
    create_bucket: CreateBucketInput => CreateBucketOutput = buckets::create;
    delete_bucket: DeleteBucketInput => DeleteBucketOutput = buckets::delete;
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput = buckets::location;
    get_bucket_acl: GetBucketAclInput => GetBucketAclOutput = acl::of_bucket;
    put_bucket_acl: PutBucketAclInput => PutBucketAclOutput = acl::set_of_bucket;
    get_object_acl: GetObjectAclInput => GetObjectAclOutput = acl::of_object;
    put_object_acl: PutObjectAclInput => PutObjectAclOutput = acl::set_of_object;
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput = settings::none;
    get_bucket_logging: GetBucketLoggingInput => GetBucketLoggingOutput = settings::none;
    get_bucket_accelerate_configuration: GetBucketAccelerateConfigurationInput
        => GetBucketAccelerateConfigurationOutput = settings::none;
    get_bucket_notification_configuration: GetBucketNotificationConfigurationInput
        => GetBucketNotificationConfigurationOutput = settings::none;
    get_bucket_request_payment: GetBucketRequestPaymentInput => GetBucketRequestPaymentOutput
        = settings::request_payment;
    get_bucket_cors: GetBucketCorsInput => GetBucketCorsOutput = settings::absent;
    get_bucket_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput
        = settings::absent;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput
        => GetBucketLifecycleConfigurationOutput = settings::absent;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput
        => GetBucketOwnershipControlsOutput = settings::absent;
    get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput = settings::absent;
    get_bucket_policy_status: GetBucketPolicyStatusInput => GetBucketPolicyStatusOutput
        = settings::absent;
    get_bucket_replication: GetBucketReplicationInput => GetBucketReplicationOutput
        = settings::absent;
    get_bucket_tagging: GetBucketTaggingInput => GetBucketTaggingOutput = settings::absent;
    get_bucket_website: GetBucketWebsiteInput => GetBucketWebsiteOutput = settings::absent;
    get_object_lock_configuration: GetObjectLockConfigurationInput
        => GetObjectLockConfigurationOutput = settings::absent;
    get_public_access_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput
        = settings::absent;
    get_object_legal_hold: GetObjectLegalHoldInput => GetObjectLegalHoldOutput
        = settings::absent;
    get_object_retention: GetObjectRetentionInput => GetObjectRetentionOutput = settings::absent;
}
