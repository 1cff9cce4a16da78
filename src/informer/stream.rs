//! One stream of the driver: its reflector, its readers, and what was last told to them.

use super::store::Signs;
use super::{
    Cluster, Freshness, Kept, Obstacle, Progress, Snapshot, Store, StreamState, UpstreamDown,
};
use crate::clock::Clock;
use crate::protocol::message::{Selection, State};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::Segment;
use crate::replica::{Copy, Moment, Reflector, Settings};
use std::time::Duration;

/// Which stream a reader wants: readers of one key share one reflector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StreamKey {
    pub(super) cluster: ClusterName,
    pub(super) selection: Selection,
}

/// A reflector and those who read its copy.
pub(super) struct Stream {
    pub(super) key: StreamKey,
    /// The cluster's name as topics spell it.
    pub(super) segment: Segment,
    pub(super) reflector: Reflector,
    pub(super) live_topic: Option<String>,
    /// The request that is out, as last noted.
    pub(super) rid: Option<u64>,
    /// Pages asked for and not received, as last counted.
    pub(super) outstanding: u32,
    /// Its source had never answered when that was last counted.
    pub(super) unanswered: bool,
    /// When the driver comes back to it.
    pub(super) deadline: Moment,
    /// When its source last answered.
    pub(super) heard: Option<Moment>,
    /// Why its request is not answered.
    pub(super) obstacle: Option<Obstacle>,
    /// When anything of it came last: an answer, a change, a heartbeat.
    pub(super) lived: Option<Moment>,
    readers: Vec<(u64, Store)>,
    /// Of a thin one: what its backing has.
    settled: Snapshot,
    settings: Settings,
    /// Nobody can be asked: what to say if nothing is kept.
    offline: Option<String>,
}

/// What a stream begins with.
#[derive(Default)]
pub(super) struct Beginning {
    /// What was kept of it.
    pub(super) cached: Option<Copy>,
    /// Nobody can be asked: what to say if nothing is kept.
    pub(super) offline: Option<String>,
}

impl Stream {
    pub(super) fn new(
        key: &StreamKey,
        settings: Settings,
        beginning: Beginning,
        now: Moment,
        seed: u64,
    ) -> Self {
        let (selection, cached) = (key.selection.clone(), beginning.cached);
        let reflector = Reflector::new(settings.clone(), selection, cached, now, seed);
        let settled = snapshot(reflector.copy());
        Self {
            key: key.clone(),
            segment: Segment::from(&key.cluster),
            reflector,
            live_topic: None,
            rid: None,
            outstanding: 0,
            unanswered: true,
            deadline: now,
            heard: None,
            obstacle: None,
            lived: None,
            readers: Vec::new(),
            settled,
            settings,
            offline: beginning.offline,
        }
    }

    /// Whether readers may see the copy: what was kept is shown when its source has proven it, or where it has none.
    fn is_shown(&self) -> bool {
        self.reflector.synced() && (self.reflector.proven() || self.offline.is_some())
    }

    /// The copy, to be kept: none that nobody has proven, and none whose values somebody else keeps.
    pub(super) fn kept(&self, source: Option<Cluster>, clock: Clock) -> Option<Kept> {
        if self.is_thin() {
            return None;
        }
        let proven = self.reflector.current_at()?;
        Some(Kept {
            cluster: self.key.cluster.clone(),
            selection: self.key.selection.clone(),
            source,
            copy: self.reflector.copy().clone(),
            proven: clock.instant(proven),
        })
    }

    /// Adds a reader; what is held already is news to it.
    pub(super) fn add_reader(&mut self, reader: u64, store: Store, clock: Clock) {
        if self.is_thin() {
            store.settle(self.settled.clone());
        }
        if self.is_shown() {
            store.write(self.snapshot(), self.signs(clock));
        }
        self.readers.push((reader, store));
    }

    /// The backing has this state. Its values are let go, in the readers' stores too.
    pub(super) fn settled(&mut self, settled: Snapshot) {
        if let Some(thin) = &settled.thin {
            self.reflector.settled(thin);
        }
        self.settled = settled;
        let snapshot = self.snapshot();
        for (_, store) in &self.readers {
            if store.holds(&snapshot) {
                store.let_go(snapshot.clone());
            }
        }
    }

    fn is_thin(&self) -> bool {
        self.reflector.copy().thin.is_some()
    }

    /// Removes a reader; answers how many are left.
    pub(super) fn remove_reader(&mut self, reader: u64) -> usize {
        self.readers.retain(|(number, _)| *number != reader);
        self.readers.len()
    }

    /// Whether two words of one cluster were resolved to one resource, all else being equal.
    pub(super) fn means_the_same(&self, other: &Self) -> bool {
        let rest = |stream: &Self| Selection {
            resource: String::new(),
            ..stream.key.selection.clone()
        };
        let resource = self.reflector.resource();
        !resource.is_empty()
            && self.segment == other.segment
            && resource == other.reflector.resource()
            && rest(self) == rest(other)
    }

    /// Its readers, for another stream.
    pub(super) fn into_readers(self) -> Vec<(u64, Store)> {
        self.readers
    }

    /// Shows the readers what changed: the copy first, then what the stream is doing.
    pub(super) fn show(&mut self, now: Moment, clock: Clock) {
        // Readers tell changes by themselves, each since it last looked.
        let changed = !self.reflector.take_changes().is_empty();
        let (state, shown) = (self.state(now), self.is_shown());
        let snapshot = self.snapshot();
        let signs = self.signs(clock);
        for (_, store) in &self.readers {
            if shown && (changed || !store.holds(&snapshot)) {
                store.write(snapshot.clone(), signs);
            } else {
                store.note(signs);
            }
            store.tell(&state);
        }
    }

    fn signs(&self, clock: Clock) -> Signs {
        let instant = |at| clock.instant(at);
        let server = self.reflector.server_clock();
        Signs {
            current_at: self.reflector.current_at().map(instant),
            heard_at: self.heard.map(instant),
            lived_at: self.lived.map(instant),
            clock: server.map(|server| (server.now_ms, instant(server.at))),
            stale_after: self.settings.stale_after(),
        }
    }

    /// When the reflector wants to be polled, or when the copy becomes stale, whichever comes first.
    pub(super) fn next_deadline(&self, now: Moment) -> Moment {
        let forever = Moment::from_micros(u64::MAX / 2);
        let stale = self
            .reflector
            .current_at()
            .map(|at| at + self.settings.stale_after() + Duration::from_millis(1));
        let stale = stale.filter(|at| *at > now);
        self.reflector
            .next_deadline()
            .into_iter()
            .chain(stale)
            .min()
            .unwrap_or(forever)
    }

    fn snapshot(&self) -> Snapshot {
        snapshot(self.reflector.copy())
    }

    fn state(&self, now: Moment) -> StreamState {
        StreamState {
            synced: self.is_shown(),
            progress: self.progress(),
            resource: self.reflector.resource().to_owned(),
            upstream_down: self.upstream_down(now),
            freshness: match (self.reflector.current_at(), self.reflector.fresh(now)) {
                (None, _) => Freshness::Unknown,
                (Some(_), true) => Freshness::Fresh,
                (Some(_), false) => Freshness::Stale,
            },
            obstacle: self.obstacle.clone(),
        }
    }

    fn progress(&self) -> Progress {
        if let (Some(message), false) = (&self.offline, self.is_shown()) {
            return Progress::Refused {
                code: 503,
                reason: String::new(),
                message: message.clone(),
            };
        }
        match self.reflector.last_status() {
            Some(State::Refused {
                code,
                reason,
                message,
            }) => Progress::Refused {
                code: *code,
                reason: reason.clone(),
                message: message.clone(),
            },
            _ if self.is_shown() => Progress::Synced,
            _ if self.reflector.received().pages > 0 => {
                Progress::Receiving(self.reflector.received().bytes)
            }
            Some(State::Listing { items }) => Progress::Listing(*items),
            Some(State::UpstreamDown { .. } | State::Serving) => Progress::Listing(0),
            None => Progress::Silent,
        }
    }

    /// As the source last said; its age goes on while the source itself is heard.
    fn upstream_down(&self, now: Moment) -> Option<UpstreamDown> {
        if let Some(State::UpstreamDown { since_ms, message }) = self.reflector.last_status() {
            return Some(UpstreamDown {
                since: Duration::from_millis(*since_ms),
                message: message.clone(),
            });
        }
        let stale_after = self.settings.stale_after();
        let since = self.lived.map(|at| now.since(at));
        let age = self.reflector.upstream_age() + since.filter(|since| *since <= stale_after)?;
        (age > stale_after).then(|| UpstreamDown {
            since: age,
            message: String::new(),
        })
    }
}

fn snapshot(copy: &Copy) -> Snapshot {
    Snapshot {
        epoch: copy.epoch,
        seq: copy.seq,
        entries: copy.entries.clone(),
        thin: copy.thin.clone(),
    }
}
