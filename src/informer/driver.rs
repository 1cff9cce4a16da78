//! The task behind an [`super::Informer`]: messages in, reflectors' asks out, stores written.

use super::discovery::Discovery;
use super::fleet::Fleet;
use super::stream::{Stream, StreamKey};
use super::{Cluster, LinkState, Store};
use crate::link::{Connection, Event, Events, Link, Publish};
use crate::protocol::frame;
use crate::protocol::message::{Live, Presence, Reply, Request, StreamId};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::{Consumer, Route, Segment, Topics};
use crate::replica::{Ask, Moment, Rids, Settings};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Pages that a consumer may have outstanding over all its streams: where the broker's limits are known, and where not.
const OUTSTANDING: (u32, u32) = (64, 8);

/// What a handle asks of the driver.
pub(super) enum Command {
    /// Serve a reader of this stream from now on.
    Subscribe {
        reader: u64,
        key: StreamKey,
        store: Store,
    },
    /// That reader is gone.
    Leave { reader: u64 },
    /// Ask every source who it is; answered when it was quiet for long enough.
    Discover(oneshot::Sender<()>),
    /// Clear a cluster's retained presence; answered when the broker took it.
    Forget {
        cluster: ClusterName,
        done: oneshot::Sender<()>,
    },
}

/// What handles may look at.
pub(super) struct Shown {
    pub(super) fleet: watch::Sender<Arc<BTreeMap<ClusterName, Cluster>>>,
    pub(super) link: watch::Sender<LinkState>,
}

/// Everything that the task owns.
pub(super) struct Driver {
    link: Arc<dyn Link>,
    events: Events,
    commands: mpsc::UnboundedReceiver<Command>,
    shown: Arc<Shown>,
    settings: Settings,
    topics: Topics,
    me: Consumer,
    origin: Instant,
    rids: Rids,
    fleet: Fleet,
    discovery: Discovery,
    /// The streams by a number of their own, and the ways to find one.
    streams: HashMap<u64, Stream>,
    by_key: HashMap<StreamKey, u64>,
    by_topic: HashMap<String, BTreeSet<u64>>,
    by_rid: HashMap<u64, u64>,
    by_id: HashMap<(Segment, StreamId), u64>,
    readers: HashMap<u64, u64>,
    deadlines: BTreeSet<(Moment, u64)>,
    forgetting: HashMap<u64, oneshot::Sender<()>>,
    next_number: u64,
    outstanding: u32,
    most_outstanding: u32,
    up: bool,
}

impl Driver {
    pub(super) fn new(
        connection: Connection,
        topics: Topics,
        (me, settings): (Consumer, Settings),
        commands: mpsc::UnboundedReceiver<Command>,
        shown: Arc<Shown>,
    ) -> Self {
        Self {
            link: connection.link,
            events: connection.events,
            commands,
            shown,
            settings,
            topics,
            me,
            origin: Instant::now(),
            rids: Rids::default(),
            fleet: Fleet::default(),
            discovery: Discovery::default(),
            streams: HashMap::new(),
            by_key: HashMap::new(),
            by_topic: HashMap::new(),
            by_rid: HashMap::new(),
            by_id: HashMap::new(),
            readers: HashMap::new(),
            deadlines: BTreeSet::new(),
            forgetting: HashMap::new(),
            next_number: 1,
            outstanding: 0,
            most_outstanding: OUTSTANDING.1,
            up: false,
        }
    }

    /// Runs until every handle is gone, then leaves the streams and says goodbye.
    pub(super) async fn run(mut self) {
        for filter in self.filters() {
            self.link.subscribe(&filter);
        }
        loop {
            let deadline = self.next_deadline();
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.event(event),
                    None => break,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                () = sleep_until(deadline) => self.wake(),
            }
        }
        self.leave_all();
        self.link.close();
        // The link ends when its last handle goes, said or not: what was queued has to be sent first.
        while self.events.recv().await.is_some() {}
    }

    fn filters(&self) -> [String; 2] {
        [
            self.topics.replies_filter(&self.me),
            self.topics.presences_filter(),
        ]
    }

    fn now(&self) -> Moment {
        Moment::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn next_deadline(&self) -> Option<Instant> {
        let stream = self.deadlines.first().map(|(at, _)| *at);
        let soonest = stream.into_iter().chain(self.discovery.deadline()).min()?;
        Some(self.origin + Duration::from_micros(soonest.as_micros()))
    }

    fn wake(&mut self) {
        let now = self.now();
        while let Some(&(_, number)) = self.deadlines.first().filter(|(at, _)| *at <= now) {
            self.deadlines.pop_first();
            self.settle(number);
        }
        self.discovery.wake(now);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Up { limits_known, .. } => self.link_up(limits_known),
            Event::Down(failure) => self.link_down(failure),
            Event::Message { topic, payload, .. } => self.message(&topic, payload),
            Event::Subscribed(filter) => self.subscribed(&filter),
            Event::Acknowledged(ticket) => {
                if let Some(done) = self.forgetting.remove(&ticket) {
                    // Nobody may be waiting any more.
                    let _ = done.send(());
                }
            }
            Event::PublishRefused { topic, reason, .. } => {
                tracing::warn!(topic, reason, "the broker refused a message");
            }
            Event::SubscribeRefused { filter, reason } => {
                tracing::warn!(filter, reason, "the broker refused a subscription");
            }
        }
    }

    fn link_up(&mut self, limits_known: bool) {
        self.up = true;
        self.most_outstanding = if limits_known {
            OUTSTANDING.0
        } else {
            OUTSTANDING.1
        };
        self.shown.link.send_replace(LinkState::Up);
        let now = self.now();
        self.discovery.link_up(now);
        // A broker handles one client's packets in order: what is asked now is answered after the subscription.
        for number in self.numbers() {
            self.touch(number, |stream| stream.reflector.link_up(now));
        }
    }

    fn link_down(&mut self, failure: crate::link::Failure) {
        self.up = false;
        self.shown.link.send_replace(LinkState::Down(failure));
        let now = self.now();
        self.discovery.link_down();
        for number in self.numbers() {
            self.touch(number, |stream| stream.reflector.link_down(now));
        }
    }

    fn subscribed(&mut self, filter: &str) {
        let now = self.now();
        for number in self.by_topic.get(filter).cloned().unwrap_or_default() {
            self.touch(number, |stream| stream.reflector.subscribed(now));
        }
        if *filter == self.topics.presences_filter() {
            self.discovery.subscribed(now);
            self.ask_who();
        }
    }

    fn message(&mut self, topic: &str, payload: Bytes) {
        if let Some(numbers) = self.by_topic.get(topic).cloned() {
            return self.live(&numbers, &payload);
        }
        match self.topics.parse(topic) {
            Some(Route::Reply { cluster, .. }) => self.reply(&cluster, &payload),
            Some(Route::Presence { cluster }) => self.presence(&cluster, &payload),
            _ => tracing::debug!(topic, "a message that nobody asked for"),
        }
    }

    fn live(&mut self, numbers: &BTreeSet<u64>, payload: &Bytes) {
        let live: Live = match frame::decode_live(payload, self.limit()) {
            Ok(live) => live,
            Err(error) => return tracing::warn!(%error, "a malformed live message"),
        };
        let now = self.now();
        for &number in numbers {
            self.touch(number, |stream| stream.reflector.live(now, live.clone()));
        }
    }

    fn reply(&mut self, cluster: &Segment, payload: &Bytes) {
        let reply = match frame::decode_reply(payload, self.limit()) {
            Ok(reply) => reply,
            Err(error) => return tracing::warn!(%cluster, %error, "a malformed reply"),
        };
        let now = self.now();
        match reply {
            Reply::Page(page) => {
                if let Some(number) = self
                    .asked_by(cluster, page.rid)
                    .filter(|number| self.is_first_of(*number, page.stream))
                {
                    self.touch(number, |stream| {
                        stream.heard = Some(now);
                        stream.reflector.page(now, page);
                    });
                }
            }
            Reply::Status(status) => {
                if let Some(number) = self.asked_by(cluster, status.rid) {
                    self.touch(number, |stream| {
                        stream.heard = Some(now);
                        stream.reflector.status(now, &status);
                    });
                }
            }
            Reply::Presence(presence) => self.heard(cluster, &presence),
        }
    }

    /// The stream whose request this is, if that request went to the cluster that answers (promise P9).
    fn asked_by(&self, cluster: &Segment, rid: u64) -> Option<u64> {
        let number = self.by_rid.get(&rid).copied()?;
        self.streams
            .get(&number)
            .filter(|stream| stream.segment == *cluster)
            .map(|_| number)
    }

    /// Whether no other stream of ours is the one that this answer is of; if one is, its readers become that one's.
    ///
    /// `po` and `pods` are two selections until their source has answered. It serves a session one snapshot a stream: two
    /// reflectors of one stream would take it from each other.
    fn is_first_of(&mut self, number: u64, id: StreamId) -> bool {
        let Some(stream) = self.streams.get(&number) else {
            return false;
        };
        let same = (stream.segment.clone(), id);
        let first = *self.by_id.entry(same).or_insert(number);
        if first == number || !self.streams.contains_key(&first) {
            self.by_id.insert((stream.segment.clone(), id), number);
            return true;
        }
        let Some(stream) = self.take_stream(number) else {
            return false;
        };
        for (reader, store) in stream.into_readers() {
            self.readers.insert(reader, first);
            self.touch(first, |stream| stream.add_reader(reader, store));
        }
        false
    }

    fn presence(&mut self, cluster: &Segment, payload: &Bytes) {
        if payload.is_empty() {
            return self.cleared(cluster);
        }
        match frame::decode_presence(payload, self.limit()) {
            Ok(presence) => self.heard(cluster, &presence),
            Err(error) => tracing::warn!(%cluster, %error, "a malformed presence"),
        }
    }

    /// Takes a presence whose name is the one that its topic says: who answers is told by the topic, not by the payload.
    fn heard(&mut self, cluster: &Segment, presence: &Presence) {
        let Ok(name) = ClusterName::new(&presence.cluster) else {
            return;
        };
        if Segment::from(&name) != *cluster {
            return tracing::warn!(%cluster, "a presence under another cluster's topic");
        }
        let now = self.now();
        self.discovery.heard(now);
        if self.fleet.heard(&name, presence, wall_ms()) {
            self.show_fleet();
        }
        if presence.online {
            let of_cluster =
                |(number, stream): (&u64, &Stream)| (stream.segment == *cluster).then_some(*number);
            for number in self
                .streams
                .iter()
                .filter_map(of_cluster)
                .collect::<Vec<_>>()
            {
                self.touch(number, |stream| {
                    stream.reflector.presence(now, presence.term);
                });
            }
        }
    }

    fn cleared(&mut self, cluster: &Segment) {
        let named = |name: &&ClusterName| Segment::from(*name) == *cluster;
        let name = self.fleet.clusters().keys().find(named).cloned();
        if name.is_some_and(|name| self.fleet.forget(&name)) {
            self.show_fleet();
        }
    }

    fn show_fleet(&self) {
        self.shown
            .fleet
            .send_replace(Arc::new(self.fleet.clusters().clone()));
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Subscribe { reader, key, store } => self.add_reader(reader, key, store),
            Command::Leave { reader } => self.remove_reader(reader),
            Command::Discover(done) => {
                self.discovery.ask(self.now(), done);
                self.ask_who();
            }
            Command::Forget { cluster, done } => self.forget(&cluster, done),
        }
    }

    fn ask_who(&mut self) {
        if self.up && self.discovery.wanted() {
            let topic = self.topics.who(&self.me);
            let rid = self.rids.next();
            self.send(topic, &Request::Who(rid));
        }
    }

    fn forget(&mut self, cluster: &ClusterName, done: oneshot::Sender<()>) {
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

    fn add_reader(&mut self, reader: u64, key: StreamKey, store: Store) {
        let number = match self.by_key.get(&key) {
            Some(&number) => number,
            None => self.add_stream(key),
        };
        self.readers.insert(reader, number);
        self.touch(number, |stream| stream.add_reader(reader, store));
    }

    fn add_stream(&mut self, key: StreamKey) -> u64 {
        let number = self.number();
        let now = self.now();
        let mut stream = Stream::new(&key, self.settings.clone(), now, rand::random());
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
    fn take_stream(&mut self, number: u64) -> Option<Stream> {
        let stream = self.streams.remove(&number)?;
        self.outstanding -= stream.outstanding;
        self.by_key.remove(&stream.key);
        self.by_rid.retain(|_, asked| *asked != number);
        self.by_id.retain(|_, first| *first != number);
        self.deadlines.remove(&(stream.deadline, number));
        self.unfollow(number, stream.live_topic.as_deref());
        Some(stream)
    }

    fn leave(&self, stream: &Stream) {
        let topic = self.topics.signal(&stream.key.cluster, &self.me);
        self.send(topic, &Request::Leave(stream.key.selection.clone()));
    }

    fn leave_all(&mut self) {
        self.streams.values().for_each(|stream| self.leave(stream));
    }

    /// Lets a stream take something, then does what follows from it.
    fn touch(&mut self, number: u64, take: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.streams.get_mut(&number) {
            take(stream);
            self.settle(number);
        }
    }

    /// Does what a stream's reflector wants done, shows its readers what is new, and notes when to come back.
    fn settle(&mut self, number: u64) {
        let now = self.now();
        let Some(stream) = self.streams.get_mut(&number) else {
            return;
        };
        let mut asks = Vec::new();
        loop {
            let others = self.outstanding - stream.outstanding;
            let window = self.most_outstanding.saturating_sub(others);
            let ask = stream.reflector.poll(now, &mut self.rids, window);
            self.outstanding = others + stream.reflector.outstanding();
            stream.outstanding = stream.reflector.outstanding();
            match ask {
                Some(ask) => asks.push(ask),
                None => break,
            }
        }
        stream.show(now, self.origin);
        let rid = stream.reflector.rid();
        if stream.rid != rid {
            stream.rid.and_then(|old| self.by_rid.remove(&old));
            stream.rid = rid;
            self.by_rid.extend(rid.map(|rid| (rid, number)));
        }
        let deadline = stream.next_deadline();
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

    fn unfollow(&mut self, number: u64, topic: Option<&str>) {
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

    fn send(&self, topic: String, request: &Request) {
        let payload = frame::encode_request(request);
        self.link.publish(Publish {
            topic,
            payload,
            retain: false,
            at_least_once: false,
            ticket: 0,
        });
    }

    fn numbers(&self) -> Vec<u64> {
        self.streams.keys().copied().collect()
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// What one message may become when it is unpacked.
    fn limit(&self) -> usize {
        self.settings.message_bytes * 16
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The wall clock in ms since 1970: only to tell a presence of today from one of last week.
fn wall_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
