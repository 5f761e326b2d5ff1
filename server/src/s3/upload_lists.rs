//! Lists of uploads that are open, and of the parts of one.

use s3s::dto::*;
use s3s::{S3Response, S3Result};

use super::errors::render;
use super::listings::{Spelling, limit};
use super::objects::moment;
use super::operations::{Asked, Gateway};
use super::uploads::{id, name, part_digests, spelt, type_of};
use crate::model::access::Role;
use crate::model::upload::Upload;
use crate::service::objects::uploads::{self as service, ListParts, ListUploads, UploadMarker};

pub async fn uploads(
    gateway: &Gateway,
    asked: Asked,
    input: ListMultipartUploadsInput,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let spelling = Spelling::read(input.encoding_type)?;
    let (limit, max_uploads) = limit(input.max_uploads)?;
    let space = asked.space(&input.bucket, Role::Read)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let after = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let marker = input.upload_id_marker.clone().filter(|marker| !marker.is_empty());
    let after = after.map(|key| UploadMarker {
        key,
        upload: marker.as_deref().and_then(|marker| id(marker).ok()),
    });
    let request =
        ListUploads { prefix: prefix.clone(), delimiter: delimiter.clone(), after, limit };
    let listed = service::list_uploads(&gateway.services, &asked.session, &space, &request).await;
    let listing = listed.map_err(render)?;
    let owner = asked.owner();
    let next = listing.next.as_ref();
    let uploads = listing.uploads.iter().map(|upload| told(upload, &spelling, &owner)).collect();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: spelling.prefixes(&listing.prefixes),
        delimiter: delimiter.map(|delimiter| spelling.spell(&delimiter)),
        is_truncated: Some(next.is_some()),
        key_marker: input.key_marker.map(|marker| spelling.spell(&marker)),
        max_uploads,
        next_key_marker: next.map(|next| spelling.spell(&next.key)),
        next_upload_id_marker: next.and_then(|next| next.upload).map(name),
        prefix: Some(spelling.spell(&prefix)),
        upload_id_marker: input.upload_id_marker,
        uploads: Some(uploads),
        encoding_type: spelling.encoding(),
        request_charged: None,
    }))
}

pub async fn parts(
    gateway: &Gateway,
    asked: Asked,
    input: ListPartsInput,
) -> S3Result<S3Response<ListPartsOutput>> {
    let (limit, max_parts) = limit(input.max_parts)?;
    let space = asked.space(&input.bucket, Role::Read)?;
    let place = (input.key.as_str(), id(&input.upload_id)?);
    let after = input.part_number_marker.unwrap_or_default();
    let request = ListParts { after: u32::try_from(after).unwrap_or_default(), limit };
    let (services, session) = (&gateway.services, &asked.session);
    let listed = service::list_parts(services, session, &space, place, request).await;
    let listing = listed.map_err(render)?;
    let owner = asked.owner();
    let wanted = listing.upload.announced.checksum;
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(name(listing.upload.id)),
        checksum_algorithm: wanted.map(|wanted| spelt(wanted.algorithm)),
        checksum_type: wanted.map(type_of),
        initiator: Some(initiator(&owner)),
        owner: Some(owner),
        is_truncated: Some(listing.next.is_some()),
        max_parts,
        next_part_number_marker: listing.next.and_then(|next| i32::try_from(next).ok()),
        part_number_marker: Some(after),
        parts: Some(listing.parts.into_iter().map(part_digests).collect()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..ListPartsOutput::default()
    }))
}

fn told(upload: &Upload, spelling: &Spelling, owner: &Owner) -> MultipartUpload {
    let wanted = upload.announced.checksum;
    MultipartUpload {
        checksum_algorithm: wanted.map(|wanted| spelt(wanted.algorithm)),
        checksum_type: wanted.map(type_of),
        initiated: Some(moment(upload.created_at)),
        initiator: Some(initiator(owner)),
        key: Some(spelling.spell(&upload.key)),
        owner: Some(owner.clone()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(name(upload.id)),
    }
}

/// Nobody but the storage repo is known to clients.
fn initiator(owner: &Owner) -> Initiator {
    Initiator { display_name: owner.display_name.clone(), id: owner.id.clone() }
}
