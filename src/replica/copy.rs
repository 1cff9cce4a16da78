//! A consumer's copy, and the next one: made beside it, checked, and put in its place in one step.

use super::buffer::Step;
use super::delta;
use super::digest::{Bitmap, Buckets, entry_digest, key_hash};
use super::mutants::mutant;
use super::request::Request;
use super::settings::Settings;
use crate::protocol::compress::{Codec, Packed, Packer};
use crate::protocol::entries::{Change, Key, read_changes, read_entries};
use crate::protocol::message::Epoch;
use bytes::Bytes;
use imbl::OrdMap;
use std::collections::HashSet;

/// A state that the source had, whole. Cheap to clone. This is also what a disk cache writes, and reads back.
///
/// R8 Cache: whole or not at all, its epoch and sequence number with it. *Else a restarted reader goes back to an older
/// source.*
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// The epoch of that state.
    pub epoch: Epoch,
    /// Its sequence number in that epoch; 0 = nothing was received yet.
    pub seq: u64,
    /// Key to unpacked value, in byte order of the keys; the empty key holds the stream's header.
    pub entries: OrdMap<Bytes, Bytes>,
    /// The digest of all entries.
    pub digest: u64,
    /// Unpacks what the source of this epoch sends.
    pub packer: Packer,
}

impl Copy {
    /// The digest of all entries, counted anew.
    pub(super) fn count_digest(&self) -> u64 {
        let digests = self
            .entries
            .iter()
            .map(|(key, value)| entry_digest(key, value));
        digests.fold(0, u64::wrapping_add)
    }

    /// Bytes of keys and values.
    pub(super) fn count_bytes(&self) -> usize {
        let sizes = self
            .entries
            .iter()
            .map(|(key, value)| key.len() + value.len());
        sizes.sum()
    }

    /// The digests of its buckets, counted anew: what memory really holds, not what it should.
    pub(super) fn digests(&self, most_buckets: u32) -> Vec<u64> {
        let buckets = Buckets::for_entries(self.entries.len(), most_buckets);
        let entries = self.entries.iter();
        buckets.sums(entries.map(|(key, value)| (key_hash(key), entry_digest(key, value))))
    }
}

/// What became of one key, in one step. Whether the object kept its uid is the caller's to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The key.
    pub key: Bytes,
    /// Its value before; none if it is new.
    pub old: Option<Bytes>,
    /// Its value now; none if it is gone.
    pub new: Option<Bytes>,
}

/// The copy as it would be after a step; made only if its digest is what the source said.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) copy: Copy,
    pub(super) changes: Vec<KeyChange>,
    /// How much larger than the copy it is, in bytes.
    pub(super) grown: isize,
}

impl Next {
    /// The copy after a flush. None: the changes cannot be read, or lead to another state than the source had.
    pub(super) fn of_flush(
        copy: &Copy,
        step: &Step,
        changes: Bytes,
        mut room: Room,
    ) -> Option<Self> {
        let mut next = Self::from(copy);
        for change in read_changes(changes) {
            let (key, change) = change.ok()?;
            let value = match change {
                Change::Deleted => None,
                Change::Value(packed) => Some(room.unpack(&copy.packer, &packed)?),
                Change::Delta(delta) => {
                    let old = copy.entries.get(&key)?;
                    let value = delta::apply(&copy.packer, old, &delta, room.of_value()).ok()?;
                    Some(room.take(value))
                }
            };
            next.set(&key, value);
        }
        next.copy.seq = step.to;
        next.checked(step.digest)
    }

    /// The copy after a whole answer: what is in buckets that agreed, and what was staged. None: see `of_flush`.
    pub(super) fn of_answer(copy: &Copy, request: &Request, mut room: Room) -> Option<Self> {
        let header = request.stage.header()?;
        let buckets = Buckets::of(request.digests.len())?;
        let differs = Bitmap::read(&header.differs, buckets.count())?;
        let mut next = Self::from(copy);
        if let Some(dictionary) = request.stage.dictionary() {
            next.copy.packer = Packer::with_dictionary(dictionary).ok()?;
        }
        let mut staged = HashSet::new();
        for entry in read_entries(request.stage.entries()) {
            let entry = entry.ok()?;
            let value = room.unpack(&next.copy.packer, &entry.value)?;
            next.set(&entry.key, Some(value));
            staged.insert(entry.key);
        }
        for key in copy.entries.keys() {
            // An empty collection agrees with a request for everything.
            let told = request.for_all || differs.get(buckets.index(key_hash(key)));
            if told && !staged.contains(key) {
                next.set(key, None);
            }
        }
        (next.copy.epoch, next.copy.seq) = (header.epoch, header.seq);
        next.checked(header.digest)
    }

    fn from(copy: &Copy) -> Self {
        Self {
            copy: copy.clone(),
            changes: Vec::new(),
            grown: 0,
        }
    }

    fn set(&mut self, key: &Key, value: Option<Bytes>) {
        let old = self.copy.entries.get(key).cloned();
        if old == value {
            return;
        }
        let key = Bytes::copy_from_slice(key);
        if let Some(old) = &old {
            self.count(&key, old, -1);
        }
        match &value {
            Some(new) => {
                self.count(&key, new, 1);
                self.copy.entries.insert(key.clone(), new.clone());
            }
            None => {
                self.copy.entries.remove(&key);
            }
        }
        self.changes.push(KeyChange {
            key,
            old,
            new: value,
        });
    }

    fn count(&mut self, key: &[u8], value: &[u8], sign: isize) {
        let digest = entry_digest(key, value);
        let sum = self.copy.digest;
        self.copy.digest = if sign > 0 {
            sum.wrapping_add(digest)
        } else {
            sum.wrapping_sub(digest)
        };
        self.grown += sign * (key.len() + value.len()).cast_signed();
    }

    fn checked(self, digest: u64) -> Option<Self> {
        (self.copy.digest == digest || mutant!(NoDigestCompared)).then_some(self)
    }
}

/// How much may still be unpacked: a few bytes on the wire can say a lot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    value: usize,
    left: usize,
}

impl Room {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            value: settings.value_bytes,
            left: settings.answer_bytes,
        }
    }

    /// The most bytes that the next value may have.
    fn of_value(&self) -> usize {
        self.value.min(self.left)
    }

    fn take(&mut self, value: Bytes) -> Bytes {
        self.left = self.left.saturating_sub(value.len());
        value
    }

    /// A value in memory of its own: what it came in is a slice of a whole answer.
    fn unpack(&mut self, packer: &Packer, packed: &Packed) -> Option<Bytes> {
        let value = packer.unpack(packed, self.of_value()).ok()?;
        let shares = packed.codec == Codec::Plain;
        Some(self.take(if shares {
            Bytes::copy_from_slice(&value)
        } else {
            value
        }))
    }
}
