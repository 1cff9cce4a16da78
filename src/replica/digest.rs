//! Digests that tell whether two collections are equal, and where they are not.
//!
//! An entry's digest covers its key and its unpacked value. The digest of a set of entries is their wrapping sum: so a
//! put or a delete costs O(1), and the order does not matter. The set is either everything, or a *bucket*: the entries
//! whose key's hash begins with the same bits.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The hash of a key: its place in the order of answers, and the bits that choose its bucket.
pub fn key_hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// The digest of one entry: of its key and its value as it is when unpacked.
pub fn entry_digest(key: &[u8], value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, xxh3_64(key))
}
