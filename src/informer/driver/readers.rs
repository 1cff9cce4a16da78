//! What handles ask for: readers come and go, and the streams with them.

use super::{Command, Driver, Forgotten};
use crate::informer::ForgetError;
use crate::informer::Store;
use crate::informer::stream::{Beginning, Stream, StreamKey};
use crate::link::Publish;
use crate::protocol::message::Request;
use crate::protocol::names::ClusterName;
use crate::replica::Copy;
use bytes::Bytes;

impl Driver {
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Subscribe {
                reader,
                key,
                store,
                cached,
            } => self.add_reader(reader, key, store, cached),
            Command::Leave { reader } => self.remove_reader(reader),
            Command::Settled { reader, settled } => self.settled(reader, settled),
            // Whoever is there is known from the beginning.
            Command::Discover(done) if self.is_offline => drop(done.send(())),
            Command::Discover(done) => {
                self.discovery.ask(self.now(), done);
                self.ask_who();
            }
            Command::Forget { cluster, done } => self.forget(&cluster, done),
            Command::OpenLog {
                number,
                cluster,
                request,
                events,
            } => self.open_log(number, &cluster, request, events),
            Command::LogTaken { number } => self.log_taken(number),
            Command::CloseLog { number } => self.close_log(number),
            // Taken by the loop that ends.
            Command::Close => {}
        }
    }

    pub(super) fn ask_who(&mut self) {
        if self.up && self.discovery.wanted() {
            let topic = self.topics.who(&self.me);
            let rid = self.rids.draw();
            self.send(topic, &Request::Who(rid));
        }
    }

    fn forget(&mut self, cluster: &ClusterName, done: Forgotten) {
        if !self.up {
            // Nothing would be sent, and nothing would ever be answered. Whoever asked may have gone.
            let _ = done.send(Err(ForgetError::Lost));
            return;
        }
        let ticket = self.number();
        self.forgetting.insert(ticket, done);
        let topic = self.topics.presence(cluster);
        self.link.publish(Publish {
            topic,
            payload: Bytes::new(),
            retain: true,
            at_least_once: true,
            ticket,
        });
    }

    fn add_reader(&mut self, reader: u64, key: StreamKey, store: Store, cached: Option<Copy>) {
        let number = match self.by_key.get(&key) {
            Some(&number) => number,
            None => self.add_stream(key, cached),
        };
        self.readers.insert(reader, number);
        let clock = self.clock;
        self.touch(number, |stream| stream.add_reader(reader, store, clock));
    }

    fn add_stream(&mut self, key: StreamKey, cached: Option<Copy>) -> u64 {
        let number = self.number();
        let now = self.now();
        let missing = self.keeper.as_ref().filter(|_| self.is_offline);
        let beginning = Beginning {
            cached,
            offline: missing.map(|keeper| keeper.missing(&key.selection)),
        };
        let settings = self.settings.clone();
        let mut stream = Stream::new(&key, settings, beginning, now, rand::random());
        if self.up {
            stream.reflector.link_up(now);
        }
        if let Some(cluster) = self
            .fleet
            .clusters()
            .get(&key.cluster)
            .filter(|cluster| !cluster.offline)
        {
            stream.reflector.presence(now, cluster.presence.term);
        }
        self.unanswered += u32::from(stream.unanswered);
        self.streams.insert(number, stream);
        self.by_key.insert(key, number);
        number
    }

    fn remove_reader(&mut self, reader: u64) {
        let Some(number) = self.readers.remove(&reader) else {
            return;
        };
        let Some(stream) = self.streams.get_mut(&number) else {
            return;
        };
        if stream.remove_reader(reader) > 0 {
            return;
        }
        if let Some(stream) = self.take_stream(number) {
            self.leave(&stream);
        }
    }

    /// Takes a stream out of every index.
    pub(super) fn take_stream(&mut self, number: u64) -> Option<Stream> {
        let stream = self.streams.remove(&number)?;
        self.outstanding -= stream.outstanding;
        self.unanswered -= u32::from(stream.unanswered);
        self.by_key.remove(&stream.key);
        self.by_rid.retain(|_, asked| *asked != number);
        self.by_id.retain(|_, first| *first != number);
        self.deadlines.remove(&(stream.deadline, number));
        self.unfollow(number, stream.live_topic.as_deref());
        Some(stream)
    }

    fn leave(&self, stream: &Stream) {
        let source = self.fleet.clusters().get(&stream.key.cluster);
        if let (Some(keeper), false) = (&self.keeper, self.is_offline)
            && let Some(kept) = stream.kept(source.cloned(), self.clock)
        {
            keeper.keep(kept);
        }
        let topic = self.topics.signal(&stream.key.cluster, &self.me);
        self.send(topic, &Request::Leave(stream.key.selection.clone()));
    }

    pub(super) fn leave_all(&mut self) {
        self.streams.values().for_each(|stream| self.leave(stream));
    }
}
