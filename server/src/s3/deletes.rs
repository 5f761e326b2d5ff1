//! Deletes of one object, and of many.

use futures::stream::{self, StreamExt as _};
use s3s::dto::*;
use s3s::{S3ErrorCode as Code, S3Response, S3Result};

use super::conditions;
use super::errors::{refused, render};
use super::objects::http_date_of;
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
    let held = conditions::of_write(&asked.said.headers)?;
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
    // All are read before one is deleted.
    let conditions: Vec<_> = keys.iter().map(conditions_of).collect::<S3Result<_>>()?;
    let delete = async |(wanted, held): (ObjectIdentifier, Conditions)| {
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
    let mut ended =
        stream::iter(keys.into_iter().zip(conditions)).map(delete).buffered(DELETES_AT_ONCE);
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

/// The conditions on one of many.
fn conditions_of(wanted: &ObjectIdentifier) -> S3Result<Conditions> {
    let negative = |_| refused(Code::MalformedXML, "The Size of an object is not negative.");
    let etag = wanted.e_tag.as_ref().map(|etag| conditions::bare(etag.value()));
    Ok(Conditions {
        if_match: etag.map(|etag| match etag {
            "*" => Matching::Any,
            etag => Matching::Etags(vec![etag.to_owned()]),
        }),
        if_size: wanted.size.map(u64::try_from).transpose().map_err(negative)?,
        if_modified_at: wanted
            .last_modified_time
            .as_ref()
            .and_then(|time| conditions::date(&http_date_of(time))),
        ..Conditions::default()
    })
}
