//! One stream's source side: the truth at `(epoch, seq)`, and what leaves of it.
//!
//! - **F1 Truth.** A feed begins with a complete, consistent list; a relist is diffed against what is held, deletes
//!   included. *Else an empty or half list deletes the fleet's rows.*
//! - **F4 Flush.** While nothing is in flight, all that changed since the last flush leaves as one step, values and
//!   digest as they are at its end; without changes a heartbeat. *Else a copy is a state that never was: the older
//!   change of a superseded key is missing.* When the link breaks before the broker took all of it, its keys return to
//!   what is pending. *Else every consumer has a gap after the source's reconnect.*
//! - **F5 Delta.** A value leaves as a delta, and a key whose value came back to what it was is left out, only while
//!   nothing above the step's start was ever named. *Else somebody stands between the two: a delta makes garbage of his
//!   value, and what is left out stays with him.*

use super::collection::{Collection, Held};
use super::delta;
use super::digest::{Buckets, entry_digest};
use super::mutants::mutant;
use super::settings::Settings;
use super::time::Moment;
use crate::protocol::compress::Packer;
use crate::protocol::entries::{Change, Key, write_change};
use crate::protocol::message::{Epoch, Live, StreamId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where a state stands in the API server's own count; 0 = not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Versions {
    /// The resourceVersion of the last change that it holds.
    pub(super) changed: u64,
    /// The one up to which it holds every change.
    pub(super) up_to: u64,
}

impl Versions {
    /// What both say.
    pub(super) fn lower(self, other: Self) -> Self {
        Self {
            changed: self.changed.min(other.changed),
            up_to: self.up_to.min(other.up_to),
        }
    }
}

/// A state of a feed, whole; costs O(1).
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    pub(super) versions: Versions,
    pub(super) collection: Collection,
}

/// Numbers what is published, so that the broker's acknowledgements can be told apart.
#[derive(Debug, Default)]
pub(super) struct Tickets(u64);

impl Tickets {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// A flush that the broker has not taken as a whole.
#[derive(Debug)]
struct Flight {
    prev: u64,
    /// What the values of its keys were at `prev`.
    before: BTreeMap<Key, Option<Held>>,
    tickets: BTreeSet<u64>,
}

/// The collection, and what of it was told.
#[derive(Debug)]
pub(super) struct Feed {
    stream: StreamId,
    epoch: Epoch,
    seq: u64,
    versions: Versions,
    now: Collection,
    packer: Packer,
    /// What the values were at `published` of all keys that changed since.
    pending: BTreeMap<Key, Option<Held>>,
    published: u64,
    /// The highest seq ever named in a message.
    told: u64,
    flushes: u64,
    flight: Option<Flight>,
    last_live: Option<Moment>,
    /// The bucket digests asked for last: consumers that ask at one seq share the pass.
    digests: Option<(u64, Buckets, Arc<[u64]>)>,
    #[cfg(test)]
    before_last_change: (u64, u64),
}

/// What a flush is cut by and stamped with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) now: Moment,
    pub(super) upstream_age_ms: u64,
    /// Bytes of changes that fit one message.
    pub(super) slice_bytes: usize,
}

impl Feed {
    /// The feed of a first, complete list, as its draft packed it, and the list's resourceVersion.
    pub(super) fn new(
        stream: StreamId,
        epoch: Epoch,
        (packer, now): (Packer, Collection),
        version: u64,
    ) -> Self {
        Self {
            stream,
            epoch,
            seq: 1,
            versions: Versions {
                changed: version,
                up_to: version,
            },
            now,
            packer,
            pending: BTreeMap::new(),
            published: 1,
            told: 0,
            flushes: 0,
            flight: None,
            last_live: None,
            digests: None,
            #[cfg(test)]
            before_last_change: (1, 0),
        }
    }

    /// A later list: only what differs counts as changed. It may be below what was known: a backup was restored.
    pub(super) fn relist(&mut self, list: Vec<(Bytes, Bytes)>, version: u64) {
        let listed: BTreeSet<Bytes> = list.iter().map(|(key, _)| key.clone()).collect();
        let gone: Vec<Key> = self
            .now
            .iter()
            .filter(|((_, key), _)| !listed.contains(key))
            .map(|((_, key), _)| key.clone())
            .collect();
        if !mutant!(RelistIgnoresDeletes) {
            gone.iter().for_each(|key| self.delete(key, version));
        }
        for (key, value) in list {
            self.put(&key, &value, version);
        }
        self.versions.up_to = version;
    }

    /// All that changed up to a resourceVersion is told.
    pub(super) fn told_up_to(&mut self, version: u64) {
        self.versions.up_to = self.versions.up_to.max(version);
    }

    /// A key has this value now, since a resourceVersion.
    pub(super) fn put(&mut self, key: &Bytes, value: &Bytes, version: u64) {
        self.told_up_to(version);
        let digest = entry_digest(key, value);
        if self.now.get(key).is_some_and(|held| held.digest == digest) {
            return;
        }
        self.step(version);
        let old = self.now.put(key, Held::new(&self.packer, key, value));
        self.changed(key, old);
    }

    /// A key is gone, since a resourceVersion.
    pub(super) fn delete(&mut self, key: &Bytes, version: u64) {
        self.told_up_to(version);
        if self.now.get(key).is_none() {
            return;
        }
        self.step(version);
        let old = self.now.remove(key);
        self.changed(key, old);
    }

    fn changed(&mut self, key: &[u8], old: Option<Held>) {
        let key = Key::copy_from_slice(key);
        self.pending.entry(key).or_insert(old);
    }

    fn step(&mut self, version: u64) {
        #[cfg(test)]
        {
            self.before_last_change = (self.seq, self.now.digest());
        }
        self.seq += 1;
        self.versions.changed = version;
    }

    #[cfg(test)]
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn packer(&self) -> &Packer {
        &self.packer
    }

    pub(super) fn collection(&self) -> &Collection {
        &self.now
    }

    /// The state as it is, to be answered with.
    pub(super) fn snapshot(&mut self) -> Snapshot {
        self.told = self.told.max(self.seq);
        Snapshot {
            epoch: self.epoch,
            seq: self.seq,
            versions: self.versions,
            collection: self.now.clone(),
        }
    }

    /// The digests of the state as it is.
    pub(super) fn digests(&mut self, buckets: Buckets) -> Arc<[u64]> {
        match &self.digests {
            Some((seq, of, digests)) if (*seq, *of) == (self.seq, buckets) => digests.clone(),
            _ => {
                let digests: Arc<[u64]> = self.now.digests(buckets).into();
                self.digests = Some((self.seq, buckets, digests.clone()));
                digests
            }
        }
    }

    /// When something has to leave; none while something is in flight.
    pub(super) fn flush_at(&self, settings: &Settings) -> Option<Moment> {
        if self.flight.is_some() {
            return None;
        }
        match self.last_live {
            Some(last) if self.pending.is_empty() => {
                (!mutant!(NoHeartbeat)).then(|| last + settings.heartbeat)
            }
            _ => Some(Moment::AT_ONCE),
        }
    }

    /// All that is pending, as one step; a heartbeat if that is nothing. Each slice has a ticket; 0 = nobody waits.
    pub(super) fn flush(&mut self, stamp: Stamp, tickets: &mut Tickets) -> Vec<(u64, Live)> {
        let prev = self.published;
        let alone = self.told == prev || mutant!(DeltasWhateverTold);
        let before = self.take_pending(stamp.slice_bytes);
        let (to, digest) = self.leads_to();
        let mut changes = Vec::new();
        for (key, old) in &before {
            if let Some(change) = self.change(key, old.as_ref(), alone) {
                write_change(&mut changes, key, &change);
            }
        }
        self.published = to;
        self.told = self.told.max(to);
        self.flushes += 1;
        self.last_live = Some(stamp.now);
        let changes = Bytes::from(changes);
        let count = changes.len().div_ceil(stamp.slice_bytes.max(1)).max(1);
        let slices: Vec<(u64, Live)> = (0..count)
            .map(|index| {
                let begin = index * stamp.slice_bytes;
                let end = changes.len().min(begin + stamp.slice_bytes);
                let live = Live {
                    stream: self.stream,
                    epoch: self.epoch,
                    flush: self.flushes,
                    prev,
                    to,
                    index: index as u32,
                    count: count as u32,
                    digest,
                    upstream_age_ms: stamp.upstream_age_ms,
                    changes: changes.slice(begin..end),
                    changed: self.versions.changed,
                };
                (if to > prev { tickets.next() } else { 0 }, live)
            })
            .collect();
        if to > prev {
            let tickets = slices.iter().map(|(ticket, _)| *ticket).collect();
            self.flight = Some(Flight {
                prev,
                before,
                tickets,
            });
        }
        slices
    }

    /// The broker took a slice.
    pub(super) fn acknowledged(&mut self, ticket: u64) {
        if let Some(flight) = &mut self.flight {
            flight.tickets.remove(&ticket);
            if flight.tickets.is_empty() {
                self.flight = None;
            }
        }
    }

    /// The link broke: what was in flight may be lost.
    pub(super) fn link_lost(&mut self) {
        if let Some(flight) = self.flight.take()
            && !mutant!(FlightKeysNotReturned)
        {
            self.pending.extend(flight.before);
            self.published = flight.prev;
        }
    }

    fn take_pending(&mut self, _slice_bytes: usize) -> BTreeMap<Key, Option<Held>> {
        let mut taken = std::mem::take(&mut self.pending);
        if mutant!(FlushCutButClaimsAll) && taken.len() > 1 {
            let rest = taken.keys().nth(taken.len() / 2).cloned();
            self.pending = rest.map(|key| taken.split_off(&key)).unwrap_or_default();
        }
        taken
    }

    /// The number and the digest of the state that a flush leads to.
    fn leads_to(&self) -> (u64, u64) {
        #[cfg(test)]
        if mutant!(ValuesReadAtSending) && self.before_last_change.0 > self.published {
            return self.before_last_change;
        }
        (self.seq, self.now.digest())
    }

    /// What became of a key. `alone`: nobody stands between the step's ends, so what a value was at its start counts.
    /// None: it is what it was, and nobody has seen it otherwise.
    fn change(&self, key: &Key, old: Option<&Held>, alone: bool) -> Option<Change> {
        let (old, new) = (old.filter(|_| alone), self.now.get(key));
        match (old, new) {
            (None, None) if alone => None,
            (_, None) => Some(Change::Deleted),
            (Some(old), Some(new)) if old.digest == new.digest => None,
            (Some(old), Some(new)) => {
                let delta = delta::between(&self.packer, &old.packed, &new.packed);
                Some(delta.map_or_else(|| Change::Value(new.packed.clone()), Change::Delta))
            }
            (None, Some(new)) => Some(Change::Value(new.packed.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::entries::read_changes;
    use crate::replica::draft::Draft;

    const STAMP: Stamp = Stamp {
        now: Moment::from_millis(0),
        upstream_age_ms: 0,
        slice_bytes: 1 << 16,
    };

    fn list(entries: &[(&'static str, &'static str)]) -> Vec<(Bytes, Bytes)> {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let entries = entries.iter();
        entries
            .map(|(key, value)| (bytes(key), bytes(value)))
            .collect()
    }

    fn feed(entries: &[(&'static str, &'static str)]) -> (Feed, Tickets) {
        let feed = Feed::new(
            StreamId(1),
            Epoch::default(),
            Draft::default().finish(list(entries)),
            10,
        );
        (feed, Tickets::default())
    }

    fn put(feed: &mut Feed, key: &'static str, value: &'static str) {
        feed.put(&key.into(), &value.into(), feed.versions.up_to + 1);
    }

    /// What a flush carries: key, and whether it goes, comes whole, or as a delta.
    fn carried(slices: &[(u64, Live)]) -> Vec<(String, &'static str)> {
        let bytes: Vec<u8> = slices
            .iter()
            .flat_map(|(_, live)| live.changes.to_vec())
            .collect();
        let changes = read_changes(bytes.into()).map(Result::unwrap);
        let word = |change| match change {
            Change::Deleted => "deleted",
            Change::Value(_) => "value",
            Change::Delta(_) => "delta",
        };
        changes
            .map(|(key, change)| (String::from_utf8(key.to_vec()).unwrap(), word(change)))
            .collect()
    }

    #[test]
    fn a_relist_is_diffed_deletes_included() {
        let (mut feed, mut tickets) = feed(&[("a", "1"), ("b", "2"), ("c", "3")]);
        feed.relist(list(&[("a", "1"), ("c", "4"), ("d", "5")]), 20);
        let changes = carried(&feed.flush(STAMP, &mut tickets));
        assert_eq!(
            changes,
            [
                ("b".to_owned(), "deleted"),
                ("c".to_owned(), "value"),
                ("d".to_owned(), "value")
            ]
        );
        let same = feed.seq();
        feed.relist(list(&[("a", "1"), ("c", "4"), ("d", "5")]), 20);
        assert_eq!(feed.seq(), same);
    }

    #[test]
    fn a_flush_is_cut_into_slices_that_all_tell_its_digest() {
        let (mut feed, mut tickets) = feed(&[]);
        put(&mut feed, "a", "a value of many messages");
        let slices = feed.flush(
            Stamp {
                slice_bytes: 10,
                ..STAMP
            },
            &mut tickets,
        );
        assert!(
            slices.len() > 2
                && slices
                    .iter()
                    .all(|(_, live)| live.digest == feed.collection().digest())
        );
        assert_eq!(carried(&slices).len(), 1);
        for (ticket, _) in &slices {
            assert_eq!(feed.flush_at(&Settings::default()), None);
            feed.acknowledged(*ticket);
        }
        assert!(feed.flush_at(&Settings::default()).is_some());
    }

    #[test]
    fn a_key_that_came_back_to_what_it_was_is_left_out_only_while_nobody_saw_it_otherwise() {
        let (mut feed, mut tickets) = feed(&[("a", "1")]);
        feed.flush(STAMP, &mut tickets);
        put(&mut feed, "a", "2");
        put(&mut feed, "a", "1");
        let (ticket, live) = feed.flush(STAMP, &mut tickets).remove(0);
        assert!(live.changes.is_empty() && live.to == 3);
        feed.acknowledged(ticket);
        put(&mut feed, "a", "2");
        feed.snapshot();
        put(&mut feed, "a", "1");
        assert_eq!(
            carried(&feed.flush(STAMP, &mut tickets)),
            [("a".to_owned(), "value")]
        );
    }

    #[test]
    fn a_deleted_key_that_somebody_saw_is_told_again_although_it_was_never_there() {
        let (mut feed, mut tickets) = feed(&[]);
        feed.flush(STAMP, &mut tickets);
        put(&mut feed, "a", "1");
        feed.flush(STAMP, &mut tickets);
        feed.link_lost();
        feed.delete(&"a".into(), 20);
        let slices = feed.flush(STAMP, &mut tickets);
        assert_eq!(
            (slices[0].1.prev, carried(&slices)),
            (1, vec![("a".to_owned(), "deleted")])
        );
    }
}
