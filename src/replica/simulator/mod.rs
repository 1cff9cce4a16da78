//! The deterministic simulator (being built).
use crate::protocol::compress::UnpackError;
use bytes::Bytes;

pub(super) fn hostile_hash(_key: &[u8]) -> Option<u64> {
    None
}
pub(super) fn hostile_deltas() -> bool {
    false
}
pub(super) fn delta(_old: &[u8], _new: &[u8]) -> Option<Bytes> {
    None
}
pub(super) fn apply(_old: &[u8], _delta: &[u8]) -> Result<Bytes, UnpackError> {
    Err(UnpackError::Corrupt)
}
