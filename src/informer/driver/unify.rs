//! Two words for one stream become one stream: `po` and `pods`.

use super::Driver;
use crate::informer::stream::Stream;
use crate::protocol::message::StreamId;

impl Driver {
    /// Whether this answer is still the stream's own, after those that turn out to be one stream have become one.
    ///
    /// `po` and `pods` are two selections until their source has said what they mean. It serves a session one request
    /// and one snapshot a stream: two reflectors of one stream would take it from each other.
    pub(super) fn is_own_answer(&mut self, number: u64, id: StreamId) -> bool {
        let Some(stream) = self.streams.get(&number) else {
            return false;
        };
        let same = (stream.segment.clone(), id);
        let other = self
            .by_id
            .get(&same)
            .copied()
            .filter(|other| self.streams.contains_key(other));
        let kept = other
            .filter(|other| *other != number)
            .map_or(number, |other| self.unify(other, number));
        if self.by_id.get(&same) != Some(&kept) {
            // One a stream, whatever its source says next.
            self.by_id.retain(|_, first| *first != kept);
            self.by_id.insert(same, kept);
        }
        kept == number
    }

    /// The same, as soon as a status says what the word means: before the first list there is no answer.
    pub(super) fn unify_by_resource(&mut self, number: u64) {
        let Some(stream) = self.streams.get(&number) else {
            return;
        };
        let same = |(other, candidate): (&u64, &Stream)| {
            (*other != number && candidate.means_the_same(stream)).then_some(*other)
        };
        if let Some(other) = self.streams.iter().find_map(same) {
            self.unify(other, number);
        }
    }

    /// Makes one stream of two, and answers which it is: the one that asked last, if the other is still waiting, since
    /// a source takes no request back.
    fn unify(&mut self, first: u64, second: u64) -> u64 {
        let rid = |number: u64| {
            self.streams
                .get(&number)
                .and_then(|stream| stream.reflector.rid())
        };
        let (kept, gone) = match (rid(first), rid(second)) {
            (None, _) => (first, second),
            (Some(older), Some(newer)) if older > newer => (first, second),
            _ => (second, first),
        };
        if let Some(stream) = self.take_stream(gone) {
            for (reader, store) in stream.into_readers() {
                self.readers.insert(reader, kept);
                let clock = self.clock;
                self.touch(kept, |stream| stream.add_reader(reader, store, clock));
            }
        }
        kept
    }
}
