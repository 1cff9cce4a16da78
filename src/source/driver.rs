//! The task behind a source: requests in, feeds out.

use super::report::{self, Health, StreamReport};
use super::requests::{Outcome, Requests, refused};
use super::streams::{Streams, Told};
use super::{Event, Identity, Resolved, Upstream, UpstreamError};
use crate::link::{self, Connection, Events, Link, Publish};
use crate::protocol::frame;
use crate::protocol::message::{Presence, Reply, Request, State, StreamId, Sync, View};
use crate::protocol::names::{ClusterName, SessionId, UserName};
use crate::protocol::topics::{Consumer, Route, Segment, Topics};
use crate::replica::{
    self, Moment, Notice, Opening, Output, Publisher, Role, Session, Settings, Target,
};
use bytes::Bytes;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Bytes of pages that may wait on the bulk connection; more is pulled when some of it was written.
const BULK: usize = 512 * 1024;
/// How often a request that waits for the API server is told so.
const WORDS: Duration = Duration::from_secs(1);

/// What a source is, before it has met anyone.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cluster's name.
    pub cluster: ClusterName,
    /// `syncer`, `agent` or `hub`.
    pub role: &'static str,
    /// Labels that viewers can select by.
    pub labels: Vec<(String, String)>,
    /// Leave the presence on the broker.
    pub retained: bool,
    /// Where to talk.
    pub topics: Topics,
    /// The protocol's numbers.
    pub settings: Settings,
}

/// Why a source ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The broker's connection ended for good.
    #[error("the connection to the broker ended")]
    LinkEnded,
}

/// A source that is not connected yet.
pub struct Source {
    options: Options,
    publisher: Publisher,
}

impl Source {
    /// A source with a fresh identity.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let presence = Presence {
            term: crate::protocol::message::Term {
                number: 0,
                nonce: rand::random(),
            },
            online: true,
            cluster: options.cluster.to_string(),
            role: options.role.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            labels: options.labels.clone(),
            ..Presence::default()
        };
        let publisher = Publisher::new(options.settings.clone(), presence, rand::random());
        Self { options, publisher }
    }

    /// The last will to connect the control connection with: topic and payload, retained if the presence is.
    #[must_use]
    pub fn last_will(&self) -> (String, Bytes) {
        let topic = self.options.topics.presence(&self.options.cluster);
        (
            topic,
            frame::encode_presence(&self.publisher.last_will(wall_ms())),
        )
    }

    /// Serves until `shutdown` changes, then says goodbye.
    ///
    /// # Errors
    /// When a connection ends by itself, which none does while it can be tried again.
    pub async fn run(
        self,
        control: Connection,
        bulk: Connection,
        upstream: Arc<dyn Upstream>,
        health: watch::Sender<Health>,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), SourceError> {
        let (streams, told) = Streams::new(Arc::clone(&upstream));
        let mut driver = Driver::new(self, control.link, bulk.link, (streams, upstream), health);
        let result = driver
            .serve((control.events, bulk.events), told, &mut shutdown)
            .await;
        driver.goodbye();
        result
    }
}

struct Driver {
    options: Options,
    publisher: Publisher,
    control: Arc<dyn Link>,
    bulk: Arc<dyn Link>,
    streams: Streams,
    requests: Requests,
    upstream: Arc<dyn Upstream>,
    health: watch::Sender<Health>,
    origin: Instant,
    /// Streams of the view `source`, which the driver itself feeds.
    own: Vec<(StreamId, Opening)>,
    own_entry: Bytes,
    kubernetes_version: String,
    /// Its own session: the one that asks `Who`, and is answered.
    me: Consumer,
    filters: HashSet<String>,
    unconfirmed: HashSet<String>,
    /// Hears the live messages of another writer: while it does not write itself.
    listens: bool,
    /// The oldest flush that the broker has not taken, and since when.
    in_flight: Option<(u64, Instant)>,
    max_payload: usize,
    bulk_up: bool,
    heard_api: Option<Instant>,
    link: (bool, Option<String>),
    api_failure: Option<String>,
}

impl Driver {
    fn new(
        source: Source,
        control: Arc<dyn Link>,
        bulk: Arc<dyn Link>,
        (streams, upstream): (Streams, Arc<dyn Upstream>),
        health: watch::Sender<Health>,
    ) -> Self {
        let Source { options, publisher } = source;
        let me = Consumer::new(&user(&*control), SessionId::new(rand::random()));
        let filters = filters(&options.topics, &options.cluster, &me);
        Self {
            options,
            publisher,
            control,
            bulk,
            streams,
            requests: Requests::new(Arc::clone(&upstream)),
            upstream,
            health,
            origin: Instant::now(),
            own: Vec::new(),
            own_entry: Bytes::new(),
            kubernetes_version: String::new(),
            me,
            filters: filters.into_iter().collect(),
            unconfirmed: HashSet::new(),
            listens: false,
            in_flight: None,
            max_payload: 0,
            bulk_up: false,
            heard_api: None,
            link: (false, None),
            api_failure: None,
        }
    }

    async fn serve(
        &mut self,
        (mut control, mut bulk): (Events, Events),
        mut told: mpsc::Receiver<Told>,
        shutdown: &mut watch::Receiver<bool>,
    ) -> Result<(), SourceError> {
        self.filters
            .iter()
            .for_each(|filter| self.control.subscribe(filter));
        let (probed, mut probes) = mpsc::channel(1);
        tokio::spawn(probe(
            Arc::clone(&self.upstream),
            self.options.settings.heartbeat / 2,
            probed,
        ));
        let mut words = tokio::time::interval(WORDS);
        loop {
            self.drain();
            let deadline = self.next_deadline();
            tokio::select! {
                event = control.recv() => self.control_event(event.ok_or(SourceError::LinkEnded)?),
                event = bulk.recv() => self.bulk_event(&event.ok_or(SourceError::LinkEnded)?),
                Some((stream, opening, event)) = told.recv() => self.told(stream, opening, event),
                outcome = self.requests.next() => self.outcome(outcome),
                Some(result) = probes.recv() => self.probed(result),
                _ = words.tick() => self.tell(),
                () = sleep_until(deadline) => {}
                _ = shutdown.changed() => return Ok(()),
            }
        }
    }

    fn now(&self) -> Moment {
        Moment::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.publisher
            .next_deadline()
            .map(|at| self.origin + Duration::from_micros(at.as_micros()))
    }

    /// Carries out all that the publisher wants done, then sends pages while the bulk connection has room.
    fn drain(&mut self) {
        while let Some(output) = self.publisher.poll(self.now(), wall_ms()) {
            self.carry_out(output);
        }
        self.listen();
        while self.bulk_up && self.bulk.queued() < BULK {
            let Some((to, page)) = self.publisher.next_page(self.now(), self.upstream.now_ms())
            else {
                break;
            };
            let Some(topic) = self.reply_topic(&to) else {
                continue;
            };
            let payload = frame::encode_reply(&Reply::Page(page));
            // The acknowledgement wakes the driver, so that it looks whether there is room for more.
            self.bulk.publish(Publish {
                topic,
                payload,
                retain: false,
                at_least_once: false,
                ticket: 1,
            });
        }
    }

    /// A standby hears what the writer publishes; a writer would only hear itself, at the price of everything it sends.
    fn listen(&mut self) {
        let listens = self.publisher.role() != Role::Writing;
        if listens != self.listens {
            self.listens = listens;
            let lives = self.options.topics.lives_filter(&self.options.cluster);
            if listens {
                self.control.subscribe(&lives)
            } else {
                self.control.unsubscribe(&lives)
            }
        }
    }

    /// A broker that is connected and takes nothing for 2.5 heartbeats is no connection.
    fn watch_broker(&mut self) {
        let silent = self
            .in_flight
            .is_some_and(|(_, since)| since.elapsed() > self.options.settings.stale_after());
        if silent {
            tracing::warn!("the broker takes no messages: connecting anew");
            self.in_flight = None;
            self.control.reconnect();
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Live { ticket, live } => {
                let Some(resolved) = self.streams.resolved(live.stream) else {
                    return;
                };
                let topic = live_topic(&self.options, resolved);
                if ticket != 0 && self.in_flight.is_none() {
                    self.in_flight = Some((ticket, Instant::now()));
                }
                self.publish(topic, frame::encode_live(&live), ticket);
            }
            Output::Reply { to, reply } => {
                let Some(topic) = self.reply_topic(&to) else {
                    return;
                };
                self.publish(topic, frame::encode_reply(&reply), 0);
            }
            Output::Presence(presence) => self.publish_presence(&presence),
            Output::Who { rid } => self.ask_who(rid),
            Output::Open { stream, opening } => self.open(stream, opening),
            Output::Close { stream } => {
                self.own.retain(|(own, _)| *own != stream);
                self.requests.forget(stream);
                self.streams.close(stream);
            }
            Output::Log(notice) => log(&self.options.cluster, &notice),
        }
    }

    fn publish(&self, topic: String, payload: Bytes, ticket: u64) {
        self.control.publish(Publish {
            topic,
            payload,
            retain: false,
            at_least_once: false,
            ticket,
        });
    }

    fn publish_presence(&self, presence: &Presence) {
        let topic = self.options.topics.presence(&self.options.cluster);
        let payload = frame::encode_presence(presence);
        let retain = self.options.retained;
        self.control.publish(Publish {
            topic,
            payload,
            retain,
            at_least_once: true,
            ticket: 0,
        });
    }

    /// Asks the other sources of this name, and only them.
    fn ask_who(&self, rid: u64) {
        let topic = self.options.topics.signal(&self.options.cluster, &self.me);
        self.publish(topic, frame::encode_request(&Request::Who(rid)), 0);
    }

    /// Where a session hears its replies; none for one that no topic can name, which then has not asked by one.
    fn reply_topic(&self, to: &Session) -> Option<String> {
        let (user, session) = (Segment::parse(&to.user)?, Segment::parse(&to.id)?);
        Some(
            self.options
                .topics
                .reply(&self.options.cluster, &Consumer { user, session }),
        )
    }

    fn open(&mut self, stream: StreamId, opening: Opening) {
        match self.streams.resolved(stream).map(|resolved| resolved.view) {
            Some(View::Source) => {
                self.own.retain(|(own, _)| *own != stream);
                self.own.push((stream, opening));
                self.own_entry = Bytes::new();
                self.feed_own();
            }
            _ => self.streams.open(stream, opening),
        }
    }

    /// Feeds the streams about this source itself.
    fn feed_own(&mut self) {
        if self.own.is_empty() {
            return;
        }
        let entry = report::entry(
            env!("CARGO_PKG_VERSION"),
            &self.kubernetes_version,
            &self.reports(),
        );
        let news = entry != self.own_entry;
        let now = self.now();
        for &(stream, opening) in &self.own {
            let event = match (self.own_entry.is_empty(), news) {
                (true, _) => replica::Upstream::Listed(vec![(report::KEY, entry.clone())]),
                (false, true) => replica::Upstream::Put(report::KEY, entry.clone()),
                (false, false) => replica::Upstream::Alive,
            };
            self.publisher.upstream(now, stream, opening, event);
        }
        self.own_entry = entry;
    }

    fn reports(&self) -> Vec<StreamReport> {
        self.publisher
            .streams(self.now())
            .into_iter()
            .map(StreamReport::from)
            .collect()
    }

    fn control_event(&mut self, event: link::Event) {
        match event {
            link::Event::Up { max_payload, .. } => {
                self.max_payload = max_payload;
                self.unconfirmed = self.filters.clone();
            }
            link::Event::Down(failure) => {
                tracing::warn!(%failure, "the broker cannot be reached");
                self.link = (false, Some(failure.message));
                self.in_flight = None;
                self.publisher.link_down(self.now());
                self.report();
            }
            link::Event::Subscribed(filter) => self.subscribed(&filter),
            link::Event::SubscribeRefused { filter, reason } => {
                tracing::error!(
                    filter,
                    reason,
                    "the broker refused a subscription: let this user read it in the broker's ACL"
                );
                self.link.1 = Some(format!(
                    "the broker refused the subscription {filter}: {reason}"
                ));
                self.report();
            }
            link::Event::Acknowledged(ticket) => self.acknowledged(ticket),
            link::Event::PublishRefused {
                ticket,
                topic,
                reason,
            } => {
                tracing::warn!(topic, reason, "the broker refused a message");
                self.acknowledged(ticket);
            }
            link::Event::Message { topic, payload, .. } => self.message(&topic, payload),
        }
    }

    fn acknowledged(&mut self, ticket: u64) {
        if self.in_flight.is_some_and(|(oldest, _)| ticket >= oldest) {
            self.in_flight = None;
        }
        self.publisher.acknowledged(self.now(), ticket);
    }

    fn subscribed(&mut self, filter: &str) {
        if self.unconfirmed.remove(filter) && self.unconfirmed.is_empty() {
            tracing::info!("connected to the broker");
            self.link = (true, None);
            self.publisher.link_up(self.now(), self.max_payload);
            self.report();
        }
    }

    fn bulk_event(&mut self, event: &link::Event) {
        match event {
            link::Event::Up { .. } => self.bulk_up = true,
            link::Event::Down(_) => self.bulk_up = false,
            // Acknowledgements only make room, which is looked at after each event.
            _ => {}
        }
    }

    fn message(&mut self, topic: &str, payload: Bytes) {
        let limit = self.options.settings.message_bytes * 16;
        let now = self.now();
        match self.options.topics.parse(topic) {
            Some(Route::Signal { consumer, .. } | Route::Who { consumer })
                if consumer != self.me =>
            {
                let from = Session {
                    user: consumer.user.as_str().into(),
                    id: consumer.session.as_str().into(),
                };
                match frame::decode_request(&payload, limit) {
                    Ok(request) => self.request(from, request),
                    Err(error) => {
                        tracing::debug!(user = %consumer.user, %error, "a malformed request")
                    }
                }
            }
            Some(Route::Reply { .. }) => match frame::decode_reply(&payload, limit) {
                Ok(Reply::Presence(presence)) => self.publisher.presence(now, &presence),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "a malformed reply"),
            },
            Some(Route::Presence { .. }) if payload.is_empty() => {}
            Some(Route::Presence { .. }) => match frame::decode_presence(&payload, limit) {
                Ok(presence) => self.publisher.presence(now, &presence),
                Err(error) => tracing::debug!(%error, "a malformed presence"),
            },
            Some(Route::Live { .. }) => match frame::decode_live(&payload, limit) {
                Ok(live) => self
                    .publisher
                    .live(now, live.epoch.term, live.upstream_age_ms),
                Err(error) => tracing::debug!(%error, "a malformed live message"),
            },
            _ => tracing::debug!(topic, "a message that nobody asked for"),
        }
    }

    fn request(&mut self, from: Session, request: Request) {
        let now = self.now();
        match request {
            Request::Who(rid) => self.publisher.who(now, &from, rid),
            Request::Leave(selection) => {
                if let Some(stream) = self.requests.known(&selection).map(|target| target.stream) {
                    self.publisher.leave(now, &from, stream);
                }
            }
            Request::Sync(sync) => match self.requests.known(&sync.selection).cloned() {
                Some(target) => self.publisher.sync(now, &from, sync, &target),
                None => self.requests.resolve(from, sync),
            },
        }
    }

    fn outcome(&mut self, outcome: Outcome) {
        let Outcome { from, sync, result } = outcome;
        match result {
            Ok(resolved) => self.resolved(&from, sync, &resolved),
            Err(UpstreamError::Refused(refusal)) => {
                self.publisher
                    .decline(self.now(), &from, sync.rid, refused(refusal));
            }
            Err(UpstreamError::Down(message)) => {
                self.publisher
                    .decline(self.now(), &from, sync.rid, self.away(message));
                self.requests.wait(from, sync);
            }
        }
    }

    fn resolved(&mut self, from: &Session, sync: Sync, resolved: &Resolved) {
        let stream = resolved.canonical().id();
        let live_topic = live_topic(&self.options, resolved).into();
        let target = Target {
            stream,
            live_topic,
            resource: resolved.resource().into(),
        };
        self.streams.know(stream, resolved);
        let streams = &self.streams;
        self.requests
            .learn(sync.selection.clone(), target.clone(), |stream| {
                streams.is_running(stream)
            });
        self.publisher.sync(self.now(), from, sync, &target);
    }

    fn away(&self, message: String) -> State {
        let since = self
            .heard_api
            .map(|at| at.elapsed())
            .unwrap_or_else(|| self.origin.elapsed());
        State::UpstreamDown {
            since_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            message,
        }
    }

    fn told(&mut self, stream: StreamId, opening: Opening, event: Event) {
        let event = match event {
            Event::Listing(items) => replica::Upstream::Listing(items),
            Event::Listed(entries) => replica::Upstream::Listed(entries),
            Event::Put(key, value) => replica::Upstream::Put(key, value),
            Event::Delete(key) => replica::Upstream::Delete(key),
            Event::Alive => replica::Upstream::Alive,
            Event::Down(message) => replica::Upstream::Down(message),
            Event::Refused(refusal) => replica::Upstream::Refused {
                code: refusal.code,
                reason: refusal.reason,
                message: refusal.message,
            },
        };
        self.publisher.upstream(self.now(), stream, opening, event);
    }

    fn probed(&mut self, result: Result<Option<Identity>, String>) {
        match result {
            Ok(identity) => {
                if self.api_failure.take().is_some() {
                    tracing::info!("the API server answers again");
                }
                self.heard_api = Some(Instant::now());
                if let Some(identity) = identity {
                    let now = self.now();
                    self.publisher.describe(
                        now,
                        &identity.cluster_uid,
                        &identity.kubernetes_version,
                    );
                    self.kubernetes_version = identity.kubernetes_version;
                }
                self.publisher.api_alive(self.now());
                self.requests.resume();
            }
            Err(message) => {
                if self.api_failure.is_none() {
                    tracing::warn!(message, "the API server does not answer");
                }
                self.publisher.api_down(self.now());
                self.api_failure = Some(message);
            }
        }
        self.feed_own();
        self.watch_broker();
        self.report();
    }

    /// Tells those that wait for the API server that it is still away.
    fn tell(&mut self) {
        let Some(message) = self.api_failure.clone() else {
            return;
        };
        let state = self.away(message);
        let waiting: Vec<_> = self
            .requests
            .waiting()
            .map(|(from, rid)| (from.clone(), rid))
            .collect();
        for (from, rid) in waiting {
            self.publisher
                .decline(self.now(), &from, rid, state.clone());
        }
    }

    fn report(&self) {
        self.health.send_replace(Health {
            role: self.publisher.role(),
            link_up: self.link.0,
            link_failure: self.link.1.clone(),
            upstream_heard: self.heard_api,
            upstream_failure: self.api_failure.clone(),
            streams: self.reports(),
            counters: self.publisher.counters(),
        });
    }

    fn goodbye(&self) {
        if let Some(presence) = self.publisher.goodbye(wall_ms()) {
            self.publish_presence(&presence);
        }
        self.bulk.close();
        self.control.close();
    }
}

/// What a source hears always: requests to it and to all, its own presence (and another's under its name), answers.
fn filters(topics: &Topics, cluster: &ClusterName, me: &Consumer) -> [String; 4] {
    let [signals, whos] = topics.requests_filters(cluster);
    [
        signals,
        whos,
        topics.presence(cluster),
        topics.reply(cluster, me),
    ]
}

/// The user as topics name it; one whose name cannot stand in a topic asks as nobody in particular.
fn user(link: &dyn Link) -> UserName {
    UserName::new(link.user()).unwrap_or_else(|_| UserName::anonymous())
}

fn live_topic(options: &Options, resolved: &Resolved) -> String {
    options.topics.live(&options.cluster, &resolved.canonical())
}

fn log(cluster: &ClusterName, notice: &Notice) {
    match notice {
        Notice::Writing { term } => tracing::info!(%cluster, term = term.number, "serving"),
        Notice::Renewed { term } => {
            tracing::info!(%cluster, term = term.number, "a viewer knew a newer source: listing all streams anew")
        }
        Notice::StandingBy { foreign: true, .. } => {
            tracing::error!(%cluster, "another cluster serves under this name: choose another --cluster");
        }
        Notice::StandingBy { writer, .. } => {
            tracing::info!(%cluster, writer = writer.number, "standing by: another syncer serves")
        }
        Notice::OverQuota { user } => {
            tracing::warn!(%cluster, user = &**user, "refused a stream: over the quota")
        }
    }
}

/// Asks the API server for a sign of life, again and again, until nobody listens; and who it is whenever it came back,
/// since it may have been upgraded meanwhile.
async fn probe(
    upstream: Arc<dyn Upstream>,
    every: Duration,
    told: mpsc::Sender<Result<Option<Identity>, String>>,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = false;
    loop {
        ticks.tick().await;
        let result = match known {
            true => upstream.probe().await.map(|()| None),
            false => upstream.identify().await.map(Some),
        };
        known = result.is_ok();
        if told.send(result).await.is_err() {
            return;
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The wall clock in ms since 1970.
fn wall_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
