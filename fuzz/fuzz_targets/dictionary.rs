//! Dictionaries: whatever a source sends as one, a reader lives on.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::compress::{Codec, Packed, Packer};

const LIMIT: usize = 1 << 16;

fuzz_target!(|input: &[u8]| {
    let magic = [0x37, 0xa4, 0x30, 0xec, 0, 0, 0, 0];
    for dictionary in [input.to_vec(), [&magic, input].concat()] {
        if let Ok(packer) = Packer::with_dictionary(&Bytes::from(dictionary)) {
            let value = Bytes::from_static(
                b"what was packed comes back, or it was not packed, packed, packed",
            );
            assert_eq!(packer.unpack(&packer.pack(&value), LIMIT), Ok(value));
            let hostile = Packed {
                codec: Codec::Dictionary,
                bytes: Bytes::copy_from_slice(input),
            };
            let _ = packer.unpack(&hostile, LIMIT);
        }
    }
});
