//! Signs requests with version 4 of AWS signatures, written from its specification and not from what
//! the server does.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::SystemTime;

use aws_lc_rs::{digest, hmac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use super::wire::{Answer, Wire};

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
pub const REGION: &str = "us-east-1";

#[derive(Clone, Debug)]
pub struct Key {
    pub id: Uuid,
    pub access: String,
    pub secret: String,
}

/// A request that is going to be signed.
#[derive(Clone)]
pub struct Ask {
    address: SocketAddr,
    host: String,
    key: Key,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Seconds since now.
    later: i64,
    dated: bool,
}

impl Ask {
    /// `path` is as it goes over the wire.
    pub fn new(address: SocketAddr, key: &Key, method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.to_owned())
        };
        Self {
            address,
            host: address.to_string(),
            key: key.clone(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(pair).collect(),
            headers: vec![],
            body: vec![],
            later: 0,
            dated: false,
        }
    }

    pub fn host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    /// A parameter, not encoded yet.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Signed as of another time.
    pub fn later(mut self, seconds: i64) -> Self {
        self.later = seconds;
        self
    }

    /// Signed as of what `date` says, rather than `x-amz-date`.
    pub fn dated(mut self) -> Self {
        self.dated = true;
        self
    }

    pub async fn send(self) -> Answer {
        self.signed().send().await
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// Whether the body comes later, in chunks.
    fn chunked(&self) -> bool {
        self.headers.iter().any(|(_, value)| value.starts_with("STREAMING-"))
    }

    /// Signed in its header.
    pub fn signed(self) -> Wire {
        self.seeded().0
    }

    /// Signed in its header, and what the signatures of its chunks go on from.
    pub fn seeded(mut self) -> (Wire, Chain) {
        if !self.has("x-amz-content-sha256") {
            let hash = hex(digest::digest(&digest::SHA256, &self.body).as_ref());
            self = self.header("x-amz-content-sha256", &hash);
        }
        let hash = self.headers.iter().find(|(name, _)| name == "x-amz-content-sha256");
        let hash = hash.map(|(_, value)| value.clone()).unwrap_or_default();
        let scope = Scope::new(&self.key, self.later);
        let host = self.host.clone();
        self = self.header("host", &host);
        self = if self.dated {
            self.header("date", &scope.date)
        } else {
            self.header("x-amz-date", &scope.time)
        };
        if !self.body.is_empty() && !self.has("content-length") {
            let length = self.body.len().to_string();
            self = self.header("content-length", &length);
        }
        let names = self.names();
        let signature = scope.sign(&self.canonical(&names, &hash));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            self.key.access,
            scope.text()
        );
        let chain = Chain { scope, last: signature };
        let bare = self.method == "PUT" && self.body.is_empty() && !self.chunked();
        let mut wire = self.wire();
        wire.add("authorization", &authorization);
        if bare {
            wire.add("content-length", "0");
        }
        (wire, chain)
    }

    /// Signed in its query, for this many seconds. Headers so far are signed, too.
    pub fn presigned(mut self, expires: u64) -> Wire {
        let scope = Scope::new(&self.key, self.later);
        let host = self.host.clone();
        self = self.header("host", &host);
        let names = self.names();
        let credential = format!("{}/{}", self.key.access, scope.text());
        self = self
            .query("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
            .query("X-Amz-Credential", &credential)
            .query("X-Amz-Date", &scope.time)
            .query("X-Amz-Expires", &expires.to_string())
            .query("X-Amz-SignedHeaders", &names);
        let signature = scope.sign(&self.canonical(&names, "UNSIGNED-PAYLOAD"));
        self = self.query("X-Amz-Signature", &signature);
        if !self.body.is_empty() || self.method == "PUT" {
            let length = self.body.len().to_string();
            self = self.header("content-length", &length);
        }
        self.wire()
    }

    /// Without any signature.
    pub fn unsigned(self) -> Wire {
        let host = self.host.clone();
        self.header("host", &host).wire()
    }

    fn wire(self) -> Wire {
        let query = self.encoded(false);
        let target = if query.is_empty() { self.path } else { format!("{}?{query}", self.path) };
        let (address, method) = (self.address, self.method);
        Wire { address, method, target, headers: self.headers, body: self.body }
    }

    fn names(&self) -> String {
        let mut names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.join(";")
    }

    fn encoded(&self, sorted: bool) -> String {
        let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let pair = |(name, value): &(String, String)| (encode(name), encode(value));
        let mut pairs: Vec<_> = self.query.iter().map(pair).collect();
        if sorted {
            pairs.sort();
        }
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }

    fn canonical(&self, names: &str, hash: &str) -> String {
        let mut headers = self.headers.clone();
        headers.sort();
        let mut lines = String::new();
        for (name, value) in headers {
            let words: Vec<_> = value.split(' ').filter(|word| !word.is_empty()).collect();
            writeln!(lines, "{name}:{}", words.join(" ")).expect("into memory");
        }
        let query = self.encoded(true);
        // A slash is a slash, however it comes.
        let path = self.path.replace("%2F", "/");
        format!("{}\n{path}\n{query}\n{lines}\n{names}\n{hash}", self.method)
    }
}

/// When and for what a signature is good.
#[derive(Clone)]
pub struct Scope {
    secret: String,
    pub time: String,
    /// As HTTP writes it.
    date: String,
}

impl Scope {
    fn new(key: &Key, later: i64) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let seconds = i64::try_from(now.as_secs()).expect("before the end of time") + later;
        let time = chrono::DateTime::from_timestamp(seconds, 0).expect("a time");
        let written = |format: &str| time.format(format).to_string();
        let (time, date) = (written("%Y%m%dT%H%M%SZ"), written("%a, %d %b %Y %H:%M:%S GMT"));
        Self { secret: key.secret.clone(), time, date }
    }

    fn text(&self) -> String {
        format!("{}/{REGION}/s3/aws4_request", &self.time[..8])
    }

    fn sign(&self, canonical: &str) -> String {
        let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        self.sign_text(&format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", self.time, self.text()))
    }

    fn sign_text(&self, text: &str) -> String {
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [&self.time[..8], REGION, "s3", "aws4_request"] {
            key = keyed(&key, part.as_bytes());
        }
        hex(&keyed(&key, text.as_bytes()))
    }
}

/// The signatures of chunks, each of which goes on from the one before.
pub struct Chain {
    scope: Scope,
    last: String,
}

impl Chain {
    /// A chunk with its signature.
    pub fn chunk(&mut self, data: &[u8]) -> Vec<u8> {
        let hash = |bytes: &[u8]| hex(digest::digest(&digest::SHA256, bytes).as_ref());
        let Scope { time, .. } = &self.scope;
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{}\n{}\n{}\n{}",
            self.scope.text(),
            self.last,
            hash(b""),
            hash(data)
        );
        self.last = self.scope.sign_text(&text);
        let head = format!("{:x};chunk-signature={}\r\n", data.len(), self.last);
        let end: &[u8] = if data.is_empty() { b"" } else { b"\r\n" };
        [head.as_bytes(), data, end].concat()
    }

    /// What comes behind the last chunk, which is empty.
    pub fn trailer(&mut self, name: &str, value: &str) -> Vec<u8> {
        let hash =
            hex(digest::digest(&digest::SHA256, format!("{name}:{value}\n").as_bytes()).as_ref());
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{hash}",
            self.scope.time,
            self.scope.text(),
            self.last
        );
        let signature = self.scope.sign_text(&text);
        format!("{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n").into_bytes()
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text).as_ref().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
