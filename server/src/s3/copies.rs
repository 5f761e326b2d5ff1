//! Copies of objects within a storage repo.

use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, ETag};
use s3s::{S3Error, S3ErrorCode as Code, S3Response, S3Result};

use super::errors::{refused, render};
use super::objects::{kind, moment};
use super::operations::{Asked, Gateway, check_version};
use super::said::{Said, algorithm};
use super::signature::decoded;
use super::{conditions, tags};
use crate::model::access::Role;
use crate::model::object::{Algorithm, Checksum};
use crate::service::objects::changing::{self, CopyObject};

/// What a copy is made from.
pub struct Source {
    pub bucket: String,
    pub key: String,
}

impl Source {
    pub fn read(said: &Said) -> S3Result<Self> {
        let invalid = || {
            let message = "Copy Source must mention the source bucket and key: \
                           sourcebucket/sourcekey";
            refused(Code::InvalidArgument, message)
        };
        let text = said.get("x-amz-copy-source").ok_or_else(invalid)?;
        let (path, version) = match text.split_once("?versionId=") {
            Some((path, version)) => (path, Some(decoded(version).ok_or_else(invalid)?)),
            None => (text, None),
        };
        check_version(version.as_ref())?;
        let path = decoded(path).ok_or_else(invalid)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').ok_or_else(invalid)?;
        if bucket.is_empty() || key.is_empty() {
            return Err(invalid());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

pub async fn copy(
    gateway: &Gateway,
    asked: Asked,
    input: CopyObjectInput,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let said = &asked.said;
    let source = Source::read(said)?;
    let to = asked.space(&input.bucket, Role::Write)?;
    let from = asked.space(&source.bucket, Role::Read)?;
    let attributes = replaced(said, "x-amz-metadata-directive")?.then(|| said.attributes());
    let tags = replaced(said, "x-amz-tagging-directive")?
        .then(|| tags::of_header(said.get("x-amz-tagging")))
        .transpose()?;
    let wanted = CopyObject {
        key: input.key,
        conditions: conditions::of_write(&said.headers)?,
        attributes,
        tags,
        checksum: said.get("x-amz-checksum-algorithm").map(algorithm).transpose()?,
    };
    let held = conditions::of_source(&said.headers)?;
    let from = (&from, source.key.as_str(), &held);
    let copied = changing::copy(&gateway.services, &asked.session, from, &to, wanted).await;
    let object = copied.map_err(render)?;
    let digest = |algorithm| digest(object.about.checksum.as_ref(), algorithm);
    let result = CopyObjectResult {
        checksum_crc32: digest(Algorithm::Crc32),
        checksum_crc32c: digest(Algorithm::Crc32c),
        checksum_crc64nvme: digest(Algorithm::Crc64Nvme),
        checksum_sha1: digest(Algorithm::Sha1),
        checksum_sha256: digest(Algorithm::Sha256),
        checksum_type: object
            .about
            .checksum
            .as_ref()
            .map(|checksum| kind(checksum).to_owned().into()),
        e_tag: Some(ETag::Strong(object.etag)),
        last_modified: Some(moment(object.modified_at)),
    };
    let output =
        CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() };
    Ok(S3Response::new(output))
}

/// The digest, if it is of this kind.
pub fn digest(checksum: Option<&Checksum>, algorithm: Algorithm) -> Option<String> {
    let checksum = checksum.filter(|checksum| checksum.algorithm == algorithm);
    checksum.map(|checksum| checksum.value.clone())
}

fn replaced(said: &Said, directive: &str) -> Result<bool, S3Error> {
    match said.get(directive) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => {
            let message = format!("{directive} has to be COPY or REPLACE.");
            Err(refused(Code::InvalidArgument, message))
        }
    }
}
