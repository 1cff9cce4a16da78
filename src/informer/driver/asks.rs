//! What reflectors ask for: syncs sent, live topics followed, readers shown what is new.

use super::Driver;
use crate::informer::stream::Stream;
use crate::protocol::message::Request;
use crate::replica::Ask;

impl Driver {
    /// Lets a stream take something, then does what follows from it.
    pub(super) fn touch(&mut self, number: u64, take: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.streams.get_mut(&number) {
            take(stream);
            self.settle(number);
        }
    }

    /// Does what a stream's reflector wants done, shows its readers what is new, and notes when to come back.
    pub(super) fn settle(&mut self, number: u64) {
        let now = self.now();
        // Those whose sources have never answered share the room: some of them may not be there.
        let share = (self.most_outstanding / self.unanswered.max(1)).max(1);
        let Some(stream) = self.streams.get_mut(&number) else {
            return;
        };
        let mut asks = Vec::new();
        loop {
            let others = self.outstanding - stream.outstanding;
            let room = self.most_outstanding.saturating_sub(others);
            let window = if stream.unanswered {
                room.min(share)
            } else {
                room
            };
            let ask = stream.reflector.poll(now, &mut self.rids, window);
            self.outstanding = others + stream.reflector.outstanding();
            stream.outstanding = stream.reflector.outstanding();
            match ask {
                Some(ask) => asks.push(ask),
                None => break,
            }
        }
        if stream.unanswered && !stream.reflector.is_unanswered() {
            stream.unanswered = false;
            self.unanswered -= 1;
        }
        stream.show(now, self.clock);
        let rid = stream.reflector.rid();
        if stream.rid != rid {
            stream.rid.and_then(|old| self.by_rid.remove(&old));
            stream.rid = rid;
            self.by_rid.extend(rid.map(|rid| (rid, number)));
        }
        let deadline = stream.next_deadline(now);
        self.deadlines.remove(&(stream.deadline, number));
        stream.deadline = deadline;
        self.deadlines.insert((deadline, number));
        for ask in asks {
            self.carry_out(number, ask);
        }
    }

    fn carry_out(&mut self, number: u64, ask: Ask) {
        let Some(stream) = self.streams.get(&number) else {
            return;
        };
        match ask {
            Ask::Sync(sync) => {
                let topic = self.topics.signal(&stream.key.cluster, &self.me);
                self.send(topic, &Request::Sync(sync));
            }
            Ask::Subscribe { topic, .. } => self.follow(number, &topic),
            Ask::Bases {
                number: fetch,
                keys,
            } => self.fetch(number, fetch, keys),
        }
    }

    /// Subscribes to a stream's live topic, if it is one of the cluster's own.
    fn follow(&mut self, number: u64, topic: &str) {
        let Some(stream) = self.streams.get_mut(&number) else {
            return;
        };
        if !self.topics.is_live_of(&stream.key.cluster, topic) {
            return tracing::warn!(cluster = %stream.key.cluster, topic, "an answer names a live topic that is not its cluster's");
        }
        let before = stream.live_topic.replace(topic.to_owned());
        if before.as_deref() != Some(topic) {
            self.unfollow(number, before.as_deref());
        }
        self.by_topic
            .entry(topic.to_owned())
            .or_default()
            .insert(number);
        self.link.subscribe(topic);
    }

    pub(super) fn unfollow(&mut self, number: u64, topic: Option<&str>) {
        let Some(topic) = topic else { return };
        let Some(numbers) = self.by_topic.get_mut(topic) else {
            return;
        };
        numbers.remove(&number);
        if numbers.is_empty() {
            self.by_topic.remove(topic);
            self.link.unsubscribe(topic);
        }
    }
}
