//! Packed values, with a dictionary and without: whatever comes out is no larger than allowed.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::compress::{Codec, Packed, Packer};
use std::sync::LazyLock;

const LIMIT: usize = 1 << 16;

static PACKER: LazyLock<Packer> = LazyLock::new(|| {
    let row = |i: u32| {
        let hash = i.wrapping_mul(2_654_435_761);
        format!(
            r#"{{"name":"web-{hash:x}","namespace":"team-{}","uid":"{:x}","status":"Running"}}"#,
            i % 40,
            !hash
        )
        .into()
    };
    let packer = Packer::train(&(0..2000).map(row).collect::<Vec<Bytes>>());
    assert_ne!(packer.id(), 0);
    packer
});

fuzz_target!(|input: &[u8]| {
    let bytes = Bytes::copy_from_slice(input);
    for codec in [Codec::Plain, Codec::Zstd, Codec::Dictionary] {
        let packed = Packed {
            codec,
            bytes: bytes.clone(),
        };
        if let Ok(value) = PACKER.unpack(&packed, LIMIT) {
            assert!(value.len() <= LIMIT);
        }
    }
    assert_eq!(PACKER.unpack(&PACKER.pack(&bytes), input.len()), Ok(bytes));
});
