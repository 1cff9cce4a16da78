//! A consumer's copy, and the next one: made beside it, checked, and put in its place in one step.

use super::buffer::Step;
use super::delta;
use super::digest::{Bitmap, Buckets, entry_digest, key_hash};
use super::mutants::mutant;
use super::request::Request;
use super::settings::Settings;
use super::thin::{Changed, Thin};
use crate::protocol::compress::{Codec, Packed, Packer};
use crate::protocol::entries::{Change, Key, read_changes, read_entries};
use crate::protocol::message::Epoch;
use bytes::Bytes;
use imbl::OrdMap;
use std::collections::{BTreeSet, HashMap, HashSet};

/// A state that the source had, whole. Cheap to clone. This is also what a disk cache writes, and reads back
/// (not of a thin copy, whose values are kept elsewhere).
///
/// R8 Cache: whole or not at all, with its epoch, sequence number and last change. *Else a restarted reader goes back to an
/// older source, or to an older answer.*
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// The epoch of that state.
    pub epoch: Epoch,
    /// Its sequence number in that epoch; 0 = nothing was received yet.
    pub seq: u64,
    /// Key to unpacked value, in byte order of the keys; the empty key holds the stream's header.
    pub entries: OrdMap<Bytes, Bytes>,
    /// Whether somebody else keeps the values: all of them then, and `entries` has the header only.
    pub thin: Option<Thin>,
    /// The digest of all entries.
    pub digest: u64,
    /// The resourceVersion of the last change that it holds; 0 = not known.
    pub changed: u64,
    /// Unpacks what the source of this epoch sends.
    pub packer: Packer,
}

impl Copy {
    /// A thin one that begins with what its backing has, which need not be what the source had at that moment: the copy
    /// is not believed before its source has compared it. Of nothing, if that is `Thin::default()` at (0, 0).
    pub fn of_backing((epoch, seq): (Epoch, u64), header: Option<Bytes>, thin: Thin) -> Self {
        let header = header.map(|header| (Bytes::new(), header));
        Self {
            epoch,
            seq,
            entries: header.into_iter().collect(),
            thin: Some(thin),
            ..Self::default()
        }
    }

    /// The digest of all entries, counted anew.
    pub(super) fn count_digest(&self) -> u64 {
        let digests = self.entry_digests().map(|(_, digest)| digest);
        digests.fold(0, u64::wrapping_add)
    }

    /// Bytes of keys and values.
    pub(super) fn count_bytes(&self) -> usize {
        let sizes = self
            .entries
            .iter()
            .map(|(key, value)| key.len() + value.len());
        sizes.sum::<usize>() + self.thin.as_ref().map_or(0, Thin::count_bytes)
    }

    /// The digests of its buckets, counted anew: what memory really holds, not what it should.
    pub(super) fn digests(&self, most_buckets: u32) -> Vec<u64> {
        let buckets = Buckets::for_entries(self.len(), most_buckets);
        buckets.sums(
            self.entry_digests()
                .map(|(key, digest)| (key_hash(key), digest)),
        )
    }

    /// The bucket of a key among [`Copy::digests`].
    pub(super) fn bucket(&self, key: &[u8], most_buckets: u32) -> usize {
        Buckets::for_entries(self.len(), most_buckets).index(key_hash(key))
    }

    fn len(&self) -> usize {
        self.entries.len() + self.thin.as_ref().map_or(0, Thin::len)
    }

    fn keys(&self) -> impl Iterator<Item = &Bytes> {
        let away = self.thin.iter().flat_map(Thin::marks);
        self.entries.keys().chain(away.map(|(key, _)| key))
    }

    /// Of values that are held by it, counted anew; of others, as they were when they came.
    fn entry_digests(&self) -> impl Iterator<Item = (&Bytes, u64)> {
        let held = self.entries.iter();
        let held = held.map(|(key, value)| (key, entry_digest(key, value)));
        let away = self.thin.iter().flat_map(Thin::marks);
        held.chain(away.map(|(key, mark)| (key, mark.digest)))
    }

    /// The value that a delta is to, where it is held or was given as a base.
    fn base(&self, key: &Key, bases: &HashMap<Bytes, Bytes>) -> Option<Bytes> {
        if mutant!(BasesKept) && bases.contains_key(key) {
            return bases.get(key).cloned();
        }
        let held = self.entries.get(key).cloned();
        let held = held.or_else(|| self.thin.as_ref()?.value(key));
        held.or_else(|| bases.get(key).cloned())
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
    /// The copy after a flush; `bases`: values that are away, and that it has deltas to. None: the changes cannot be
    /// read, or lead to another state than the source had.
    pub(super) fn of_flush(
        copy: &Copy,
        step: &Step,
        changes: Bytes,
        bases: &HashMap<Bytes, Bytes>,
        settings: &Settings,
    ) -> Option<Self> {
        let mut room = Room::new(settings, copy);
        let mut next = Self::from(copy);
        for change in read_changes(changes) {
            let (key, change) = change.ok()?;
            match change {
                Change::Deleted => next.remove(&key),
                Change::Value(packed) => {
                    let value = room.unpack(&copy.packer, &packed)?;
                    next.put(&key, value, Some(packed), false);
                }
                Change::Delta(delta) => {
                    let old = copy.base(&key, bases)?;
                    let value = delta::apply(&copy.packer, &old, &delta, room.of_value()).ok()?;
                    next.put(&key, room.take(value), None, false);
                }
            }
        }
        next.copy.seq = step.to;
        next.checked(step.digest)
    }

    /// The copy after a whole answer: what is in buckets that agreed, and what was staged. `doubted`: what the backing
    /// was found not to have, and was asked for as if it were not held. None: see `of_flush`.
    pub(super) fn of_answer(
        copy: &Copy,
        request: &Request,
        doubted: &BTreeSet<Key>,
        settings: &Settings,
    ) -> Option<Self> {
        let mut room = Room::new(settings, copy);
        let header = request.stage.header()?;
        let buckets = Buckets::of(request.digests.len())?;
        let differs = Bitmap::read(&header.differs, buckets.count())?;
        let mut next = Self::from(copy);
        if let Some(dictionary) = request.stage.dictionary() {
            next.copy.packer = Packer::with_dictionary(dictionary).ok()?;
        }
        if let Some(thin) = next.copy.thin.as_mut().filter(|_| !doubted.is_empty()) {
            thin.doubted();
        }
        let mut staged = HashSet::new();
        for entry in read_entries(request.stage.entries()) {
            let entry = entry.ok()?;
            let value = room.unpack(&next.copy.packer, &entry.value)?;
            let again = doubted.contains(&entry.key);
            next.put(&entry.key, value, Some(entry.value), again);
            staged.insert(entry.key);
        }
        for key in copy.keys() {
            // An empty collection agrees with a request for everything, and a bucket without what was left out of it
            // agrees with who left it out.
            let left_out = request.for_all || doubted.contains(key);
            let told = left_out || differs.get(buckets.index(key_hash(key)));
            if told && !staged.contains(key) {
                next.remove(key);
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

    /// A key has this value now; `sent`: as it came, if it did not come as a delta.
    fn put(&mut self, key: &Key, value: Bytes, sent: Option<Packed>, again: bool) {
        let Some(thin) = self.copy.thin.as_mut().filter(|_| !key.is_empty()) else {
            return self.set(key, Some(value));
        };
        let key = Bytes::copy_from_slice(key);
        let changed = thin.put(&key, value, (sent, &self.copy.packer), again);
        self.count_changed(changed);
    }

    /// A key is gone.
    fn remove(&mut self, key: &Key) {
        let Some(thin) = self.copy.thin.as_mut().filter(|_| !key.is_empty()) else {
            return self.set(key, None);
        };
        let changed = thin.remove(key);
        self.count_changed(changed);
    }

    fn count_changed(&mut self, changed: Option<Changed>) {
        let Some(Changed { old, new, grown }) = changed else {
            return;
        };
        let digest = self.copy.digest.wrapping_sub(old.unwrap_or_default());
        self.copy.digest = digest.wrapping_add(new.unwrap_or_default());
        self.grown += grown;
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
struct Room {
    value: usize,
    left: usize,
}

impl Room {
    /// A thin copy keeps no value as it is when unpacked, so one after the other may be as large as a value may be.
    fn new(settings: &Settings, copy: &Copy) -> Self {
        Self {
            value: settings.value_bytes,
            left: match copy.thin {
                Some(_) => usize::MAX,
                None => settings.answer_bytes,
            },
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
