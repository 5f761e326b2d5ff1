//! Extractors whose rejections speak the envelope of their half.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

use super::half::{Half, SourceFault, StorageFault};
use super::problem::Problem;

pub type StorageJson<T> = ApiJson<T, StorageFault>;
pub type StoragePath<T> = ApiPath<T, StorageFault>;
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
        let Json(value) = Json::from_request(request, state).await.map_err(Problem::from)?;
        Ok(Self(value, PhantomData))
    }
}

impl<S: Send + Sync, T: DeserializeOwned, H: Half> FromRequest<S> for ApiJsonOrNothing<T, H> {
    type Rejection = H;

    async fn from_request(request: Request, state: &S) -> Result<Self, H> {
        let untyped = !request.headers().contains_key(CONTENT_TYPE);
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::new(body), state).await.map_err(Problem::from)?;
        let body = if bytes.is_empty() && untyped {
            Json::from_bytes(b"{}")
        } else {
            Json::from_request(Request::from_parts(parts, bytes.into()), state).await
        };
        let Json(value) = body.map_err(Problem::from)?;
        Ok(Self(value, PhantomData))
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
        let bytes = Bytes::from_request(request, state).await.map_err(Problem::from)?;
        Ok(Self(bytes, PhantomData))
    }
}
