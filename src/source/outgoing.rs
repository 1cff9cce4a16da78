//! What leaves a source: the publisher's outputs carried out, pages while the bulk connection has room.

use super::driver::Driver;
use super::logs::Ready;
use super::report::{self, StreamReport};
use crate::clock::wall_ms;
use crate::link::Publish;
use crate::protocol::frame;
use crate::protocol::message::{LogChunk, Presence, Reply, Request, StreamId, View};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::{Consumer, Segment};
use crate::replica::{self, Notice, Opening, Output, Role, Session};
use bytes::Bytes;
use tokio::time::Instant;

/// Bytes of pages that may wait on the bulk connection; more is pulled when some of it was written.
const BULK: usize = 512 * 1024;
/// Bytes that may wait there when a chunk of a log is added: a page that comes then never waits for more than this.
const BULK_FOR_LOGS: usize = 128 * 1024;
/// A ticket of no flush: its acknowledgement wakes the driver, so that it looks whether there is room for more.
const WAKE: u64 = 1;

impl Driver {
    /// Carries out all that the publisher wants done, then sends pages while the bulk connection has room.
    pub(super) fn drain(&mut self) {
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
            self.publish_bulk(topic, frame::encode_reply(&Reply::Page(page)));
        }
        while self.has_room_for_logs() {
            let Some((to, chunk)) = self.logs.answer() else {
                break;
            };
            self.reply_log(&to, chunk);
        }
    }

    fn publish_bulk(&self, topic: String, payload: Bytes) {
        self.bulk.publish(Publish {
            topic,
            payload,
            retain: false,
            at_least_once: false,
            ticket: WAKE,
        });
    }

    /// Whether a chunk of a log may be sent: pages go before.
    pub(super) fn has_room_for_logs(&self) -> bool {
        self.bulk_up && self.bulk.queued() < BULK_FOR_LOGS
    }

    /// Sends a chunk that a log's task has made.
    pub(super) fn log_chunk(&mut self, ready: Ready) {
        if let Some((to, payload)) = self.logs.sending(ready)
            && let Some(topic) = self.reply_topic(&to)
        {
            self.publish_bulk(topic, payload);
        }
    }

    /// Tells a reader how far its log is, behind all that was sent of it.
    pub(super) fn reply_log(&self, to: &Session, chunk: LogChunk) {
        if let Some(topic) = self.reply_topic(to) {
            self.publish_bulk(topic, frame::encode_reply(&Reply::LogChunk(chunk)));
        }
    }

    /// A standby hears what the writer publishes; a writer would only hear itself, at the price of everything it sends.
    fn listen(&mut self) {
        let listens = self.publisher.role() != Role::Writing;
        if listens != self.listens {
            self.listens = listens;
            if listens {
                self.logs.clear();
            }
            let lives = self.options.topics.lives_filter(&self.options.cluster);
            if listens {
                self.control.subscribe(&lives);
            } else {
                self.control.unsubscribe(&lives);
            }
        }
    }

    /// A broker that is connected and takes nothing for 2.5 heartbeats is no connection.
    pub(super) fn watch_broker(&mut self) {
        // Tickets grow: the first has waited longest.
        let silent = self
            .in_flight
            .first_key_value()
            .is_some_and(|(_, since)| since.elapsed() > self.options.settings.stale_after());
        if silent {
            tracing::warn!("the broker takes no messages: connecting anew");
            self.in_flight.clear();
            self.control.reconnect();
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Live { ticket, live } => {
                let Some(resolved) = self.streams.resolved(live.stream) else {
                    return;
                };
                let topic = self.live_topic(resolved);
                if ticket != 0 {
                    self.in_flight.insert(ticket, Instant::now());
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
            Output::Open { stream, opening } => {
                self.open(stream, opening);
                self.report();
            }
            Output::Close { stream } => {
                self.own.retain(|(own, _)| *own != stream);
                self.requests.forget(stream);
                self.streams.close(stream);
                self.report();
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

    pub(super) fn publish_presence(&self, presence: &Presence) {
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
    pub(super) fn feed_own(&mut self) {
        if self.own.is_empty() {
            return;
        }
        let entry = report::entry(
            env!("CARGO_PKG_VERSION"),
            (&self.kubernetes_version, self.api_failure.is_some()),
            &self.reports(),
        );
        let news = entry != self.own_entry;
        let now = self.now();
        let first = self.own_entry.is_empty();
        let told = match (first, news) {
            (true, _) => vec![
                replica::Upstream::Listed(vec![(report::KEY, entry.clone())], 0),
                replica::Upstream::Watching,
            ],
            (false, true) => vec![replica::Upstream::Put(report::KEY, entry.clone(), 0)],
            (false, false) => Vec::new(),
        };
        // What is told of a cluster is as old as the last word of its API server.
        let alive = self
            .api_failure
            .is_none()
            .then_some(replica::Upstream::Alive);
        for &(stream, opening) in &self.own {
            for event in told.iter().cloned().chain(alive.clone()) {
                self.publisher.upstream(now, stream, opening, event);
            }
        }
        self.own_entry = entry;
    }

    pub(super) fn reports(&self) -> Vec<StreamReport> {
        self.publisher
            .streams(self.now())
            .into_iter()
            .map(StreamReport::from)
            .collect()
    }
}

fn log(cluster: &ClusterName, notice: &Notice) {
    match notice {
        Notice::Writing { term } => tracing::info!(%cluster, term = term.number, "serving"),
        Notice::Renewed { term } => {
            tracing::info!(%cluster, term = term.number, "a viewer knew a newer source: listing all streams anew");
        }
        Notice::StandingBy { foreign: true, .. } => {
            tracing::error!(%cluster, "another cluster serves under this name: choose another --cluster");
        }
        Notice::StandingBy { writer, .. } => {
            tracing::info!(%cluster, writer = writer.number, "standing by: another syncer serves");
        }
        Notice::OverQuota { user } => {
            tracing::warn!(%cluster, user = &**user, "refused a stream: over the quota");
        }
    }
}
