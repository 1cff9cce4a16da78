//! What several targets start from: guessing a valid frame or dictionary from nothing would take them for ever.

use bytes::Bytes;
use mqtt_informer::protocol::compress::Packer;

/// Values that resemble each other as rows do.
pub fn row(i: u32) -> Bytes {
    let hash = i.wrapping_mul(2_654_435_761);
    let (team, uid) = (i % 40, !hash);
    format!(
        r#"{{"name":"web-{hash:x}","namespace":"team-{team}","uid":"{uid:x}","status":"Running"}}"#
    )
    .into()
}

/// A packer with a dictionary trained on such rows.
pub fn trained() -> Packer {
    let packer = Packer::train(&(0..2000).map(row).collect::<Vec<_>>());
    assert_ne!(packer.id(), 0);
    packer
}

/// Valid bytes, damaged where the input says: three bytes of it are a place and what to flip there.
pub fn damaged(valid: &[u8], input: &[u8]) -> Bytes {
    let mut bytes = valid.to_vec();
    for flip in input.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([flip[0], flip[1]])) % bytes.len();
        bytes[place] ^= flip[2];
    }
    bytes.into()
}
