use futures::{TryStreamExt as _, stream};

use super::*;

fn pieces(parts: &[&[u8]]) -> Pieces {
    let parts: Vec<_> = parts.iter().map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    stream::iter(parts).boxed()
}

async fn reframed(parts: &[&[u8]], framing: Framing) -> Result<Vec<Bytes>, Fault> {
    framed(pieces(parts), framing).try_collect().await
}

const SIGNATURE: &str = "0;chunk-signature=00\r\n\r\n";

#[tokio::test]
async fn one_long_chunk_becomes_many_short_ones() {
    let long = vec![b'x'; 300_000];
    let head = format!("{:x}\r\n", long.len());
    let end = b"\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let whole = [head.as_bytes(), &long, end].concat();
    for step in [1_000, 65_536, 131_072, whole.len()] {
        let parts: Vec<_> = whole.chunks(step).collect();
        let came = reframed(&parts, Framing::Unsigned).await.expect("chunks");
        let longest = came.iter().map(Bytes::len).max().expect("pieces");
        assert!(longest <= CHUNK_BYTES_MAX + 16, "{step}: {longest}");
        assert!(came.concat().ends_with(&end[2..]), "{step}");
        // What comes out is chunks again, of the same content.
        let parts: Vec<&[u8]> = came.iter().map(AsRef::as_ref).collect();
        let again = reframed(&parts, Framing::Unsigned);
        let content =
            |pieces: &[Bytes]| pieces.concat().iter().filter(|byte| **byte == b'x').count();
        assert_eq!(content(&again.await.expect("chunks")), content(&came), "{step}");
    }
}

#[tokio::test]
async fn signed_chunks_pass_as_they_are() {
    let whole = format!("3;chunk-signature=00\r\nabc\r\n{SIGNATURE}");
    for step in 1..whole.len() {
        let parts: Vec<_> = whole.as_bytes().chunks(step).collect();
        let came = reframed(&parts, Framing::Signed).await.expect("chunks");
        assert_eq!(came.concat(), whole.as_bytes(), "{step}");
    }
}

#[tokio::test]
async fn what_is_not_chunks_is_refused() {
    for (text, framing, fault) in [
        ("", Framing::Unsigned, Fault::Cut),
        ("3\r\nab", Framing::Unsigned, Fault::Cut),
        ("3\r\nabc\r\n", Framing::Unsigned, Fault::Cut),
        ("3\r\nabcd\r\n0\r\n", Framing::Unsigned, Fault::Malformed),
        ("3\nabc\r\n0\r\n", Framing::Unsigned, Fault::Malformed),
        ("+3\r\nabc\r\n0\r\n", Framing::Unsigned, Fault::Malformed),
        ("\r\n", Framing::Unsigned, Fault::Malformed),
        ("fffffffffffffffff\r\n", Framing::Unsigned, Fault::Malformed),
        ("3;chunk-signature=00\r\nabc\r\n0\r\n", Framing::Unsigned, Fault::Malformed),
        ("3\r\nabc\r\n", Framing::Signed, Fault::Malformed),
        ("100001;chunk-signature=00\r\n", Framing::Signed, Fault::ChunkTooLong),
    ] {
        let refused = reframed(&[text.as_bytes()], framing).await.expect_err(text);
        assert_eq!(refused, fault, "{text:?}");
    }
    let endless = [b'0'; LINE_BYTES_MAX + 1];
    assert_eq!(reframed(&[&endless], Framing::Signed).await, Err(Fault::Malformed));
    let trailer = [b"0\r\n".as_slice(), &[b'a'; TRAILER_BYTES_MAX + 1]].concat();
    assert_eq!(reframed(&[&trailer], Framing::Unsigned).await, Err(Fault::Malformed));
}

#[tokio::test]
async fn who_stops_sending_is_given_up() {
    let silent = pieces(&[b"a"]).chain(stream::pending());
    let mut watched = in_time(silent, Duration::from_millis(1));
    assert_eq!(watched.next().await, Some(Ok(Bytes::from_static(b"a"))));
    assert_eq!(watched.next().await, Some(Err(Fault::Stalled)));
}
