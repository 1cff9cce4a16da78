//! What reaches a source: events of its links, requests of consumers, what upstreams tell.

use super::driver::Driver;
use super::requests::{Outcome, refused};
use super::{Event, Identity, Resolved, UpstreamError};
use crate::link;
use crate::protocol::frame;
use crate::protocol::message::{Reply, Request, State, StreamId, Sync};
use crate::protocol::topics::Route;
use crate::replica::{self, Opening, Session, Target};
use bytes::Bytes;
use tokio::time::Instant;

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
                self.publish_refused(&topic, &reason);
                self.acknowledged(ticket);
            }
            link::Event::Message { topic, payload, .. } => self.message(&topic, &payload),
        }
    }

    /// Said once for each topic's kind until the connection is made anew: it comes again with every message.
    fn publish_refused(&mut self, topic: &str, reason: &str) {
        let what = match self.options.topics.parse(topic) {
            Some(Route::Live { .. }) => "changes",
            Some(Route::Presence { .. }) => "presence",
            _ => "an answer",
        };
        let words = format!(
            "the broker refused {what} on {topic}: {reason}; let this user write it in the broker's ACL"
        );
        if what == "an answer" {
            return tracing::warn!("{words}");
        }
        if self.link.1.is_none() {
            tracing::error!("{words}");
            self.link.1 = Some(words);
            self.report();
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

    pub(super) fn bulk_event(&mut self, event: &link::Event) {
        match event {
            link::Event::Up { .. } => self.bulk_up = true,
            link::Event::Down(_) => self.bulk_up = false,
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
            Request::Sync(sync) => match self.requests.known(&sync.selection).cloned() {
                Some(target) => self.publisher.sync(now, &from, sync, &target),
                None => self.requests.resolve(from, sync),
            },
        }
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
            self.requests
                .prune(|stream| self.streams.is_running(stream));
            self.streams.prune();
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
            Event::Listed(entries) => replica::Upstream::Listed(entries),
            Event::Put(key, value) => replica::Upstream::Put(key, value),
            Event::Delete(key) => replica::Upstream::Delete(key),
            Event::Watching => replica::Upstream::Watching,
            Event::Alive => replica::Upstream::Alive,
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
