//! What a feed holds: packed values with their digests, in the order in which answers carry them.

use super::digest::{Buckets, entry_digest, key_hash};
use crate::protocol::compress::{Codec, Packed, Packer};
use crate::protocol::entries::Key;
use bytes::Bytes;
use imbl::OrdMap;
use std::ops::Bound;

/// One value as it is held.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) packed: Packed,
    /// Of the key and the unpacked value.
    pub(super) digest: u64,
}

impl Held {
    /// Packs a value, into memory of its own: what it came in may be a slice of something large.
    pub(super) fn new(packer: &Packer, key: &[u8], value: &Bytes) -> Self {
        let mut packed = packer.pack(value);
        if packed.codec == Codec::Plain {
            packed.bytes = Bytes::copy_from_slice(&packed.bytes);
        }
        Self {
            packed,
            digest: entry_digest(key, value),
        }
    }
}

/// Where an entry stands: keys with equal hashes are told apart by themselves.
pub(super) type Slot = (u64, Key);

/// A keyed collection whose clone costs O(1): a snapshot is a clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    entries: OrdMap<Slot, Held>,
    digest: u64,
    bytes: usize,
}

impl Collection {
    pub(super) fn get(&self, key: &Key) -> Option<&Held> {
        self.entries.get(&(key_hash(key), key.clone()))
    }

    /// Puts a value in and returns the one before.
    pub(super) fn put(&mut self, key: &[u8], held: Held) -> Option<Held> {
        let key = Key::copy_from_slice(key);
        self.digest = self.digest.wrapping_add(held.digest);
        self.bytes += key.len() + held.packed.bytes.len();
        let old = self.entries.insert((key_hash(&key), key.clone()), held);
        self.forget(&key, old)
    }

    /// Takes a value out and returns it.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Held> {
        let old = self.entries.remove(&(key_hash(key), key.clone()));
        self.forget(key, old)
    }

    fn forget(&mut self, key: &Key, old: Option<Held>) -> Option<Held> {
        if let Some(old) = &old {
            self.digest = self.digest.wrapping_sub(old.digest);
            self.bytes -= key.len() + old.packed.bytes.len();
        }
        old
    }

    /// The digest of everything.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// Bytes of keys and packed values.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Slot, &Held)> {
        self.entries.iter()
    }

    /// The entries from a slot on, up to a hash (the end if none).
    pub(super) fn range(
        &self,
        from: Slot,
        before: Option<u64>,
    ) -> impl Iterator<Item = (&Slot, &Held)> {
        let end = match before {
            Some(hash) => Bound::Excluded((hash, Key::new())),
            None => Bound::Unbounded,
        };
        self.entries.range((Bound::Included(from), end))
    }

    /// The digest of each bucket: one pass over what is stored.
    pub(super) fn digests(&self, buckets: Buckets) -> Vec<u64> {
        buckets.sums(
            self.entries
                .iter()
                .map(|((hash, _), held)| (*hash, held.digest)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn held(key: &[u8], value: &[u8]) -> Held {
        Held::new(&Packer::default(), key, &Bytes::copy_from_slice(value))
    }

    proptest! {
        #[test]
        fn sums_kept_on_the_way_are_those_counted_in_the_end(steps: Vec<(u8, Option<u8>)>) {
            let mut collection = Collection::default();
            for (key, value) in steps {
                let key = Key::copy_from_slice(&[key % 16]);
                match value {
                    Some(value) => collection.put(&key, held(&key, &[value])),
                    None => collection.remove(&key),
                };
            }
            let digest = collection.iter().fold(0_u64, |sum, (_, held)| sum.wrapping_add(held.digest));
            let bytes: usize = collection.iter().map(|((_, key), held)| key.len() + held.packed.bytes.len()).sum();
            let buckets = collection.digests(Buckets::of(8).unwrap());
            prop_assert_eq!(collection.digest(), digest);
            prop_assert_eq!(collection.bytes(), bytes);
            prop_assert_eq!(buckets.iter().fold(0_u64, |sum, each| sum.wrapping_add(*each)), digest);
        }
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut collection = Collection::default();
        collection.put(b"a", held(b"a", b"1"));
        let snapshot = collection.clone();
        collection.put(b"a", held(b"a", b"2"));
        assert_eq!(
            snapshot.get(&Key::from_static(b"a")).unwrap().packed.bytes,
            "1"
        );
    }
}
