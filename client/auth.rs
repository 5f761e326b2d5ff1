//! The bearer token: puts it on every request, and must never show it.

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::header::{AUTHORIZATION, HeaderValue};

use crate::{Client, ConnectError, Error};

/// A bearer token, ready to be sent. Its `Debug` form does not show the token.
#[derive(Clone, Debug)]
pub struct Auth {
    // Marked sensitive, which keeps it out of `Debug` and of HTTP/2's header tables.
    authorization: HeaderValue,
}

impl Auth {
    pub(crate) fn bearer(token: &str) -> Result<Self, ConnectError> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConnectError::Token);
        }
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| ConnectError::Token)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization })
    }
}

impl ClientHooks<Auth> for Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _: &OperationInfo,
    ) -> Result<(), Error<E>> {
        let authorization = self.inner.authorization.clone();
        request.headers_mut().insert(AUTHORIZATION, authorization);
        Ok(())
    }
}
