//! Databases of thin consumers: they store when they please, answer late, wrongly or never, and outlive processes.

use super::network::ClientId;
use super::rng::Rng;
use super::world::{Event, Phase, World};
use crate::protocol::message::Epoch;
use crate::replica::copy::Copy;
use crate::replica::digest::entry_digest;
use crate::replica::reflector::Reflector;
use crate::replica::thin::Thin;
use bytes::Bytes;
use imbl::OrdMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// How the backings of one seed are.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    /// Viewers below this number are thin.
    pub(super) thin: usize,
    pub(super) settle_every: Duration,
    pub(super) store_ms: (u64, u64),
    pub(super) fetch_ms: (u64, u64),
    pub(super) store_fails: f64,
    pub(super) fetch_lost: f64,
    pub(super) fetch_wrong: f64,
    /// How often somebody else changes a row.
    pub(super) tampers: f64,
}

impl Habits {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let millis = |rng: &mut Rng, of: &[u64]| Duration::from_millis(rng.pick(of));
        Self {
            thin: rng.pick(&[0, 0, 1, 3]),
            settle_every: millis(rng, &[10, 20, 20, 200, 3000]),
            store_ms: rng.pick(&[(0, 1), (1, 30), (50, 500)]),
            fetch_ms: rng.pick(&[(0, 1), (1, 30), (1, 30), (50, 500), (500, 4000)]),
            store_fails: rng.pick(&[0.0, 0.0, 0.3]),
            fetch_lost: rng.pick(&[0.0, 0.0, 0.1, 0.5]),
            fetch_wrong: rng.pick(&[0.0, 0.0, 0.1, 0.3]),
            tampers: rng.pick(&[0.0, 0.1, 0.7]),
        }
    }

    /// Nobody is thin.
    pub(super) fn none() -> Self {
        Self {
            thin: 0,
            settle_every: Duration::ZERO,
            store_ms: (0, 0),
            fetch_ms: (0, 0),
            store_fails: 0.0,
            fetch_lost: 0.0,
            fetch_wrong: 0.0,
            tampers: 0.0,
        }
    }

    /// The database is well.
    pub(super) fn heal(&mut self) {
        self.settle_every = self.settle_every.min(Duration::from_millis(20));
        (self.store_ms, self.fetch_ms) = ((0, 5), (0, 5));
        (self.store_fails, self.fetch_lost, self.fetch_wrong) = (0.0, 0.0, 0.0);
        self.tampers = 0.0;
    }
}

#[derive(Clone, Debug)]
struct Row {
    value: Bytes,
    /// As the mark said when it was written.
    digest: u64,
}

/// What is stored of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Backing {
    rows: OrdMap<Bytes, Row>,
    /// The state that was last stored as a whole.
    position: (Epoch, u64),
    /// The marks of what this life of the process knows to be stored.
    stored: Thin,
    /// Rows that somebody else changed.
    tampered: BTreeSet<Bytes>,
    /// Those of them that were found out.
    found_out: BTreeSet<Bytes>,
}

impl Backing {
    /// What a process begins with.
    pub(super) fn load(&mut self) -> Copy {
        let rows = self.rows.iter();
        let marks = rows.map(|(key, row)| (key.clone(), row.digest));
        self.stored = Thin::away(marks);
        // What is gone is seen to be gone.
        self.tampered.retain(|key| self.rows.contains_key(key));
        self.found_out.clear();
        Copy::of_backing(self.position, None, self.stored.clone())
    }

    /// Writes what differs, or only some of it.
    fn write(&mut self, thin: &Thin, most: usize) {
        for (key, mark) in thin.since(&self.stored).take(most) {
            self.tampered.remove(key);
            self.found_out.remove(key);
            match (mark, thin.value(key)) {
                (Some(mark), Some(value)) => {
                    let digest = mark.digest;
                    self.rows.insert(key.clone(), Row { value, digest });
                }
                _ => drop(self.rows.remove(key)),
            }
        }
    }

    fn digest(&self) -> u64 {
        let digests = self
            .rows
            .iter()
            .map(|(key, row)| entry_digest(key, &row.value));
        digests.fold(0, u64::wrapping_add)
    }

    /// Every value of the copy is held by it, or stored here as it was told.
    fn has_all(&self, thin: &Thin) -> Result<(), String> {
        for (key, mark) in thin.marks() {
            let row = self.rows.get(key).map(|row| &row.value);
            let value = thin.value(key);
            let is_right = |value: &Bytes| entry_digest(key, value) == mark.digest;
            if !value.as_ref().or(row).is_some_and(is_right) && !self.tampered.contains(key) {
                return Err(format!("nobody holds the value of {key:?}"));
            }
        }
        Ok(())
    }

    /// What it was found to lack, and the source has answered: that is news to it, even if it is what it should have
    /// had.
    fn is_told_again(&self, reflector: &Reflector, thin: &Thin) -> Result<(), String> {
        let answered = |key: &&Bytes| !reflector.doubts(key);
        for key in self.found_out.iter().filter(answered) {
            if thin.mark(key).is_some() && thin.mark(key) == self.stored.mark(key) {
                return Err(format!(
                    "{key:?}, which the backing lacks, is not told again"
                ));
            }
        }
        Ok(())
    }

    /// In the end: it has what there is, but for what somebody else changed and nobody noticed.
    fn is_true(&self, truth: &OrdMap<Bytes, Bytes>) -> Result<(), String> {
        if !self.found_out.is_empty() {
            return Err("what the backing was found to lack was not told again".to_owned());
        }
        let known = |key: &Bytes| !self.tampered.contains(key);
        let rows = self.rows.iter().filter(|(key, _)| known(key));
        let rows = rows.map(|(key, row)| (key, &row.value));
        if rows.eq(truth.iter().filter(|(key, _)| known(key))) {
            return Ok(());
        }
        Err("something else is stored than the API server has".to_owned())
    }
}

/// A state on its way into a backing.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    position: (Epoch, u64),
    thin: Thin,
}

impl World {
    pub(super) fn is_thin(&self, viewer: usize) -> bool {
        viewer < self.plan.backing.thin
    }

    fn backing(&mut self, viewer: usize, stream: usize) -> &mut Backing {
        &mut self.backings[viewer][stream]
    }

    /// A viewer's reader looks whether there is something to be stored.
    pub(super) fn store(&mut self, viewer: usize, stream: usize) {
        let wait = self.rng.about(self.plan.backing.settle_every);
        let process = &self.viewers[viewer];
        let (client, reflector) = (process.client, &process.copies[stream].reflector);
        // One batch at a time; what nobody has proven is not stored.
        if !process.alive || !reflector.proven() {
            return self.after(wait, Event::Store { viewer, stream });
        }
        let copy = reflector.copy();
        let batch = Batch {
            position: (copy.epoch, copy.seq),
            thin: copy.thin.clone().unwrap_or_default(),
        };
        let (low, high) = self.plan.backing.store_ms;
        let took = self.rng.millis(low..=high);
        let batch = Box::new(batch);
        self.after(
            took,
            Event::Stored {
                viewer,
                stream,
                client,
                batch,
            },
        );
        self.after(took + wait, Event::Store { viewer, stream });
    }

    /// A batch was written; if its process died meanwhile, perhaps only in part.
    pub(super) fn stored(
        &mut self,
        (viewer, stream): (usize, usize),
        client: ClientId,
        batch: &Batch,
    ) {
        let lives = self.viewers[viewer].alive && self.viewers[viewer].client == client;
        if !lives {
            // Another life may have begun, and have read what is there.
            if !self.viewers[viewer].alive && self.viewers[viewer].client == client {
                let most = self.rng.below(4);
                self.backing(viewer, stream).write(&batch.thin, most);
            }
            return;
        }
        if self.rng.chance(self.plan.backing.store_fails) {
            return;
        }
        let backing = self.backing(viewer, stream);
        backing.write(&batch.thin, usize::MAX);
        backing.stored = batch.thin.stored();
        let before = std::mem::replace(&mut backing.position, batch.position);
        let clean = backing.tampered.is_empty();
        let (stored, digest) = (backing.stored.clone(), backing.digest());
        self.judge_stored((viewer, stream), before, digest, clean);
        let copied = &mut self.viewers[viewer].copies[stream];
        copied.taken_in = None;
        copied.reflector.settled(&stored);
        self.drive_viewer(viewer);
    }

    /// What is stored is a state that was, and not an older one than before.
    fn judge_stored(
        &mut self,
        (viewer, stream): (usize, usize),
        before: (Epoch, u64),
        digest: u64,
        clean: bool,
    ) {
        let after = self.backings[viewer][stream].position;
        let who = format!("viewer {viewer}, stream {stream}");
        let corrupt = self.viewers[viewer].copies[stream].corrupt;
        let Some(record) = self.ledger.state(stream, after.0, after.1).copied() else {
            return self.expect(Err(format!("{who}: stored {after:?}, which never was")));
        };
        if record.digest != digest && clean && !corrupt {
            self.expect(Err(format!(
                "{who}: what is stored is not what {after:?} was"
            )));
        }
        let earlier = self.ledger.state(stream, before.0, before.1);
        if earlier.is_some_and(|earlier| record.revisions.1 < earlier.revisions.0) {
            self.expect(Err(format!(
                "{who}: stored {before:?}, then the older state of {after:?} (P1)"
            )));
        }
    }

    /// A reflector wants values.
    pub(super) fn fetch(
        &mut self,
        (viewer, stream): (usize, usize),
        number: u64,
        keys: Vec<Bytes>,
    ) {
        if self.rng.chance(self.plan.backing.fetch_lost) {
            return;
        }
        let (low, high) = self.plan.backing.fetch_ms;
        let took = self.rng.millis(low..=high);
        let client = self.viewers[viewer].client;
        self.after(
            took,
            Event::Fetched {
                viewer,
                stream,
                client,
                number,
                keys,
            },
        );
    }

    /// It gets them, or others.
    pub(super) fn fetched(
        &mut self,
        (viewer, stream): (usize, usize),
        client: ClientId,
        number: u64,
        keys: &[Bytes],
    ) {
        if !self.viewers[viewer].alive || self.viewers[viewer].client != client {
            return;
        }
        let copied = &self.viewers[viewer].copies[stream];
        let waits = copied.reflector.waits_for(number);
        let mut values = Vec::new();
        for key in keys {
            if self.rng.chance(self.plan.backing.fetch_wrong) {
                values.extend(self.wrong(stream, key));
                continue;
            }
            let backing = self.backing(viewer, stream);
            if waits && backing.tampered.contains(key) {
                backing.found_out.insert(key.clone());
            }
            let row = backing.rows.get(key);
            values.extend(row.map(|row| (key.clone(), row.value.clone())));
        }
        let reflector = &mut self.viewers[viewer].copies[stream].reflector;
        reflector.give(number, values);
        self.drive_viewer(viewer);
    }

    /// Nothing, a value that the key had once, or one that it never had.
    fn wrong(&mut self, stream: usize, key: &Bytes) -> Option<(Bytes, Bytes)> {
        let changes = self.truths[stream].log.iter();
        let of_key = changes.filter(|revision| revision.key == key);
        let once: Vec<Bytes> = of_key
            .filter_map(|revision| revision.value.clone())
            .collect();
        let value = match self.rng.below(3) {
            0 => None,
            1 if !once.is_empty() => Some(once[self.rng.below(once.len())].clone()),
            _ => Some(Bytes::from_static(b"never")),
        };
        Some((key.clone(), value?))
    }

    /// Somebody else changes what is stored, or takes it away.
    pub(super) fn tamper(&mut self) {
        for viewer in 0..self.viewers.len().min(self.plan.backing.thin) {
            for stream in 0..self.plan.streams {
                if !self.rng.chance(self.plan.backing.tampers) || self.phase != Phase::Faults {
                    continue;
                }
                let (pick, takes) = (self.rng.next() as usize, self.rng.chance(0.5));
                let backing = self.backing(viewer, stream);
                let keys: Vec<Bytes> = backing.rows.keys().cloned().collect();
                let Some(key) = keys.get(pick % keys.len().max(1)) else {
                    continue;
                };
                match backing.rows.get_mut(key) {
                    Some(row) if !takes => row.value = Bytes::from_static(b"another"),
                    _ => drop(backing.rows.remove(key)),
                }
                backing.tampered.insert(key.clone());
            }
        }
    }

    /// After every step: nothing that the copy knows of is lost, and a full one took nothing in.
    pub(super) fn judge_thin(&mut self, viewer: usize, stream: usize) {
        let copied = &mut self.viewers[viewer].copies[stream];
        let reflector = &copied.reflector;
        let (flushes, held) = (reflector.tally().flushes, reflector.unsettled_bytes());
        let bound = self.plan.settings.unsettled_bytes;
        let before = copied.taken_in.replace((flushes, held));
        let overfull = before.is_some_and(|(then, had)| flushes > then && had > bound);
        let thin = reflector.copy().thin.clone().unwrap_or_default();
        let who = format!("viewer {viewer}, stream {stream}");
        let backing = &self.backings[viewer][stream];
        let told = backing.is_told_again(reflector, &thin);
        let all = backing.has_all(&thin).and(told);
        if overfull {
            self.expect(Err(format!("{who}: {held} bytes are not stored (P7)")));
        }
        self.expect(all.map_err(|what| format!("{who}: {what}")));
    }

    /// In the end.
    pub(super) fn is_stored(&self, viewer: usize, stream: usize) -> Result<(), String> {
        let backing = &self.backings[viewer][stream];
        let copy = self.viewers[viewer].copies[stream].reflector.copy();
        let thin = copy.thin.clone().unwrap_or_default();
        let truth = &self.truths[stream].entries;
        let who = format!("viewer {viewer}, stream {stream}");
        let marks = thin.marks().map(|(key, mark)| (key, mark.digest));
        let digests = truth
            .iter()
            .map(|(key, value)| (key, entry_digest(key, value)));
        if !marks.eq(digests) {
            return Err(format!("{who}: knows of something else than there is (P5)"));
        }
        let stored = backing.is_true(truth);
        stored.map_err(|what| format!("{who}: {what} (P5)"))
    }
}
