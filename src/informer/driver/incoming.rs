//! What the broker delivers: live changes, answers, presences.

use super::Driver;
use crate::clock::wall_ms;
use crate::informer::Obstacle;
use crate::informer::fleet::is_expired;
use crate::informer::stream::Stream;
use crate::protocol::frame::{self, DecodeError};
use crate::protocol::message::{CONTROLPLANE, HUB, Live, Presence, Reply};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::{Route, Segment};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Driver {
    pub(super) fn message(&mut self, topic: &str, payload: &Bytes, retained: bool) {
        if let Some(numbers) = self.by_topic.get(topic).cloned() {
            return self.live(&numbers, payload);
        }
        match self.topics.parse(topic) {
            Some(Route::Reply { cluster, .. }) => self.reply(&cluster, payload),
            Some(Route::Presence { cluster }) => self.presence(&cluster, payload, retained),
            _ => tracing::debug!(topic, "a message that nobody asked for"),
        }
    }

    fn live(&mut self, numbers: &BTreeSet<u64>, payload: &Bytes) {
        let live: Live = match frame::decode_live(payload, self.settings.unpacked_bytes()) {
            Ok(live) => live,
            Err(error) => return self.unreadable(numbers, error),
        };
        let now = self.now();
        for &number in numbers {
            self.touch(number, |stream| {
                stream.obstacle = None;
                stream.lived = Some(now);
                stream.reflector.live(now, live.clone());
            });
        }
    }

    fn reply(&mut self, cluster: &Segment, payload: &Bytes) {
        let reply = match frame::decode_reply(payload, self.settings.unpacked_bytes()) {
            Ok(reply) => reply,
            Err(error) => return self.unreadable(&self.streams_of(cluster), error),
        };
        let now = self.now();
        match reply {
            Reply::Page(page) => {
                if let Some(number) = self.asked_by(cluster, page.rid)
                    && self.is_own_answer(number, page.stream)
                {
                    self.touch(number, |stream| {
                        (stream.heard, stream.lived) = (Some(now), Some(now));
                        stream.obstacle = None;
                        stream.reflector.page(now, page);
                    });
                }
            }
            Reply::Status(status) => {
                if let Some(number) = self.asked_by(cluster, status.rid) {
                    self.touch(number, |stream| {
                        (stream.heard, stream.lived) = (Some(now), Some(now));
                        stream.obstacle = None;
                        stream.reflector.status(now, &status);
                    });
                    self.unify_by_resource(number);
                }
            }
            Reply::Presence(presence) => self.heard(cluster, &presence),
            Reply::LogChunk(chunk) => self.log_chunk(cluster, &chunk),
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

    fn presence(&mut self, cluster: &Segment, payload: &Bytes, retained: bool) {
        if payload.is_empty() {
            return self.cleared(cluster);
        }
        match frame::decode_presence(payload, self.settings.unpacked_bytes()) {
            Ok(presence) if retained && is_expired(&presence, wall_ms()) => {}
            Ok(presence) => self.heard(cluster, &presence),
            Err(error) => self.unreadable(&self.streams_of(cluster), error),
        }
    }

    /// Something came that is no message: those who wait for an answer are told, should none come.
    fn unreadable(&mut self, numbers: &BTreeSet<u64>, error: DecodeError) {
        tracing::debug!(%error, "a message that cannot be read");
        self.obstructed(numbers, &Obstacle::Unreadable(error));
    }

    /// The broker does not let a request through.
    pub(super) fn publish_refused(&mut self, topic: String, reason: String) {
        tracing::debug!(topic, reason, "the broker refused a message");
        if let Some(Route::Signal { cluster, .. }) = self.topics.parse(&topic) {
            let obstacle = Obstacle::Forbidden { topic, reason };
            self.obstructed(&self.streams_of(&cluster), &obstacle);
        }
    }

    fn obstructed(&mut self, numbers: &BTreeSet<u64>, obstacle: &Obstacle) {
        for &number in numbers {
            self.touch(number, |stream| stream.obstacle = Some(obstacle.clone()));
        }
    }

    /// The streams that are asked of a cluster.
    fn streams_of(&self, cluster: &Segment) -> BTreeSet<u64> {
        let of_cluster =
            |(number, stream): (&u64, &Stream)| (stream.segment == *cluster).then_some(*number);
        self.streams.iter().filter_map(of_cluster).collect()
    }

    /// Takes a presence whose name is the one that its topic says: who answers is told by the topic, not by the
    /// payload.
    fn heard(&mut self, cluster: &Segment, presence: &Presence) {
        let Ok(name) = ClusterName::new(&presence.cluster) else {
            return;
        };
        if Segment::from(&name) != *cluster {
            return tracing::warn!(%cluster, "a presence under another cluster's topic");
        }
        let now = self.now();
        if presence.role == CONTROLPLANE {
            if self.controlplanes.heard(&name, presence) {
                self.discovery.heard(now);
                self.show_controlplanes();
            }
            return;
        }
        // A hub has work for clusters, and is none: it is a source all the same.
        if presence.role != HUB && self.fleet.heard(&name, presence) {
            self.discovery.heard(now);
            self.show_fleet();
        }
        if presence.online {
            for number in self.streams_of(cluster) {
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
        let name = self.controlplanes.clusters().keys().find(named).cloned();
        if name.is_some_and(|name| self.controlplanes.forget(&name)) {
            self.show_controlplanes();
        }
    }

    fn show_controlplanes(&self) {
        let known = self.controlplanes.clusters().clone();
        self.shown.controlplanes.send_replace(Arc::new(known));
    }

    fn show_fleet(&self) {
        self.shown
            .fleet
            .send_replace(Arc::new(self.fleet.clusters().clone()));
    }
}
