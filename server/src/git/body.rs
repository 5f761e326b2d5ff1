//! The body of a request as it comes, unpacked if it is packed; it must never hold more than a
//! piece of it, nor wait for ever.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::Bytes;
use flate2::write::GzDecoder;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use tokio_util::io::StreamReader;

use super::refusal::Refusal;

/// Bytes unpacked at once; they become a thousand times as many at most.
const SLICE_BYTES: usize = 4 * 1024;

pub type Reader = StreamReader<BoxStream<'static, io::Result<Bytes>>, Bytes>;

/// What a client may send, and how fast it has to.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Bytes, unpacked.
    pub bytes_max: u64,
    /// Until the next piece is here.
    pub idle: Duration,
}

/// Fails with [`ErrorKind::FileTooLarge`], [`ErrorKind::TimedOut`] or [`ErrorKind::InvalidData`].
pub fn reader(body: Body, headers: &HeaderMap, bounds: Bounds) -> Result<(Reader, Ended), Refusal> {
    let gzip = match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => None,
        Some(b"gzip" | b"x-gzip") => Some(GzDecoder::new(Vec::new())),
        Some(_) => {
            let status = axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Refusal::new(status, "Send the body as it is, or packed by gzip."));
        }
    };
    let (body, ended) = (body.into_data_stream(), Ended::default());
    let source =
        Source { body, packed: Bytes::new(), gzip, bounds, bytes: 0, ended: ended.clone() };
    let pieces = try_unfold(source, |mut source| async {
        Ok(source.next().await?.map(|piece| (piece, source)))
    });
    Ok((StreamReader::new(pieces.boxed()), ended))
}

/// Whether a client has said all.
#[derive(Clone, Default)]
pub struct Ended(Arc<AtomicBool>);

impl Ended {
    pub fn has(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Source {
    body: BodyDataStream,
    /// Come, but not unpacked.
    packed: Bytes,
    gzip: Option<GzDecoder<Vec<u8>>>,
    bounds: Bounds,
    /// Handed out by now.
    bytes: u64,
    ended: Ended,
}

impl Source {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if self.packed.is_empty() {
                match self.come().await? {
                    Some(piece) => self.packed = piece,
                    None => {
                        self.ended.0.store(true, Ordering::Relaxed);
                        let rest = self.finish()?;
                        return self
                            .counted(rest)
                            .map(|rest| Some(rest).filter(|rest| !rest.is_empty()));
                    }
                }
            }
            let piece = match &mut self.gzip {
                None => std::mem::take(&mut self.packed),
                Some(gzip) => {
                    let slice = self.packed.split_to(self.packed.len().min(SLICE_BYTES));
                    gzip.write_all(&slice).map_err(damaged)?;
                    std::mem::take(gzip.get_mut()).into()
                }
            };
            if !piece.is_empty() {
                return self.counted(piece).map(Some);
            }
        }
    }

    async fn come(&mut self) -> io::Result<Option<Bytes>> {
        let piece = tokio::time::timeout(self.bounds.idle, self.body.next()).await?;
        piece.transpose().map_err(io::Error::other)
    }

    /// What the end of the body makes certain.
    fn finish(&mut self) -> io::Result<Bytes> {
        match self.gzip.take() {
            None => Ok(Bytes::new()),
            Some(gzip) => gzip.finish().map(Bytes::from).map_err(damaged),
        }
    }

    fn counted(&mut self, piece: Bytes) -> io::Result<Bytes> {
        self.bytes += piece.len() as u64;
        match self.bytes > self.bounds.bytes_max {
            true => Err(ErrorKind::FileTooLarge.into()),
            false => Ok(piece),
        }
    }
}

fn damaged(_: io::Error) -> io::Error {
    ErrorKind::InvalidData.into()
}

/// What to answer to a body that could not be read.
pub fn refuse(error: &io::Error, bounds: Bounds) -> Refusal {
    use axum::http::StatusCode;
    match error.kind() {
        ErrorKind::FileTooLarge => {
            let message = format!("The request is larger than {} bytes.", bounds.bytes_max);
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        }
        ErrorKind::TimedOut => {
            let message = format!("Nothing came for {} s.", bounds.idle.as_secs());
            Refusal::new(StatusCode::REQUEST_TIMEOUT, message)
        }
        ErrorKind::InvalidData => {
            Refusal::bad("The body is not packed by gzip, as its header says.")
        }
        _ => Refusal::bad("The body could not be read to its end."),
    }
}
