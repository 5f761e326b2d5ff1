//! A service account, and the endpoint where its key is exchanged for tokens: it takes only what was
//! signed with that key, and keeps count.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const EMAIL: &str = "backups@project.iam.gserviceaccount.com";
const KEY_ID: &str = "key-1";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The account's key, and another. Each is made once, for that takes a while.
static KEY: LazyLock<RsaKeyPair> = LazyLock::new(new_key);
static OTHER_KEY: LazyLock<RsaKeyPair> = LazyLock::new(new_key);

fn new_key() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")
}

#[derive(Clone)]
pub struct ServiceAccount {
    pub token_uri: String,
    /// For how many seconds a token is good.
    ttl: u64,
    granted: Arc<AtomicUsize>,
}

#[derive(serde::Deserialize)]
struct Exchange {
    grant_type: String,
    assertion: String,
}

impl ServiceAccount {
    pub async fn start(ttl: u64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let token_uri = format!("http://{}/token", listener.local_addr().expect("address"));
        let account = Self { token_uri, ttl, granted: Arc::default() };
        let router = Router::new().route("/token", post(exchange)).with_state(account.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        account
    }

    /// The file that opens the account.
    pub fn key(&self) -> String {
        self.key_file(&KEY).to_string()
    }

    /// One that was made for somebody else.
    pub fn wrong_key(&self) -> String {
        self.key_file(&OTHER_KEY).to_string()
    }

    fn key_file(&self, key: &RsaKeyPair) -> Value {
        let der: Pkcs8V1Der = key.as_der().expect("a key");
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        json!({
            "type": "service_account", "project_id": "project", "client_email": EMAIL,
            "private_key": pem, "private_key_id": KEY_ID, "token_uri": self.token_uri,
        })
    }

    /// How many tokens were handed out.
    pub fn granted(&self) -> usize {
        self.granted.load(Ordering::SeqCst)
    }

    fn believes(&self, exchange: &Exchange) -> bool {
        let Some((signed, signature)) = exchange.assertion.rsplit_once('.') else { return false };
        let Some((header, claims)) = signed.split_once('.') else { return false };
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let json = |text: &str| serde_json::from_slice::<Value>(&part(text)).expect("JSON");
        assert_eq!(json(header), json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}));
        let claims = json(claims);
        assert_eq!((claims["iss"].as_str(), &claims["aud"]), (Some(EMAIL), &json!(self.token_uri)));
        let (begin, end) = (claims["iat"].as_i64().expect("a time"), claims["exp"].as_i64());
        assert_eq!(end, Some(begin + 3_600));
        assert!(chrono::Utc::now().timestamp().abs_diff(begin) < 600, "{begin}");
        assert_eq!(claims["scope"], "https://www.googleapis.com/auth/devstorage.read_write");

        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, KEY.public_key().as_ref());
        exchange.grant_type == GRANT && public.verify(signed.as_bytes(), &part(signature)).is_ok()
    }
}

async fn exchange(
    State(account): State<ServiceAccount>,
    Form(exchange): Form<Exchange>,
) -> (StatusCode, Json<Value>) {
    if !account.believes(&exchange) {
        let refusal = json!({"error": "invalid_grant", "error_description": exchange.assertion});
        return (StatusCode::BAD_REQUEST, Json(refusal));
    }
    let number = account.granted.fetch_add(1, Ordering::SeqCst) + 1;
    let token = json!({"access_token": format!("token-{number}"), "expires_in": account.ttl,
        "token_type": "Bearer"});
    (StatusCode::OK, Json(token))
}
