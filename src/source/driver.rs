//! The task behind a source: requests in, feeds out.

use super::logs::{Logs, Ready};
use super::report::Health;
use super::requests::Requests;
use super::streams::{Streams, Told};
use super::{Identity, Resolved, Upstream};
use crate::clock::{Clock, wall_ms};
use crate::link::{Connection, Events, Link};
use crate::protocol::frame;
use crate::protocol::message::{Presence, StreamId};
use crate::protocol::names::{ClusterName, SessionId, UserName};
use crate::protocol::topics::{Consumer, Topics};
use crate::replica::{Moment, Opening, Publisher, Settings};
use bytes::Bytes;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How often a request that waits for the API server is told so.
const WORDS: Duration = Duration::from_secs(1);
/// A clean end may take so long.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a source is, before it has met anyone.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cluster's name.
    pub cluster: ClusterName,
    /// `syncer`, `agent`, `hub` or `controlplane`.
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
    serves_logs: bool,
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
        Self {
            options,
            publisher,
            serves_logs: false,
        }
    }

    /// The same, and containers' logs are read for whoever asks: without this every such request is refused.
    #[must_use]
    pub fn with_logs(self) -> Self {
        Self {
            serves_logs: true,
            ..self
        }
    }

    /// The same, and its presence says that it can do this too.
    #[must_use]
    pub fn with_capability(mut self, capability: String) -> Self {
        self.publisher.add_capability(capability);
        self
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
        let (logs, chunks) = Logs::new(Arc::clone(&upstream), &self.options.settings);
        let served = (streams, logs, upstream);
        let mut driver = Driver::new(self, control.link, bulk.link, served, health);
        let mut events = (control.events, bulk.events);
        let result = driver
            .serve(&mut events, (told, chunks), &mut shutdown)
            .await;
        driver.goodbye();
        // The links end when their last handles go, said or not: what was queued has to be sent first.
        let ended =
            async { while events.0.recv().await.is_some() || events.1.recv().await.is_some() {} };
        // A broker that takes nothing any more is not waited for.
        let _ = tokio::time::timeout(GOODBYE, ended).await;
        result
    }
}

pub(super) struct Driver {
    pub(super) options: Options,
    pub(super) publisher: Publisher,
    pub(super) control: Arc<dyn Link>,
    pub(super) bulk: Arc<dyn Link>,
    pub(super) streams: Streams,
    pub(super) logs: Logs,
    pub(super) serves_logs: bool,
    pub(super) requests: Requests,
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) health: watch::Sender<Health>,
    pub(super) clock: Clock,
    /// Streams of the view `source`, which the driver itself feeds.
    pub(super) own: Vec<(StreamId, Opening)>,
    pub(super) own_entry: Bytes,
    pub(super) kubernetes_version: String,
    /// Its own session: the one that asks `Who`, and is answered.
    pub(super) me: Consumer,
    pub(super) filters: HashSet<String>,
    pub(super) unconfirmed: HashSet<String>,
    /// Hears the live messages of another writer: while it does not write itself.
    pub(super) listens: bool,
    /// The slices of flushes that the broker has not taken, by ticket, and since when.
    pub(super) in_flight: BTreeMap<u64, Instant>,
    pub(super) max_payload: usize,
    pub(super) bulk_up: bool,
    pub(super) heard_api: Option<Instant>,
    pub(super) link: (bool, Option<String>),
    /// What the broker did not take of what is published, by its kind, until it takes changes again, or connects.
    pub(super) refused: BTreeMap<&'static str, String>,
    /// Why there is no bulk connection.
    pub(super) bulk_failure: Option<String>,
    pub(super) api_failure: Option<String>,
}

impl Driver {
    fn new(
        source: Source,
        control: Arc<dyn Link>,
        bulk: Arc<dyn Link>,
        (streams, logs, upstream): (Streams, Logs, Arc<dyn Upstream>),
        health: watch::Sender<Health>,
    ) -> Self {
        let Source {
            options,
            publisher,
            serves_logs,
        } = source;
        let me = Consumer::new(&user(&*control), SessionId::new(rand::random()));
        let filters = filters(&options.topics, &options.cluster, &me);
        Self {
            options,
            publisher,
            control,
            bulk,
            streams,
            logs,
            serves_logs,
            requests: Requests::new(Arc::clone(&upstream)),
            upstream,
            health,
            clock: Clock::start(),
            own: Vec::new(),
            own_entry: Bytes::new(),
            kubernetes_version: String::new(),
            me,
            filters: filters.into_iter().collect(),
            unconfirmed: HashSet::new(),
            listens: false,
            in_flight: BTreeMap::new(),
            max_payload: 0,
            bulk_up: false,
            heard_api: None,
            link: (false, None),
            refused: BTreeMap::new(),
            bulk_failure: None,
            api_failure: None,
        }
    }

    async fn serve(
        &mut self,
        (control, bulk): &mut (Events, Events),
        (mut told, mut chunks): (mpsc::Receiver<Told>, mpsc::Receiver<Ready>),
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
            let room = self.has_room_for_logs();
            let deadline = self.clock.wait_for(self.publisher.next_deadline());
            tokio::select! {
                event = control.recv() => self.control_event(event.ok_or(SourceError::LinkEnded)?),
                event = bulk.recv() => self.bulk_event(event.ok_or(SourceError::LinkEnded)?),
                Some((stream, opening, event)) = told.recv() => self.told(stream, opening, event),
                outcome = self.requests.next() => self.outcome(outcome),
                Some(ready) = chunks.recv(), if room => self.log_chunk(ready),
                Some(result) = probes.recv() => self.probed(result),
                _ = words.tick() => {
                    self.tell();
                    self.logs.expire();
                }
                () = deadline => {}
                _ = shutdown.changed() => return Ok(()),
            }
        }
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Where the changes of a stream go.
    pub(super) fn live_topic(&self, resolved: &Resolved) -> String {
        let options = &self.options;
        options.topics.live(&options.cluster, &resolved.canonical())
    }

    pub(super) fn report(&self) {
        self.health.send_replace(Health {
            role: self.publisher.role(),
            link_up: self.link.0,
            link_failure: self.link_failure(),
            upstream_heard: self.heard_api,
            upstream_failure: self.api_failure.clone(),
            streams: self.reports(),
            logs: self.logs.len(),
            counters: self.publisher.counters(),
        });
    }

    /// What keeps viewers from being served, though the broker may be connected.
    fn link_failure(&self) -> Option<String> {
        let first = self.link.1.as_ref().or(self.refused.values().next());
        first.or(self.bulk_failure.as_ref()).cloned()
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

/// An API server that takes longer to say which it is was asked over a connection that is dead.
const IDENTITY: Duration = Duration::from_secs(10);

/// Asks the API server for a sign of life, again and again, until nobody listens; and who it is whenever it came back,
/// since it may have been upgraded meanwhile.
async fn probe(
    upstream: Arc<dyn Upstream>,
    every: Duration,
    told: mpsc::Sender<Result<Option<Identity>, String>>,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // What came of the last time, if there was one.
    let mut answered = None;
    loop {
        ticks.tick().await;
        let alive = match answered {
            None => Ok(()),
            Some(_) => upstream.probe().await,
        };
        let result = match alive {
            Ok(()) if answered == Some(true) => Ok(None),
            // It asks over the connections of the requests, which may be dead ones.
            Ok(()) => match tokio::time::timeout(IDENTITY, upstream.identify()).await {
                Ok(identity) => identity.map(Some),
                Err(_) => Err("the API server does not say which it is".to_owned()),
            },
            Err(message) => Err(message),
        };
        answered = Some(result.is_ok());
        if told.send(result).await.is_err() {
            return;
        }
    }
}
