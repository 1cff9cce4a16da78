//! One cluster of a `get`: its streams, and what has become of each.

use super::messages::{self, Doubt, Refusal};
use super::plan::Way;
use crate::table::{Malformed, Resource};
use bytes::Bytes;
use mqtt_informer::informer::{Freshness, Notice, Obstacle, Progress, Snapshot, StreamState};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;
use std::time::Duration;

/// A moment, as the time since the command began.
pub type At = Duration;

/// After its last will a cluster that was just heard may still be answering.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One stream as its reader sees it now.
#[derive(Clone, Debug, Default)]
pub struct StreamView {
    /// What it is doing.
    pub state: StreamState,
    /// When its source was last heard; none if never.
    pub heard: Option<At>,
    /// The copy.
    pub snapshot: Snapshot,
    /// What changed since the view before.
    pub changes: Vec<Notice>,
    /// How far the API server's clock is ahead of this machine's, in ms.
    pub clock_ahead_ms: i64,
}

/// What may be said of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An answer may still come.
    Pending,
    /// The copy is whole.
    Whole,
    /// The copy is whole and may be old.
    Stale(Doubt),
    /// There will be no answer.
    Failed(Trouble),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The source's last will came.
    Offline,
    /// Nothing was heard for so long as was allowed.
    Silent,
    /// Something stands in the way of an answer.
    Obstructed(Obstacle),
    /// The API server does not answer its source.
    ApiServerAway {
        /// For how long.
        since: Duration,
        /// What happened.
        message: String,
    },
    /// The API server, or the source, said no.
    Refused(Refusal),
    /// The whole took too long.
    TooSlow,
    /// What came was no answer.
    Malformed,
}

/// What the standing of all streams depends on.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The moment.
    pub at: At,
    /// The end of discovery has come: an offline presence would have been corrected.
    pub discovered: bool,
    /// Since when the broker is connected; none while it is not.
    pub link_up: Option<At>,
    /// For how long a cluster may be silent.
    pub timeout: Duration,
    /// The whole may last until then.
    pub end: Option<At>,
}

/// One cluster that is asked.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: ClusterName,
    /// Its presence was heard; otherwise it was only named.
    pub known: bool,
    /// Its presence is a last will.
    pub offline: bool,
    /// When it was asked.
    asked: At,
    streams: Vec<Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    view: StreamView,
    /// Changes not taken yet: what each key was, and what it is.
    changes: BTreeMap<Bytes, (Option<Bytes>, Option<Bytes>)>,
}

/// A whole answer to one target.
#[derive(Debug)]
pub struct Answer {
    /// What its values are of.
    pub resource: Resource,
    /// The API server's clock, ms since 1970.
    pub now_ms: i64,
    /// The values in the order of their keys.
    pub values: Vec<Bytes>,
}

impl Member {
    /// A cluster that is asked for this many targets from now on.
    pub fn new(name: ClusterName, targets: usize, asked: At) -> Self {
        Self {
            name,
            known: false,
            offline: false,
            asked,
            streams: std::iter::repeat_with(Stream::default)
                .take(targets)
                .collect(),
        }
    }

    /// Takes a newer view of a target's stream. One of no target is ignored.
    pub fn see(&mut self, target: usize, mut view: StreamView) {
        let Some(stream) = self.streams.get_mut(target) else {
            return;
        };
        for Notice { key, old, new } in std::mem::take(&mut view.changes) {
            stream.changes.entry(key).or_insert((old, None)).1 = new;
        }
        stream.view = view;
    }

    /// How each target stands.
    pub fn standings(&self, circumstances: &Circumstances) -> Vec<Standing> {
        self.streams
            .iter()
            .map(|stream| self.standing(&stream.view, circumstances))
            .collect()
    }

    /// When a standing may change without anything being heard.
    pub fn deadline(&self, circumstances: &Circumstances) -> Option<At> {
        let pending =
            |stream: &&Stream| self.standing(&stream.view, circumstances) == Standing::Pending;
        let silence = |stream: &Stream| {
            let last = self.last_heard(&stream.view, circumstances)? + circumstances.timeout;
            let gone = stream
                .view
                .heard
                .filter(|_| self.offline)
                .map(|heard| heard + LAST_WORDS);
            gone.into_iter().chain([last]).min()
        };
        self.streams
            .iter()
            .filter(pending)
            .filter_map(silence)
            .chain(circumstances.end)
            .min()
    }

    /// The answer to a target.
    ///
    /// # Errors
    /// When it has no header.
    pub fn answer(&self, target: usize, wall_ms: i64) -> Result<Answer, Malformed> {
        let view = &self.streams.get(target).ok_or(Malformed)?.view;
        let values = view
            .snapshot
            .entries
            .iter()
            .filter(|(key, _)| !key.is_empty());
        Ok(Answer {
            resource: self.resource(target)?,
            now_ms: wall_ms.saturating_add(view.clock_ahead_ms),
            values: values.map(|(_, value)| value.clone()).collect(),
        })
    }

    /// What changed in a target's stream since this was last called, in the order of the keys: each key once, from
    /// what it was to what it is.
    pub fn take_changes(&mut self, target: usize) -> Vec<(Option<Bytes>, Option<Bytes>)> {
        let changes = self
            .streams
            .get_mut(target)
            .map(|stream| std::mem::take(&mut stream.changes));
        let changes = changes.unwrap_or_default().into_iter();
        changes
            .filter(|(key, (old, new))| !key.is_empty() && old != new)
            .map(|(_, change)| change)
            .collect()
    }

    /// The clock of a target's API server, ms since 1970.
    pub fn now_ms(&self, target: usize, wall_ms: i64) -> i64 {
        let ahead = self
            .streams
            .get(target)
            .map_or(0, |stream| stream.view.clock_ahead_ms);
        wall_ms.saturating_add(ahead)
    }

    /// What a target's stream has values of.
    ///
    /// # Errors
    /// When its header is missing or none.
    pub fn resource(&self, target: usize) -> Result<Resource, Malformed> {
        let view = &self.streams.get(target).ok_or(Malformed)?.view;
        let header = view.snapshot.entries.get(&Bytes::new()).ok_or(Malformed)?;
        Resource::from_header(header)
    }

    /// Items and bytes received so far, for a line of progress.
    pub fn progress(&self) -> (u64, u64) {
        let of = |stream: &Stream| match stream.view.state.progress {
            Progress::Listing(items) => (items, 0),
            Progress::Receiving(bytes) => (0, bytes),
            _ => (0, 0),
        };
        self.streams
            .iter()
            .map(of)
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn standing(&self, view: &StreamView, circumstances: &Circumstances) -> Standing {
        let state = &view.state;
        if let Progress::Refused {
            reason, message, ..
        } = &state.progress
        {
            let (reason, message) = (reason.clone(), message.clone());
            return Standing::Failed(Trouble::Refused(Refusal { reason, message }));
        }
        if state.synced {
            return match self.doubt(state, circumstances) {
                Some(doubt) => Standing::Stale(doubt),
                None => Standing::Whole,
            };
        }
        match self.trouble(view, circumstances) {
            Some(trouble) => Standing::Failed(trouble),
            None => Standing::Pending,
        }
    }

    fn doubt(&self, state: &StreamState, circumstances: &Circumstances) -> Option<Doubt> {
        if self.offline && circumstances.discovered {
            return Some(Doubt::Offline);
        }
        match (&state.upstream_down, state.freshness) {
            (Some(down), _) => Some(Doubt::ApiServerAway(down.since)),
            (None, Freshness::Stale) if circumstances.link_up.is_none() => Some(Doubt::BrokerAway),
            (None, Freshness::Stale) => Some(Doubt::Unheard),
            (None, Freshness::Fresh | Freshness::Unknown) => None,
        }
    }

    fn trouble(&self, view: &StreamView, circumstances: &Circumstances) -> Option<Trouble> {
        let Circumstances { at, timeout, .. } = *circumstances;
        if circumstances.end.is_some_and(|end| at >= end) {
            return Some(Trouble::TooSlow);
        }
        let just_heard = view.heard.is_some_and(|heard| at < heard + LAST_WORDS);
        if self.offline && circumstances.discovered && !just_heard {
            return Some(Trouble::Offline);
        }
        if let Some(forbidden @ Obstacle::Forbidden { .. }) = &view.state.obstacle {
            return Some(Trouble::Obstructed(forbidden.clone()));
        }
        if let Some(down) = &view.state.upstream_down
            && (down.since >= timeout || at >= self.asked + timeout)
        {
            let (since, message) = (down.since, down.message.clone());
            return Some(Trouble::ApiServerAway { since, message });
        }
        let last = self.last_heard(view, circumstances)?;
        let silent = match &view.state.obstacle {
            Some(obstacle) => Trouble::Obstructed(obstacle.clone()),
            None => Trouble::Silent,
        };
        (at >= last + timeout).then_some(silent)
    }

    /// From when silence counts; none while the link is down.
    fn last_heard(&self, view: &StreamView, circumstances: &Circumstances) -> Option<At> {
        let up = circumstances.link_up?;
        Some(up.max(self.asked).max(view.heard.unwrap_or_default()))
    }

    /// The line that tells a trouble of this cluster.
    pub fn line(
        &self,
        trouble: &Trouble,
        timeout: Duration,
        request_timeout: Duration,
        way: Way,
    ) -> String {
        match trouble {
            Trouble::Offline => messages::offline(&self.name),
            Trouble::Silent => match way {
                Way::Broker => messages::silent(&self.name, timeout, self.known),
                Way::Direct => messages::api_server_silent(&self.name, timeout),
            },
            Trouble::Obstructed(obstacle) => messages::obstructed(&self.name, obstacle),
            Trouble::ApiServerAway { since, message } => {
                messages::api_server_away(&self.name, *since, message)
            }
            Trouble::Refused(refusal) => messages::refused(&self.name, refusal),
            Trouble::TooSlow => messages::too_slow(&self.name, request_timeout),
            Trouble::Malformed => messages::malformed(&self.name),
        }
    }
}
