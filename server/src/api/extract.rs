//! Extractors whose rejections speak the envelope of their half.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

use super::BODY_BYTES_MAX;
use super::half::{Half, SourceFault, StorageFault};
use super::problem::Problem;
use super::strict::Unambiguous;

pub type StorageJson<T> = ApiJson<T, StorageFault>;
pub type StoragePath<T> = ApiPath<T, StorageFault>;
pub type StorageJsonOrNothing<T> = ApiJsonOrNothing<T, StorageFault>;
pub type StorageQuery<T> = ApiQuery<T, StorageFault>;
pub type SourceJson<T> = ApiJson<T, SourceFault>;
pub type SourceJsonOrNothing<T> = ApiJsonOrNothing<T, SourceFault>;
pub type SourcePath<T> = ApiPath<T, SourceFault>;
pub type SourceQuery<T> = ApiQuery<T, SourceFault>;
pub type SourceFile = ApiOctets<SourceFault>;

/// A JSON body.
pub struct ApiJson<T, H>(pub T, PhantomData<H>);

/// A JSON body that may be missing; then it counts as `{}`.
pub struct ApiJsonOrNothing<T, H>(pub T, PhantomData<H>);

/// The parameters in the path.
pub struct ApiPath<T, H>(pub T, PhantomData<H>);

/// The parameters in the query. Empty ones, and the literal `undefined` that careless clients
/// send, count as absent.
pub struct ApiQuery<T, H>(pub T, PhantomData<H>);

/// A raw body of type `application/octet-stream`.
pub struct ApiOctets<H>(pub Bytes, PhantomData<H>);

impl<S: Send + Sync, T: DeserializeOwned, H: Half> FromRequest<S> for ApiJson<T, H> {
    type Rejection = H;

    async fn from_request(request: Request, state: &S) -> Result<Self, H> {
        let (parts, body) = read(request, state).await?;
        Ok(Self(json(parts, body, state).await?, PhantomData))
    }
}

impl<S: Send + Sync, T: DeserializeOwned, H: Half> FromRequest<S> for ApiJsonOrNothing<T, H> {
    type Rejection = H;

    async fn from_request(request: Request, state: &S) -> Result<Self, H> {
        let (mut parts, mut body) = read(request, state).await?;
        if body.is_empty() && !parts.headers.contains_key(CONTENT_TYPE) {
            parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            body = Bytes::from_static(b"{}");
        }
        Ok(Self(json(parts, body, state).await?, PhantomData))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send, H: Half> FromRequestParts<S> for ApiPath<T, H> {
    type Rejection = H;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, H> {
        let Path(value) = Path::from_request_parts(parts, state).await.map_err(Problem::from)?;
        Ok(Self(value, PhantomData))
    }
}

impl<S: Send + Sync, T: DeserializeOwned, H: Half> FromRequestParts<S> for ApiQuery<T, H> {
    type Rejection = H;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, H> {
        let query = parts.uri.query().unwrap_or_default();
        let given: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(_, value)| !value.is_empty() && value != "undefined")
            .collect();
        let present =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
        let uri = format!("/?{present}").parse().map_err(|_| Problem::no_such_path())?;
        let axum::extract::Query(value) =
            axum::extract::Query::try_from_uri(&uri).map_err(Problem::from)?;
        Ok(Self(value, PhantomData))
    }
}

impl<S: Send + Sync, H: Half> FromRequest<S> for ApiOctets<H> {
    type Rejection = H;

    async fn from_request(request: Request, state: &S) -> Result<Self, H> {
        const EXPECTED: &str = "application/octet-stream";
        let sent = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = sent.and_then(|sent| sent.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(EXPECTED) {
            return Err(Problem::unsupported_media_type(EXPECTED).into());
        }
        let (_, bytes) = read(request, state).await?;
        Ok(Self(bytes, PhantomData))
    }
}

/// Reads the body to its end; a length that is too much is refused before a byte is read.
async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<(Parts, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse().ok()).is_some_and(|n: usize| n > BODY_BYTES_MAX) {
        return Err(Problem::body_too_large());
    }
    let mut request = Request::new(body);
    // The limit on what has no length travels here.
    request.extensions_mut().clone_from(&parts.extensions);
    Ok((parts, Bytes::from_request(request, state).await?))
}

async fn json<S, T>(parts: Parts, body: Bytes, state: &S) -> Result<T, Problem>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    let request = Request::from_parts(parts, body.clone().into());
    let Json(value) = Json::from_request(request, state).await?;
    let Json(Unambiguous) = Json::from_bytes(&body)?;
    Ok(value)
}
