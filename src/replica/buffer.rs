//! Flushes on their way into a copy: incomplete ones, and those that do not fit yet.
//!
//! - **R2 Collect.** Slices wait until their flush is whole, and flushes until they fit, within a bound of bytes;
//!   beyond it all is forgotten but that there was something. *Else memory grows while an answer is long, or half a
//!   step is shown.*

use super::mutants::mutant;
use super::time::Moment;
use crate::protocol::message::Live;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a slice costs beside its bytes.
const OVERHEAD: usize = 128;

/// One flush, as far as it came.
#[derive(Debug)]
struct Gathering {
    step: Step,
    count: u32,
    last: Moment,
    slices: BTreeMap<u32, Bytes>,
}

/// What a flush does, and what it tells of the state that it leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) prev: u64,
    pub(super) to: u64,
    /// Of the whole collection at `to`.
    pub(super) digest: u64,
    /// The resourceVersion of the last change up to `to`; 0 = not known.
    pub(super) changed: u64,
    pub(super) upstream_age: Duration,
    /// When its first slice arrived.
    pub(super) arrived: Moment,
}

impl Step {
    /// What a slice tells of its flush.
    pub(super) fn of(now: Moment, live: &Live) -> Self {
        Self {
            prev: live.prev,
            to: live.to,
            digest: live.digest,
            changed: live.changed,
            upstream_age: Duration::from_millis(live.upstream_age_ms),
            arrived: now,
        }
    }
}

/// The flushes of one epoch that are not in the copy.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    flushes: BTreeMap<u64, Gathering>,
    bytes: usize,
    /// Flushes that were forgotten: where they led to, and since when.
    forgotten: Option<(u64, Moment)>,
}

impl Buffer {
    /// Puts a slice in. Contradictions and duplicates are dropped. False: beyond `bound` bytes, all was forgotten.
    pub(super) fn add(&mut self, now: Moment, live: Live, bound: usize) -> bool {
        let flush = self.flushes.entry(live.flush).or_insert_with(|| Gathering {
            step: Step::of(now, &live),
            count: live.count,
            last: now,
            slices: BTreeMap::new(),
        });
        let told = (
            flush.step.prev,
            flush.step.to,
            flush.step.digest,
            flush.count,
        );
        let is_new = !flush.slices.contains_key(&live.index) && live.index < live.count;
        if told != (live.prev, live.to, live.digest, live.count) || !is_new {
            return true;
        }
        self.bytes += live.changes.len() + OVERHEAD;
        flush.last = now;
        flush.slices.insert(live.index, live.changes);
        if self.bytes > bound && !mutant!(NoBound) {
            self.forget(now);
            return false;
        }
        true
    }

    /// Keeps where it all led to, and since when that is missing: traffic that goes on does not put the gap off.
    fn forget(&mut self, now: Moment) {
        let (mut to, since) = self.forgotten.unwrap_or((0, now));
        for flush in self.flushes.values() {
            to = to.max(flush.step.to);
        }
        self.clear();
        self.forgotten = Some((to, since));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.flushes.is_empty() && self.forgotten.is_none()
    }

    /// The number of a whole flush that can be applied at `seq`.
    pub(super) fn fitting(&self, seq: u64) -> Option<u64> {
        let fits = |step: &Step| {
            let follows = step.prev <= seq || mutant!(PrevAboveSeqApplied);
            follows && (seq < step.to || mutant!(ToBelowSeqApplied))
        };
        self.flushes.iter().find_map(|(number, flush)| {
            let whole = flush.slices.len() as u64 == u64::from(flush.count);
            (whole && fits(&flush.step)).then_some(*number)
        })
    }

    /// The changes of a flush.
    pub(super) fn changes(&self, number: u64) -> Option<Bytes> {
        let flush = self.flushes.get(&number)?;
        let length = flush.slices.values().map(Bytes::len).sum();
        Some(join(flush.slices.values().cloned(), length))
    }

    /// Takes a whole flush out that can be applied at `seq`, with its changes.
    #[cfg(test)]
    fn take_fitting(&mut self, seq: u64) -> Option<(Step, Bytes)> {
        self.take(self.fitting(seq)?)
    }

    /// Drops what leads to less than `seq`; returns what is known of the state at `seq` itself.
    pub(super) fn reached(&mut self, seq: u64) -> Option<Step> {
        let numbers = |flushes: &BTreeMap<u64, Gathering>, to: fn(u64, u64) -> bool| {
            let reached = flushes.iter().filter(|(_, flush)| to(flush.step.to, seq));
            reached.map(|(number, _)| *number).collect::<Vec<u64>>()
        };
        let keep_old = mutant!(ToBelowSeqApplied);
        for number in numbers(&self.flushes, |to, seq| to < seq) {
            if !keep_old {
                self.take(number);
            }
        }
        if self.forgotten.is_some_and(|(to, _)| to <= seq) {
            self.forgotten = None;
        }
        let here = numbers(&self.flushes, |to, seq| to == seq);
        let steps = here.into_iter().filter_map(|number| self.take(number));
        steps.map(|(step, _)| step).max_by_key(|step| step.arrived)
    }

    /// Takes a flush out, with its changes.
    pub(super) fn take(&mut self, number: u64) -> Option<(Step, Bytes)> {
        let flush = self.flushes.remove(&number)?;
        let length: usize = flush.slices.values().map(Bytes::len).sum();
        self.bytes -= length + flush.slices.len() * OVERHEAD;
        Some((flush.step, join(flush.slices.into_values(), length)))
    }

    /// When the last slice of the flush came that has been quiet for the longest time.
    pub(super) fn quiet_since(&self) -> Option<Moment> {
        let quiet = self.flushes.values().map(|flush| flush.last);
        quiet.chain(self.forgotten.map(|(_, at)| at)).min()
    }

    /// Nothing counts as quiet for longer than this: the link was down.
    pub(super) fn wake(&mut self, now: Moment) {
        self.flushes.values_mut().for_each(|flush| flush.last = now);
        self.forgotten = self.forgotten.map(|(to, _)| (to, now));
    }
}

/// One byte string of many; none is copied if there is only one.
pub(super) fn join(mut parts: impl Iterator<Item = Bytes>, length: usize) -> Bytes {
    let first = parts.next().unwrap_or_default();
    if first.len() == length {
        return first;
    }
    let mut whole = Vec::with_capacity(length);
    whole.extend_from_slice(&first);
    parts.for_each(|part| whole.extend_from_slice(&part));
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(flush: u64, prev: u64, to: u64, (index, count): (u32, u32)) -> Live {
        Live {
            flush,
            prev,
            to,
            index,
            count,
            changes: Bytes::copy_from_slice(&[index as u8]),
            ..Live::default()
        }
    }

    fn buffer(slices: &[Live]) -> Buffer {
        let mut buffer = Buffer::default();
        for (at, live) in slices.iter().enumerate() {
            buffer.add(Moment::from_millis(at as u64), live.clone(), 1 << 20);
        }
        buffer
    }

    #[test]
    fn a_flush_is_whole_in_any_order_of_its_slices() {
        let slices = [(2, 3), (0, 3), (0, 3), (1, 3)].map(|at| slice(1, 4, 9, at));
        let mut buffer = buffer(&slices[..3]);
        assert!(buffer.take_fitting(4).is_none());
        buffer.add(Moment::default(), slices[3].clone(), 1 << 20);
        let (step, changes) = buffer.take_fitting(4).unwrap();
        assert_eq!((step.to, &changes[..]), (9, &[0, 1, 2][..]));
        assert!(buffer.is_empty() && buffer.bytes() == 0);
    }

    #[test]
    fn a_gap_is_not_jumped_and_the_past_not_applied() {
        let mut buffer = buffer(&[slice(1, 4, 9, (0, 1))]);
        assert!(buffer.take_fitting(3).is_none());
        assert!(buffer.take_fitting(9).is_none());
        assert!(
            buffer.take_fitting(8).is_some(),
            "a flush that begins earlier fits"
        );
    }

    #[test]
    fn slices_that_contradict_their_flush_are_dropped() {
        let mut other = slice(1, 4, 9, (1, 2));
        other.digest = 7;
        let mut buffer = buffer(&[slice(1, 4, 9, (0, 2)), other, slice(1, 4, 9, (5, 2))]);
        assert!(buffer.take_fitting(4).is_none());
        assert_eq!(buffer.bytes(), 1 + OVERHEAD);
    }

    #[test]
    fn beyond_the_bound_it_is_only_known_that_there_was_something() {
        let mut buffer = Buffer::default();
        assert!(buffer.add(Moment::default(), slice(1, 4, 9, (0, 2)), 200));
        assert!(!buffer.add(Moment::from_millis(3), slice(2, 9, 12, (0, 2)), 200));
        assert_eq!(
            (buffer.bytes(), buffer.quiet_since()),
            (0, Some(Moment::from_millis(3)))
        );
        buffer.reached(12);
        assert!(buffer.is_empty());
    }

    #[test]
    fn reaching_a_state_drops_what_led_there() {
        let mut buffer = buffer(&[
            slice(1, 4, 9, (0, 2)),
            slice(2, 9, 12, (0, 2)),
            slice(3, 12, 15, (0, 1)),
        ]);
        assert_eq!(buffer.reached(12).unwrap().to, 12);
        assert_eq!(buffer.take_fitting(12).unwrap().0.to, 15);
        assert!(buffer.is_empty());
    }
}
