//! The task behind an [`super::Informer`]: messages in, reflectors' asks out, stores written.

mod asks;
mod bases;
mod incoming;
mod logs;
mod readers;
mod unify;

use super::discovery::Discovery;
use super::fleet::Fleet;
use super::log::{LogEvent, LogRequest};
use super::stream::{Stream, StreamKey};
use super::{Backing, Cluster, Keeper, LinkState, Snapshot, Store};
use crate::clock::Clock;
use crate::informer::ForgetError;
use crate::link::{Connection, Event, Events, Failure, Link, Publish};
use crate::protocol::frame;
use crate::protocol::message::{Request, StreamId};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::{Consumer, Segment, Topics};
use crate::replica::{Copy, Moment, Rids, Settings};
use bases::Fetched;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Pages that a consumer may have outstanding over all its streams: where the broker's limits are known, and where not.
const OUTSTANDING: (u32, u32) = (64, 8);

/// What a handle asks of the driver.
pub(super) enum Command {
    /// Serve a reader of this stream from now on; `cached`: what was kept of it.
    Subscribe {
        reader: u64,
        key: StreamKey,
        store: Store,
        cached: Option<Copy>,
    },
    /// That reader is gone.
    Leave { reader: u64 },
    /// The backing of that reader's thin copy has this.
    Settled { reader: u64, settled: Snapshot },
    /// Ask every source who it is; answered when it was quiet for long enough.
    Discover(oneshot::Sender<()>),
    /// Clear a cluster's retained presence; answered when the broker took it.
    Forget {
        cluster: ClusterName,
        done: Forgotten,
    },
    /// Read a log from now on.
    OpenLog {
        number: u64,
        cluster: ClusterName,
        request: LogRequest,
        events: mpsc::UnboundedSender<LogEvent>,
    },
    /// The lines of one slice were taken.
    LogTaken { number: u64 },
    /// That log's reader is gone.
    CloseLog { number: u64 },
    /// Leave everything and say goodbye, whoever still has a handle.
    Close,
}

/// Who waits for a presence to be cleared.
pub(super) type Forgotten = oneshot::Sender<Result<(), ForgetError>>;

/// What handles may look at.
pub(super) struct Shown {
    pub(super) fleet: watch::Sender<Arc<BTreeMap<ClusterName, Cluster>>>,
    pub(super) controlplanes: watch::Sender<Arc<BTreeMap<ClusterName, Cluster>>>,
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
    clock: Clock,
    rids: Rids,
    fleet: Fleet,
    /// Those that are read elsewhere, and are no clusters.
    controlplanes: Fleet,
    discovery: Discovery,
    /// The streams by a number of their own, and the ways to find one.
    streams: HashMap<u64, Stream>,
    by_key: HashMap<StreamKey, u64>,
    by_topic: HashMap<String, BTreeSet<u64>>,
    by_rid: HashMap<u64, u64>,
    by_id: HashMap<(Segment, StreamId), u64>,
    readers: HashMap<u64, u64>,
    logs: HashMap<u64, logs::Log>,
    deadlines: BTreeSet<(Moment, u64)>,
    forgetting: HashMap<u64, Forgotten>,
    next_number: u64,
    outstanding: u32,
    most_outstanding: u32,
    /// Streams whose sources have never answered.
    unanswered: u32,
    up: bool,
    keeper: Option<Arc<dyn Keeper>>,
    backing: Option<Arc<dyn Backing>>,
    /// What is being fetched from it.
    fetches: FuturesUnordered<BoxFuture<'static, Fetched>>,
    /// There is no broker: what is kept is all that there is.
    is_offline: bool,
}

/// Who keeps copies, or only their values, and whether there is nothing but what was kept.
#[derive(Clone, Default)]
pub(super) struct Keeping {
    pub(super) keeper: Option<Arc<dyn Keeper>>,
    pub(super) backing: Option<Arc<dyn Backing>>,
    pub(super) is_offline: bool,
}

impl Driver {
    pub(super) fn new(
        connection: Connection,
        topics: Topics,
        (me, settings, keeping): (Consumer, Settings, Keeping),
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
            clock: Clock::start(),
            rids: Rids::default(),
            fleet: Fleet::default(),
            controlplanes: Fleet::default(),
            discovery: Discovery::default(),
            streams: HashMap::new(),
            by_key: HashMap::new(),
            by_topic: HashMap::new(),
            by_rid: HashMap::new(),
            by_id: HashMap::new(),
            readers: HashMap::new(),
            logs: HashMap::new(),
            deadlines: BTreeSet::new(),
            forgetting: HashMap::new(),
            next_number: 1,
            outstanding: 0,
            most_outstanding: OUTSTANDING.1,
            unanswered: 0,
            up: false,
            keeper: keeping.keeper,
            backing: keeping.backing,
            fetches: FuturesUnordered::new(),
            is_offline: keeping.is_offline,
        }
    }

    /// Runs until every handle is gone, or one says so; then leaves the streams and says goodbye.
    pub(super) async fn run(mut self) {
        for filter in self.filters() {
            self.link.subscribe(&filter);
        }
        loop {
            let deadline = self.clock.wait_for(self.next_deadline());
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.event(event),
                    None => break,
                },
                command = self.commands.recv() => match command {
                    None | Some(Command::Close) => break,
                    Some(command) => self.command(command),
                },
                Some(fetched) = self.fetches.next() => self.fetched(fetched),
                () = deadline => self.wake(),
            }
        }
        self.leave_all();
        self.leave_logs();
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
        self.clock.now()
    }

    fn next_deadline(&self) -> Option<Moment> {
        let stream = self.deadlines.first().map(|(at, _)| *at);
        let others = self
            .discovery
            .deadline()
            .into_iter()
            .chain(self.log_deadline());
        stream.into_iter().chain(others).min()
    }

    fn wake(&mut self) {
        let now = self.now();
        while let Some(&(_, number)) = self.deadlines.first().filter(|(at, _)| *at <= now) {
            self.deadlines.pop_first();
            self.settle(number);
        }
        self.discovery.wake(now);
        self.wake_logs(now);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Up { limits_known, .. } => self.link_up(limits_known),
            Event::Down(failure) => self.link_down(failure),
            Event::Message {
                topic,
                payload,
                retained,
            } => self.message(&topic, &payload, retained),
            Event::Subscribed(filter) => self.subscribed(&filter),
            Event::Acknowledged(ticket) => {
                if let Some(done) = self.forgetting.remove(&ticket) {
                    // Nobody may be waiting any more.
                    let _ = done.send(Ok(()));
                }
            }
            Event::PublishRefused {
                ticket,
                topic,
                reason,
                ..
            } => match self.forgetting.remove(&ticket) {
                Some(done) => drop(done.send(Err(ForgetError::Refused(reason, topic)))),
                None => self.publish_refused(topic, reason),
            },
            Event::SubscribeRefused { filter, reason } => self.subscribe_refused(&filter, &reason),
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
        self.logs_up();
    }

    /// Without answers and presences there is nothing to be seen, and waiting does not help.
    fn subscribe_refused(&mut self, filter: &str, reason: &str) {
        tracing::warn!(filter, reason, "the broker refused a subscription");
        if self.filters().iter().any(|needed| needed == filter) {
            let message = format!(
                "the broker does not let this user read {filter} ({reason}): allow it in the broker's ACL"
            );
            let permanent = true;
            self.link_down(Failure { message, permanent });
        }
    }

    fn link_down(&mut self, failure: Failure) {
        self.up = false;
        for (_, done) in self.forgetting.drain() {
            // Nobody may be waiting any more.
            let _ = done.send(Err(ForgetError::Lost));
        }
        self.shown.link.send_replace(LinkState::Down(failure));
        let now = self.now();
        self.discovery.link_down();
        for number in self.numbers() {
            self.touch(number, |stream| stream.reflector.link_down(now));
        }
        self.logs_down();
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
}
