//! Packed values, with a dictionary and without: whatever comes out is no larger than allowed.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::compress::{Codec, Packed, Packer};
use mqtt_informer_fuzz::{damaged, row, trained};
use std::sync::LazyLock;

const LIMIT: usize = 1 << 16;

static PACKER: LazyLock<Packer> = LazyLock::new(trained);
static PACKED: LazyLock<Packed> = LazyLock::new(|| PACKER.pack(&row(7)));

fuzz_target!(|input: &[u8]| {
    let bytes = Bytes::copy_from_slice(input);
    for bytes in [bytes.clone(), damaged(&PACKED.bytes, input)] {
        for codec in [Codec::Plain, Codec::Zstd, Codec::Dictionary] {
            let packed = Packed {
                codec,
                bytes: bytes.clone(),
            };
            if let Ok(value) = PACKER.unpack(&packed, LIMIT) {
                assert!(value.len() <= LIMIT);
            }
        }
    }
    assert_eq!(PACKER.unpack(&PACKER.pack(&bytes), input.len()), Ok(bytes));
});
