//! What is known of an object, in one answer: digests, and the parts it came in.

use s3s::dto::*;
use s3s::{S3ErrorCode as Code, S3Response, S3Result};

use super::conditions;
use super::copies::digest;
use super::errors::{refused, render};
use super::objects::{kind, moment};
use super::operations::{Asked, Gateway, check_version};
use super::signature::length;
use crate::model::access::Role;
use crate::model::object::{Algorithm, Object as Known, PartOf};
use crate::service::objects::reading;

/// Most parts of one page.
const PARTS_MAX: usize = 1_000;
const HEADER: &str = "x-amz-object-attributes";
const ALL: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

pub async fn get(
    gateway: &Gateway,
    asked: Asked,
    input: GetObjectAttributesInput,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    check_version(input.version_id.as_ref())?;
    let space = asked.space(&input.bucket, Role::Read)?;
    let values = asked.said.headers.get_all(HEADER).iter();
    let names: Vec<_> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim))
        .collect();
    if names.is_empty() || names.iter().any(|name| !ALL.contains(name)) {
        let message = format!("{HEADER} has to name some of {}.", ALL.join(", "));
        return Err(refused(Code::InvalidArgument, message));
    }
    let held = conditions::read(&asked.said.headers, "");
    let found = reading::head(&gateway.services, &asked.session, &space, &input.key, &held).await;
    let object = found.map_err(render)?;
    let wants = |name: &str| names.contains(&name);
    let parts_wanted = wants("ObjectParts") && !object.about.parts.is_empty();
    let class = StorageClass::from_static(StorageClass::STANDARD);
    let output = GetObjectAttributesOutput {
        checksum: wants("Checksum").then(|| checksum(&object)).flatten(),
        e_tag: wants("ETag").then(|| ETag::Strong(object.etag.clone())),
        last_modified: Some(moment(object.modified_at)),
        object_parts: parts_wanted.then(|| parts(&asked, &object.about.parts)).transpose()?,
        object_size: wants("ObjectSize").then(|| i64::try_from(object.size).ok()).flatten(),
        storage_class: wants("StorageClass").then_some(class),
        ..GetObjectAttributesOutput::default()
    };
    Ok(S3Response::new(output))
}

fn checksum(object: &Known) -> Option<Checksum> {
    let known = object.about.checksum.as_ref()?;
    let digest = |algorithm| digest(Some(known), algorithm);
    Some(Checksum {
        checksum_crc32: digest(Algorithm::Crc32),
        checksum_crc32c: digest(Algorithm::Crc32c),
        checksum_crc64nvme: digest(Algorithm::Crc64Nvme),
        checksum_sha1: digest(Algorithm::Sha1),
        checksum_sha256: digest(Algorithm::Sha256),
        checksum_type: Some(kind(known).to_owned().into()),
    })
}

fn parts(asked: &Asked, parts: &[PartOf]) -> S3Result<GetObjectAttributesParts> {
    let number = |name: &str| {
        let text = asked.said.get(name);
        let invalid = || refused(Code::InvalidArgument, format!("{name} has to be a number."));
        text.map(|text| length(text).ok_or_else(invalid)).transpose()
    };
    let limit = number("x-amz-max-parts")?.and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(PARTS_MAX).min(PARTS_MAX);
    let after = number("x-amz-part-number-marker")?.unwrap_or_default();
    let rest: Vec<_> = parts.iter().filter(|part| u64::from(part.number) > after).collect();
    let page = &rest[..limit.min(rest.len())];
    let count = |count: usize| i32::try_from(count).ok();
    let shown = |part: &&PartOf| {
        let digest = |algorithm| digest(part.checksum.as_ref(), algorithm);
        ObjectPart {
            checksum_crc32: digest(Algorithm::Crc32),
            checksum_crc32c: digest(Algorithm::Crc32c),
            checksum_crc64nvme: digest(Algorithm::Crc64Nvme),
            checksum_sha1: digest(Algorithm::Sha1),
            checksum_sha256: digest(Algorithm::Sha256),
            part_number: i32::try_from(part.number).ok(),
            size: i64::try_from(part.size).ok(),
        }
    };
    let last = page.last().and_then(|part| i32::try_from(part.number).ok());
    Ok(GetObjectAttributesParts {
        is_truncated: Some(page.len() < rest.len()),
        max_parts: count(limit),
        next_part_number_marker: last,
        part_number_marker: i32::try_from(after).ok(),
        parts: Some(page.iter().map(shown).collect()),
        total_parts_count: count(parts.len()),
    })
}
