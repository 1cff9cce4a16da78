//! Deltas: the input is a delta to a fixed value, or damages one, and then is two values and the delta between them.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqtt_informer::protocol::compress::Packer;
use mqtt_informer_fuzz::{damaged, row};
use std::sync::LazyLock;

const LIMIT: usize = 1 << 16;

static OLD: LazyLock<Bytes> = LazyLock::new(|| row(7));
static DELTA: LazyLock<Bytes> =
    LazyLock::new(|| Packer::default().delta(&OLD, &row(8), usize::MAX).unwrap());

fuzz_target!(|input: &[u8]| {
    let packer = Packer::default();
    for delta in [input, &damaged(&DELTA, input)] {
        if let Ok(value) = packer.apply(&OLD, delta, LIMIT) {
            assert!(value.len() <= LIMIT);
        }
    }
    let (old, new) = input.split_at(input.len() / 2);
    if let Some(delta) = packer.delta(old, new, usize::MAX) {
        assert_eq!(packer.apply(old, &delta, new.len()).as_deref(), Ok(new));
    }
});
