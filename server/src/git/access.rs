//! Who is asking: git sends a token as the password of any user.

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Door;
use super::refusal::Refusal;
use crate::model::access::Caller;
use crate::service::tokens;

/// Git asks without a token first, and again with one once it is told to.
pub async fn caller(door: &Door, headers: &HeaderMap) -> Result<Caller, Refusal> {
    if door.services.is_stopping() {
        let message = "The server is shutting down. Try again in 1 s.";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message));
    }
    let token = headers.get(AUTHORIZATION).and_then(|value| token(value.to_str().ok()?));
    let Some(token) = token else {
        let message = "Send a token as the password; the user may have any name.";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, message));
    };
    let caller = tokens::authenticate(&door.services.store, &token).await?;
    match door.services.rates.admits(&caller) {
        true => Ok(caller),
        false => Err(Refusal::too_many()),
    }
}

fn token(value: &str) -> Option<String> {
    let (scheme, credentials) = value.split_once(' ')?;
    let credentials = credentials.trim();
    let token = if scheme.eq_ignore_ascii_case("basic") {
        let plain = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        plain.split_once(':')?.1.to_owned()
    } else if scheme.eq_ignore_ascii_case("bearer") {
        credentials.to_owned()
    } else {
        return None;
    };
    (!token.is_empty()).then_some(token)
}
