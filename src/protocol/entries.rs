//! The byte strings inside pages and flushes: entries of a snapshot, changes of a step.
//!
//! A page or a live message carries a slice of such a string that may end anywhere, inside a value too; so they are
//! decoded when whole.

use super::compress::Packed;
use bytes::Bytes;

/// A key of a stream: `namespace/name`, or `name`; the empty key holds the stream's header.
pub type Key = Bytes;

/// One entry of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its value, packed.
    pub value: Packed,
}

/// What a step does to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is gone.
    Deleted,
    /// It has this value now.
    Value(Packed),
    /// Its value is this delta applied to the one at the flush's `prev`.
    Delta(Bytes),
}

/// Why a byte string is no list of entries or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed entries")]
pub struct MalformedEntries;

/// Appends one entry of a snapshot.
pub fn write_entry(_out: &mut Vec<u8>, _key: &[u8], _value: &Packed) {}

/// Appends one change of a step.
pub fn write_change(_out: &mut Vec<u8>, _key: &[u8], _change: &Change) {}

/// Reads the entries of a whole answer.
pub fn read_entries(_bytes: Bytes) -> impl Iterator<Item = Result<Entry, MalformedEntries>> {
    std::iter::empty()
}

/// Reads the changes of a whole flush.
pub fn read_changes(
    _bytes: Bytes,
) -> impl Iterator<Item = Result<(Key, Change), MalformedEntries>> {
    std::iter::empty()
}
