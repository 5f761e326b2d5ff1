//! Clones and fetches.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tokio::io::AsyncReadExt;

use super::body::{self, Bounds};
use super::refusal::Refusal;
use super::{Door, access, expect, fresh, named, pkt, protocol};
use crate::model::access::Role;
use crate::model::id::SourceRepoId;
use crate::service::source_git;

/// Most bytes of a request to fetch, unpacked: what a client wants, and what it has.
pub const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;
const SERVICE: &[u8] = b"# service=git-upload-pack\n";

pub async fn advertise(
    door: &Door,
    repo: SourceRepoId,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let caller = access::caller(door, headers).await?;
    let protocol = protocol(headers);
    let said = source_git::advertise(&door.services, &caller, repo, protocol);
    let said =
        tokio::time::timeout(door.limits.idle, said).await.map_err(|_| Refusal::busy())??;
    let mut body = Vec::with_capacity(said.len() + 64);
    // Version 2 has no use for it.
    if !said.starts_with(b"000eversion 2\n") {
        pkt::write(&mut body, SERVICE);
        body.extend_from_slice(pkt::FLUSH);
    }
    body.extend_from_slice(&said);
    Ok(fresh("application/x-git-upload-pack-advertisement", body))
}

pub async fn fetch(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(&door, &name, &headers, body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(
    door: &Door,
    name: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let repo = named(name)?;
    let caller = access::caller(door, headers).await?;
    source_git::check(&door.services, &caller, repo, Role::Read).await?;
    expect(headers, "application/x-git-upload-pack-request")?;
    let slot = door.slot().await?;
    let bounds = Bounds { bytes_max: REQUEST_BYTES_MAX, idle: door.limits.idle };
    let mut request = Vec::new();
    let (mut body, _) = body::reader(body, headers, bounds)?;
    let read = body.read_to_end(&mut request).await;
    read.map_err(|error| body::refuse(&error, bounds))?;
    let asked = (protocol(headers), request.into());
    let pieces =
        source_git::fetch(&door.services, &caller, repo, asked, door.patience(), slot).await?;
    Ok(fresh("application/x-git-upload-pack-result", Body::from_stream(pieces)))
}
