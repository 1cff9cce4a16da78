//! One stream's consumer side: keeps a copy true.

use super::buffer::{Buffer, Step};
use super::copy::{Copy, KeyChange, Next};
use super::digest::Bitmap;
use super::mutants::mutant;
use super::request::{Pace, Request};
use super::settings::Settings;
use super::staging::Staged;
use super::time::{Jitter, Moment};
use crate::protocol::entries::Key;
use crate::protocol::message::{Epoch, Live, Page, Selection, State, Status, StreamId, Term};
use bytes::Bytes;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

mod asking;
mod bases;
mod dialogue;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod thin_tests;

pub use dialogue::{Ask, Received, Rids, ServerClock, Tally};

/// Answers in a row that were older than the copy.
#[derive(Debug)]
struct Older {
    /// The first one; none of them was from a source whose API server is away.
    since: Moment,
    times: u32,
}

/// The consumer side of one stream. Never does IO and reads no clock.
#[derive(Debug)]
pub struct Reflector {
    settings: Settings,
    selection: Selection,
    jitter: Jitter,
    copy: Copy,
    /// Bytes of the copy's keys and values.
    bytes: usize,
    /// The highest epoch heard of.
    newest: Epoch,
    buffer: Buffer,
    /// Values that the next flush waits for; only a thin copy's does.
    fetch: Option<bases::Fetch>,
    /// Counts fetches: an answer to an earlier one is none to this.
    fetches: u64,
    /// What the backing gave for the next step.
    bases: HashMap<Bytes, Bytes>,
    /// Keys whose values the backing was found not to have: the source is asked for them.
    doubted: BTreeSet<Key>,
    request: Option<Request>,
    /// When the next request will be sent, if there is a reason for one.
    due: Option<Moment>,
    link_up: bool,
    /// When something was last heard that counts.
    heard: Moment,
    /// When a `Sync` was last sent.
    asked: Moment,
    current_at: Option<Moment>,
    /// Which stream this is and where its changes appear, as the source says.
    place: Option<(StreamId, String)>,
    subscribe: Option<Ask>,
    /// Something may have been missed: the start, or a subscription that begins just now.
    unsure: bool,
    /// A digest was not what it should have been.
    diverged: bool,
    /// Answers in a row that were no good.
    failures: u32,
    /// Answers that were older than the copy.
    older: Option<Older>,
    status: Option<State>,
    resource: String,
    upstream_age: Duration,
    clock: Option<ServerClock>,
    pace: Pace,
    changes: Vec<KeyChange>,
    tally: Tally,
}

impl Reflector {
    /// A copy of nothing, or of what a cache held (its digest is computed anew). `seed` spreads its requests. The link
    /// counts as down until [`Reflector::link_up`].
    pub fn new(
        settings: Settings,
        selection: Selection,
        cached: Option<Copy>,
        now: Moment,
        seed: u64,
    ) -> Self {
        let mut copy = cached.unwrap_or_default();
        copy.digest = copy.count_digest();
        Self {
            settings,
            selection,
            jitter: Jitter::new(seed),
            bytes: copy.count_bytes(),
            newest: copy.epoch,
            copy,
            buffer: Buffer::default(),
            fetch: None,
            fetches: 0,
            bases: HashMap::new(),
            doubted: BTreeSet::new(),
            request: None,
            due: None,
            link_up: false,
            heard: now,
            asked: now,
            current_at: None,
            place: None,
            subscribe: None,
            unsure: true,
            diverged: false,
            failures: 0,
            older: None,
            status: None,
            resource: String::new(),
            upstream_age: Duration::ZERO,
            clock: None,
            pace: Pace::default(),
            changes: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// The link is up; subscriptions (the reply topic) are confirmed.
    pub fn link_up(&mut self, now: Moment) {
        self.link_up = true;
        self.heard = self.heard.max(now);
        self.buffer.wake(now);
        if let Some(request) = &mut self.request {
            request.put_off(now + self.jitter.up_to(self.settings.jitter));
        }
    }

    /// The link is down: nothing is sent or counted until it is up again.
    pub fn link_down(&mut self, _now: Moment) {
        self.link_up = false;
        self.due = None;
        if let Some(request) = &mut self.request {
            request.left = 0;
        }
    }

    /// The cluster's presence was heard, and it is not a last will.
    pub fn presence(&mut self, _now: Moment, term: Term) {
        if term > self.newest.term && !mutant!(PresenceNotHeard) {
            self.newest = Epoch { term, feed: 0 };
            self.buffer.clear();
        }
    }

    /// A subscription of this stream's live topic was confirmed.
    pub fn subscribed(&mut self, _now: Moment) {
        self.unsure = true;
    }

    /// A slice of an answer, to this stream or to another (those are dropped).
    pub fn page(&mut self, now: Moment, page: Page) {
        let Some(request) = &self.request else {
            return;
        };
        let of_it = page.rid == request.rid || mutant!(RidUnchecked);
        let divided = Bitmap::read(&page.differs, request.digests.len()).is_some();
        if !of_it || !divided || !self.is_newest(page.epoch) || self.is_past(&page) {
            return;
        }
        self.stage(now, page);
    }

    /// Words instead of an answer.
    pub fn status(&mut self, now: Moment, status: &Status) {
        let Some(request) = &mut self.request else {
            return;
        };
        if request.rid != status.rid || status.epoch.term < self.newest.term {
            return;
        }
        self.heard = now;
        request.held(now, status.epoch, &mut self.pace, &self.settings);
        self.status = Some(status.state.clone());
        self.resource.clone_from(&status.resource);
    }

    /// A slice of a flush.
    pub fn live(&mut self, now: Moment, mut live: Live) {
        let of_this = self
            .place
            .as_ref()
            .is_some_and(|(id, _)| *id == live.stream);
        if !of_this || live.index >= live.count || live.prev > live.to {
            return;
        }
        if !self.is_newest(live.epoch) {
            return;
        }
        let here = live.epoch == self.copy.epoch;
        if here && live.to < self.copy.seq && !mutant!(ToBelowSeqApplied) {
            return;
        }
        self.heard = now;
        self.upstream_age = Duration::from_millis(live.upstream_age_ms);
        if here && live.to == self.copy.seq {
            return self.compare(&Step::of(now, &live));
        }
        if mutant!(BufferDroppedWhileOut) && self.request.is_some() {
            return;
        }
        let single = mutant!(SlicesAppliedSingly).then_some((0, 1));
        (live.index, live.count) = single.unwrap_or((live.index, live.count));
        let bound = self.settings.buffer_bytes.max(self.bytes);
        self.buffer.add(now, live, bound);
        self.apply();
    }

    /// The next thing to do, until there is none. `window`: how many pages the caller's other streams leave to this
    /// one; 0 puts a request off for a moment, and never a renewal.
    pub fn poll(&mut self, now: Moment, rids: &mut Rids, window: u32) -> Option<Ask> {
        if !self.link_up {
            return None;
        }
        if let Some(subscribe) = self.subscribe.take() {
            return Some(subscribe);
        }
        if let Some(fetch) = self.next_fetch(now) {
            return Some(fetch);
        }
        self.open_request(now, rids);
        let sync = self.ask(now, rids, window.min(self.settings.window));
        sync.or_else(|| self.renew(now)).map(Ask::Sync)
    }

    /// When to poll next at the latest.
    pub fn next_deadline(&self) -> Option<Moment> {
        if !self.link_up {
            return None;
        }
        if self.subscribe.is_some() || self.has_fetch_to_send() {
            return Some(Moment::AT_ONCE);
        }
        let renewal = (!mutant!(NoRenewal)).then(|| self.asked + self.settings.lease / 3);
        let request = match (&self.request, self.due) {
            (Some(request), _) => Some(request.next_deadline()),
            (None, Some(due)) => Some(due),
            (None, None) => self.reason_at(),
        };
        renewal.into_iter().chain(request).min()
    }

    /// The rid that is out: pages and statuses with it are this stream's.
    pub fn rid(&self) -> Option<u64> {
        self.request.as_ref().map(|request| request.rid)
    }

    /// Pages asked for that did not arrive yet, and may.
    pub fn outstanding(&self) -> u32 {
        self.request.as_ref().map_or(0, Request::outstanding)
    }

    /// Its source has never answered, if only with words.
    pub fn is_unanswered(&self) -> bool {
        self.pace.is_unknown()
    }

    /// The copy as it is: exactly a state that the source had.
    pub fn copy(&self) -> &Copy {
        &self.copy
    }

    /// What changed in the copy since this was last called, in order, each step whole.
    pub fn take_changes(&mut self) -> Vec<KeyChange> {
        std::mem::take(&mut self.changes)
    }

    /// A whole copy is held: from a cache perhaps, see [`Reflector::proven`].
    pub fn synced(&self) -> bool {
        self.copy.seq > 0
    }

    /// The source has said of a copy in this reflector's life that it is what it has: none that came from a cache is
    /// to be shown as anything else than old before that.
    pub fn proven(&self) -> bool {
        self.current_at.is_some()
    }

    /// The moment at which the copy was surely no older than the API server's state; none before the first answer, or
    /// before a cached copy was confirmed.
    pub fn current_at(&self) -> Option<Moment> {
        self.current_at
    }

    /// The age to show to people: never less than the truth but for the transit.
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.current_at.map(|at| now.since(at))
    }

    /// The age is at most 2.5 heartbeats.
    pub fn fresh(&self, now: Moment) -> bool {
        self.age(now)
            .is_some_and(|age| age <= self.settings.stale_after())
    }

    /// What the source last said instead of an answer; none once there was one.
    pub fn last_status(&self) -> Option<&State> {
        self.status.as_ref()
    }

    /// What the user's word was resolved to, as far as it was told.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The stream's identity and its live topic, once a page told them.
    pub fn place(&self) -> Option<(StreamId, &str)> {
        self.place.as_ref().map(|(id, topic)| (*id, topic.as_str()))
    }

    /// How far the answer that is under way has come.
    pub fn received(&self) -> Received {
        let stage = self.request.as_ref().map(|request| &request.stage);
        stage.map_or(Received::default(), |stage| Received {
            pages: stage.pages() as u64,
            bytes: stage.bytes() as u64,
        })
    }

    /// For how long the source has not heard its API server, as last told; zero while it does.
    pub fn upstream_age(&self) -> Duration {
        self.upstream_age
    }

    /// The API server's clock.
    pub fn server_clock(&self) -> Option<ServerClock> {
        self.clock
    }

    /// Bytes of flushes that wait to be applied.
    pub fn buffered(&self) -> usize {
        self.buffer.bytes()
    }

    /// Counters since the start.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// R1 Newest. What is older than the newest epoch heard of is dropped. *Else a stuck old source and a live one take
    /// turns, and the faster one wins for ever.*
    fn is_newest(&mut self, epoch: Epoch) -> bool {
        if epoch < self.newest && !mutant!(NoNewest) {
            return false;
        }
        if epoch != self.newest {
            self.newest = epoch;
            self.buffer.clear();
        }
        true
    }

    /// The copy never goes back.
    fn is_past(&self, page: &Page) -> bool {
        if mutant!(NoNewest) {
            return false;
        }
        if mutant!(RidUnchecked) {
            return false;
        }
        (page.epoch, page.seq) < (self.copy.epoch, self.copy.seq)
    }

    fn stage(&mut self, now: Moment, mut page: Page) {
        let Some(request) = &mut self.request else {
            return;
        };
        let place = (page.stream, std::mem::take(&mut page.live_topic));
        let (last, upstream_age_ms, now_ms) = (page.last, page.upstream_age_ms, page.now_ms);
        let staged = request.stage.add(page);
        if staged == Staged::Dropped {
            return;
        }
        request.answered(now, last, &mut self.pace, &self.settings);
        if request.stage.cost() > self.settings.answer_bytes {
            request.start_over(now + self.settings.status_hold);
            self.status = Some(too_large(self.settings.answer_bytes));
            return;
        }
        self.status = None;
        self.upstream_age = Duration::from_millis(upstream_age_ms);
        self.clock = Some(ServerClock { now_ms, at: now });
        self.locate(place);
        if staged == Staged::Whole || (last && mutant!(HalfAnAnswerShown)) {
            self.switch(now);
        }
    }

    /// The source says which stream this is, and where its changes appear.
    fn locate(&mut self, place: (StreamId, String)) {
        if self.place.as_ref() == Some(&place) {
            return;
        }
        let topic = place.1.clone();
        let instead_of = self.place.replace(place).map(|(_, topic)| topic);
        if instead_of.as_ref() != Some(&topic) {
            self.subscribe = Some(Ask::Subscribe { topic, instead_of });
        }
    }

    /// R7 Older. The answer of a new writer may be older than what the writer before had told: its list was begun
    /// earlier, or its watch lags. It is asked again until it has caught up. *Else a row goes back in time.*
    ///
    /// Older is what does not reach up to the last change that is held, by the API server's count (comparable by
    /// KEP-5504). Who says so for long, and whose API server answers, is believed: a backup was restored.
    fn goes_back(&mut self, now: Moment, request: &Request) -> bool {
        let (stage, up_to) = (&request.stage, request.stage.versions().up_to);
        let anew = stage
            .header()
            .is_some_and(|header| header.epoch != self.copy.epoch);
        if !anew || up_to == 0 || up_to >= self.copy.changed || mutant!(OlderAnswerShown) {
            return false;
        }
        let older = self.older.get_or_insert(Older {
            since: now,
            times: 0,
        });
        if stage.upstream_age_ms() > 0 {
            older.since = now;
        }
        let wait = self.settings.timeout.0 * 2_u32.saturating_pow(older.times.min(16));
        older.times += 1;
        let goes_back = now.since(older.since) < self.settings.restored_after;
        if goes_back {
            self.due = Some(now + wait.min(self.settings.timeout.1));
        }
        goes_back
    }

    /// R7 Switch. The whole answer becomes the copy in one step, if its digest is what the source says: nothing else is
    /// ever shown.
    fn switch(&mut self, now: Moment) {
        let Some(request) = self.request.take() else {
            return;
        };
        if self.goes_back(now, &request) {
            return;
        }
        let next = Next::of_answer(&self.copy, &request, &self.doubted, &self.settings);
        let Some(next) = next else {
            return self.failed(now);
        };
        self.doubted.clear();
        self.failures = 0;
        self.older = None;
        self.diverged = false;
        self.tally.answers += 1;
        self.become_next(next);
        self.copy.changed = request.stage.versions().changed;
        let age = Duration::from_millis(request.stage.upstream_age_ms());
        let since = request.snapshot_since(self.copy.epoch);
        self.was_current(since - age);
        // What answers an old request is old: it may have been made long before it arrived.
        self.heard = self.heard.max(since);
        self.reached();
        self.apply();
    }

    /// An answer was no good: ask for everything, and not too often.
    fn failed(&mut self, now: Moment) {
        self.tally.divergences += 1;
        self.diverged = true;
        self.failures += 1;
        let wait = self.settings.timeout.0 * 2_u32.saturating_pow(self.failures.min(16));
        self.due = Some(now + wait.min(self.settings.timeout.1));
    }

    /// R3 Apply. While nothing is out (and the backing of a thin copy keeps up), whole flushes that follow on the copy are
    /// applied, each in one step. *Else a gap is jumped, or a late duplicate moves the copy back; and while a request is
    /// out, the buckets that agreed are no longer what was asked about.*
    fn apply(&mut self) {
        while self.may_apply()
            && let Some(number) = self.buffer.fitting(self.copy.seq)
        {
            if self.lacks_bases(number) {
                return;
            }
            let Some((step, changes)) = self.buffer.take(number) else {
                return;
            };
            let (copy, bases) = (&self.copy, &self.bases);
            let next = Next::of_flush(copy, &step, changes, bases, &self.settings);
            if !mutant!(BasesKept) {
                self.bases.clear();
            }
            let Some(next) = next else {
                self.tally.divergences += 1;
                self.diverged = true;
                return;
            };
            self.tally.flushes += 1;
            self.become_next(next);
            self.compare(&step);
            self.reached();
        }
    }

    fn may_apply(&self) -> bool {
        let frozen = self.request.is_some() && !mutant!(NotFrozen);
        !frozen && self.doubted.is_empty() && !self.is_full() && self.copy.epoch == self.newest
    }

    fn become_next(&mut self, next: Next) {
        self.copy = next.copy;
        self.changes.extend(next.changes);
        self.bytes = self.bytes.saturating_add_signed(next.grown);
    }

    /// What the buffer knows of states up to the copy's.
    fn reached(&mut self) {
        if self.copy.epoch == self.newest
            && let Some(step) = self.buffer.reached(self.copy.seq)
        {
            self.compare(&step);
        }
    }

    /// R4 Compare. Who names my state names its digest. *Else a silent divergence stays.* If it agrees, the copy was
    /// current when that left the source, less the age of the source's own knowledge.
    fn compare(&mut self, step: &Step) {
        if step.digest == self.copy.digest || mutant!(NoDigestCompared) {
            self.was_current(step.arrived - step.upstream_age);
            self.copy.changed = step.changed;
            self.unsure = false;
        } else if self.request.is_none() {
            self.tally.divergences += 1;
            self.diverged = true;
        }
    }

    fn was_current(&mut self, at: Moment) {
        self.current_at = self.current_at.max(Some(at));
    }
}

fn too_large(bytes: usize) -> State {
    State::Refused {
        code: 413,
        reason: "RequestEntityTooLarge".to_owned(),
        message: format!(
            "the collection is larger than the {bytes} bytes that are allowed for one"
        ),
    }
}

#[cfg(test)]
impl Reflector {
    /// Changes a byte of the copy, as if it had been put there wrongly, or (not `counted`) behind everybody's back.
    pub(super) fn corrupt(&mut self, pick: usize, counted: bool) -> bool {
        let entries = self.copy.entries.clone();
        let Some((key, value)) = entries.iter().nth(pick % entries.len().max(1)) else {
            return false;
        };
        let mut bytes = value.to_vec();
        let at = pick % bytes.len();
        bytes[at] ^= 0x55;
        self.copy.entries.insert(key.clone(), bytes.into());
        if counted {
            self.copy.digest = self.copy.count_digest();
        }
        true
    }

    /// A request is out or about to be, or a gap is given its time to heal.
    pub(super) fn is_asking(&self, now: Moment) -> bool {
        let quiet = self.buffer.quiet_since();
        let heals = quiet.is_some_and(|since| now <= since + self.pace.grace(&self.settings));
        let fetches = self.fetch.is_some() && self.fetch_over_at().is_none_or(|at| now <= at);
        self.request.is_some() || self.due.is_some() || heals || fetches || self.is_full()
    }

    /// The source is asked for what the backing lacks of this key.
    pub(super) fn doubts(&self, key: &[u8]) -> bool {
        self.doubted.contains(key)
    }

    /// This fetch is the one that a flush waits for.
    pub(super) fn waits_for(&self, number: u64) -> bool {
        self.fetch.as_ref().is_some_and(|fetch| fetch.is(number))
    }

    /// No flush waits.
    pub(super) fn holds_nothing_back(&self) -> bool {
        self.buffer.is_empty()
    }
}
