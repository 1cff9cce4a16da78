//! Whose page is next: sessions take turns, and so do the streams of one session.

use super::publisher::Session;
use crate::protocol::message::StreamId;
use std::collections::{BTreeMap, VecDeque};

/// A round robin over sessions that wait for pages. No session and no stream is in it twice.
#[derive(Debug, Default)]
pub(super) struct Turns {
    order: VecDeque<Session>,
    streams: BTreeMap<Session, VecDeque<StreamId>>,
}

impl Turns {
    /// Puts a stream of a session at the end, unless it is waiting already.
    pub(super) fn add(&mut self, session: &Session, stream: StreamId) {
        let streams = self.streams.entry(session.clone()).or_default();
        if streams.is_empty() {
            self.order.push_back(session.clone());
        }
        if !streams.contains(&stream) {
            streams.push_back(stream);
        }
    }

    /// Takes the next one out.
    pub(super) fn next(&mut self) -> Option<(Session, StreamId)> {
        let session = self.order.pop_front()?;
        let streams = self.streams.get_mut(&session)?;
        let stream = streams.pop_front()?;
        if streams.is_empty() {
            self.streams.remove(&session);
        } else {
            self.order.push_back(session.clone());
        }
        Some((session, stream))
    }

    pub(super) fn clear(&mut self) {
        self.order.clear();
        self.streams.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_with_many_streams_gets_no_more_than_its_turn() {
        let session = |id: &str| Session {
            user: "u".into(),
            id: id.into(),
        };
        let mut turns = Turns::default();
        for stream in 1..=3 {
            turns.add(&session("greedy"), StreamId(stream));
            turns.add(&session("greedy"), StreamId(stream));
        }
        turns.add(&session("modest"), StreamId(1));
        let order: Vec<_> = std::iter::from_fn(|| turns.next())
            .map(|(session, stream)| (session.id.to_string(), stream.0))
            .collect();
        let greedy = |stream| ("greedy".to_owned(), stream);
        assert_eq!(
            order,
            [greedy(1), ("modest".to_owned(), 1), greedy(2), greedy(3)]
        );
    }
}
