//! What a cloud keeps of an object, and of an upload in parts.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName};
use md5::{Digest, Md5};

#[derive(Clone, Debug)]
pub struct Stored {
    pub content: Bytes,
    /// Without quotes.
    pub etag: String,
    /// What is said about the content, metadata included.
    pub headers: HeaderMap,
}

pub struct Upload {
    pub key: String,
    pub headers: HeaderMap,
    pub parts: BTreeMap<u32, Bytes>,
}

impl Stored {
    pub fn new(content: Bytes, headers: HeaderMap) -> Self {
        Self { etag: hex(&Md5::digest(&content)), content, headers }
    }
}

impl Upload {
    /// The object that parts with these numbers make.
    pub fn complete(&self, numbers: &[u32]) -> Option<Stored> {
        let parts: Vec<_> = numbers.iter().map(|number| self.parts.get(number)).collect();
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        let digests: Vec<u8> = parts.iter().flat_map(Md5::digest).collect();
        let etag = format!("{}-{}", hex(&Md5::digest(digests)), parts.len());
        let content: Vec<u8> = parts.into_iter().flatten().copied().collect();
        Some(Stored { content: content.into(), etag, headers: self.headers.clone() })
    }
}

/// The headers of a request that stay with an object.
pub fn kept(headers: &HeaderMap) -> HeaderMap {
    let stays = |name: &HeaderName| {
        let name = name.as_str();
        name.starts_with("x-amz-meta-")
            || matches!(name, "cache-control" | "content-type" | "expires")
            || matches!(name, "content-disposition" | "content-encoding" | "content-language")
    };
    headers
        .iter()
        .filter(|(name, _)| stays(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
