//! The values of the view `rows`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::rows::{Header, Row};
use prost::Message;

fuzz_target!(|input: &[u8]| {
    if let Ok(row) = Row::decode(input) {
        assert_eq!(Row::decode(row.encode_to_vec().as_slice()), Ok(row));
    }
    if let Ok(header) = Header::decode(input) {
        assert_eq!(
            Header::decode(header.encode_to_vec().as_slice()),
            Ok(header)
        );
    }
});
