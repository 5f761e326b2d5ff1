//! Writes and reads the packs that bundles are: whole objects, no deltas; it must never trust a
//! size that a pack declares.

use flate2::Crc;
use gix::objs::Kind;
use gix::zlib::Inflate;
use gix::{ObjectId, hash};

use super::objects::{HASH, OBJECT_BYTES_MAX, Object, ObjectError};
use super::zlib::{self, Deflater};

/// Most bytes the objects of one pack may inflate to.
pub const UNPACKED_BYTES_MAX: usize = 1024 * 1024 * 1024;

const MAGIC: &[u8] = b"PACK\0\0\0\x02";
const HEADER_BYTES: usize = MAGIC.len() + 4;
const TRAILER_BYTES: usize = 20;
const INDEX_MAGIC: &[u8] = b"\xfftOc\0\0\0\x02";

#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error("the pack is damaged: {0}")]
    Damaged(&'static str),
    #[error("the pack holds deltas; let git index it instead")]
    Delta,
    #[error(
        "the pack inflates to more than {UNPACKED_BYTES_MAX} bytes, or one object to more than {OBJECT_BYTES_MAX}"
    )]
    TooLarge,
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// One pack of `objects`, commits first. Equal sets give equal packs, whatever their order.
pub fn write_pack(objects: &[Object]) -> Vec<u8> {
    write_entries(objects).0
}

/// A pack that can be read in place.
pub struct Pack {
    pub bytes: Vec<u8>,
    /// Version 2 index.
    pub index: Vec<u8>,
    /// The pack's checksum, by which git names its files.
    pub name: ObjectId,
}

/// The same pack as `write_pack`, with its index.
pub fn write_pack_and_index(objects: &[Object]) -> Pack {
    let (pack, mut offsets) = write_entries(objects);
    let (body, checksum) = pack.split_at(pack.len() - TRAILER_BYTES);
    let ends: Vec<usize> =
        offsets.iter().skip(1).map(|(_, next)| *next).chain([body.len()]).collect();
    let mut entries: Vec<_> = offsets
        .drain(..)
        .zip(ends)
        .map(|((id, start), end)| {
            let mut crc = Crc::new();
            crc.update(&body[start..end]);
            let start = u32::try_from(start).ok().filter(|start| start >> 31 == 0);
            (id, crc.sum(), start.expect("what is flushed to one pack is far below 2 GiB"))
        })
        .collect();
    entries.sort_unstable_by_key(|(id, ..)| *id);

    let mut index = INDEX_MAGIC.to_vec();
    for first_byte in 0..=u8::MAX {
        let up_to = entries.partition_point(|(id, ..)| id.as_bytes()[0] <= first_byte);
        index.extend_from_slice(&(up_to as u32).to_be_bytes());
    }
    entries.iter().for_each(|(id, ..)| index.extend_from_slice(id.as_bytes()));
    entries.iter().for_each(|(_, crc, _)| index.extend_from_slice(&crc.to_be_bytes()));
    entries.iter().for_each(|(.., offset)| index.extend_from_slice(&offset.to_be_bytes()));
    index.extend_from_slice(checksum);
    let name = ObjectId::from_bytes_or_panic(checksum);
    seal(&mut index);
    Pack { bytes: pack, index, name }
}

/// The pack, and where in it each object starts.
fn write_entries(objects: &[Object]) -> (Vec<u8>, Vec<(ObjectId, usize)>) {
    let mut ordered: Vec<&Object> = objects.iter().collect();
    ordered.sort_unstable_by_key(|object| (type_of(object.kind), object.id));
    ordered.dedup_by_key(|object| object.id);
    let count = u32::try_from(ordered.len())
        .expect("the limits on an edit keep a batch far below 2^32 objects");

    let mut pack = [MAGIC, &count.to_be_bytes()].concat();
    let mut offsets = Vec::with_capacity(ordered.len());
    let mut deflater = Deflater::new();
    for object in ordered {
        offsets.push((object.id, pack.len()));
        write_entry_header(&mut pack, object);
        deflater.deflate(&[&object.data], &mut pack);
    }
    seal(&mut pack);
    (pack, offsets)
}

/// Appends the checksum that packs and indices end with.
fn seal(file: &mut Vec<u8>) {
    let mut hasher = hash::hasher(HASH);
    hasher.update(file);
    let checksum =
        hasher.try_finalize().expect("nobody can craft a collision through deflate or in an index");
    file.extend_from_slice(checksum.as_bytes());
}

/// Type in bits 4 to 6 of the first byte, size in its low 4 bits and then 7 bits a byte.
fn write_entry_header(pack: &mut Vec<u8>, object: &Object) {
    let mut size = object.data.len();
    let mut byte = type_of(object.kind) << 4 | (size & 0x0f) as u8;
    size >>= 4;
    while size > 0 {
        pack.push(byte | 0x80);
        byte = (size & 0x7f) as u8;
        size >>= 7;
    }
    pack.push(byte);
}

/// The objects of a pack, one after the other, once its checksum is verified.
pub fn read_pack(pack: &[u8]) -> Result<Packed<'_>, PackError> {
    if pack.len() < HEADER_BYTES + TRAILER_BYTES || !pack.starts_with(MAGIC) {
        return Err(PackError::Damaged("it has no version 2 header"));
    }
    let (body, checksum) = pack.split_at(pack.len() - TRAILER_BYTES);
    let mut hasher = hash::hasher(HASH);
    hasher.update(body);
    if hasher.try_finalize().is_ok_and(|sum| sum.as_bytes() != checksum) {
        return Err(PackError::Damaged("its checksum is wrong"));
    }
    let count = body[MAGIC.len()..HEADER_BYTES].try_into().expect("the slice is 4 bytes long");
    Ok(Packed {
        rest: &body[HEADER_BYTES..],
        left: u32::from_be_bytes(count),
        budget: UNPACKED_BYTES_MAX,
        inflate: Inflate::default(),
    })
}

pub struct Packed<'p> {
    rest: &'p [u8],
    left: u32,
    budget: usize,
    inflate: Inflate,
}

impl Packed<'_> {
    fn step(&mut self) -> Result<Object, PackError> {
        let (kind, size) = self.entry_header()?;
        let kind = match kind {
            1 => Kind::Commit,
            2 => Kind::Tree,
            3 => Kind::Blob,
            4 => Kind::Tag,
            6 | 7 => return Err(PackError::Delta),
            _ => return Err(PackError::Damaged("an entry has no known type")),
        };
        if size > OBJECT_BYTES_MAX || size > self.budget {
            return Err(PackError::TooLarge);
        }
        self.budget -= size;
        let (data, consumed) = zlib::inflate(&mut self.inflate, self.rest, size)
            .ok_or(PackError::Damaged("an entry does not inflate to its declared size"))?;
        self.rest = &self.rest[consumed..];
        Ok(Object::new(kind, data)?)
    }

    fn entry_header(&mut self) -> Result<(u8, usize), PackError> {
        let mut byte = self.byte()?;
        let kind = byte >> 4 & 0b111;
        let mut size = u64::from(byte & 0x0f);
        let mut shift = 4;
        while byte & 0x80 != 0 {
            byte = self.byte()?;
            // 53 bits of size are far beyond every limit, and cannot overflow here.
            if shift > 46 {
                return Err(PackError::TooLarge);
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        Ok((kind, usize::try_from(size).map_err(|_| PackError::TooLarge)?))
    }

    fn byte(&mut self) -> Result<u8, PackError> {
        let (&first, rest) =
            self.rest.split_first().ok_or(PackError::Damaged("it ends too early"))?;
        self.rest = rest;
        Ok(first)
    }
}

impl Iterator for Packed<'_> {
    type Item = Result<Object, PackError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let trailing = !std::mem::take(&mut self.rest).is_empty();
            return trailing.then_some(Err(PackError::Damaged("it holds more than it declares")));
        }
        let step = self.step();
        // Where the next entry starts is unknown after a bad one.
        self.left = if step.is_ok() { self.left - 1 } else { 0 };
        if step.is_err() {
            self.rest = &[];
        }
        Some(step)
    }
}

fn type_of(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    }
}

#[cfg(test)]
mod tests;
