//! The byte string of a flush: what was read is written so that it reads the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::entries::{read_changes, write_change};

fuzz_target!(|input: &[u8]| {
    let read: Vec<_> = read_changes(Bytes::copy_from_slice(input))
        .map_while(Result::ok)
        .collect();
    let mut written = Vec::new();
    for (key, change) in &read {
        write_change(&mut written, key, change);
    }
    let again: Result<Vec<_>, _> = read_changes(written.into()).collect();
    assert_eq!(again, Ok(read));
});
