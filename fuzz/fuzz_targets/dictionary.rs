//! Dictionaries: whatever a source sends as one, a reader lives on.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::compress::{Codec, Packed, Packer};
use mqtt_informer_fuzz::{damaged, row, trained};
use std::sync::LazyLock;

const LIMIT: usize = 1 << 16;

static PACKER: LazyLock<Packer> = LazyLock::new(trained);
static DICTIONARY: LazyLock<Bytes> = LazyLock::new(|| PACKER.dictionary().unwrap());
static PACKED: LazyLock<Packed> = LazyLock::new(|| PACKER.pack(&row(7)));

fuzz_target!(|input: &[u8]| {
    let as_it_came = Bytes::copy_from_slice(input);
    for dictionary in [as_it_came.clone(), damaged(&DICTIONARY, input)] {
        let Ok(packer) = Packer::with_dictionary(&dictionary) else {
            continue;
        };
        // What it packs itself comes back, and what others packed stays within the limit.
        let value = row(9);
        assert_eq!(packer.unpack(&packer.pack(&value), LIMIT), Ok(value));
        for bytes in [&as_it_came, &PACKED.bytes] {
            let codec = Codec::Dictionary;
            let packed = Packed {
                codec,
                bytes: bytes.clone(),
            };
            if let Ok(value) = packer.unpack(&packed, LIMIT) {
                assert!(value.len() <= LIMIT);
            }
        }
    }
});
