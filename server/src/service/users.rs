//! The calling user.

use crate::model::access::Caller;
use crate::model::org::User;
use crate::service::{Error, Result, Services, access};
use crate::store::users;

pub async fn profile(services: &Services, caller: &Caller) -> Result<User> {
    access::require_account(caller)?;
    users::get(services.store.read(), caller.org, caller.user)
        .await?
        .ok_or_else(|| Error::not_found("User"))
}
