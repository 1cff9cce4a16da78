//! What reaches a source: events of its links, requests of consumers, what upstreams tell.

use super::driver::Driver;
use super::requests::{Outcome, refused};
use super::{Event, Identity, Resolved, UpstreamError};
use crate::link;
use crate::protocol::frame;
use crate::protocol::message::{LogChunk, LogEnd, LogOpen, Reply, Request, State, StreamId, Sync};
use crate::protocol::topics::Route;
use crate::replica::{self, Opening, Role, Session, Target};
use bytes::Bytes;
use tokio::time::Instant;

/// A kind of what is published.
const CHANGES: &str = "changes";

impl Driver {
    pub(super) fn control_event(&mut self, event: link::Event) {
        match event {
            link::Event::Up { max_payload, .. } => {
                self.max_payload = max_payload;
                self.unconfirmed = self.filters.clone();
            }
            link::Event::Down(failure) => {
                // Once for each reason: it is tried again every two seconds.
                if self.link.1.as_ref() != Some(&failure.message) {
                    tracing::warn!(reason = %failure, "no connection to the broker");
                }
                self.link = (false, Some(failure.message));
                self.in_flight.clear();
                self.refused.clear();
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
            link::Event::Acknowledged(ticket) => {
                if self.in_flight.contains_key(&ticket) && self.refused.remove(CHANGES).is_some() {
                    self.report();
                }
                self.acknowledged(ticket);
            }
            link::Event::PublishRefused {
                ticket,
                topic,
                reason,
                by_broker,
            } => {
                self.publish_refused(&topic, &reason, by_broker);
                self.acknowledged(ticket);
            }
            link::Event::Message { topic, payload, .. } => self.message(&topic, &payload),
        }
    }

    /// What the broker refuses is said once for each topic's kind until it takes one: it comes again with every message.
    fn publish_refused(&mut self, topic: &str, reason: &str, by_broker: bool) {
        let what = match self.options.topics.parse(topic) {
            Some(Route::Live { .. }) => CHANGES,
            Some(Route::Presence { .. }) => "presence",
            _ => "an answer",
        };
        if !by_broker {
            // Viewers miss it, and ask.
            return tracing::warn!("{what} on {topic} cannot be sent: {reason}");
        }
        let words = format!(
            "the broker refused {what} on {topic}: {reason}; let this user write it in the broker's ACL"
        );
        if what == "an answer" {
            return tracing::warn!("{words}");
        }
        if !self.refused.contains_key(what) {
            tracing::error!("{words}");
            self.refused.insert(what, words);
            self.report();
        }
    }

    fn acknowledged(&mut self, ticket: u64) {
        self.in_flight.remove(&ticket);
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

    pub(super) fn bulk_event(&mut self, event: link::Event) {
        match event {
            link::Event::Up { .. } => {
                self.bulk_up = true;
                if self.bulk_failure.take().is_some() {
                    self.report();
                }
            }
            link::Event::Down(failure) => {
                self.bulk_up = false;
                let words = format!("no second connection, for lists: {failure}");
                // Once for each reason, and not at all if the first one does not come about either.
                if self.link.0 && self.bulk_failure.as_ref() != Some(&words) {
                    tracing::warn!("{words}");
                }
                self.bulk_failure = Some(words);
                self.report();
            }
            link::Event::PublishRefused {
                topic,
                reason,
                by_broker,
                ..
            } => self.publish_refused(&topic, &reason, by_broker),
            // Acknowledgements only make room, which is looked at after each event.
            _ => {}
        }
    }

    fn message(&mut self, topic: &str, payload: &Bytes) {
        let limit = self.options.settings.unpacked_bytes();
        let now = self.now();
        match self.options.topics.parse(topic) {
            Some(Route::Signal { consumer, .. } | Route::Who { consumer })
                if consumer != self.me =>
            {
                let from = Session {
                    user: consumer.user.as_str().into(),
                    id: consumer.session.as_str().into(),
                };
                match frame::decode_request(payload, limit) {
                    Ok(request) => self.request(from, request),
                    Err(error) => {
                        tracing::debug!(user = %consumer.user, %error, "a malformed request");
                    }
                }
            }
            Some(Route::Reply { .. }) => match frame::decode_reply(payload, limit) {
                Ok(Reply::Presence(presence)) => self.publisher.presence(now, &presence),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "a malformed reply"),
            },
            Some(Route::Presence { .. }) if payload.is_empty() => {}
            Some(Route::Presence { .. }) => match frame::decode_presence(payload, limit) {
                Ok(presence) => self.publisher.presence(now, &presence),
                Err(error) => tracing::debug!(%error, "a malformed presence"),
            },
            Some(Route::Live { .. }) => match frame::decode_live(payload, limit) {
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
                self.requests.leave(&from, &selection);
                if let Some(stream) = self.requests.known(&selection).map(|target| target.stream) {
                    self.publisher.leave(now, &from, stream);
                }
            }
            Request::LogOpen(open) => {
                self.log_request(&from, open.rid, |driver| driver.open_log(&from, open));
            }
            Request::LogCredit(credit) => self.log_request(&from, credit.rid, |driver| {
                driver.logs.credit(&from, credit)
            }),
            Request::LogClose(rid) => self.logs.close(&from, rid),
            Request::Sync(sync) => {
                if let Err(refusal) = self.upstream.admit(&from.user, &sync.selection) {
                    return self
                        .publisher
                        .decline(now, &from, sync.rid, refused(refusal));
                }
                match self.requests.known(&sync.selection).cloned() {
                    Some(target) => self.publisher.sync(now, &from, sync, &target),
                    None => self.requests.resolve(from, sync),
                }
            }
        }
    }

    /// Whoever does not write for its cluster is silent: the one that does will answer.
    fn log_request(
        &mut self,
        from: &Session,
        rid: u64,
        take: impl FnOnce(&mut Self) -> Result<(), LogEnd>,
    ) {
        if self.publisher.role() != Role::Writing {
            return;
        }
        if let Err(end) = take(self) {
            let chunk = LogChunk {
                rid,
                end: Some(end),
                ..LogChunk::default()
            };
            self.reply_log(from, chunk);
        }
    }

    fn open_log(&mut self, from: &Session, open: LogOpen) -> Result<(), LogEnd> {
        if !self.serves_logs {
            return Err(LogEnd::Refused {
                code: 403,
                reason: String::new(),
                message: "its syncer serves no logs: it has to be started with --logs".into(),
            });
        }
        let message_bytes = self.options.settings.message_bytes;
        self.logs
            .open(from, open, self.max_payload.min(message_bytes))
    }

    pub(super) fn outcome(&mut self, outcome: Outcome) {
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
                self.requests.wait(from, sync, Instant::now());
            }
        }
    }

    fn resolved(&mut self, from: &Session, sync: Sync, resolved: &Resolved) {
        let stream = resolved.canonical().id();
        let live_topic = self.live_topic(resolved).into();
        let target = Target {
            stream,
            live_topic,
            resource: resolved.resource().into(),
        };
        if self.requests.is_full() {
            // Those about the source itself have no upstream that runs.
            let own: Vec<_> = self.own.iter().map(|(stream, _)| *stream).collect();
            self.requests
                .prune(|stream| self.streams.is_running(stream) || own.contains(&stream));
            self.streams.prune(&own);
        }
        self.streams.know(stream, resolved);
        self.requests.learn(sync.selection.clone(), target.clone());
        self.publisher.sync(self.now(), from, sync, &target);
    }

    fn away(&self, message: String) -> State {
        let since = self
            .heard_api
            .map(|at| at.elapsed())
            .unwrap_or_else(|| self.clock.elapsed());
        State::UpstreamDown {
            since_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            message,
        }
    }

    pub(super) fn told(&mut self, stream: StreamId, opening: Opening, event: Event) {
        let event = match event {
            Event::Listing => replica::Upstream::Listing,
            Event::Part(entries) => replica::Upstream::Part(entries),
            Event::Listed(entries, version) => replica::Upstream::Listed(entries, version),
            Event::Put(key, value, version) => replica::Upstream::Put(key, value, version),
            Event::Delete(key, version) => replica::Upstream::Delete(key, version),
            Event::Watching => replica::Upstream::Watching,
            Event::Alive => replica::Upstream::Alive,
            Event::Bookmark(version) => replica::Upstream::Bookmark(version),
            Event::Ended => replica::Upstream::Ended,
            Event::Down(message) => replica::Upstream::Down(message),
            Event::Refused(refusal) => replica::Upstream::Refused {
                code: refusal.code,
                reason: refusal.reason,
                message: refusal.message,
            },
        };
        self.publisher.upstream(self.now(), stream, opening, event);
    }

    pub(super) fn probed(&mut self, result: Result<Option<Identity>, String>) {
        match result {
            Ok(identity) => {
                if self.api_failure.take().is_some() {
                    tracing::info!("the API server answers again");
                }
                self.heard_api = Some(Instant::now());
                let now = self.now();
                // It is told whenever the probe before this one failed.
                if let Some(Identity {
                    cluster_uid,
                    kubernetes_version,
                }) = identity
                {
                    self.publisher
                        .describe(now, &cluster_uid, &kubernetes_version);
                    self.kubernetes_version = kubernetes_version;
                }
                self.publisher.api_alive(now);
                self.requests.resume();
            }
            Err(message) => {
                if self.api_failure.is_none() {
                    tracing::warn!(reason = message, "the API server does not answer");
                }
                self.publisher.api_down(self.now());
                let stale_after = self.options.settings.stale_after();
                if self.heard_api.is_some_and(|at| at.elapsed() > stale_after) {
                    self.logs.broken(&message);
                }
                self.api_failure = Some(message);
            }
        }
        self.feed_own();
        self.watch_broker();
        self.report();
    }

    /// Tells those that wait for the API server that it is still away.
    pub(super) fn tell(&mut self) {
        let Some(message) = self.api_failure.clone() else {
            return;
        };
        let state = self.away(message);
        let waiting: Vec<_> = self
            .requests
            .waiting(Instant::now())
            .map(|(from, rid)| (from.clone(), rid))
            .collect();
        for (from, rid) in waiting {
            self.publisher
                .decline(self.now(), &from, rid, state.clone());
        }
    }
}
