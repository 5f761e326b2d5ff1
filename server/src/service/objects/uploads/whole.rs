//! What a whole is like, told by its parts: its size, its ETag, and its digests. Reads no content.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm::{self, Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme};
use md5::{Digest as _, Md5};

use crate::model::object::{Algorithm, Checksum, OBJECT_BYTES_MAX, PartOf};
use crate::model::upload::{PART_BYTES_MIN, Part, Wanted};
use crate::service::objects::writing::hex;
use crate::service::objects::{ObjectError, Result};

/// An object in parts, but for what is said about it.
pub struct Whole {
    pub size: u64,
    pub etag: String,
    pub crc64: u64,
    pub checksum: Checksum,
    pub parts: Vec<PartOf>,
}

impl Whole {
    pub fn of(wanted: Option<Wanted>, parts: &[Part]) -> Result<Self> {
        let mut size = 0;
        for (position, part) in parts.iter().enumerate() {
            if part.size < PART_BYTES_MIN && position + 1 < parts.len() {
                return Err(ObjectError::TooSmall(part.number, PART_BYTES_MIN));
            }
            size += part.size;
        }
        if size > OBJECT_BYTES_MAX {
            return Err(ObjectError::TooLarge(OBJECT_BYTES_MAX));
        }
        let crc64 = combined(Crc64Nvme, parts.iter().map(|part| (part.crc64, part.size)));
        let default = Wanted { algorithm: Algorithm::Crc64Nvme, composite: false };
        let wanted = wanted.unwrap_or(default);
        let of_part = |part: &Part| PartOf {
            number: part.number,
            size: part.size,
            checksum: part.checksum.clone().filter(|known| known.algorithm == wanted.algorithm),
        };
        let digests = parts.iter().map(|part| digest(wanted.algorithm, part).ok_or(part.number));
        let digests: Result<Vec<_>, _> = digests.collect();
        let digests = digests.map_err(ObjectError::InvalidPart)?;
        let etags = parts.iter().map(|part| part.etag.as_str());
        Ok(Self {
            size,
            etag: etag(etags).ok_or(ObjectError::NoSuchUpload)?,
            crc64,
            checksum: checksum(wanted, parts, &digests),
            parts: parts.iter().map(of_part).collect(),
        })
    }
}

/// The ETag of a whole whose parts have these: the MD5 digest of their MD5 digests, and their number.
pub fn etag<'a>(parts: impl ExactSizeIterator<Item = &'a str>) -> Option<String> {
    let (count, mut md5) = (parts.len(), Md5::new());
    for part in parts {
        md5.update(bytes(part)?);
    }
    Some(format!("{}-{count}", hex(md5.finalize().into())))
}

fn bytes(digits: &str) -> Option<[u8; 16]> {
    let number = u128::from_str_radix(digits, 16).ok();
    number.filter(|_| digits.len() == 2 * size_of::<u128>()).map(u128::to_be_bytes)
}

/// A part's digest of this kind.
fn digest(algorithm: Algorithm, part: &Part) -> Option<Vec<u8>> {
    let known = part.checksum.as_ref().filter(|known| known.algorithm == algorithm);
    match (known, algorithm) {
        (Some(known), _) => STANDARD.decode(&known.value).ok(),
        (None, Algorithm::Crc64Nvme) => Some(part.crc64.to_be_bytes().to_vec()),
        (None, _) => None,
    }
}

fn checksum(wanted: Wanted, parts: &[Part], digests: &[Vec<u8>]) -> Checksum {
    let Wanted { algorithm, composite } = wanted;
    let all = || digests.concat();
    let sums = || digests.iter().map(|digest| number(digest)).zip(parts.iter().map(|p| p.size));
    let crc = |kind, bytes: usize| {
        let sum = match composite {
            true => crc_fast::checksum(kind, &all()),
            false => combined(kind, sums()),
        };
        sum.to_be_bytes()[size_of::<u64>() - bytes..].to_vec()
    };
    let value = match algorithm {
        Algorithm::Crc32 => crc(Crc32IsoHdlc, size_of::<u32>()),
        Algorithm::Crc32c => crc(Crc32Iscsi, size_of::<u32>()),
        Algorithm::Crc64Nvme => crc(Crc64Nvme, size_of::<u64>()),
        Algorithm::Sha1 => digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &all()).as_ref().to_vec(),
        Algorithm::Sha256 => digest::digest(&SHA256, &all()).as_ref().to_vec(),
    };
    let value = STANDARD.encode(value);
    let value = if composite { format!("{value}-{}", parts.len()) } else { value };
    Checksum { algorithm, composite, value }
}

/// The CRC of contents one behind the other, of which each one's CRC and length is known.
fn combined(kind: CrcAlgorithm, parts: impl Iterator<Item = (u64, u64)>) -> u64 {
    let join = |before, (sum, length)| crc_fast::checksum_combine(kind, before, sum, length);
    parts.fold(crc_fast::checksum(kind, b""), join)
}

fn number(digest: &[u8]) -> u64 {
    digest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
