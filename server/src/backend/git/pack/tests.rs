//! Packs survive the way there and back, and bad ones are refused.

use super::*;

fn objects() -> Vec<Object> {
    let big: Vec<u8> =
        (0..70_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let contents = [Vec::new(), b"x".to_vec(), vec![b'a'; 100_000], big];
    contents.into_iter().map(|content| Object::new(Kind::Blob, content).unwrap()).collect()
}

fn read(pack: &[u8]) -> Result<Vec<Object>, PackError> {
    read_pack(pack)?.collect()
}

/// The pack with a checksum that fits.
fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let mut hasher = hash::hasher(HASH);
    hasher.update(&body);
    body.extend_from_slice(hasher.try_finalize().unwrap().as_bytes());
    body
}

#[test]
fn objects_come_back_whatever_their_order() {
    let mut objects = objects();
    let pack = write_pack(&objects);
    objects.reverse();
    objects.push(objects[0].clone());
    assert_eq!(pack, write_pack(&objects));
    let mut back = read(&pack).unwrap();
    objects.pop();
    objects.sort_by_key(|object| object.id);
    back.sort_by_key(|object| object.id);
    assert_eq!(back, objects);
}

#[test]
fn damage_is_noticed() {
    let pack = write_pack(&objects());
    for at in [0, 11, 12, 20, pack.len() / 2, pack.len() - 1] {
        let mut bad = pack.clone();
        bad[at] ^= 0x10;
        assert!(matches!(read(&bad), Err(PackError::Damaged(_))), "byte {at}");
    }
    assert!(matches!(read(&pack[..pack.len() - 1]), Err(PackError::Damaged(_))));
    let body = &pack[..pack.len() - TRAILER_BYTES];
    assert!(matches!(read(&sealed(body[..body.len() - 3].into())), Err(PackError::Damaged(_))));
    assert!(matches!(read(&sealed([body, b"more"].concat())), Err(PackError::Damaged(_))));
}

#[test]
fn sizes_are_not_believed() {
    let entry = |header: &[u8]| {
        let mut body = [MAGIC, &1u32.to_be_bytes(), header].concat();
        Deflater::new().deflate(&[b"four"], &mut body);
        read(&sealed(body))
    };
    assert!(entry(&[0x34]).is_ok());
    assert!(matches!(entry(&[0x33]), Err(PackError::Damaged(_))), "longer than declared");
    assert!(matches!(entry(&[0x35]), Err(PackError::Damaged(_))), "shorter than declared");
    assert!(matches!(entry(&[0xbf, 0xff, 0xff, 0x0f]), Err(PackError::Damaged(_))), "claims 33 MB");
    assert!(matches!(entry(&[0xbf, 0xff, 0xff, 0xff, 0x7f]), Err(PackError::TooLarge)));
    assert!(matches!(entry(&[0xff; 12]), Err(PackError::TooLarge)));
    assert!(matches!(entry(&[0x64]), Err(PackError::Delta)));
}
