//! Where a key's object is on a disk. A key is written in hexadecimal digits, so it is never a path,
//! differs by case or clashes with another, and names sort as keys do. A list reads the names in the
//! folders on its way, of one folder at least all, and nothing else.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Bytes of a key that make one name: few enough for a file system, enough for few folders.
const NAME_KEY_BYTES: usize = 16;
/// What the name of a file ends with; that of a folder is only digits.
const FILE_END: char = '.';

/// The path of a key's object below the folder of all.
pub fn path(key: &str) -> PathBuf {
    let mut path = PathBuf::new();
    let mut chunks = key.as_bytes().chunks(NAME_KEY_BYTES).peekable();
    while let Some(chunk) = chunks.next() {
        let mut name: String = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        if chunks.peek().is_none() {
            name.push(FILE_END);
        }
        path.push(name);
    }
    path
}

/// Which keys are looked for.
pub struct Wanted<'a> {
    pub prefix: &'a [u8],
    pub after: Option<&'a [u8]>,
}

impl Wanted<'_> {
    fn has(&self, key: &[u8]) -> bool {
        key.starts_with(self.prefix) && self.after.is_none_or(|after| key > after)
    }

    /// Whether it may have keys that begin like this, and go on.
    fn reaches(&self, start: &[u8]) -> bool {
        (start.starts_with(self.prefix) || self.prefix.starts_with(start))
            && self.after.is_none_or(|after| start > after || after.starts_with(start))
    }
}

/// Calls `found` with keys and their files in byte order, until it says that it has enough.
pub fn walk(
    folder: &Path,
    start: &[u8],
    wanted: &Wanted<'_>,
    found: &mut dyn FnMut(&[u8], &Path) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut entries = match std::fs::read_dir(folder) {
        Ok(names) => names.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?,
        // Gone with its last object, or not made yet.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    // A file's name sorts before those that go on where it ends: its last sign comes before digits.
    entries.sort_unstable();
    for name in entries {
        let Some(text) = name.to_str() else { continue };
        let (digits, is_file) = match text.strip_suffix(FILE_END) {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let Some(bytes) = bytes(digits) else { continue };
        let key = [start, &bytes].concat();
        let path = folder.join(&name);
        let more = match is_file {
            true => !wanted.has(&key) || found(&key, &path)?,
            false => !wanted.reaches(&key) || walk(&path, &key, wanted, found)?,
        };
        if !more {
            return Ok(false);
        }
    }
    Ok(true)
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}
