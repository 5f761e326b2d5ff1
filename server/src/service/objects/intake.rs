//! Takes a body in: counts and digests what comes, and says at its end whether that is what was
//! promised.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures::StreamExt as _;
use md5::{Digest as _, Md5};

use super::{ObjectError, Result};
use crate::backend::buckets::Content;
use crate::model::object::{Algorithm, Checksum};

/// A digest that the client has of the content.
pub enum Given {
    /// In Base64.
    Value(String),
    /// It comes behind the content; absent, if it did not come.
    Later(Box<dyn FnOnce() -> Option<String> + Send>),
    /// Only its kind is known.
    Compute,
}

/// What the client says of the content beforehand.
#[derive(Default)]
pub struct Promised {
    pub md5: Option<[u8; 16]>,
    pub checksum: Option<(Algorithm, Given)>,
}

/// What became known of a content while it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    pub md5: Option<[u8; 16]>,
    pub crc64: u64,
    pub checksum: Checksum,
}

pub struct Intake {
    content: Content,
    length: u64,
    left: u64,
    crc64: Crc,
    md5: Option<Md5>,
    other: Option<Hasher>,
    promised: Promised,
}

/// Whichever digest was asked for, if not CRC64NVME, which is always known.
enum Hasher {
    Crc(Box<Crc>),
    Sha(digest::Context),
}

impl Intake {
    pub fn new(content: Content, length: u64, promised: Promised, with_md5: bool) -> Self {
        let crc = |algorithm| Hasher::Crc(Box::new(Crc::new(algorithm)));
        let other = promised.checksum.as_ref().and_then(|(algorithm, _)| match algorithm {
            Algorithm::Crc64Nvme => None,
            Algorithm::Crc32 => Some(crc(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32c => Some(crc(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Sha1 => Some(Hasher::Sha(digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY))),
            Algorithm::Sha256 => Some(Hasher::Sha(digest::Context::new(&SHA256))),
        });
        Self {
            content,
            length,
            left: length,
            crc64: Crc::new(CrcAlgorithm::Crc64Nvme),
            md5: (with_md5 || promised.md5.is_some()).then(Md5::new),
            other,
            promised,
        }
    }

    /// The next piece; never more than was said.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let chunk = match self.content.next().await {
                None => return Ok(None),
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return Err(ObjectError::BadContent(error.to_string())),
            };
            if chunk.is_empty() {
                continue;
            }
            let too_long = || ObjectError::BadContent("longer than was said".to_owned());
            self.left = self.left.checked_sub(chunk.len() as u64).ok_or_else(too_long)?;
            self.crc64.update(&chunk);
            if let Some(md5) = &mut self.md5 {
                md5.update(&chunk);
            }
            match &mut self.other {
                Some(Hasher::Crc(crc)) => crc.update(&chunk),
                Some(Hasher::Sha(sha)) => sha.update(&chunk),
                None => {}
            }
            return Ok(Some(chunk));
        }
    }

    /// After the last piece: whether all came, and as it was promised.
    pub fn finish(self) -> Result<Digests> {
        if self.left > 0 {
            let came = self.length - self.left;
            let message = format!("shorter than was said: {came} of {} bytes", self.length);
            return Err(ObjectError::BadContent(message));
        }
        let md5: Option<[u8; 16]> = self.md5.map(|md5| md5.finalize().into());
        if self.promised.md5.is_some() && self.promised.md5 != md5 {
            return Err(ObjectError::BadDigest("Content-MD5"));
        }
        let crc64 = self.crc64.finalize();
        let (algorithm, given) =
            self.promised.checksum.unwrap_or((Algorithm::Crc64Nvme, Given::Compute));
        let value = match self.other {
            None => STANDARD.encode(crc64.to_be_bytes()),
            Some(Hasher::Crc(crc)) => {
                // The upper half of what a CRC of 32 bits gives is empty.
                STANDARD.encode(&crc.finalize().to_be_bytes()[4..])
            }
            Some(Hasher::Sha(sha)) => STANDARD.encode(sha.finish()),
        };
        let said = match given {
            Given::Value(said) => Some(said),
            Given::Later(read) => Some(read().ok_or_else(|| {
                ObjectError::BadContent("without the trailer that was announced".to_owned())
            })?),
            Given::Compute => None,
        };
        if said.is_some_and(|said| said != value) {
            return Err(ObjectError::BadDigest("checksum"));
        }
        Ok(Digests { md5, crc64, checksum: Checksum { algorithm, composite: false, value } })
    }
}

/// CRC64NVME of what is read back.
pub struct Crc64(Crc);

impl Crc64 {
    pub fn new() -> Self {
        Self(Crc::new(CrcAlgorithm::Crc64Nvme))
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn value(&self) -> u64 {
        self.0.finalize()
    }
}
