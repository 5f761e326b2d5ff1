//! Frames survive the way there and back, and nothing else is taken for one.

use super::*;

async fn read_all(bytes: &[u8]) -> io::Result<Vec<Option<Vec<u8>>>> {
    let (mut rest, mut found) = (bytes, Vec::new());
    while !rest.is_empty() {
        found.push(read(&mut rest).await?);
    }
    Ok(found)
}

#[tokio::test]
async fn frames_come_back_as_they_were() {
    let contents: [&[u8]; 4] = [b"", b"x\n", b"\0\xff0000", &[7; FRAME_BYTES_MAX - LENGTH_BYTES]];
    let mut bytes = Vec::new();
    for content in contents {
        write(&mut bytes, content);
        bytes.extend_from_slice(FLUSH);
    }
    let found = read_all(&bytes).await.expect("frames");
    let expected: Vec<_> =
        contents.iter().flat_map(|content| [Some(content.to_vec()), None]).collect();
    assert!(found == expected);
}

#[tokio::test]
async fn what_is_no_frame_is_refused() {
    for (bytes, kind) in [
        ("0001", ErrorKind::InvalidInput),
        ("0002", ErrorKind::InvalidInput),
        ("0003", ErrorKind::InvalidInput),
        ("fff1", ErrorKind::InvalidInput),
        ("ffff", ErrorKind::InvalidInput),
        ("+004", ErrorKind::InvalidInput),
        ("-001", ErrorKind::InvalidInput),
        ("  05x", ErrorKind::InvalidInput),
        ("0x05", ErrorKind::InvalidInput),
        ("000", ErrorKind::UnexpectedEof),
        ("0006x", ErrorKind::UnexpectedEof),
        ("fff0x", ErrorKind::UnexpectedEof),
    ] {
        let found = read_all(bytes.as_bytes()).await.expect_err(bytes);
        assert_eq!(found.kind(), kind, "{bytes}");
    }
}

#[tokio::test]
async fn what_is_too_long_for_a_frame_takes_several() {
    let content: Vec<u8> = (0..200_000_usize).map(|n| n as u8).collect();
    let mut bytes = Vec::new();
    write_band(&mut bytes, Band::Data, &content);
    let mut found = Vec::new();
    for frame in read_all(&bytes).await.expect("frames") {
        let frame = frame.expect("no flush");
        assert_eq!(frame[0], 1);
        found.extend_from_slice(&frame[1..]);
    }
    assert!(found == content);
}

proptest::proptest! {
    /// Whatever is written is read again, and whatever is read was a frame.
    #[test]
    fn frames_of_any_content_come_back(contents in proptest::collection::vec(
        proptest::option::of(proptest::collection::vec(0_u8.., 0..300)), 0..20,
    )) {
        let mut bytes = Vec::new();
        for content in &contents {
            match content {
                Some(content) => write(&mut bytes, content),
                None => bytes.extend_from_slice(FLUSH),
            }
        }
        let found = futures::executor::block_on(read_all(&bytes)).expect("frames");
        proptest::prop_assert_eq!(found, contents);
    }

    #[test]
    fn bytes_of_any_kind_are_frames_or_refused(bytes in proptest::collection::vec(0_u8.., 0..300)) {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let before = rest;
            match futures::executor::block_on(read(&mut rest)) {
                Ok(content) => {
                    let length = content.map_or(LENGTH_BYTES, |content| content.len() + LENGTH_BYTES);
                    proptest::prop_assert_eq!(rest.len() + length, before.len());
                }
                Err(_) => break,
            }
        }
    }
}
