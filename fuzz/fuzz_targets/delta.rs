//! Deltas: the input is a delta to a fixed value, and then two values and the delta between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::compress::Packer;

const LIMIT: usize = 1 << 16;

fuzz_target!(|input: &[u8]| {
    let packer = Packer::default();
    if let Ok(value) = packer.apply(b"{\"status\":\"Running\",\"ready\":true}", input, LIMIT) {
        assert!(value.len() <= LIMIT);
    }
    let (old, new) = input.split_at(input.len() / 2);
    if let Some(delta) = packer.delta(old, new, usize::MAX) {
        assert_eq!(packer.apply(old, &delta, new.len()).as_deref(), Ok(new));
    }
});
