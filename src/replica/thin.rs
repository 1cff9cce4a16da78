//! Copies whose values somebody else holds: a database, the *backing*.
//!
//! A thin copy knows of each value its digest and its length, its *mark*. The value itself is held from the moment when
//! it arrives until the backing has said that it has it; what stays is some hundred bytes a key, however large the
//! objects are. The header, under the empty key, is small and stays.
//!
//! - **R9 Away.** A value goes when the backing has said that it has this very value: its mark is the one that it had in
//!   the state that was stored. *Else what changed while that was written is held by nobody, and never stored.*
//! - **R10 Base.** A delta to a value that is away waits for that value, its *base*, from the backing. It is taken only if
//!   its digest is the mark's, for one step; what the backing lacks, or has otherwise, is asked of the source as if it
//!   were not held, and told to the backing again. *Else a value is made of another one than the source meant, or is
//!   asked of the backing again and again, for ever.*
//!
//! Answers carry values whole, so a Sync needs no bases, and nothing of this is seen on the wire.

use super::digest::entry_digest;
use super::mutants::mutant;
use crate::protocol::compress::{Codec, Packed, Packer};
use crate::protocol::entries::{Change, Key, read_changes};
use bytes::Bytes;
use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use std::collections::HashMap;

/// What is known of a value, wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The digest of the key and the value.
    pub digest: u64,
    /// The value's length in bytes; a guess if a backing had it before.
    pub length: u32,
    /// After how many doubts in the backing it was told. So a value that it is told again differs from itself, and one
    /// that is gone and comes back, from what may be a wrong row still.
    again: u32,
}

impl Mark {
    fn of(key: &[u8], value: &[u8]) -> Self {
        Self::new(entry_digest(key, value), length(value.len()))
    }

    fn new(digest: u64, length: u32) -> Self {
        Self {
            digest,
            length,
            again: 0,
        }
    }
}

/// What a value is thought to have, in bytes, before it was seen: more than most.
const UNKNOWN_LENGTH: u32 = 16 * 1024;

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// A value on its way to the backing, as it came: a first answer costs what it cost on the wire.
#[derive(Clone, Debug)]
struct Held {
    packed: Packed,
    packer: Packer,
}

/// The values of a copy that are not its own to keep. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Thin {
    marks: OrdMap<Bytes, Mark>,
    /// Those that the backing has not said to have.
    held: OrdMap<Bytes, Held>,
    held_bytes: usize,
    /// How often the source was asked for what the backing lacks.
    doubts: u32,
}

/// What a mark costs beside its key.
const MARK_BYTES: usize = size_of::<Mark>();

impl Thin {
    /// What a backing has: each key, and its value's digest as its [`Mark`] told it. The header is none of them.
    pub fn away(digests: impl IntoIterator<Item = (Bytes, u64)>) -> Self {
        let objects = digests.into_iter().filter(|(key, _)| !key.is_empty());
        Self {
            marks: objects
                .map(|(key, digest)| (key, Mark::new(digest, UNKNOWN_LENGTH)))
                .collect(),
            ..Self::default()
        }
    }

    /// How many values there are, held or away.
    #[must_use]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Every key, with what is known of its value.
    pub fn marks(&self) -> impl Iterator<Item = (&Bytes, &Mark)> {
        self.marks.iter()
    }

    /// The value of a key, while it is held.
    #[must_use]
    pub fn value(&self, key: &[u8]) -> Option<Bytes> {
        let held = self.held.get(key)?;
        // It was unpacked when it came: it is no larger than it was then.
        held.packer.unpack(&held.packed, usize::MAX).ok()
    }

    /// What differs since `earlier`, in order of the keys: what is known of the values now, none of those that are gone.
    /// Costs what differs, if the two are of one copy.
    pub fn since<'a>(
        &'a self,
        earlier: &'a Self,
    ) -> impl Iterator<Item = (&'a Bytes, Option<&'a Mark>)> {
        earlier.marks.diff(&self.marks).map(|item| match item {
            DiffItem::Add(key, mark) => (key, Some(mark)),
            DiffItem::Update {
                new: (key, mark), ..
            } => (key, Some(mark)),
            DiffItem::Remove(key, _) => (key, None),
        })
    }

    /// The marks only, as they are when all is stored.
    #[must_use]
    pub fn stored(&self) -> Self {
        Self {
            marks: self.marks.clone(),
            ..Self::default()
        }
    }

    /// Bytes of the values that are held, as they are held.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Bytes of all, about.
    pub(super) fn count_bytes(&self) -> usize {
        let keys = self.marks.keys().map(|key| key.len() + MARK_BYTES);
        keys.sum::<usize>() + self.held_bytes
    }

    pub(super) fn mark(&self, key: &[u8]) -> Option<Mark> {
        self.marks.get(key).copied()
    }

    /// An answer is taken in that was asked for because the backing lacked something.
    pub(super) fn doubted(&mut self) {
        self.doubts = self.doubts.wrapping_add(1);
    }

    /// A key has this value now, which came as `sent` (a delta's result came as nothing). `again`: the backing does not
    /// have it, whatever its mark says. Answers how much larger this is, and with the mark before, if anything changed.
    pub(super) fn put(
        &mut self,
        key: &Bytes,
        value: Bytes,
        (sent, packer): (Option<Packed>, &Packer),
        again: bool,
    ) -> Option<Changed> {
        let (old, mut new) = (self.mark(key), Mark::of(key, &value));
        let again_told = again && !mutant!(NotToldAgain);
        let known = old.filter(|_| !again_told);
        new.again = known.map_or(self.doubts, |old| old.again);
        if old.is_some_and(|old| old.digest == new.digest) && !again {
            return None;
        }
        let plain = || Packed {
            codec: Codec::Plain,
            bytes: value,
        };
        let held = Held {
            packed: sent.unwrap_or_else(plain),
            packer: packer.clone(),
        };
        let size = held.packed.bytes.len();
        let freed = self.release(key);
        self.held_bytes += size;
        self.held.insert(key.clone(), held);
        self.marks.insert(key.clone(), new);
        let more = if old.is_none() {
            key.len() + MARK_BYTES
        } else {
            0
        };
        Some(Changed {
            old: old.map(|old| old.digest),
            new: Some(new.digest),
            grown: (more + size).cast_signed() - freed.cast_signed(),
        })
    }

    /// A key is gone.
    pub(super) fn remove(&mut self, key: &Bytes) -> Option<Changed> {
        let old = self.marks.remove(key)?;
        let freed = self.release(key) + key.len() + MARK_BYTES;
        Some(Changed {
            old: Some(old.digest),
            new: None,
            grown: -freed.cast_signed(),
        })
    }

    fn release(&mut self, key: &[u8]) -> usize {
        let held = self.held.remove(key);
        let freed = held.map_or(0, |held| held.packed.bytes.len());
        self.held_bytes -= freed;
        freed
    }

    /// R9 Away. The backing has what `stored` says. Answers how many bytes are free by that.
    pub(super) fn settle(&mut self, stored: &Self) -> usize {
        let before = self.held_bytes;
        let waits = |key: &Bytes| {
            self.marks.get(key) != stored.marks.get(key) && !mutant!(SettledWhateverChanged)
        };
        let waiting = self.held.iter().filter(|(key, _)| waits(key));
        self.held = waiting
            .map(|(key, held)| (key.clone(), held.clone()))
            .collect();
        let sizes = self.held.values().map(|held| held.packed.bytes.len());
        self.held_bytes = sizes.sum();
        before - self.held_bytes
    }

    /// The keys of away values that these changes are deltas to.
    pub(super) fn lacks(&self, changes: Bytes, bases: &HashMap<Bytes, Bytes>) -> Vec<Key> {
        let deltas = read_changes(changes)
            .flatten()
            .filter_map(|(key, change)| match change {
                Change::Delta(_) => Some(key),
                Change::Deleted | Change::Value(_) => None,
            });
        let is_away = |key: &Key| {
            self.marks.contains_key(key) && !self.held.contains_key(key) && !bases.contains_key(key)
        };
        // In memory of their own: what they came in is a whole flush.
        let own = |key: Key| Bytes::copy_from_slice(&key);
        deltas.filter(is_away).map(own).collect()
    }
}

/// What a step made of one mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub(super) old: Option<u64>,
    pub(super) new: Option<u64>,
    /// How many bytes more there are.
    pub(super) grown: isize,
}
