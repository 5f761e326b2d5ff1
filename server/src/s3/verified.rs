//! Behind the signature: takes off what was only for it, and hands the request on to its operation. A
//! body that is not an object's content is read and checked here.

use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HOST};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use bytes::{Bytes, BytesMut};
use s3s::route::S3Route;
use s3s::service::S3Service;
use s3s::{Body, HttpRequest, S3Error, S3ErrorCode as Code, S3Request, S3Response, S3Result};

use super::content;
use super::errors::{internal, refused, unsupported};
use super::guard::Admitted;
use super::host::Domain;
use super::said::{self, Said};
use super::signature::{decoded, only, pairs};
use crate::service::objects::{Intake, Promised};

/// Longest body that is no content of an object, in bytes: 1,000 keys to delete, or 10,000 parts.
pub const BODY_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Parameters that make a PUT to an object one of something else, as s3s knows.
const ABOUT_OBJECTS: [&str; 4] = ["acl", "legal-hold", "retention", "tagging"];
/// Parameters that it does not know, and would write or delete the object itself for.
const UNKNOWN: [&str; 3] = ["annotation", "encryption", "renameObject"];
/// Headers that s3s needs to find the operation, with their values.
const ROUTED: [HeaderName; 2] = [HOST, CONTENT_LENGTH];
/// Parameters of presigned URLs that are no headers.
const OF_SIGNATURE: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signature",
    "x-amz-signedheaders",
];
/// Headers without which s3s finds no operation, or refuses it. What they say is read elsewhere.
const COPY_SOURCE: &str = "x-amz-copy-source";
const OBJECT_ATTRIBUTES: &str = "x-amz-object-attributes";

pub struct Verified {
    pub operations: S3Service,
    pub domain: Option<Domain>,
}

#[async_trait::async_trait]
impl S3Route for Verified {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut axum::http::Extensions) -> bool {
        true
    }

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let admitted = request.extensions.get::<Admitted>().cloned().ok_or_else(internal)?;
        admitted.verified.get_or_init(|| ());
        let query = lift(&mut request, admitted.signature.presigned)?;
        let said = Said {
            headers: request.headers,
            presigned: admitted.signature.presigned,
            trailers: request.trailing_headers,
            fault: admitted.fault.clone(),
        };
        said.check()?;
        let mut headers = HeaderMap::new();
        for name in ROUTED {
            if let Some(value) = said.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        if said.headers.contains_key(COPY_SOURCE) {
            headers.insert(COPY_SOURCE, HeaderValue::from_static("some/key"));
        }
        let of_object = self.is_of_object(&request.uri, &said);
        let unknown = |(name, _): &&(String, String)| UNKNOWN.contains(&name.as_str());
        if of_object && let Some((name, _)) = query.iter().find(unknown) {
            return Err(unsupported(&format!("The parameter {name}")));
        }
        let about = of_object
            && request.method == Method::GET
            && query.iter().any(|(name, _)| name == "attributes");
        if about {
            headers.insert(OBJECT_ATTRIBUTES, HeaderValue::from_static("ETag"));
        }
        let writes = of_object && request.method == Method::PUT;
        let body = if writes && is_content(&query, &said) {
            request.input
        } else {
            let body = whole(request.input, &said, &request.method, &query).await?;
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            Body::from(body)
        };
        let mut plain = HttpRequest::new(body);
        *plain.method_mut() = request.method;
        *plain.uri_mut() = without_signature(&request.uri, &query)?;
        *plain.headers_mut() = headers;
        *plain.extensions_mut() = request.extensions;
        plain.extensions_mut().insert(said);
        let answer = self.operations.call(plain).await.map_err(|_| internal())?;
        let (mut parts, mut body) = answer.into_parts();
        if about && parts.status == StatusCode::OK {
            body = without_quotes(body).await?;
            parts.headers.remove(CONTENT_LENGTH);
        }
        let partial = parts.status == StatusCode::OK && parts.headers.contains_key(CONTENT_RANGE);
        Ok(S3Response {
            output: body,
            // s3s gives HEAD no other.
            status: Some(if partial { StatusCode::PARTIAL_CONTENT } else { parts.status }),
            headers: parts.headers,
            extensions: parts.extensions,
        })
    }
}

impl Verified {
    /// Whether a request is about an object, rather than a bucket.
    fn is_of_object(&self, uri: &Uri, said: &Said) -> bool {
        let host = only(&said.headers, HOST.as_str()).unwrap_or_default();
        let in_host = self.domain.as_ref().is_some_and(|domain| domain.bucket(host).is_some());
        let path = decoded(uri.path()).unwrap_or_default();
        let path = path.strip_prefix('/').unwrap_or(&path);
        let key = if in_host { Some(path) } else { path.split_once('/').map(|(_, key)| key) };
        key.is_some_and(|key| !key.is_empty())
    }
}

/// Whether the body of a PUT to an object is its content, or that of a part.
fn is_content(query: &[(String, String)], said: &Said) -> bool {
    !said.headers.contains_key(COPY_SOURCE)
        && !query.iter().any(|(name, _)| ABOUT_OBJECTS.contains(&name.as_str()))
}

/// What a presigned URL says in its query in place of headers becomes headers.
fn lift(request: &mut S3Request<Body>, presigned: bool) -> S3Result<Vec<(String, String)>> {
    let query = pairs(request.uri.query().unwrap_or_default());
    if !presigned {
        return Ok(query);
    }
    let (of_headers, query): (Vec<_>, Vec<_>) = query
        .into_iter()
        .partition(|(name, _)| name.get(..6).is_some_and(|x| x.eq_ignore_ascii_case("x-amz-")));
    for (name, value) in of_headers {
        let name = name.to_ascii_lowercase();
        if OF_SIGNATURE.contains(&name.as_str()) || said::is_of_nothing(&name, &value) {
            continue;
        }
        let invalid = || refused(Code::InvalidRequest, format!("The parameter {name} is invalid."));
        let name: HeaderName = name.parse().map_err(|_| invalid())?;
        let value = HeaderValue::try_from(value).map_err(|_| invalid())?;
        if request.headers.insert(name.clone(), value.clone()).is_some_and(|other| other != value) {
            return Err(refused(
                Code::InvalidRequest,
                format!("{name} is said twice, and not the same."),
            ));
        }
    }
    Ok(query)
}

/// In the attributes of an object, and nowhere else, S3 says an ETag without quotes.
async fn without_quotes(body: Body) -> S3Result<Body> {
    let most = usize::try_from(BODY_BYTES_MAX).unwrap_or(usize::MAX);
    let body = axum::body::to_bytes(axum::body::Body::new(body), most).await;
    let text = String::from_utf8(body.map_err(|_| internal())?.into()).map_err(|_| internal())?;
    Ok(text.replace("<ETag>\"", "<ETag>").replace("\"</ETag>", "</ETag>").into())
}

fn without_signature(uri: &Uri, query: &[(String, String)]) -> S3Result<Uri> {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let path = PathAndQuery::try_from(format!("{}?{query}", uri.path()));
    path.map(Uri::from).map_err(|_| S3Error::new(Code::InvalidURI))
}

/// All of a body, if it is what it was said to be.
async fn whole(
    body: Body,
    said: &Said,
    method: &Method,
    query: &[(String, String)],
) -> S3Result<Bytes> {
    let posts = |what: &str| method == Method::POST && query.iter().any(|(name, _)| name == what);
    let promised = if posts("uploadId") {
        // The checksum that comes with a list of parts is that of the object they become.
        Promised { md5: said.md5()?, checksum: None }
    } else {
        said.promised()?
    };
    let deletes = posts("delete");
    if deletes && promised.md5.is_none() && promised.checksum.is_none() {
        let message = "Missing required header for this request: Content-MD5";
        return Err(refused(Code::InvalidRequest, message));
    }
    // What has no length has no body.
    let length = said.length().unwrap_or(0);
    if length > BODY_BYTES_MAX {
        let message = format!("The body is longer than {BODY_BYTES_MAX} bytes.");
        return Err(refused(Code::MaxMessageLengthExceeded, message));
    }
    let mut all = BytesMut::new();
    let mut intake = Intake::new(content::take(body, said), length, promised, false);
    while let Some(piece) = intake.next().await.map_err(|error| content::render(error, said))? {
        all.extend_from_slice(&piece);
    }
    intake.finish().map_err(|error| content::render(error, said))?;
    Ok(all.freeze())
}
