//! A service account: what its key says, and the token that the key is exchanged for. Neither the key
//! nor a token gets into an error.

use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use crate::backend::buckets::BucketError;
use crate::backend::buckets::dial::{Answer, Line};
use crate::backend::buckets::error::word;
use crate::backend::egress::Egress;

/// What a token is good for: to read, write and delete objects.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion is good for, and a token at most.
const TOKEN_TTL: Duration = Duration::from_secs(3_600);
/// How long before its end a token is not used any more.
const TOKEN_RESERVE: Duration = Duration::from_secs(60);

/// The file that Google hands out, as far as it matters.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: String,
}

pub struct AccountKey {
    email: String,
    id: Option<String>,
    pair: RsaKeyPair,
    token_uri: String,
}

impl AccountKey {
    pub fn parse(secret: &str) -> Result<Self, BucketError> {
        let place = |text: &str| BucketError::Place(text.to_owned());
        let file: KeyFile = serde_json::from_str(secret).map_err(|_| {
            place(
                "the secret is not a service account's key; enter the whole JSON file, with \
                 client_email, private_key and token_uri",
            )
        })?;
        let unreadable =
            || place("the private_key in the secret is no RSA key in PEM; enter the file as it is");
        let der = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes())
            .map_err(|_| unreadable())?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unreadable())?;
        let (email, id, token_uri) = (file.client_email, file.private_key_id, file.token_uri);
        Ok(Self { email, id, pair, token_uri })
    }
}

pub struct Account {
    key: AccountKey,
    token_url: Url,
    line: Line,
    held: Mutex<Option<Token>>,
}

struct Token {
    header: HeaderValue,
    until: Instant,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// In seconds.
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Account {
    pub async fn open(
        egress: &Egress,
        key: AccountKey,
        patience: Duration,
    ) -> Result<Self, BucketError> {
        let checked = egress.check(&key.token_uri).await?;
        let line = Line::to(&checked, patience)?;
        Ok(Self { key, token_url: checked.url, line, held: Mutex::new(None) })
    }

    /// What proves who is asking. Whoever comes while it is being fetched waits for it.
    pub async fn token(&self) -> Result<HeaderValue, BucketError> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.header.clone());
        }
        Ok(held.insert(self.exchange().await?).header.clone())
    }

    /// Has the next one who asks get another token.
    pub async fn forget(&self) {
        *self.held.lock().await = None;
    }

    async fn exchange(&self) -> Result<Token, BucketError> {
        let begun = Instant::now();
        let assertion = self.assertion(Utc::now().timestamp())?;
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", GRANT), ("assertion", &assertion)])
            .finish();
        let mut request = Request::new(Method::POST, self.token_url.clone());
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        *request.body_mut() = Some(form.into());
        let answer = self.line.send(request).await?;
        if !answer.status.is_success() {
            return Err(refusal(&answer));
        }
        let unreadable = || BucketError::Unexpected("no token for the service account".to_owned());
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let header = HeaderValue::from_str(&format!("Bearer {}", granted.access_token));
        let mut header = header.map_err(|_| unreadable())?;
        header.set_sensitive(true);
        let ttl = Duration::from_secs(granted.expires_in).min(TOKEN_TTL);
        Ok(Token { header, until: begun + ttl.saturating_sub(TOKEN_RESERVE) })
    }

    /// What the account says of itself, signed.
    fn assertion(&self, now: i64) -> Result<String, BucketError> {
        let AccountKey { email, id, pair, token_uri } = &self.key;
        let header = Header { alg: "RS256", typ: "JWT", kid: id.as_deref() };
        let exp = now + TOKEN_TTL.as_secs().cast_signed();
        let claims = Claims { iss: email, scope: SCOPE, aud: token_uri, iat: now, exp };
        let signed = format!("{}.{}", encoded(&header)?, encoded(&claims)?);
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| unsigned())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn encoded(part: &impl Serialize) -> Result<String, BucketError> {
    serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| unsigned())
}

fn unsigned() -> BucketError {
    BucketError::Place("the service account's key cannot sign".to_owned())
}

fn refusal(answer: &Answer) -> BucketError {
    let said = serde_json::from_slice(&answer.body).ok();
    let code = said.as_ref().and_then(|Refused { error }| word(error));
    match code {
        Some("invalid_grant" | "invalid_client" | "unauthorized_client") => BucketError::Credential,
        Some(code) => BucketError::Unexpected(format!("{} {code}", answer.status.as_u16())),
        None => BucketError::Unexpected(answer.status.to_string()),
    }
}
