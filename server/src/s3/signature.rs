//! What a request says of its signature, read strictly: whatever is unclear, or could be read in two
//! ways, is refused. Never says that a signature is right; s3s does.

use std::collections::HashSet;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use chrono::{DateTime, NaiveDateTime, Utc};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3ErrorCode as Code};

use super::conditions;
use super::errors::{internal, refused, unsupported};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Longest life of a presigned URL, in seconds.
const EXPIRES_SECONDS_MAX: u32 = 7 * 24 * 60 * 60;
/// The parameters that make a URL a presigned one, each to be there once.
const PRESIGNED: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];
/// Parameters of the second version of signatures.
const OUTDATED: [&str; 2] = ["signature", "awsaccesskeyid"];
pub const SIGNED_AT: &str = "x-amz-date";
const SIGNED_AT_FORMAT: &str = "%Y%m%dT%H%M%SZ";
const CONTENT_HASH: &str = "x-amz-content-sha256";
/// What may come behind a content.
const TRAILERS: [&str; 5] = [
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
];

#[derive(Clone, Debug)]
pub struct Signature {
    pub access_key: String,
    pub presigned: bool,
    /// When it was signed, as [`SIGNED_AT`] says it. Nothing, if the query does.
    pub signed_at: Option<HeaderValue>,
    pub framing: Option<Framing>,
}

/// How a body that comes in chunks is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each chunk has a signature.
    Signed,
    Unsigned,
}

pub fn read(request: &Parts) -> Result<Signature, S3Error> {
    let query = pairs(request.uri.query().unwrap_or_default());
    refuse_forms(request)?;
    let named = |name: &str| query.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    if OUTDATED.iter().any(|name| named(name)) {
        return Err(outdated());
    }
    let presigned = PRESIGNED.iter().any(|name| named(name));
    let authorized = request.headers.contains_key(AUTHORIZATION);
    let (access_key, signed) = match (presigned, authorized) {
        (true, true) => {
            let message = "A request is signed in its query or in its header, not in both.";
            return Err(refused(Code::InvalidArgument, message));
        }
        (true, false) => in_query(&query)?,
        (false, true) => in_header(&request.headers)?,
        (false, false) => {
            let message = "The request is not signed, and nothing here is public.";
            return Err(refused(Code::AccessDenied, message));
        }
    };
    check_signed_headers(&request.headers, &signed)?;
    let token =
        request.headers.contains_key("x-amz-security-token") || named("x-amz-security-token");
    if token {
        let message = "Access keys of this server have no session token; leave it out.";
        return Err(refused(Code::InvalidToken, message));
    }
    let signed_at = (!presigned).then(|| signed_at(&request.headers)).transpose()?;
    let framing = framing(&request.headers, presigned)?;
    Ok(Signature { access_key, presigned, signed_at, framing })
}

/// The parameters of a query, decoded, in their order.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Forms of browsers bring a signature of their own kind.
fn refuse_forms(request: &Parts) -> Result<(), S3Error> {
    let types = request.headers.get_all(CONTENT_TYPE);
    let form = types.iter().any(|value| {
        let value = value.as_bytes();
        value.get(..19).is_some_and(|front| front.eq_ignore_ascii_case(b"multipart/form-data"))
    });
    if request.method == Method::POST && form {
        return Err(unsupported("An upload by an HTML form"));
    }
    Ok(())
}

fn outdated() -> S3Error {
    let message = "The authorization mechanism you have provided is not supported. Please use \
                   AWS4-HMAC-SHA256.";
    refused(Code::InvalidRequest, message)
}

/// Access key and signed headers of an `Authorization`.
fn in_header(headers: &HeaderMap) -> Result<(String, Vec<String>), S3Error> {
    let malformed = |what: &str| {
        let message = format!("The authorization header is malformed; {what}.");
        refused(Code::AuthorizationHeaderMalformed, message)
    };
    let value = only(headers, AUTHORIZATION.as_str())
        .ok_or_else(|| malformed("it has to be there once, in ASCII"))?;
    let Some((scheme, fields)) = value.split_once(' ') else {
        return Err(malformed("it has no fields"));
    };
    match scheme {
        ALGORITHM => {}
        "AWS" => return Err(outdated()),
        _ => return Err(refused(Code::InvalidArgument, "Unsupported Authorization Type")),
    }
    let (mut credential, mut signed, mut signature) = (None, None, None);
    for field in fields.split(',') {
        let (name, value) =
            field.trim().split_once('=').ok_or_else(|| malformed("a field has no value"))?;
        let place = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed,
            "Signature" => &mut signature,
            _ => return Err(malformed("it has a field that it should not have")),
        };
        if place.replace(value).is_some() {
            return Err(malformed("a field is there twice"));
        }
    }
    let missing = || malformed("Credential, SignedHeaders or Signature is missing");
    let (credential, signed) = (credential.ok_or_else(missing)?, signed.ok_or_else(missing)?);
    if !is_signature(signature.ok_or_else(missing)?) {
        return Err(malformed("the signature is not 64 hexadecimal digits"));
    }
    let access_key = access_key(credential).ok_or_else(|| {
        malformed(
            "the credential is not of the form \
            KEY/DATE/REGION/s3/aws4_request",
        )
    })?;
    Ok((access_key, names(signed)))
}

/// Access key and signed headers of a presigned URL.
fn in_query(query: &[(String, String)]) -> Result<(String, Vec<String>), S3Error> {
    let malformed =
        |message: &str| refused(Code::AuthorizationQueryParametersError, message.to_owned());
    let mut values = HashSet::new();
    for (name, _) in query {
        let known = PRESIGNED.iter().any(|known| known.eq_ignore_ascii_case(name));
        if known && !(PRESIGNED.contains(&name.as_str()) && values.insert(name.as_str())) {
            return Err(malformed("A parameter of the signature is there twice, or misspelt."));
        }
    }
    let value = |name: &str| {
        let found = query.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| {
            malformed(
                "A presigned URL needs the parameters X-Amz-Algorithm, X-Amz-Credential, \
                X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires.",
            )
        })
    };
    if value("X-Amz-Algorithm")? != ALGORITHM {
        return Err(malformed("X-Amz-Algorithm only supports AWS4-HMAC-SHA256."));
    }
    let expires = value("X-Amz-Expires")?;
    let digits = !expires.is_empty() && expires.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || expires.parse::<u32>().map_or(true, |seconds| seconds > EXPIRES_SECONDS_MAX) {
        return Err(malformed("X-Amz-Expires has to be a number of seconds, at most 604800."));
    }
    if !is_signature(value("X-Amz-Signature")?) {
        return Err(malformed("X-Amz-Signature is not 64 hexadecimal digits."));
    }
    if moment(value("X-Amz-Date")?).is_none() {
        return Err(malformed("X-Amz-Date is not of the form YYYYMMDDTHHMMSSZ."));
    }
    let access_key = access_key(value("X-Amz-Credential")?).ok_or_else(|| {
        malformed("X-Amz-Credential is not of the form KEY/DATE/REGION/s3/aws4_request.")
    })?;
    Ok((access_key, names(value("X-Amz-SignedHeaders")?)))
}

fn names(signed: &str) -> Vec<String> {
    signed.split(';').map(str::to_owned).collect()
}

fn is_signature(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn access_key(credential: &str) -> Option<String> {
    let fields: Vec<_> = credential.split('/').collect();
    let [key, date, region, "s3", "aws4_request"] = fields[..] else { return None };
    let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    (!key.is_empty() && is_date && !region.is_empty()).then(|| key.to_owned())
}

/// Who signs by the letter of HTTP says in `date` when it was.
fn signed_at(headers: &HeaderMap) -> Result<HeaderValue, S3Error> {
    let time = match only(headers, SIGNED_AT) {
        Some(text) => moment(text),
        None => only(headers, DATE.as_str()).and_then(conditions::date).map(Into::into),
    };
    let time = time.ok_or_else(|| {
        let message = "AWS authentication requires a valid Date or x-amz-date header.";
        refused(Code::AccessDenied, message)
    })?;
    HeaderValue::try_from(time.format(SIGNED_AT_FORMAT).to_string()).map_err(|_| internal())
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, SIGNED_AT_FORMAT).ok().map(|time| time.and_utc())
}

/// A header that is not signed can be added by anybody who has seen the URL.
fn check_signed_headers(headers: &HeaderMap, signed: &[String]) -> Result<(), S3Error> {
    let denied = |message: String| Err(refused(Code::AccessDenied, message));
    if !signed.is_sorted_by(|a, b| a < b) {
        return denied("SignedHeaders has to be in order, each header once.".to_owned());
    }
    let is_signed = |name: &str| signed.iter().any(|signed| signed == name);
    if !is_signed(HOST.as_str()) || only(headers, HOST.as_str()).is_none() {
        return denied("The header host has to be signed, and to be there once.".to_owned());
    }
    if let Some(absent) = signed.iter().find(|name| !headers.contains_key(name.as_str())) {
        return denied(format!("The header {absent:?} is signed, but not there."));
    }
    for name in headers.keys().map(axum::http::HeaderName::as_str) {
        if !name.starts_with("x-amz-") {
            continue;
        }
        // It is what is signed of the content, or there is a signature without it.
        if name != CONTENT_HASH && !is_signed(name) {
            return denied(format!("The header {name} is there, but not signed."));
        }
        if only(headers, name).is_none() {
            return denied(format!("The header {name} has to be there once, in ASCII."));
        }
    }
    Ok(())
}

fn framing(headers: &HeaderMap, presigned: bool) -> Result<Option<Framing>, S3Error> {
    let invalid = |message: &str| Err(refused(Code::InvalidRequest, message.to_owned()));
    let trailer = only(headers, "x-amz-trailer");
    let (framing, trailed) = match only(headers, CONTENT_HASH) {
        Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") => (Framing::Signed, false),
        Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") => (Framing::Signed, true),
        Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER") => (Framing::Unsigned, true),
        Some(other) if other.starts_with("STREAMING-") => {
            return Err(unsupported("This kind of signature of a content in chunks"));
        }
        Some(other) if !is_hash(other) => {
            let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, one of the \
                           STREAMING- values, or a valid SHA-256 value.";
            return Err(refused(Code::InvalidArgument, message));
        }
        _ if trailer.is_some() => {
            return invalid("x-amz-trailer needs a content in chunks, with a trailer.");
        }
        _ => return Ok(None),
    };
    if presigned {
        return Err(unsupported("A presigned URL for a content in chunks"));
    }
    let announced = trailer.is_some_and(|trailer| TRAILERS.contains(&trailer));
    if trailed != trailer.is_some() || trailed && !announced {
        return invalid(
            "x-amz-trailer has to name one x-amz-checksum- that S3 knows, and no more.",
        );
    }
    let length = only(headers, "x-amz-decoded-content-length").and_then(length);
    if length.is_none() {
        let message = "A content in chunks needs x-amz-decoded-content-length, a number.";
        return Err(refused(Code::MissingContentLength, message));
    }
    Ok(Some(framing))
}

/// Whether a content can have this digest, or does without.
fn is_hash(text: &str) -> bool {
    let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex || text == "UNSIGNED-PAYLOAD"
}

/// A length is digits and nothing else.
pub fn length(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// The value of a header that is there once, as text.
pub fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { std::str::from_utf8(value.as_bytes()).ok() }
}

/// A path, decoded; none if that is no text.
pub fn decoded(path: &str) -> Option<String> {
    percent_decode_str(path).decode_utf8().ok().map(Into::into)
}
