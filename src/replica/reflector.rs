//! One stream's consumer side: keeps a copy true.

use super::settings::Settings;
use super::time::Moment;
use crate::protocol::compress::Packer;
use crate::protocol::message::{Epoch, Live, Page, Selection, State, Status, Sync, Term};
use bytes::Bytes;
use imbl::OrdMap;
use std::time::Duration;

/// Request numbers: one counter for all streams and clusters of a session.
#[derive(Debug, Default)]
pub struct Rids(u64);

impl Rids {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// A state that the source had, whole. Cheap to clone. This is also what a disk cache writes, and reads back (rule R8).
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// The epoch of that state.
    pub epoch: Epoch,
    /// Its sequence number in that epoch; 0 = nothing was received yet.
    pub seq: u64,
    /// Key to unpacked value, in byte order of the keys; the empty key holds the stream's header.
    pub entries: OrdMap<Bytes, Bytes>,
    /// The digest of all entries.
    pub digest: u64,
    /// Unpacks what the source of this epoch sends.
    pub packer: Packer,
}

/// What became of one key, in one step. Whether the object kept its uid is the caller's to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The key.
    pub key: Bytes,
    /// Its value before; none if it is new.
    pub old: Option<Bytes>,
    /// Its value now; none if it is gone.
    pub new: Option<Bytes>,
}

/// What the driver is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Send this to the stream's source.
    Sync(Sync),
    /// Subscribe to the stream's live topic (and leave the one before, if any); call [`Reflector::subscribed`] for each
    /// SUBACK, also after a reconnect.
    Subscribe {
        /// The topic.
        topic: String,
        /// The one that it replaces.
        instead_of: Option<String>,
    },
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Pages staged.
    pub pages: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The API server's clock, as the last page told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    /// Its time, ms since 1970.
    pub now_ms: u64,
    /// When that arrived here.
    pub at: Moment,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests sent, re-asks included, renewals not.
    pub syncs: u64,
    /// Renewals sent.
    pub renewals: u64,
    /// Times that a digest was not what it should have been. Not zero is a bug of somebody's.
    pub divergences: u64,
    /// Flushes applied.
    pub flushes: u64,
    /// Answers switched to.
    pub answers: u64,
}

/// The consumer side of one stream. Never does IO and reads no clock.
#[derive(Debug)]
pub struct Reflector {
    copy: Copy,
}

impl Reflector {
    /// A copy of nothing, or of what a cache held (its digest is computed anew). `seed` spreads its requests. The link counts as down
    /// until [`Reflector::link_up`].
    pub fn new(
        _settings: Settings,
        _selection: Selection,
        cached: Option<Copy>,
        _now: Moment,
        _seed: u64,
    ) -> Self {
        Self {
            copy: cached.unwrap_or_default(),
        }
    }

    /// The link is up; subscriptions (the reply topic) are confirmed.
    pub fn link_up(&mut self, _now: Moment) {}

    /// The link is down: nothing is sent or counted until it is up again.
    pub fn link_down(&mut self, _now: Moment) {}

    /// The cluster's presence was heard, and it is not a last will.
    pub fn presence(&mut self, _now: Moment, _term: Term) {}

    /// A subscription of this stream's live topic was confirmed.
    pub fn subscribed(&mut self, _now: Moment) {}

    /// A slice of an answer, to this stream or to another (those are dropped).
    pub fn page(&mut self, _now: Moment, _page: Page) {}

    /// Words instead of an answer.
    pub fn status(&mut self, _now: Moment, _status: &Status) {}

    /// A slice of a flush.
    pub fn live(&mut self, _now: Moment, _live: Live) {}

    /// The next thing to do, until there is none. `window`: how many pages the caller's other streams leave to this one; 0 puts a
    /// request off until the next poll, and never a renewal.
    pub fn poll(&mut self, _now: Moment, _rids: &mut Rids, _window: u32) -> Option<Ask> {
        None
    }

    /// When to poll next at the latest.
    pub fn next_deadline(&self) -> Option<Moment> {
        None
    }

    /// The rid that is out: pages and statuses with it are this stream's.
    pub fn rid(&self) -> Option<u64> {
        None
    }

    /// Pages asked for that did not arrive yet.
    pub fn outstanding(&self) -> u32 {
        0
    }

    /// The copy as it is: exactly a state that the source had.
    pub fn copy(&self) -> &Copy {
        &self.copy
    }

    /// What changed in the copy since this was last called, in order, each step whole.
    pub fn take_changes(&mut self) -> Vec<KeyChange> {
        Vec::new()
    }

    /// A whole copy is held.
    pub fn synced(&self) -> bool {
        self.copy.seq > 0
    }

    /// The moment at which the copy was surely no older than the API server's state; none before the first answer, or before a cached copy was
    /// confirmed.
    pub fn current_at(&self) -> Option<Moment> {
        None
    }

    /// The age to show to people: never less than the truth but for the transit.
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.current_at().map(|at| now.since(at))
    }

    /// The age is at most 2.5 heartbeats.
    pub fn fresh(&self, _now: Moment) -> bool {
        false
    }

    /// What the source last said instead of an answer; none once there was one.
    pub fn last_status(&self) -> Option<&State> {
        None
    }

    /// What the user's word was resolved to, as far as it was told.
    pub fn resource(&self) -> &str {
        ""
    }

    /// How far the answer that is under way has come.
    pub fn received(&self) -> Received {
        Received::default()
    }

    /// For how long the source has not heard its API server, as last told; zero while it does.
    pub fn upstream_age(&self) -> Duration {
        Duration::ZERO
    }

    /// The API server's clock.
    pub fn server_clock(&self) -> Option<ServerClock> {
        None
    }

    /// Counters since the start.
    pub fn tally(&self) -> Tally {
        Tally::default()
    }
}
