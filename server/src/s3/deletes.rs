//! Deletes of one object, and of many.

use futures::stream::{self, StreamExt as _};
use s3s::dto::*;
use s3s::{S3ErrorCode as Code, S3Response, S3Result};

use super::conditions;
use super::errors::{refused, render};
use super::operations::{Asked, Gateway, check_version};
use crate::model::access::Role;
use crate::model::object::LIST_KEYS_MAX;
use crate::service::objects::{Conditions, Matching, deleting};

/// Deletes of one request that are under way at the same time.
const DELETES_AT_ONCE: usize = 16;

pub async fn one(
    gateway: &Gateway,
    asked: Asked,
    input: DeleteObjectInput,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    check_version(input.version_id.as_ref())?;
    let space = asked.space(&input.bucket, Role::Write)?;
    let held = conditions::read(&asked.said.headers, "");
    let deleted =
        deleting::delete(&gateway.services, &asked.session, &space, &input.key, &held).await;
    deleted.map_err(render)?;
    let version_id = input.version_id;
    Ok(S3Response::new(DeleteObjectOutput { version_id, ..DeleteObjectOutput::default() }))
}

pub async fn many(
    gateway: &Gateway,
    asked: Asked,
    input: DeleteObjectsInput,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let space = asked.space(&input.bucket, Role::Write)?;
    let keys = input.delete.objects;
    if keys.is_empty() || keys.len() > LIST_KEYS_MAX {
        let message = format!("A request deletes 1 to {LIST_KEYS_MAX} objects.");
        return Err(refused(Code::MalformedXML, message));
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    let delete = async |wanted: ObjectIdentifier| {
        let held = Conditions {
            if_match: wanted
                .e_tag
                .as_ref()
                .map(|etag| Matching::Etags(vec![conditions::bare(etag.value()).to_owned()])),
            ..Conditions::default()
        };
        let deleted = async {
            check_version(wanted.version_id.as_ref())?;
            let key = wanted.key.as_str();
            let deleted =
                deleting::delete(&gateway.services, &asked.session, &space, key, &held).await;
            deleted.map_err(render)
        };
        let deleted = deleted.await.map(drop);
        (wanted, deleted)
    };
    let (mut deleted, mut errors) = (vec![], vec![]);
    let mut ended = stream::iter(keys).map(delete).buffered(DELETES_AT_ONCE);
    while let Some((wanted, outcome)) = ended.next().await {
        let (key, version_id) = (Some(wanted.key), wanted.version_id);
        match outcome {
            Ok(()) if quiet => {}
            Ok(()) => {
                deleted.push(DeletedObject { key, version_id, ..DeletedObject::default() });
            }
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                key,
                message: error.message().map(str::to_owned),
                version_id,
            }),
        }
    }
    let deleted = (!deleted.is_empty()).then_some(deleted);
    let errors = (!errors.is_empty()).then_some(errors);
    let output = DeleteObjectsOutput { deleted, errors, ..DeleteObjectsOutput::default() };
    Ok(S3Response::new(output))
}
