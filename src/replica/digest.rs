//! Digests that tell whether two collections are equal, and where they are not.
//!
//! An entry's digest covers its key and its unpacked value. The digest of a set of entries is their wrapping sum: a put
//! or a delete costs O(1), and the order does not matter. The set is either everything, or a *bucket*: the entries
//! whose key's hash begins with the same bits. Digests find accidents, not forgeries: who may write a stream is the
//! broker's ACL to say.

pub(super) use crate::protocol::entries::entry_digest;
use xxhash_rust::xxh3::xxh3_64;

/// The hash of a key: its place in the order of answers, and the bits that choose its bucket.
pub(super) fn key_hash(key: &[u8]) -> u64 {
    #[cfg(test)]
    if let Some(hash) = super::simulator::hostile_hash(key) {
        return hash;
    }
    xxh3_64(key)
}

/// How a collection is divided: into a power of two of buckets, by the top bits of the key's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buckets {
    bits: u32,
}

impl Buckets {
    /// So many; none if that is not a power of two, or more than 2^16.
    pub(super) fn of(count: usize) -> Option<Self> {
        let bits = count.trailing_zeros();
        (count.is_power_of_two() && bits <= 16).then_some(Self { bits })
    }

    /// About one for 16 entries: one change brings back about 16, and the digests stay small.
    pub(super) fn for_entries(entries: usize, most: u32) -> Self {
        let wanted = (entries / 16).max(1).next_power_of_two();
        let most = (most.max(1) as usize).min(1 << 16);
        Self {
            bits: wanted.trailing_zeros().min(most.ilog2()),
        }
    }

    pub(super) fn count(self) -> usize {
        1 << self.bits
    }

    /// The bucket of a key's hash.
    pub(super) fn index(self, hash: u64) -> usize {
        hash.checked_shr(64 - self.bits).unwrap_or(0) as usize
    }

    /// The lowest hash in a bucket; none past the last one.
    pub(super) fn first_hash(self, index: usize) -> Option<u64> {
        if index >= self.count() {
            return None;
        }
        Some((index as u64).checked_shl(64 - self.bits).unwrap_or(0))
    }

    /// The digest of each bucket, from (hash of the key, digest of the entry).
    pub(super) fn sums(self, entries: impl Iterator<Item = (u64, u64)>) -> Vec<u64> {
        let mut sums = vec![0_u64; self.count()];
        for (hash, digest) in entries {
            let sum = &mut sums[self.index(hash)];
            *sum = sum.wrapping_add(digest);
        }
        sums
    }
}

/// One bit for each bucket, least significant first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bitmap(Vec<u8>);

impl Bitmap {
    /// A set bit where `differs` says so.
    pub(super) fn new(count: usize, differs: impl Fn(usize) -> bool) -> Self {
        let mut bytes = vec![0; count.div_ceil(8)];
        for index in (0..count).filter(|index| differs(*index)) {
            bytes[index / 8] |= 1 << (index % 8);
        }
        Self(bytes)
    }

    /// What came in a message; none if it is not of `count` bits.
    pub(super) fn read(bytes: &[u8], count: usize) -> Option<Self> {
        (bytes.len() == count.div_ceil(8)).then(|| Self(bytes.to_vec()))
    }

    pub(super) fn get(&self, index: usize) -> bool {
        self.0
            .get(index / 8)
            .is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bucket_holds_every_hash() {
        let one = Buckets::of(1).unwrap();
        assert_eq!((one.index(0), one.index(u64::MAX)), (0, 0));
        assert_eq!((one.first_hash(0), one.first_hash(1)), (Some(0), None));
    }

    #[test]
    fn a_bucket_begins_at_its_first_hash() {
        let buckets = Buckets::of(32).unwrap();
        for index in 0..32 {
            let first = buckets.first_hash(index).unwrap();
            assert_eq!(buckets.index(first), index);
            assert!(index == 0 || buckets.index(first - 1) == index - 1);
        }
    }

    #[test]
    fn only_powers_of_two_divide() {
        let refused: Vec<usize> = (0..9).filter(|n| Buckets::of(*n).is_none()).collect();
        assert_eq!(refused, [0, 3, 5, 6, 7]);
        assert!(Buckets::of(1 << 17).is_none());
    }

    #[test]
    fn there_is_about_one_bucket_for_sixteen_entries() {
        let count = |entries| Buckets::for_entries(entries, 4096).count();
        assert_eq!(
            [0, 16, 100, 1000, 10_000_000].map(count),
            [1, 1, 8, 64, 4096]
        );
    }

    #[test]
    fn a_digest_tells_keys_and_values_apart() {
        assert_ne!(entry_digest(b"ab", b"c"), entry_digest(b"a", b"bc"));
        assert_ne!(entry_digest(b"a", b"1"), entry_digest(b"b", b"1"));
        assert_ne!(entry_digest(b"a", b"1"), entry_digest(b"a", b"2"));
    }

    #[test]
    fn a_bitmap_of_another_length_is_not_read() {
        let map = Bitmap::new(9, |index| index == 8);
        assert_eq!(map.as_bytes(), [0, 1]);
        assert_eq!(Bitmap::read(&[0, 1], 9), Some(map));
        assert_eq!(Bitmap::read(&[0, 1], 8), None);
    }
}
