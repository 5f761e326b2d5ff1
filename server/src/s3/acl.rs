//! Access lists, as far as clients insist on them: everything is its owner's, and stays so.

use s3s::dto::*;
use s3s::{S3Error, S3Response, S3Result};

use super::errors::{render, unsupported};
use super::operations::{Asked, Gateway, check_version};
use crate::model::access::Role;
use crate::service::objects::{Conditions, reading};

fn full_control(owner: &Owner) -> Grants {
    let grantee = Grantee {
        display_name: owner.display_name.clone(),
        email_address: None,
        id: owner.id.clone(),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    let permission = Some(Permission::from_static(Permission::FULL_CONTROL));
    vec![Grant { grantee: Some(grantee), permission }]
}

/// Whether a list says no more than is so anyway. Canned ones have been looked at with the headers.
fn check(asked: &Asked, list: Option<AccessControlPolicy>) -> Result<(), S3Error> {
    let grants = list.and_then(|list| list.grants).unwrap_or_default();
    let owner = asked.owner();
    let ours = |grant: &Grant| {
        let to_owner = grant.grantee.as_ref().is_some_and(|grantee| grantee.id == owner.id);
        let all = |permission: &Permission| permission.as_str() == Permission::FULL_CONTROL;
        to_owner && grant.permission.as_ref().is_some_and(all)
    };
    if grants.iter().all(ours) { Ok(()) } else { Err(unsupported("A grant to somebody else")) }
}

pub async fn of_bucket(
    _: &Gateway,
    asked: Asked,
    input: GetBucketAclInput,
) -> S3Result<S3Response<GetBucketAclOutput>> {
    asked.space(&input.bucket, Role::Read)?;
    let owner = asked.owner();
    let grants = Some(full_control(&owner));
    Ok(S3Response::new(GetBucketAclOutput { grants, owner: Some(owner) }))
}

pub async fn set_of_bucket(
    _: &Gateway,
    asked: Asked,
    input: PutBucketAclInput,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    asked.space(&input.bucket, Role::Admin)?;
    check(&asked, input.access_control_policy)?;
    Ok(S3Response::new(PutBucketAclOutput::default()))
}

pub async fn of_object(
    gateway: &Gateway,
    asked: Asked,
    input: GetObjectAclInput,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    check_version(input.version_id.as_ref())?;
    let space = asked.space(&input.bucket, Role::Read)?;
    let none = Conditions::default();
    let found = reading::head(&gateway.services, &asked.session, &space, &input.key, &none).await;
    found.map_err(render)?;
    let owner = asked.owner();
    let grants = Some(full_control(&owner));
    let output = GetObjectAclOutput { grants, owner: Some(owner), ..GetObjectAclOutput::default() };
    Ok(S3Response::new(output))
}

pub async fn set_of_object(
    gateway: &Gateway,
    asked: Asked,
    input: PutObjectAclInput,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    check_version(input.version_id.as_ref())?;
    let space = asked.space(&input.bucket, Role::Write)?;
    let none = Conditions::default();
    let found = reading::head(&gateway.services, &asked.session, &space, &input.key, &none).await;
    found.map_err(render)?;
    check(&asked, input.access_control_policy)?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}
