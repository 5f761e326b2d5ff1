//! A server of its own process that logs all it can, and the requests that bring secrets to it.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::canary::Canaries;
use crate::operate::process::{Place, Serving};
use crate::support::OWNER_TOKEN;
use crate::support::database::Database;
use crate::support::empty_cloud::EmptyCloud;
use crate::support::receiver::Receiver;

/// Name of a bucket here and in its cloud, which is no secret.
pub const MARKER: &str = "kept-bucket";

pub struct Stage {
    pub place: Place,
    pub server: Serving,
    pub database: Database,
    pub cloud: EmptyCloud,
    pub receiver: Receiver,
    pub canaries: Canaries,
    /// What was answered, but for what is shown once.
    pub said: Vec<(String, String)>,
}

impl Stage {
    pub async fn start() -> Self {
        let (database, cloud) = (Database::create().await, EmptyCloud::start().await);
        let mut place = Place::new();
        place.set("REPOPLANE_LOG__LEVEL", "trace");
        place.set("REPOPLANE_EGRESS__ALLOW", "127.0.0.0/8");
        place.set("REPOPLANE_BOOTSTRAP_TOKEN", OWNER_TOKEN);
        if let Database::Postgres { .. } = database {
            place.set("REPOPLANE_DATABASE", database.url(place.path()));
        }
        let server = place.serve().await;
        let (canaries, said) = (Canaries::default(), Vec::new());
        let receiver = Receiver::start().await;
        Self { place, server, database, cloud, receiver, canaries, said }
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        reqwest::Client::new().request(method, format!("{}{path}", self.server.url))
    }

    /// Sends it and keeps what is answered: the status.
    pub async fn hear(&mut self, what: &str, request: RequestBuilder) -> u16 {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let body = answer.text().await.expect("text");
        // Apart, since the body is searched as JSON.
        self.said.push((format!("{what}, in its headers"), headers));
        self.said.push((what.to_owned(), body));
        status
    }

    /// A change by the owner that must succeed; what it answered.
    pub async fn done(&mut self, method: &str, path: &str, body: Value) -> Value {
        let request = self.request(method, path).bearer_auth(OWNER_TOKEN).json(&body);
        let status = self.hear(&format!("{method} {path}"), request).await;
        let (_, said) = self.said.last().expect("the answer");
        assert_eq!(status, 200, "{method} {path}: {said}");
        serde_json::from_str(said).expect("JSON")
    }

    /// A change by the owner that must be refused.
    pub async fn refused(&mut self, method: &str, path: &str, body: Value) {
        let request = self.request(method, path).bearer_auth(OWNER_TOKEN).json(&body);
        let status = self.hear(&format!("{method} {path} of {}", named(&body)), request).await;
        assert_eq!(status, bad_request(path), "{method} {path}: {:?}", self.said.last());
    }

    /// A call by the owner whose answer holds a secret, which is shown there and never again.
    pub async fn shown(&mut self, path: &str, body: Value, field: &str) -> Value {
        let request = self.request("POST", path).bearer_auth(OWNER_TOKEN).json(&body);
        let answer: Value = request.send().await.expect("made").json().await.expect("JSON");
        self.canaries.keep(path, answer[field].as_str().expect("a secret"));
        answer
    }

    /// Sets a webhook; a secret goes with what it is told.
    pub async fn hook(&mut self, path: &str) {
        let token = self.canaries.secret(&format!("token of {path}"));
        let body = json!({"url": self.receiver.url(), "token": token});
        let request = self.request("PUT", path).bearer_auth(OWNER_TOKEN).json(&body);
        assert_eq!(self.hear(&format!("PUT {path}"), request).await, 204);
        self.shown(&format!("{path}/secret"), Value::Null, "secret").await;
    }

    /// A new key pair, whose secret becomes a canary.
    pub async fn pair(&mut self, path: &str, body: Value) -> Value {
        let pair = self.done("POST", path, body).await;
        // Shown here, and never again.
        self.said.pop();
        self.canaries.keep(path, pair["secret"].as_str().expect("a secret"));
        pair["id"].clone()
    }

    /// A bucket on the stand-in, with a secret of its own.
    pub fn bucket(&mut self, name: &str) -> Value {
        let secret = self.canaries.secret(&format!("secret of the bucket {name}"));
        json!({"name": name, "bucket": MARKER, "storageType": "S3", "key": "AKIDMARKER",
            "secret": secret, "endpoint": self.cloud.url})
    }

    /// Every way a request can be wrong that also brings a secret in `field`.
    pub async fn mistakes(&mut self, method: &str, path: &str, whole: &Value, field: &str) {
        let about = |mistake: &str| format!("{field} of {method} {path} {mistake}");
        let number = self.canaries.number(&about("as a number"));
        let mut secret = |mistake: &str| self.canaries.secret(&about(mistake));
        let wrong = [
            json!(number),
            json!([secret("in a list")]),
            json!({"text": secret("in an object")}),
            json!({secret("as a key"): true}),
            json!(secret("that is too long") + &"x".repeat(8_192)),
            json!(secret("with a NUL") + "\0"),
        ];
        let plain = secret("in other mistakes");
        for value in wrong {
            let mut body = whole.clone();
            body[field] = value;
            self.refused(method, path, body).await;
        }
        let mut right = whole.clone();
        right[field] = plain.into();
        let mut beside = right.clone();
        beside["nonsense"] = json!(1);
        self.refused(method, path, beside).await;
        let mut beside = right.clone();
        beside["name"] = json!(7);
        beside["bucket"] = json!(7);
        self.refused(method, path, beside).await;

        let text = right.to_string();
        let (start, end) = (&text[1..], &text[..text.len() - 1]);
        let broken =
            [end.to_owned(), format!("{end},{start}"), format!("[{text}]"), text.clone() + "x"];
        for body in broken {
            let request = self.request(method, path).bearer_auth(OWNER_TOKEN).body(body);
            let request = request.header("content-type", "application/json");
            assert_eq!(self.hear(&about("as no JSON"), request).await, bad_request(path));
        }
        let request = self.request(method, path).bearer_auth(OWNER_TOKEN).body(text);
        assert_eq!(self.hear(&about("as no media type"), request).await, 415);
        let request = self.request(method, path).bearer_auth("rlc-wrong").json(&right);
        assert_eq!(self.hear(&about("by nobody"), request).await, 401);
        let request = self.request("PATCH", path).bearer_auth(OWNER_TOKEN).json(&right);
        assert_eq!(self.hear(&about("in a wrong method"), request).await, 405);
    }
}

/// What the half of the API answers to what it cannot read.
fn bad_request(path: &str) -> u16 {
    if path.starts_with("/v1/") { 422 } else { 400 }
}

/// The fields of a body, which are no secret.
fn named(body: &Value) -> String {
    let fields = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    fields.collect::<Vec<_>>().join(", ")
}
