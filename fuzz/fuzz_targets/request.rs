//! What a consumer may have sent: read or refused, and what was read is written so that it reads the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::frame::{decode_request, encode_request};

const LIMIT: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    // As it came, and behind a header, so that most inputs get past it.
    let behind_header = |flags: u8| [&[0xa1, flags][..], input].concat();
    for payload in [input.to_vec(), behind_header(0), behind_header(1)] {
        if let Ok(message) = decode_request(&Bytes::from(payload), LIMIT) {
            let again = decode_request(&encode_request(&message), 2 * LIMIT);
            assert_eq!(again.as_ref(), Ok(&message));
        }
    }
});
