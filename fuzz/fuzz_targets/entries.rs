//! The byte string of an answer: what was read is written so that it reads the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::entries::{read_entries, write_entry};

fuzz_target!(|input: &[u8]| {
    let read: Vec<_> = read_entries(Bytes::copy_from_slice(input))
        .map_while(Result::ok)
        .collect();
    let mut written = Vec::new();
    for entry in &read {
        write_entry(&mut written, &entry.key, &entry.value);
    }
    let again: Result<Vec<_>, _> = read_entries(written.into()).collect();
    assert_eq!(again, Ok(read));
});
