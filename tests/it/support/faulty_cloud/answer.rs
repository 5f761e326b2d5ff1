//! Answers requests as S3 does, unless a fault says otherwise.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::future::pending;
use futures::{StreamExt as _, stream};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::fault::{self, Fault, On, Point};
use super::stored::{Stored, Upload, kept};
use super::{Shared, locked};

/// Keys on a page, as S3 has it.
const PAGE_MAX: usize = 1_000;

struct Asked {
    on: On,
    key: String,
    query: HashMap<String, String>,
    headers: HeaderMap,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = request.uri().path().trim_start_matches('/');
        let key = path.split_once('/').map(|(_, key)| decoded(key)).unwrap_or_default();
        let query = request.uri().query().unwrap_or_default().split('&');
        let query: HashMap<_, _> = query
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(&value.replace('+', "%20"))))
            .collect();
        let method = request.method();
        let on = match (method.as_str(), query.contains_key("uploadId")) {
            ("PUT", true) => On::Part,
            ("POST", true) => On::Complete,
            ("POST", false) => On::Begin,
            ("PUT", false) => On::Put,
            ("HEAD", _) => On::Head,
            ("DELETE", _) => On::Delete,
            _ if key.is_empty() => On::List,
            _ => On::Get,
        };
        debug_assert!(on != On::Get || method == Method::GET);
        Self { on, key, query, headers: request.headers().clone() }
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.query.get(name)?.parse().ok()
    }
}

pub async fn answer(shared: Arc<Shared>, request: Request) -> Response {
    let asked = Asked::of(&request);
    let fault = shared.next_fault(asked.on);
    match &fault {
        Some(Fault::Refuses) => return refusal(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        Some(Fault::Full) => {
            return refusal(StatusCode::INSUFFICIENT_STORAGE, "InsufficientStorage");
        }
        Some(Fault::Hangs) => return pending().await,
        Some(Fault::Hold(Point::Before, gate)) => gate.pass().await,
        _ => {}
    }
    let Ok(body) = to_bytes(request.into_body(), usize::MAX).await else {
        return refusal(StatusCode::BAD_REQUEST, "IncompleteBody");
    };
    // What has come whole is stored, even if nobody waits for the answer any more.
    let done = tokio::spawn(async move { shared.perform(asked, body, fault).await });
    done.await.expect("no panic")
}

impl Shared {
    fn next_fault(&self, on: On) -> Option<Fault> {
        let mut rules = locked(&self.rules);
        let is_meant = |asked: On| asked == on || asked == On::Anything;
        let rule = rules.iter_mut().find(|rule| rule.left > 0 && is_meant(rule.on))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }

    async fn perform(&self, asked: Asked, body: Bytes, fault: Option<Fault>) -> Response {
        match &fault {
            Some(Fault::HangsAfterBody) => return pending().await,
            Some(Fault::Hold(Point::Body, gate)) => gate.pass().await,
            Some(Fault::Lies) if asked.on == On::Put => {
                let stored = Stored::new(body, HeaderMap::new());
                return ([("etag", stored.etag)], "").into_response();
            }
            Some(Fault::Lies) if asked.on == On::Delete => {
                return StatusCode::NO_CONTENT.into_response();
            }
            _ => {}
        }
        let response = match asked.on {
            On::Put => self.put(asked, body, &fault),
            On::Delete => self.delete(&asked),
            On::List => self.list(&asked),
            On::Begin => self.begin(asked),
            On::Part => self.part(&asked, body),
            On::Complete => self.complete(&asked, &body),
            On::Head | On::Get | On::Anything => self.get(&asked, &fault),
        };
        match &fault {
            Some(Fault::SaysNothing) => pending().await,
            Some(Fault::Hold(Point::Answer, gate)) => gate.pass().await,
            _ => {}
        }
        response
    }

    fn put(&self, asked: Asked, body: Bytes, fault: &Option<Fault>) -> Response {
        let body = match fault {
            Some(Fault::Corrupts) => fault::with_another_byte(&body),
            Some(Fault::Truncates) => body.slice(..body.len().saturating_sub(1)),
            _ => body,
        };
        let stored = Stored::new(body, kept(&asked.headers));
        let etag = format!("\"{}\"", stored.etag);
        locked(&self.objects).insert(asked.key, stored);
        ([("etag", etag)], "").into_response()
    }

    fn delete(&self, asked: &Asked) -> Response {
        match asked.query.get("uploadId") {
            Some(id) => drop(locked(&self.uploads).remove(id)),
            None => drop(locked(&self.objects).remove(&asked.key)),
        }
        StatusCode::NO_CONTENT.into_response()
    }

    fn get(&self, asked: &Asked, fault: &Option<Fault>) -> Response {
        if asked.key.is_empty() {
            return StatusCode::OK.into_response();
        }
        let Some(stored) = locked(&self.objects).get(&asked.key).cloned() else {
            return refusal(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let size = stored.content.len();
        let range = asked.headers.get(header::RANGE).and_then(|range| range.to_str().ok());
        let range = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let part = range.map(|(first, last)| {
            let first: usize = first.parse().expect("a first byte");
            first..last.parse().map_or(size, |last: usize| size.min(last + 1))
        });
        let mut content = stored.content.slice(part.clone().unwrap_or(0..size));
        match fault {
            Some(Fault::Corrupts) => content = fault::with_another_byte(&content),
            Some(Fault::Truncates) => content.truncate(content.len().saturating_sub(1)),
            _ => {}
        }
        let mut answer = Response::builder().header("etag", format!("\"{}\"", stored.etag));
        for (name, value) in &stored.headers {
            answer = answer.header(name, value);
        }
        if let Some(part) = part {
            let said = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            answer = answer.status(StatusCode::PARTIAL_CONTENT).header("content-range", said);
        }
        answer = answer.header("content-length", content.len());
        let body = match fault {
            _ if asked.on == On::Head => Body::empty(),
            Some(Fault::Cuts(after)) => {
                let begin = content.slice(..content.len().min(*after));
                // What is there goes out when there is nothing more to wait for.
                let cut = stream::once(async {
                    tokio::task::yield_now().await;
                    Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
                });
                Body::from_stream(stream::iter([Ok(begin)]).chain(cut))
            }
            Some(Fault::Stalls(after)) => {
                let begin = content.slice(..content.len().min(*after));
                let begin = stream::iter([Ok::<_, Infallible>(begin)]);
                Body::from_stream(begin.chain(stream::pending()))
            }
            _ => Body::from(content),
        };
        answer.body(body).expect("an answer")
    }

    fn list(&self, asked: &Asked) -> Response {
        let text = |name: &str| asked.query.get(name).map(String::as_str).unwrap_or_default();
        let (prefix, after) = (text("prefix"), text("start-after"));
        let most = asked.number("max-keys").unwrap_or(PAGE_MAX).min(PAGE_MAX);
        let listed = locked(&self.listed).clone();
        let objects = listed.unwrap_or_else(|| locked(&self.objects).clone());
        let mut found =
            objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
        let mut said = String::from("<ListBucketResult><EncodingType>url</EncodingType>");
        for (key, stored) in found.by_ref().take(most) {
            let (key, size) = (utf8_percent_encode(key, NON_ALPHANUMERIC), stored.content.len());
            let etag = &stored.etag;
            write!(said, "<Contents><Key>{key}</Key><Size>{size}</Size>").expect("text");
            write!(said, "<ETag>\"{etag}\"</ETag></Contents>").expect("text");
        }
        let more = found.next().is_some();
        write!(said, "<IsTruncated>{more}</IsTruncated></ListBucketResult>").expect("text");
        said.into_response()
    }

    fn begin(&self, asked: Asked) -> Response {
        let id = self.uploads_begun.fetch_add(1, Ordering::SeqCst).to_string();
        let begun = Upload {
            key: asked.key,
            headers: kept(&asked.headers),
            parts: std::collections::BTreeMap::new(),
        };
        locked(&self.uploads).insert(id.clone(), begun);
        let result = "InitiateMultipartUploadResult";
        format!("<{result}><UploadId>{id}</UploadId></{result}>").into_response()
    }

    fn part(&self, asked: &Asked, body: Bytes) -> Response {
        let number = asked.number("partNumber").expect("the number of a part");
        let etag = Stored::new(body.clone(), HeaderMap::new()).etag;
        match locked(&self.uploads).get_mut(&asked.query["uploadId"]) {
            Some(upload) => upload.parts.insert(number, body),
            None => return refusal(StatusCode::NOT_FOUND, "NoSuchUpload"),
        };
        ([("etag", format!("\"{etag}\""))], "").into_response()
    }

    fn complete(&self, asked: &Asked, body: &[u8]) -> Response {
        let body = String::from_utf8_lossy(body);
        let numbers = body.split("<PartNumber>").skip(1);
        let numbers: Vec<u32> = numbers
            .map(|rest| rest.split('<').next().expect("a number").parse().expect("a number"))
            .collect();
        let Some(upload) = locked(&self.uploads).remove(&asked.query["uploadId"]) else {
            return refusal(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        let Some(stored) = upload.complete(&numbers) else {
            return refusal(StatusCode::BAD_REQUEST, "InvalidPart");
        };
        let result = "CompleteMultipartUploadResult";
        let said = format!("<{result}><ETag>\"{}\"</ETag></{result}>", stored.etag);
        locked(&self.objects).insert(upload.key, stored);
        said.into_response()
    }
}

fn refusal(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code><Message>Told to.</Message></Error>"))
        .into_response()
}
