//! What a publisher does of its own accord: obeys the election, admits, opens, flushes, ends.

use super::Publisher;
use super::dialogue::{Notice, Opening, Output, Session, Target};
use crate::protocol::message::{Epoch, Presence, Reply, State, Status, StreamId, Sync};
use crate::replica::digest::Buckets;
use crate::replica::election::{Phase, Verdict};
use crate::replica::mutants::mutant;
use crate::replica::stream::Stream;
use crate::replica::time::{Moment, millis};

impl Publisher {
    pub(super) fn obey(&mut self, now: Moment, wall_ms: u64, verdict: Verdict) {
        match verdict {
            Verdict::TakeOver => {
                let term = self.election.term();
                self.log(Notice::Writing { term });
            }
            Verdict::Renew => self.renew(now),
            Verdict::StandBy => self.stand_by(),
            Verdict::Tell => {
                let presence = self.presence_now(wall_ms, 0);
                self.out.push_back(Output::Presence(presence));
            }
            Verdict::Ask => {
                self.rids += 1;
                self.out.push_back(Output::Who { rid: self.rids });
            }
        }
    }

    /// Every feed begins anew under the new term.
    pub(super) fn renew(&mut self, now: Moment) {
        let term = self.election.term();
        self.log(Notice::Renewed { term });
        self.turns.clear();
        let mut streams = std::mem::take(&mut self.streams);
        for (id, stream) in &mut streams {
            let (epoch, opening) = self.next_incarnation();
            stream.renew(epoch, opening, now);
            self.out.push_back(Output::Open {
                stream: *id,
                opening,
            });
        }
        self.streams = streams;
    }

    pub(super) fn stand_by(&mut self) {
        self.turns.clear();
        self.out.retain(Output::is_local);
        for stream in std::mem::take(&mut self.streams).into_keys() {
            self.out.push_back(Output::Close { stream });
        }
        if let Phase::StandingBy(rival) = self.election.phase() {
            let (writer, foreign) = (rival.term, rival.foreign);
            self.log(Notice::StandingBy { writer, foreign });
        }
    }

    /// What is due of all streams: ends, words, flushes.
    pub(super) fn serve(&mut self, now: Moment) {
        let settings = &self.settings;
        let over: Vec<StreamId> = self
            .streams
            .iter_mut()
            .filter_map(|(id, stream)| stream.expire(now, settings).then_some(*id))
            .collect();
        over.into_iter().for_each(|id| self.close(id));
        let Some(max_payload) = self.link else {
            return;
        };
        let slice_bytes = self.slice_bytes(max_payload);
        for stream in self.streams.values_mut() {
            for (to, status) in stream.statuses(now, &self.settings) {
                let reply = Reply::Status(status);
                self.out.push_back(Output::Reply { to, reply });
            }
            let slices = stream.flush(now, slice_bytes, &self.settings, &mut self.tickets);
            match slices.first() {
                Some((0, _)) => self.counters.heartbeats += 1,
                Some((_, live)) => {
                    self.counters.flushes += 1;
                    self.counters.changes += live.to - live.prev;
                }
                None => {}
            }
            let slices = slices.into_iter();
            self.out
                .extend(slices.map(|(ticket, live)| Output::Live { ticket, live }));
        }
    }

    /// Who cannot begin because its API server is away says so, as long as nobody else is known to serve.
    pub(super) fn excuse(&mut self, now: Moment, to: &Session, rid: u64, target: &Target) {
        if rid > 0
            && let Some(since) = self.election.waits_for_api(now)
        {
            let state = State::UpstreamDown {
                since_ms: millis(now.since(since)),
                message: "the API server does not answer yet".to_owned(),
            };
            self.reply_status(to, rid, state, target.resource.to_string());
        }
    }

    /// Whether a session may have a stream: it exists, or there is room for one more.
    pub(super) fn admit(&mut self, now: Moment, from: &Session, rid: u64, target: &Target) -> bool {
        let id = target.stream;
        let of_user = |stream: &Stream| stream.sessions().any(|session| session.user == from.user);
        if self.streams.get(&id).is_some_and(of_user) {
            return true;
        }
        let theirs = self
            .streams
            .values()
            .filter(|stream| of_user(stream))
            .count();
        let mut room = from.is_anonymous() || theirs < self.settings.feeds_per_user;
        if room && !self.streams.contains_key(&id) {
            room = self.streams.len() < self.settings.feeds || self.drop_lingering();
            if room {
                self.open(now, target.clone());
            }
        }
        if !room {
            self.log(Notice::OverQuota {
                user: from.user.clone(),
            });
            self.reply_status(from, rid, too_many_streams(), target.resource.to_string());
        }
        room
    }

    /// Ends the feed that nobody has looked at for the longest time; false if somebody looks at each.
    pub(super) fn drop_lingering(&mut self) -> bool {
        let lingering = self
            .streams
            .iter()
            .filter_map(|(id, stream)| Some((stream.lingers_since()?, *id)))
            .min();
        lingering.map(|(_, id)| self.close(id)).is_some()
    }

    pub(super) fn open(&mut self, now: Moment, target: Target) {
        let (epoch, opening) = self.next_incarnation();
        let stream = target.stream;
        self.out.push_back(Output::Open { stream, opening });
        self.streams
            .insert(stream, Stream::new(target, epoch, opening, now));
    }

    pub(super) fn close(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
        self.out.push_back(Output::Close { stream });
    }

    /// F2: each incarnation of a feed has an epoch of its own. *Else consumers at seq 500 refuse the seq 1 of a feed
    /// made anew.*
    pub(super) fn next_incarnation(&mut self) -> (Epoch, Opening) {
        self.openings += 1;
        if !mutant!(SameEpochAnew) || self.feeds == 0 {
            self.feeds += 1;
        }
        let epoch = Epoch {
            term: self.election.term(),
            feed: self.feeds,
        };
        (epoch, Opening(self.openings))
    }

    pub(super) fn reply_status(&mut self, to: &Session, rid: u64, state: State, resource: String) {
        if self.link.is_none() {
            return;
        }
        let epoch = Epoch {
            term: self.election.term(),
            feed: 0,
        };
        let status = Status {
            rid,
            epoch,
            state,
            resource,
        };
        self.out.push_back(Output::Reply {
            to: to.clone(),
            reply: Reply::Status(status),
        });
    }

    pub(super) fn log(&mut self, notice: Notice) {
        self.out.push_back(Output::Log(notice));
    }

    pub(super) fn presence_now(&self, wall_ms: u64, rid: u64) -> Presence {
        Presence {
            term: self.election.term(),
            online: true,
            rid,
            at_ms: wall_ms,
            ..self.me.clone()
        }
    }

    /// The wall clock, as of the last poll and the time since.
    pub(super) fn wall_ms(&self, now: Moment) -> u64 {
        let (at, wall_ms) = self.wall;
        wall_ms.saturating_add(millis(now.since(at)))
    }

    pub(super) fn is_well_formed(&self, sync: &Sync) -> bool {
        let count = sync.digests.len();
        count <= self.settings.most_buckets as usize && Buckets::of(count).is_some()
    }

    /// Bytes of entries or changes that fit one message.
    pub(super) fn slice_bytes(&self, max_payload: usize) -> usize {
        max_payload
            .saturating_sub(self.settings.framing_bytes)
            .max(1)
    }

    pub(super) fn find_deadline(&self, now: Moment) -> Option<Moment> {
        let up = self.link.is_some();
        let streams = self.streams.values();
        let streams = streams.filter_map(|stream| stream.next_deadline(up, &self.settings));
        streams.chain(self.election.next_deadline(now)).min()
    }
}

fn too_many_streams() -> State {
    State::Refused {
        code: 429,
        reason: "TooManyRequests".to_owned(),
        message: "the source serves as many streams as it may; try again later".to_owned(),
    }
}
