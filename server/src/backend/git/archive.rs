//! Writes the files of a tree as an archive, one content in memory at a time; it must never
//! write a path that leads out of where the archive is unpacked, nor follow a symlink.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bytes::Bytes;
use chrono::DateTime as Instant;
use flate2::Compression;
use flate2::write::GzEncoder;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::objects::{ObjectError, ObjectSource};
use super::path::is_extractable;
use super::tree::Entry;
use super::walk::Walk;
use crate::model::history::ArchiveFormat;

/// Permissions of files and directories, and of programs.
const PLAIN: u32 = 0o644;
const EXECUTABLE: u32 = 0o755;

/// Writes the archive to its end. Every time in it is `seconds`.
pub fn write(
    source: &dyn ObjectSource,
    root: ObjectId,
    format: ArchiveFormat,
    seconds: i64,
    out: impl Write,
) -> io::Result<()> {
    match format {
        ArchiveFormat::Tar => tar(source, root, seconds, out).map(drop),
        ArchiveFormat::TarGz => {
            tar(source, root, seconds, GzEncoder::new(out, Compression::fast()))?.finish().map(drop)
        }
        ArchiveFormat::Zip => zip(source, root, seconds, out),
    }
}

/// The entries an archive holds, with the contents of those that have any.
fn entries(
    source: &dyn ObjectSource,
    root: ObjectId,
) -> io::Result<impl Iterator<Item = io::Result<(BString, EntryKind, Bytes)>> + '_> {
    let walk = Walk::new(source, root, BString::default()).map_err(io::Error::other)?;
    let kept =
        walk.filter(|leaf| leaf.as_ref().map_or(true, |(path, _)| is_extractable(path.as_bstr())));
    let load = |(path, entry): (BString, Entry)| {
        let kind = entry.mode.kind();
        let content = match kind {
            EntryKind::Commit | EntryKind::Tree => Bytes::new(),
            EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                let blob = source.read(&entry.id)?;
                blob.expect(Kind::Blob)?;
                blob.data
            }
        };
        Ok::<_, ObjectError>((path, kind, content))
    };
    Ok(kept.map(move |leaf| leaf.and_then(load).map_err(io::Error::other)))
}

fn tar<W: Write>(source: &dyn ObjectSource, root: ObjectId, seconds: i64, out: W) -> io::Result<W> {
    let mut archive = tar::Builder::new(out);
    for entry in entries(source, root)? {
        let (path, kind, content) = entry?;
        let path = on_disk(path.as_bstr());
        let mut header = tar::Header::new_gnu();
        header.set_mtime(u64::try_from(seconds).unwrap_or_default());
        header.set_mode(permissions(kind));
        header.set_size(0);
        match kind {
            EntryKind::Link => {
                header.set_entry_type(tar::EntryType::Symlink);
                archive.append_link(&mut header, path, on_disk(content.as_bstr()))?;
            }
            EntryKind::Commit | EntryKind::Tree => {
                header.set_entry_type(tar::EntryType::Directory);
                archive.append_data(&mut header, path, io::empty())?;
            }
            EntryKind::Blob | EntryKind::BlobExecutable => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_size(content.len() as u64);
                archive.append_data(&mut header, path, &content[..])?;
            }
        }
    }
    archive.into_inner()
}

fn zip(source: &dyn ObjectSource, root: ObjectId, seconds: i64, out: impl Write) -> io::Result<()> {
    // The format knows no time before 1980.
    let time = Instant::from_timestamp(seconds, 0).map(|time| time.naive_utc());
    let time = time.and_then(|time| time.try_into().ok()).unwrap_or_default();
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(time);
    let mut archive = ZipWriter::new_stream(out);
    for entry in entries(source, root)? {
        let (path, kind, content) = entry?;
        let path = path.to_str_lossy();
        let options = options.unix_permissions(permissions(kind));
        match kind {
            EntryKind::Link => archive.add_symlink(path, content.to_str_lossy(), options)?,
            EntryKind::Commit | EntryKind::Tree => archive.add_directory(path, options)?,
            EntryKind::Blob | EntryKind::BlobExecutable => {
                archive.start_file(path, options)?;
                archive.write_all(&content)?;
            }
        }
    }
    archive.finish()?.flush()
}

fn permissions(kind: EntryKind) -> u32 {
    match kind {
        EntryKind::Blob => PLAIN,
        EntryKind::Link => 0o777,
        EntryKind::BlobExecutable | EntryKind::Commit | EntryKind::Tree => EXECUTABLE,
    }
}

fn on_disk(path: &BStr) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
