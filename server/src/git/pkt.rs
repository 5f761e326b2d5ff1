//! The frames that git's protocol is made of: four hexadecimal digits of length, then content.
//! A length is never trusted beyond what a frame may have.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest frame, its length included, in bytes.
const FRAME_BYTES_MAX: usize = 65_520;
const LENGTH_BYTES: usize = 4;
/// Longest content of a frame that also says which band it is on.
const BAND_BYTES_MAX: usize = FRAME_BYTES_MAX - LENGTH_BYTES - 1;

pub const FLUSH: &[u8] = b"0000";

/// The content of the next frame; none for a flush.
pub async fn read(source: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; LENGTH_BYTES];
    source.read_exact(&mut length).await?;
    let length =
        str::from_utf8(&length).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let length = length.and_then(|digits| usize::from_str_radix(digits, 16).ok());
    match length {
        Some(0) => Ok(None),
        Some(length @ LENGTH_BYTES..=FRAME_BYTES_MAX) => {
            let mut content = vec![0; length - LENGTH_BYTES];
            source.read_exact(&mut content).await?;
            Ok(Some(content))
        }
        _ => Err(ErrorKind::InvalidInput.into()),
    }
}

/// Appends one frame. Its content must be short enough.
pub fn write(out: &mut Vec<u8>, content: &[u8]) {
    debug_assert!(content.len() <= FRAME_BYTES_MAX - LENGTH_BYTES);
    out.extend_from_slice(format!("{:04x}", content.len() + LENGTH_BYTES).as_bytes());
    out.extend_from_slice(content);
}

/// What a frame carries when several things are sent at once.
#[derive(Clone, Copy)]
pub enum Band {
    Data = 1,
    /// Words for whoever runs git.
    Words = 2,
}

/// Appends as many frames as it takes.
pub fn write_band(out: &mut Vec<u8>, band: Band, content: &[u8]) {
    for piece in content.chunks(BAND_BYTES_MAX) {
        write(out, &[&[band as u8], piece].concat());
    }
}

#[cfg(test)]
mod tests;
