//! What must be true: after every step, every 100 ms, when the faults have ceased, and in the end.

use super::ledger::Account;
use super::sources::{FIRST_STREAM, Source};
use super::world::{Event, Phase, World};
use crate::protocol::message::{Epoch, Live, StreamId};
use crate::replica::publisher::Role;
use crate::replica::time::Moment;
use std::time::Duration;

impl World {
    /// F1: a feed's state is one that the API server had.
    pub(super) fn judge_feed(&mut self, stream: usize, revision: usize, digest: u64) {
        if self.truths[stream].digest(revision) != digest {
            self.expect(Err(format!(
                "stream {stream}: the feed is not what the API server had at {revision}"
            )));
        }
    }

    /// What is published or answered under a number is what the feed had then.
    pub(super) fn judge_told(
        &mut self,
        stream: usize,
        epoch: Epoch,
        seq: u64,
        digest: u64,
        how: &str,
    ) {
        match self.ledger.state(stream, epoch, seq) {
            Some(record) if record.digest == digest => {}
            Some(_) => self.expect(Err(format!(
                "stream {stream} {epoch:?}: seq {seq} was {how} as another state"
            ))),
            None => self.expect(Err(format!(
                "stream {stream} {epoch:?}: seq {seq} was {how} and never was"
            ))),
        }
    }

    pub(super) fn judge_live(&mut self, stream: usize, live: &Live) {
        self.judge_told(stream, live.epoch, live.to, live.digest, "published");
        self.ledger.flushed(stream, live.epoch, live.to, self.now);
    }

    /// After every step: the copy is a state that was, never an earlier one than before, and told change by change.
    pub(super) fn judge_copy(&mut self, viewer: usize, stream: usize) {
        let thin = self.is_thin(viewer);
        if thin {
            self.judge_thin(viewer, stream);
        }
        let copied = &mut self.viewers[viewer].copies[stream];
        let copy = copied.reflector.copy();
        let (before, after) = (copied.seen, (copy.epoch, copy.seq));
        // What a database had when its process died need not be one state; nobody is shown it.
        let unproven = thin && !copied.reflector.proven();
        if (before == after && !copied.corrupt) || unproven {
            return;
        }
        let digest = copy.count_digest();
        let entries = copy.entries.clone();
        let mut told_wrongly = false;
        for change in copied.reflector.take_changes() {
            let old = match change.new {
                Some(new) => copied.shown.insert(change.key, new),
                None => copied.shown.remove(&change.key),
            };
            told_wrongly |= old != change.old;
        }
        told_wrongly |= copied.shown != entries && !thin;
        copied.seen = after;
        let who = format!("viewer {viewer}, stream {stream}");
        if told_wrongly {
            self.expect(Err(format!(
                "{who}: the changes told are not those of the copy"
            )));
        }
        if after < before {
            self.expect(Err(format!("{who}: back from {before:?} to {after:?}")));
        }
        self.judge_state(viewer, stream, before, after, digest);
    }

    fn judge_state(
        &mut self,
        viewer: usize,
        stream: usize,
        before: (Epoch, u64),
        after: (Epoch, u64),
        digest: u64,
    ) {
        let who = format!("viewer {viewer}, stream {stream}");
        let Some(record) = self.ledger.state(stream, after.0, after.1).copied() else {
            return self.expect(Err(format!("{who}: holds {after:?}, which never was")));
        };
        let corrupt = &mut self.viewers[viewer].copies[stream].corrupt;
        if record.digest != digest {
            if !*corrupt {
                self.expect(Err(format!(
                    "{who}: what it holds is not what {after:?} was"
                )));
            }
            return;
        }
        *corrupt = false;
        let earlier = self.ledger.state(stream, before.0, before.1);
        if earlier.is_some_and(|earlier| record.revisions.1 < earlier.revisions.0) {
            self.expect(Err(format!(
                "{who}: from {before:?} to the older state of {after:?} (P1)"
            )));
        }
    }

    /// Every 100 ms.
    pub(super) fn tick(&mut self) {
        self.after(Duration::from_millis(100), Event::Tick);
        for viewer in 0..self.viewers.len() {
            if self.viewers[viewer].alive {
                for stream in 0..self.plan.streams {
                    self.judge_bounds(viewer, stream);
                    self.judge_currency(viewer, stream);
                    self.judge_attention(viewer, stream);
                }
            }
        }
        if self.now.as_micros().is_multiple_of(1_000_000) {
            self.tamper();
            self.judge_sources();
        }
    }

    /// P7: what waits is bounded.
    fn judge_bounds(&mut self, viewer: usize, stream: usize) {
        let settings = &self.plan.settings;
        let reflector = &self.viewers[viewer].copies[stream].reflector;
        let largest = self.plan.keys * (self.plan.value_bytes * 2 + 100);
        if reflector.buffered() > settings.buffer_bytes.max(largest) {
            let buffered = reflector.buffered();
            self.expect(Err(format!(
                "viewer {viewer}, stream {stream}: {buffered} bytes buffered (P7)"
            )));
        } else if reflector.received().bytes > largest as u64 {
            let staged = reflector.received().bytes;
            self.expect(Err(format!(
                "viewer {viewer}, stream {stream}: {staged} bytes staged (P7)"
            )));
        }
    }

    /// P6: the copy is as current as it says.
    fn judge_currency(&mut self, viewer: usize, stream: usize) {
        let copied = &self.viewers[viewer].copies[stream];
        let Some(current_at) = copied.reflector.current_at().filter(|_| !copied.corrupt) else {
            return;
        };
        let judged = Some((current_at, copied.seen));
        if copied.judged == judged {
            return;
        }
        self.viewers[viewer].copies[stream].judged = judged;
        let copied = &self.viewers[viewer].copies[stream];
        let settings = &self.plan.settings;
        let (epoch, seq) = copied.seen;
        // A pause of the API server of less than that is not noticed, and a watch has its lag.
        let slack = self.plan.transit() + Duration::from_millis(1);
        let knew =
            current_at - slack - settings.heartbeat - Duration::from_millis(self.plan.watch_lag_ms);
        let there_was = self.truths[stream].revision_at(knew);
        let record = self.ledger.state(stream, epoch, seq);
        let held = record.map_or(0, |record| record.revisions.1);
        let flushed = self
            .ledger
            .account(stream, epoch)
            .map_or(0, |account| account.flushed_before(current_at - slack));
        if held < there_was || seq < flushed {
            self.expect(Err(format!(
                "viewer {viewer}, stream {stream}: says current at {current_at:?}, holds {seq} of {flushed}, revision {held} of {there_was} (P6)"
            )));
        }
    }

    /// P3: a change is held or asked for within 2.5 heartbeats.
    fn judge_attention(&mut self, viewer: usize, stream: usize) {
        let settings = &self.plan.settings;
        let within = settings.stale_after()
            + self.plan.transit() * 2
            + settings.jitter
            + Duration::from_millis(200);
        let process = &self.viewers[viewer];
        let copied = &process.copies[stream];
        let (epoch, seq) = copied.seen;
        let of_epoch = |source: &&Source| source.publisher.term().nonce == epoch.term.nonce;
        let source_up = self
            .sources
            .iter()
            .find(of_epoch)
            .and_then(|source| source.up_since);
        // All bounds count from the moment when both links are back.
        let (Some(source_up), Some(viewer_up)) = (source_up, process.up_since) else {
            return;
        };
        if self.now.since(source_up.max(viewer_up)) <= within {
            return;
        }
        let flushed = self
            .ledger
            .account(stream, epoch)
            .map_or(0, |account| account.flushed_before(self.now - within));
        let (term, told) = process.told;
        if epoch.term < term && told + within < self.now && !copied.reflector.is_asking(self.now) {
            return self.expect(Err(format!("viewer {viewer}, stream {stream}: was told of {term:?}, holds {epoch:?}, and does not ask")));
        }
        // A subscription that is under way will make it ask, within a round trip.
        let subscribes = |at: Moment| self.now.since(at) <= self.plan.transit();
        let asks =
            copied.reflector.is_asking(self.now) || copied.subscribing.is_some_and(subscribes);
        if seq < flushed && !asks {
            self.expect(Err(format!("viewer {viewer}, stream {stream}: misses {flushed}, holds {seq}, and does not ask (P3)")));
        }
    }

    /// P7 of the sources, F7, and F3: a presence that is owed is told.
    fn judge_sources(&mut self) {
        for source in 0..self.sources.len() {
            let up = self.sources[source].up_since.is_some();
            let writes = self.sources[source].publisher.role() == Role::Writing;
            let owes = self.sources[source].owes_presence.filter(|_| up && writes);
            if owes.is_some_and(|until| until < self.now) {
                self.expect(Err(format!(
                    "source {source}: a reader that believes in another was not told of it"
                )));
            }
            if self.sources[source].alive {
                for report in self.sources[source].publisher.streams(self.now) {
                    if report.sessions > self.plan.settings.sessions_per_user * 2 {
                        self.expect(Err(format!(
                            "source {source}: {} sessions (P7)",
                            report.sessions
                        )));
                    }
                }
            }
        }
    }

    /// 15 s after the faults, while everything changes: nobody is more than 3 s behind.
    pub(super) fn judge_settled(&mut self) {
        let Some(writer) = self.writer() else {
            return self.expect(Err("not exactly one source writes (P8)".to_owned()));
        };
        for viewer in 0..self.viewers.len() {
            for stream in 0..self.plan.streams {
                let id = StreamId(FIRST_STREAM + stream as u128);
                let (epoch, seq) = self.viewers[viewer].copies[stream].seen;
                let Some((writes, ..)) = self.sources[writer].publisher.state_of(id) else {
                    // A lie renews all feeds now and then; they are listed anew just now.
                    if self.liars.is_empty() {
                        self.expect(Err(format!(
                            "stream {stream}: not served 15 s after the faults (P5)"
                        )));
                    }
                    continue;
                };
                let then = self.now - Duration::from_secs(3) - self.plan.answers_take();
                let had = self
                    .ledger
                    .account(stream, writes)
                    .map_or(0, |account| account.seq_at(then));
                let began = self.ledger.account(stream, writes).map(Account::began);
                let young = began.is_none_or(|began| began > then - Duration::from_secs(1));
                if !young && (epoch != writes || seq < had) {
                    self.expect(Err(format!(
                        "viewer {viewer}, stream {stream}: holds {epoch:?} {seq}, the source has {writes:?}, {had} at {then:?} (P5)"
                    )));
                }
            }
        }
    }

    /// In the end: copy = truth, fresh, nothing waits, one source, and its presence is the retained one.
    pub(super) fn judge_still(&mut self) {
        for viewer in 0..self.viewers.len() {
            for stream in 0..self.plan.streams {
                let judged = self.is_true(viewer, stream);
                self.expect(judged);
            }
        }
        let Some(writer) = self.writer() else {
            return self.expect(Err(
                "not exactly one source writes in the end (P8)".to_owned()
            ));
        };
        let term = self.sources[writer].publisher.term();
        let retained = self.net.retained.as_ref();
        let deaf = self.net.clients.iter().any(|client| client.deaf);
        if !deaf
            && !self.net.presence_missed
            && retained.is_none_or(|presence| presence.term != term || !presence.online)
        {
            let retained = self.net.retained.clone();
            self.expect(Err(format!(
                "{term:?} writes, and this is retained: {retained:?}"
            )));
        }
    }

    fn is_true(&self, viewer: usize, stream: usize) -> Result<(), String> {
        let copied = &self.viewers[viewer].copies[stream];
        let reflector = &copied.reflector;
        let tally = reflector.tally();
        let who = format!("viewer {viewer}, stream {stream}");
        if self.is_thin(viewer) {
            self.is_stored(viewer, stream)?;
        } else if reflector.copy().entries != self.truths[stream].entries {
            return Err(format!(
                "{who}: holds something else than the API server (P5)"
            ));
        }
        if !reflector.fresh(self.now) {
            return Err(format!(
                "{who}: is stale in the end, {:?}",
                reflector.age(self.now)
            ));
        }
        if reflector.is_asking(self.now) || !reflector.holds_nothing_back() {
            return Err(format!(
                "{who}: something is outstanding or buffered in the end"
            ));
        }
        if tally.divergences > 0 && !copied.ever_corrupt {
            return Err(format!("{who}: {} divergences", tally.divergences));
        }
        if self.is_peaceful() && tally.requests > 3 {
            return Err(format!("{who}: {} requests in peace", tally.requests));
        }
        Ok(())
    }

    /// Without readers: no feed.
    pub(super) fn judge_empty(&mut self) {
        for source in 0..self.sources.len() {
            let served = self.sources[source].publisher.streams(self.now).len();
            if self.sources[source].alive && served > 0 {
                self.expect(Err(format!(
                    "source {source} serves {served} streams to nobody (F7)"
                )));
            }
            let role = self.sources[source].publisher.role();
            debug_assert!(self.phase == Phase::Empty || role != Role::Starting);
        }
    }
}
