//! One source as the writer of its cluster's streams: identity, role, quotas, and what to send.

use super::election::{Election, Phase};
use super::feed::{Feed, Tickets};
use super::mutants::mutant;
use super::settings::Settings;
use super::stream::Stream;
use super::time::Moment;
use super::turns::Turns;
use crate::protocol::message::{Page, Presence, Reply, State, StreamId, Sync, Term};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

mod dialogue;
mod serving;
#[cfg(test)]
mod tests;

pub use dialogue::{Counters, Notice, Opening, Output, Report, Role, Session, Target, Upstream};

/// The source side of the protocol, for all streams of one process. Never does IO and reads no clock.
///
/// Its inputs only take note; [`Publisher::poll`] decides and acts.
#[derive(Debug)]
pub struct Publisher {
    settings: Settings,
    me: Presence,
    election: Election,
    streams: BTreeMap<StreamId, Stream>,
    turns: Turns,
    out: VecDeque<Output>,
    /// The largest payload of the control connection, while that is up.
    link: Option<usize>,
    /// What it was last: pages are cut alike across a reconnect.
    max_payload: usize,
    /// What the wall clock said when it was last read, and when that was.
    wall: (Moment, u64),
    tickets: Tickets,
    openings: u64,
    feeds: u32,
    rids: u64,
    counters: Counters,
    /// Something was noted that [`Publisher::poll`] has not seen.
    touched: bool,
    deadline: Option<Moment>,
}

impl Publisher {
    /// A source that has heard nothing yet. `presence` says who it is; of its term only the nonce counts, which must be
    /// random and fresh per process. `seed` spreads its time-outs.
    pub fn new(settings: Settings, presence: Presence, seed: u64) -> Self {
        Self {
            election: Election::new(settings.clone(), &presence, seed),
            max_payload: settings.message_bytes,
            settings,
            me: presence,
            streams: BTreeMap::new(),
            turns: Turns::default(),
            out: VecDeque::new(),
            link: None,
            wall: (Moment::default(), 0),
            tickets: Tickets::default(),
            openings: 0,
            feeds: 0,
            rids: 0,
            counters: Counters::default(),
            touched: true,
            deadline: None,
        }
    }

    /// The control connection is up *and* its subscriptions (signals, presence, live of my cluster) are confirmed.
    /// `max_payload`: the largest payload that the broker takes.
    pub fn link_up(&mut self, now: Moment, max_payload: usize) {
        self.touched = true;
        self.max_payload = max_payload.min(self.settings.message_bytes);
        self.link = Some(self.max_payload);
        self.election.link_up(now);
    }

    /// The control connection is gone: what was not acknowledged counts as lost.
    pub fn link_down(&mut self, _now: Moment) {
        self.touched = true;
        self.link = None;
        self.election.link_down();
        self.streams.values_mut().for_each(Stream::link_lost);
        self.out.retain(Output::is_local);
    }

    /// The broker took a publish.
    pub fn acknowledged(&mut self, _now: Moment, ticket: u64) {
        self.touched = true;
        for stream in self.streams.values_mut() {
            stream.acknowledged(ticket);
        }
    }

    /// A session asks about, or renews, a stream that the driver resolved.
    pub fn sync(&mut self, now: Moment, from: &Session, sync: Sync, target: &Target) {
        self.touched = true;
        let claimed = sync.epoch.term;
        if !self.election.writes() && !mutant!(StandbyRenews) {
            return self.excuse(now, from, sync.rid, target);
        }
        let honest = self.election.claim(claimed, self.wall_ms(now));
        let (asks, well_formed) = (sync.max_messages > 0, self.is_well_formed(&sync));
        if !honest || !self.election.writes() || (asks && !well_formed) {
            return;
        }
        let term = self.election.term();
        if !asks && claimed < term && !mutant!(PresenceNotToldToRenewalBelow) {
            self.election.tell();
        }
        if !self.admit(now, from, sync.rid, target) {
            return;
        }
        let Some(stream) = self.streams.get_mut(&target.stream) else {
            return;
        };
        stream.lease(now, from, sync.lease_s, &self.settings);
        let known = claimed <= term || mutant!(SyncEpochIgnored);
        if asks && stream.ask(now, from, sync, known, &self.settings) {
            self.counters.answers += 1;
            self.turns.add(from, target.stream);
        }
    }

    /// A session's request could not be resolved, and this is why. Who stands by leaves it to the writer to say so.
    pub fn decline(&mut self, now: Moment, from: &Session, rid: u64, why: State) {
        if self.election.writes() || self.election.waits_for_api(now).is_some() {
            self.reply_status(from, rid, why, String::new());
        }
    }

    /// A session has no more use for a stream.
    pub fn leave(&mut self, now: Moment, from: &Session, stream: StreamId) {
        self.touched = true;
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.leave(now, from);
        }
    }

    /// Somebody asks who is there. A writer whose API server is away does not say: a standby may be able to do better.
    /// One that waits for its API server to take the name, and nobody else is there, says so by a term without a
    /// number: it is known to viewers, and to no other source a rival.
    pub fn who(&mut self, now: Moment, from: &Session, rid: u64) {
        let serves = self.election.writes() && self.election.api_answers(now);
        let waits = self.election.waits_for_api(now).is_some();
        if self.link.is_some() && (serves || waits) {
            let presence = self.presence_now(self.wall_ms(now), rid);
            self.out.push_back(Output::Reply {
                to: from.clone(),
                reply: Reply::Presence(presence),
            });
        }
    }

    /// A presence of my cluster's name was heard: retained, told anew, a last will, or an answer to my `Who`. My own
    /// too.
    pub fn presence(&mut self, now: Moment, heard: &Presence) {
        self.touched = true;
        self.election.presence(now, heard);
    }

    /// A `Live` was heard on any live topic of my cluster.
    pub fn live(&mut self, now: Moment, term: Term, upstream_age_ms: u64) {
        self.touched = true;
        self.election
            .live(now, term, Duration::from_millis(upstream_age_ms));
    }

    /// The API server answered a probe of this process. To be told twice a heartbeat while it does.
    pub fn api_alive(&mut self, now: Moment) {
        self.touched = true;
        self.election.api_alive(now);
        for stream in self.streams.values_mut() {
            stream.api_alive(now, &self.settings);
        }
    }

    /// Which cluster this is, as its API server says: to be told before [`Publisher::api_alive`], and when it changed.
    pub fn describe(&mut self, now: Moment, cluster_uid: &str, kubernetes_version: &str) {
        cluster_uid.clone_into(&mut self.me.cluster_uid);
        kubernetes_version.clone_into(&mut self.me.kubernetes_version);
        self.election.describe(now, cluster_uid);
    }

    /// The API server did not answer a probe.
    pub fn api_down(&mut self, _now: Moment) {
        self.touched = true;
        self.election.api_down();
    }

    /// A stream's upstream tells something.
    pub fn upstream(&mut self, now: Moment, stream: StreamId, opening: Opening, event: Upstream) {
        self.touched = true;
        let Some(serving) = self.streams.get_mut(&stream) else {
            return;
        };
        if serving.opening() != opening {
            return;
        }
        let term = self.election.term();
        if serving.upstream(now, event) {
            for session in serving.answer_waiting(now, term, &self.settings) {
                self.counters.answers += 1;
                self.turns.add(&session, stream);
            }
        }
    }

    /// The next thing to do, until there is none. `wall_ms`: the wall clock, ms since 1970.
    pub fn poll(&mut self, now: Moment, wall_ms: u64) -> Option<Output> {
        self.wall = (now, wall_ms);
        if self.touched || self.deadline.is_some_and(|at| at <= now) {
            self.touched = false;
            while let Some(verdict) = self.election.poll(now, wall_ms) {
                self.obey(now, wall_ms, verdict);
            }
            self.serve(now);
            self.deadline = self.find_deadline(now);
        }
        self.out.pop_front()
    }

    /// When to poll next at the latest.
    pub fn next_deadline(&self) -> Option<Moment> {
        if self.touched || !self.out.is_empty() {
            return Some(Moment::AT_ONCE);
        }
        self.deadline
    }

    /// The next page to send over the bulk connection, when that has room: sessions take turns. `server_ms`: the API
    /// server's clock, ms since 1970.
    pub fn next_page(&mut self, _now: Moment, server_ms: u64) -> Option<(Session, Page)> {
        while let Some((session, id)) = self.turns.next() {
            let bytes = self.slice_bytes(self.max_payload);
            let Some(stream) = self.streams.get_mut(&id) else {
                continue;
            };
            let Some((mut page, more)) = stream.next_page(&session, bytes) else {
                continue;
            };
            page.now_ms = server_ms;
            if more {
                self.turns.add(&session, id);
            }
            self.touched = true;
            self.counters.pages += 1;
            return Some((session, page));
        }
        None
    }

    /// Adds to what its presence says that it can do.
    pub fn add_capability(&mut self, capability: String) {
        self.me.capabilities.push(capability);
        self.me.capabilities.sort();
        self.me.capabilities.dedup();
    }

    /// The last will to connect with.
    pub fn last_will(&self, wall_ms: u64) -> Presence {
        Presence {
            online: false,
            ..self.presence_now(wall_ms, 0)
        }
    }

    /// What to publish before a clean end; none if this process does not write.
    pub fn goodbye(&self, wall_ms: u64) -> Option<Presence> {
        self.election.writes().then(|| self.last_will(wall_ms))
    }

    /// Whether this process writes.
    pub fn role(&self) -> Role {
        match self.election.phase() {
            Phase::Starting => Role::Starting,
            Phase::Writing => Role::Writing,
            Phase::StandingBy(rival) => Role::StandingBy {
                writer: rival.term,
                foreign: rival.foreign,
            },
        }
    }

    /// The term that this process writes with, or last did.
    pub fn term(&self) -> Term {
        self.election.term()
    }

    /// The streams served.
    pub fn streams(&self, now: Moment) -> Vec<Report> {
        let report = |(id, stream): (&StreamId, &Stream)| Report {
            stream: *id,
            resource: stream.target().resource.clone(),
            seq: stream.feed().map_or(0, Feed::seq),
            entries: stream.feed().map_or(0, |feed| feed.collection().len()),
            bytes: stream.feed().map_or(0, |feed| feed.collection().bytes()),
            sessions: stream.sessions().count(),
            upstream_age: stream.upstream_age(now, &self.settings),
        };
        self.streams.iter().map(report).collect()
    }

    /// Counters since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
impl Publisher {
    /// What a stream's feed has: epoch, seq, digest.
    pub(super) fn state_of(
        &self,
        stream: StreamId,
    ) -> Option<(crate::protocol::message::Epoch, u64, u64)> {
        let feed = self.streams.get(&stream)?.feed()?;
        Some((feed.epoch(), feed.seq(), feed.collection().digest()))
    }
}
