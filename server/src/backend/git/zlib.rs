//! zlib streams of known size, with the compressor's state kept between objects; it must never
//! allocate on the word of a header alone.

use gix::zlib::stream::deflate::{Compress, FlushCompress};
use gix::zlib::{Compression, Inflate, Status};

/// The best a deflate stream can do is about 1 to 1032; a header that claims more is lying.
const RATIO_MAX: usize = 1_040;

pub struct Deflater(Compress);

impl Deflater {
    pub fn new() -> Self {
        Self(Compress::new(Compression::BEST_SPEED))
    }

    /// Appends one zlib stream of the concatenated `parts` to `out`.
    pub fn deflate(&mut self, parts: &[&[u8]], out: &mut Vec<u8>) {
        self.0.reset();
        let start = out.len();
        for (n, part) in parts.iter().enumerate() {
            let last = n + 1 == parts.len();
            let flush = if last { FlushCompress::Finish } else { FlushCompress::None };
            let mut rest = *part;
            loop {
                let filled = start + self.0.total_out() as usize;
                out.resize(filled + rest.len() / 2 + 128, 0);
                let before = self.0.total_in();
                let status = self
                    .0
                    .compress(rest, &mut out[filled..], flush)
                    .expect("compressing from memory to memory has no way to fail");
                rest = &rest[(self.0.total_in() - before) as usize..];
                if status == Status::StreamEnd || (!last && rest.is_empty()) {
                    break;
                }
            }
        }
        out.truncate(start + self.0.total_out() as usize);
    }
}

/// Inflates the stream at the start of `input`, which must yield exactly `size` bytes.
/// Returns them, and how much of `input` they took.
pub fn inflate(state: &mut Inflate, input: &[u8], size: usize) -> Option<(Vec<u8>, usize)> {
    if size / RATIO_MAX > input.len() {
        return None;
    }
    state.reset();
    // One byte more than allowed, so that a longer stream shows.
    let mut out = vec![0; size + 1];
    match state.once(input, &mut out) {
        Ok((Status::StreamEnd, consumed, written)) if written == size => {
            out.truncate(size);
            Some((out, consumed))
        }
        _ => None,
    }
}
