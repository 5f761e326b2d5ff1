//! Signs by the scheme of Standard Webhooks (<https://www.standardwebhooks.com>), version `v1`:
//! HMAC-SHA256 over id, time and body, joined by dots.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};

use crate::model::webhook::{SECRET_BYTES, SECRET_PREFIX};
use crate::service::{Error, Result};

/// A signing secret nobody has seen yet.
pub fn new_secret() -> SecretString {
    let random = BASE64_STANDARD.encode(rand::random::<[u8; SECRET_BYTES]>());
    format!("{SECRET_PREFIX}{random}").into()
}

/// The signature, as it stands in the header.
pub fn sign(secret: &SecretString, id: &str, seconds: i64, body: &str) -> Result<String> {
    let key = secret.expose_secret().strip_prefix(SECRET_PREFIX);
    let key = key.ok_or_else(|| Error::internal("a signing secret without its prefix"))?;
    let key = hmac::Key::new(HMAC_SHA256, &BASE64_STANDARD.decode(key).map_err(Error::internal)?);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    Ok(format!("v1,{}", BASE64_STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another implementation of HMAC.
    #[test]
    fn a_known_message_has_its_known_signature() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let signed = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.expect("signed"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
