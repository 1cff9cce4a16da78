//! What turns one packed value into another, if that is smaller than the other itself.

use crate::protocol::compress::{Packed, Packer, UnpackError};
use bytes::Bytes;

/// The delta from `old` to `new`; none if `new` itself is as small.
pub(super) fn between(packer: &Packer, old: &Packed, new: &Packed) -> Option<Bytes> {
    let from = packer.unpack(old, usize::MAX).ok()?;
    let to = packer.unpack(new, usize::MAX).ok()?;
    #[cfg(test)]
    if super::simulator::hostile_deltas() {
        return super::simulator::delta(&from, &to);
    }
    packer.delta(&from, &to, new.bytes.len())
}

/// Applies a delta to an unpacked value. On another value than it was made from it yields an error, or garbage.
pub(super) fn apply(
    packer: &Packer,
    old: &[u8],
    delta: &[u8],
    limit: usize,
) -> Result<Bytes, UnpackError> {
    #[cfg(test)]
    if super::simulator::hostile_deltas() {
        return super::simulator::apply(old, delta);
    }
    packer.apply(old, delta, limit)
}
