//! Objects that come in parts, in the words of S3.

use axum::http::HeaderMap;
use axum::http::header::ETAG;
use s3s::dto::*;
use s3s::{S3ErrorCode as Code, S3Response, S3Result};

use super::copies::{Source, digest};
use super::errors::{refused, render};
use super::objects::{insert, insert_checksum, kind, moment, quoted};
use super::operations::{Asked, Gateway};
use super::said::{CHECKSUMS, Said, algorithm};
use super::signature::length;
use super::{conditions, content, tags};
use crate::model::access::Role;
use crate::model::id::UploadId;
use crate::model::object::{Algorithm, Checksum};
use crate::model::upload;
use crate::service::objects::uploads::{self as service, Completion, Named, NewPart, NewUpload};
use crate::service::objects::{ByteRange, ObjectError};

/// The digests of something, each in the field that is called after its kind.
macro_rules! digests {
    ($name:ident { checksum: $checksum:expr, $($field:ident: $value:expr),+ $(,)? }) => {{
        let digest = |algorithm| digest($checksum, algorithm);
        $name {
            checksum_crc32: digest(Algorithm::Crc32),
            checksum_crc32c: digest(Algorithm::Crc32c),
            checksum_crc64nvme: digest(Algorithm::Crc64Nvme),
            checksum_sha1: digest(Algorithm::Sha1),
            checksum_sha256: digest(Algorithm::Sha256),
            $($field: $value),+
        }
    }};
}

pub async fn create(
    gateway: &Gateway,
    asked: Asked,
    input: CreateMultipartUploadInput,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let said = &asked.said;
    let space = asked.space(&input.bucket, Role::Write)?;
    let checksum = wanted(said)?;
    let new = NewUpload {
        key: input.key.clone(),
        attributes: said.attributes(),
        tags: tags::of_header(said.get("x-amz-tagging"))?,
        checksum,
    };
    let made = service::create(&gateway.services, &asked.session, &space, new).await;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(name(made.map_err(render)?)),
        checksum_algorithm: checksum.map(|wanted| spelt(wanted.algorithm)),
        checksum_type: checksum.map(type_of),
        ..CreateMultipartUploadOutput::default()
    }))
}

pub async fn part(
    gateway: &Gateway,
    asked: Asked,
    input: UploadPartInput,
) -> S3Result<S3Response<UploadPartOutput>> {
    let said = &asked.said;
    let space = asked.space(&input.bucket, Role::Write)?;
    let place = (input.key.as_str(), id(&input.upload_id)?);
    let new = NewPart {
        number: number(input.part_number)?,
        length: said.length()?,
        promised: said.promised()?,
    };
    let body = input.body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let body = content::take(body, said);
    let sent = service::part(&gateway.services, &asked.session, &space, place, new, body).await;
    let part = sent.map_err(|error| content::render(error, said))?;
    let mut headers = HeaderMap::new();
    insert(&mut headers, ETAG, &quoted(&part.etag));
    insert_checksum(&mut headers, part.checksum.as_ref());
    Ok(S3Response::with_headers(UploadPartOutput::default(), headers))
}

pub async fn copy(
    gateway: &Gateway,
    asked: Asked,
    input: UploadPartCopyInput,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let said = &asked.said;
    let source = Source::read(said)?;
    let space = asked.space(&input.bucket, Role::Write)?;
    let from = asked.space(&source.bucket, Role::Read)?;
    let place = (input.key.as_str(), id(&input.upload_id)?);
    let source = service::SourcePart {
        space: &from,
        key: &source.key,
        conditions: &conditions::of_source(&said.headers)?,
        range: said.get("x-amz-copy-source-range").map(copied_range).transpose()?,
    };
    let number = number(input.part_number)?;
    let session = &asked.session;
    let copied =
        service::copy_part(&gateway.services, session, &space, place, number, source).await;
    let part = copied.map_err(render)?;
    let result = digests!(CopyPartResult {
        checksum: part.checksum.as_ref(),
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(moment(part.modified_at)),
    });
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        ..UploadPartCopyOutput::default()
    }))
}

pub async fn complete(
    gateway: &Gateway,
    asked: Asked,
    input: CompleteMultipartUploadInput,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let said = &asked.said;
    let space = asked.space(&input.bucket, Role::Write)?;
    let place = (input.key.as_str(), id(&input.upload_id)?);
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    if parts.is_empty() {
        return Err(refused(Code::MalformedXML, "An object has at least one part."));
    }
    let completion = Completion {
        parts: parts.into_iter().map(named).collect::<S3Result<_>>()?,
        conditions: conditions::of_write(&said.headers)?,
        checksum: CHECKSUMS.iter().find_map(|(name, _)| said.get(name)).map(str::to_owned),
        composite: is_composite(said)?,
        size: conditions::own(&said.headers, "x-amz-mp-object-size", length)?,
    };
    let (services, session) = (&gateway.services, &asked.session);
    let completed = service::complete(services, session, &space, place, completion).await;
    let object = completed.map_err(render)?;
    let checksum = object.about.checksum.as_ref();
    let digest = |algorithm| digest(checksum, algorithm);
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        checksum_crc32: digest(Algorithm::Crc32),
        checksum_crc32c: digest(Algorithm::Crc32c),
        checksum_crc64nvme: digest(Algorithm::Crc64Nvme),
        checksum_sha1: digest(Algorithm::Sha1),
        checksum_sha256: digest(Algorithm::Sha256),
        checksum_type: checksum.map(|checksum| ChecksumType::from_static(kind(checksum))),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(object.etag)),
        ..CompleteMultipartUploadOutput::default()
    }))
}

pub async fn abort(
    gateway: &Gateway,
    asked: Asked,
    input: AbortMultipartUploadInput,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let space = asked.space(&input.bucket, Role::Write)?;
    let place = (input.key.as_str(), id(&input.upload_id)?);
    service::abort(&gateway.services, &asked.session, &space, place).await.map_err(render)?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

/// What digest of the whole is asked for.
fn wanted(said: &Said) -> S3Result<Option<upload::Wanted>> {
    let Some(name) = said.get("x-amz-checksum-algorithm") else { return Ok(None) };
    let algorithm = algorithm(name)?;
    let sums = matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256);
    let composite = is_composite(said)?.unwrap_or(algorithm != Algorithm::Crc64Nvme);
    // Of parts' digests, only those of CRCs make the digest of the whole.
    if sums && !composite || algorithm == Algorithm::Crc64Nvme && composite {
        let message = format!("There is no checksum of this type for {name}.");
        return Err(refused(Code::InvalidRequest, message));
    }
    Ok(Some(upload::Wanted { algorithm, composite }))
}

/// Whether the digest of the whole is to be one of the parts' digests, if that is said.
fn is_composite(said: &Said) -> S3Result<Option<bool>> {
    match said.get("x-amz-checksum-type") {
        Some(ChecksumType::COMPOSITE) => Ok(Some(true)),
        Some(ChecksumType::FULL_OBJECT) => Ok(Some(false)),
        None => Ok(None),
        Some(_) => {
            let message = "x-amz-checksum-type has to be COMPOSITE or FULL_OBJECT.";
            Err(refused(Code::InvalidRequest, message))
        }
    }
}

pub fn type_of(wanted: upload::Wanted) -> ChecksumType {
    let name = if wanted.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    ChecksumType::from_static(name)
}

pub fn spelt(algorithm: Algorithm) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from_static(match algorithm {
        Algorithm::Crc32 => ChecksumAlgorithm::CRC32,
        Algorithm::Crc32c => ChecksumAlgorithm::CRC32C,
        Algorithm::Crc64Nvme => ChecksumAlgorithm::CRC64NVME,
        Algorithm::Sha1 => ChecksumAlgorithm::SHA1,
        Algorithm::Sha256 => ChecksumAlgorithm::SHA256,
    })
}

/// What clients call an upload.
pub fn name(id: UploadId) -> String {
    id.uuid().simple().to_string()
}

pub fn id(name: &str) -> S3Result<UploadId> {
    name.parse().map_err(|_| render(ObjectError::NoSuchUpload))
}

fn number(number: i32) -> S3Result<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=upload::PART_NUMBER_MAX).contains(number))
        .ok_or_else(|| {
            let most = upload::PART_NUMBER_MAX;
            let message = format!("Part number must be an integer between 1 and {most}, inclusive");
            refused(Code::InvalidArgument, message)
        })
}

fn named(part: CompletedPart) -> S3Result<Named> {
    let malformed = || refused(Code::MalformedXML, "Each part needs its PartNumber and ETag.");
    let checksum = [
        part.checksum_crc32,
        part.checksum_crc32c,
        part.checksum_crc64nvme,
        part.checksum_sha1,
        part.checksum_sha256,
    ];
    Ok(Named {
        number: number(part.part_number.ok_or_else(malformed)?)?,
        etag: part.e_tag.ok_or_else(malformed)?.into_value(),
        checksum: checksum.into_iter().flatten().next(),
    })
}

/// The bytes of the source; of the forms of a range, S3 takes only this one.
fn copied_range(text: &str) -> S3Result<ByteRange> {
    let mut headers = HeaderMap::new();
    insert(&mut headers, axum::http::header::RANGE, text);
    match conditions::range(&headers) {
        Some(range @ ByteRange::Span(..)) => Ok(range),
        _ => {
            let message = "The x-amz-copy-source-range value must be of the form bytes=first-last \
                           where first and last are the zero-based offsets of the first and last \
                           bytes to copy";
            Err(refused(Code::InvalidArgument, message))
        }
    }
}

pub fn part_digests(part: upload::Part) -> Part {
    let checksum: Option<&Checksum> = part.checksum.as_ref();
    digests!(Part {
        checksum: checksum,
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(moment(part.modified_at)),
        part_number: i32::try_from(part.number).ok(),
        size: i64::try_from(part.size).ok(),
    })
}
