//! Bounds a body while it comes: each piece in time, and chunks of a size that s3s can hold in memory.
//! Never looks at what is in the chunks.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, try_unfold};

use super::signature::Framing;

/// Longest chunk that is handed on, in bytes; without a signature, longer ones are split.
const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// Longest chunk with a signature, in bytes: it is all in memory until that is checked.
const SIGNED_CHUNK_BYTES_MAX: usize = 1024 * 1024;
/// Longest first line of a chunk, in bytes.
const LINE_BYTES_MAX: usize = 256;
/// Longest trailer, in bytes.
const TRAILER_BYTES_MAX: usize = 8 * 1024;
const BREAK: &[u8] = b"\r\n";

/// Why a body was not taken, where that is not said by the bytes that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Stalled,
    Cut,
    /// Not as chunks have to be.
    Malformed,
    ChunkTooLong,
    /// The digest of the content is not the one that is signed.
    Hash,
    /// The signature of a chunk or of the trailer is wrong.
    Signature,
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(format!("{fault:?}"))
    }
}

type Pieces = BoxStream<'static, Result<Bytes, Fault>>;

/// The body, in pieces that are sure to be small, as long as they come in time.
pub fn bounded(
    body: Body,
    framing: Option<Framing>,
    stall: Duration,
    fault: Arc<OnceLock<Fault>>,
) -> Body {
    let pieces = in_time(body.into_data_stream(), stall);
    let pieces = match framing {
        Some(framing) => framed(pieces, framing),
        None => pieces,
    };
    Body::from_stream(pieces.map(move |piece| {
        piece.map_err(|error| {
            fault.get_or_init(|| error);
            io::Error::from(error)
        })
    }))
}

fn in_time<E: Send + 'static>(
    pieces: impl futures::Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    stall: Duration,
) -> Pieces {
    try_unfold(pieces, move |mut pieces| async move {
        match tokio::time::timeout(stall, pieces.next()).await {
            Err(_) => Err(Fault::Stalled),
            Ok(Some(Err(_))) => Err(Fault::Cut),
            Ok(Some(Ok(piece))) => Ok(Some((piece, pieces))),
            Ok(None) => Ok(None),
        }
    })
    .boxed()
}

/// Where in a body of chunks.
enum At {
    Line,
    Data(usize),
    /// Behind the data of a chunk, which ends with a line break.
    Break,
    Trailer(usize),
}

struct Frames {
    pieces: Pieces,
    framing: Framing,
    at: At,
    /// What has come and not been looked at.
    came: Bytes,
    /// What is to go out.
    out: VecDeque<Bytes>,
    ended: bool,
}

fn framed(pieces: Pieces, framing: Framing) -> Pieces {
    let (came, out) = (Bytes::new(), VecDeque::new());
    let frames = Frames { pieces, framing, at: At::Line, came, out, ended: false };
    try_unfold(
        frames,
        |mut frames| async move { Ok(frames.next().await?.map(|piece| (piece, frames))) },
    )
    .boxed()
}

impl Frames {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            while self.out.is_empty() && self.step()? {}
            if let Some(piece) = self.out.pop_front() {
                return Ok(Some(piece));
            }
            if self.ended {
                // Nothing but a trailer may come last.
                let whole = matches!(self.at, At::Trailer(_));
                return if whole { Ok(None) } else { Err(Fault::Cut) };
            }
            match self.pieces.next().await {
                Some(piece) if self.came.is_empty() => self.came = piece?,
                Some(piece) => self.came = [&self.came[..], &piece?].concat().into(),
                None => self.ended = true,
            }
        }
    }

    /// Goes on through what has come; false if that is too little.
    fn step(&mut self) -> Result<bool, Fault> {
        if self.came.is_empty() {
            return Ok(false);
        }
        match self.at {
            At::Line => self.step_line(),
            At::Data(left) => {
                self.step_data(left);
                Ok(true)
            }
            At::Break => self.step_break(),
            At::Trailer(before) => {
                let length = before + self.came.len();
                self.at = At::Trailer(length);
                self.out.push_back(std::mem::take(&mut self.came));
                if length <= TRAILER_BYTES_MAX { Ok(true) } else { Err(Fault::Malformed) }
            }
        }
    }

    fn step_line(&mut self) -> Result<bool, Fault> {
        let Some(end) = self.came.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n')
        else {
            let short = self.came.len() < LINE_BYTES_MAX;
            return if short { Ok(false) } else { Err(Fault::Malformed) };
        };
        let line = self.came.split_to(end + 1);
        let text = line.strip_suffix(BREAK).ok_or(Fault::Malformed)?;
        let (size, signature) = match text.iter().position(|byte| *byte == b';') {
            Some(at) => (&text[..at], Some(&text[at..])),
            None => (text, None),
        };
        if signature.is_some() != (self.framing == Framing::Signed) {
            return Err(Fault::Malformed);
        }
        let size = size_of(size).ok_or(Fault::Malformed)?;
        self.at = if size == 0 { At::Trailer(0) } else { At::Data(size) };
        match self.framing {
            Framing::Signed if size > SIGNED_CHUNK_BYTES_MAX => return Err(Fault::ChunkTooLong),
            // Each piece of it gets a line of its own.
            Framing::Unsigned if size > 0 => {}
            Framing::Signed | Framing::Unsigned => self.out.push_back(line),
        }
        Ok(true)
    }

    fn step_data(&mut self, left: usize) {
        let length = left.min(self.came.len()).min(CHUNK_BYTES_MAX);
        let data = self.came.split_to(length);
        self.at = if length == left { At::Break } else { At::Data(left - length) };
        match self.framing {
            Framing::Signed => self.out.push_back(data),
            Framing::Unsigned => {
                let line = format!("{length:x}\r\n");
                self.out.extend([line.into(), data, Bytes::from_static(BREAK)]);
            }
        }
    }

    fn step_break(&mut self) -> Result<bool, Fault> {
        if self.came.len() < BREAK.len() {
            return Ok(false);
        }
        let came = self.came.split_to(BREAK.len());
        if came != BREAK {
            return Err(Fault::Malformed);
        }
        self.at = At::Line;
        if self.framing == Framing::Signed {
            self.out.push_back(came);
        }
        Ok(true)
    }
}

/// A size as a chunk says it, in hexadecimal digits.
fn size_of(text: &[u8]) -> Option<usize> {
    const DIGITS_MAX: usize = 15;
    let digits = (1..=DIGITS_MAX).contains(&text.len()) && text.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    usize::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests;
