//! Which logs to open, as pods and containers come, restart and go.

use super::pods::{Container, Pod};
use super::request::{Request, Subject};
use mqtt_informer::informer::log::{LogEnd, LogPosition, LogSelection};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// The time since the command began.
pub type At = Duration;

/// Time until a log that ended is looked at again although its container runs on: the first, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// One container of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// Where.
    pub cluster: ClusterName,
    /// Its pod's namespace.
    pub namespace: String,
    /// Its pod.
    pub pod: String,
    /// Its name.
    pub container: String,
}

/// A log to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Of which container.
    pub id: Id,
    /// On which node.
    pub node: String,
    /// Which part.
    pub log: LogSelection,
    /// Behind which line of an instance before.
    pub after: Option<LogPosition>,
}

/// What became of a container's log.
#[derive(Debug)]
struct Log {
    uid: String,
    node: String,
    /// The container's, when the log was last opened.
    restarts: u64,
    /// As the pod says now.
    now: Container,
    state: State,
    /// How often it was opened for one instance.
    openings: u32,
}

#[derive(Debug)]
enum State {
    /// It has not run yet.
    Waiting,
    /// It will be opened: from there on, if it was open before; only a part of it, if not.
    Queued {
        after: Option<LogPosition>,
        whole: bool,
    },
    Open,
    /// It ended; to be looked at again then.
    Ended {
        after: Option<LogPosition>,
        again: Option<At>,
    },
    Refused,
}

/// Keeps track of the logs of a command.
#[derive(Debug)]
pub struct Tracker {
    request: Request,
    logs: BTreeMap<Id, Log>,
    queue: VecDeque<Id>,
    open: usize,
    /// Clusters whose pods were seen.
    seen: BTreeSet<ClusterName>,
    notices: Vec<String>,
    without_container: Option<String>,
    met_any: bool,
}

/// More logs than may be open at once are to be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} logs are to be followed, and {1} may be: say more exactly whose, or raise --max-log-requests"
)]
pub struct TooMany(usize, usize);

impl Tracker {
    /// One that knows of no pod.
    pub fn new(request: Request) -> Self {
        Self {
            request,
            logs: BTreeMap::new(),
            queue: VecDeque::new(),
            open: 0,
            seen: BTreeSet::new(),
            notices: Vec::new(),
            without_container: None,
            met_any: false,
        }
    }

    /// The pods of a cluster as they are now. Returns in words what is wrong with what was asked of them.
    pub fn pods(&mut self, cluster: &ClusterName, pods: &[Pod]) -> Vec<String> {
        let first = self.seen.insert(cluster.clone());
        if !first && !self.request.part.follow {
            return Vec::new();
        }
        let mut wrong = Vec::new();
        let meant: Vec<_> = pods
            .iter()
            .filter(|pod| self.is_meant(pod.name()))
            .collect();
        self.met_any |= !meant.is_empty();
        for pod in &meant {
            match pod.choose(&self.request.containers) {
                Ok(chosen) => {
                    if first && meant.len() == 1 {
                        self.notices.extend(chosen.notice);
                    }
                    for container in chosen.containers {
                        self.container(cluster, pod, container, first);
                    }
                }
                Err(words) if matches!(self.request.subject, Subject::Pod(_)) => wrong.push(words),
                // Among many pods some do not have it.
                Err(words) => self.without_container = Some(words),
            }
        }
        self.forget_gone(cluster, &meant);
        wrong
    }

    /// Why a pod that is meant has no log that is: in kubectl's words, of one of them.
    pub fn without_container(&self) -> Option<&str> {
        self.without_container.as_deref()
    }

    /// Whether there ever was a pod that is meant.
    pub fn met_any(&self) -> bool {
        self.met_any
    }

    /// Whether a pod is meant by its name.
    pub fn is_meant(&self, pod: &str) -> bool {
        match &self.request.subject {
            Subject::Matching(Some(regex)) => regex.is_match(pod),
            Subject::Pod(name) => pod == name,
            Subject::Matching(None) | Subject::SelectedBy { .. } => true,
        }
    }

    /// The next log to open.
    ///
    /// # Errors
    /// When more are to be followed than may be.
    pub fn next_opening(&mut self) -> Result<Option<Opening>, TooMany> {
        let most = self.request.most;
        if self.request.part.follow && self.open + self.queue.len() > most {
            return Err(TooMany(self.open + self.queue.len(), most));
        }
        while self.open < most {
            let Some(id) = self.queue.pop_front() else {
                break;
            };
            if let Some(opening) = self.opening(&id) {
                self.open += 1;
                return Ok(Some(opening));
            }
        }
        Ok(None)
    }

    /// A log came to its end.
    pub fn ended(&mut self, id: &Id, end: &LogEnd, after: Option<LogPosition>, at: At) {
        let follow = self.request.part.follow;
        // The end of a log whose pod was made anew meanwhile says nothing about the new one's.
        let is_open = |log: &&mut Log| matches!(log.state, State::Open);
        let Some(log) = self.logs.get_mut(id).filter(is_open) else {
            return;
        };
        self.open = self.open.saturating_sub(1);
        if matches!(end, LogEnd::Refused { .. }) {
            log.state = State::Refused;
            return;
        }
        // The pod's status comes another way, and often later: one that says "it runs" may be old news.
        let wait = AGAIN.0 * 2_u32.saturating_pow(log.openings.saturating_sub(1).min(8));
        let again = (follow && log.now.runs).then(|| at + wait.min(AGAIN.1));
        log.state = State::Ended { after, again };
        self.reconsider(id);
    }

    /// What is due.
    pub fn wake(&mut self, at: At) {
        let due =
            |log: &Log| matches!(log.state, State::Ended { again: Some(again), .. } if again <= at);
        let ids: Vec<_> = self
            .logs
            .iter()
            .filter(|(_, log)| due(log))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.queue_again(&id);
        }
    }

    /// When to wake it at the latest.
    pub fn deadline(&self) -> Option<At> {
        self.logs
            .values()
            .filter_map(|log| match &log.state {
                State::Ended { again, .. } => *again,
                _ => None,
            })
            .min()
    }

    /// Lines for stderr that kubectl has too.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Nothing is open, and nothing is to be opened.
    pub fn is_idle(&self) -> bool {
        self.open == 0 && self.queue.is_empty()
    }

    /// The containers whose logs have not begun, since they have not run; and whether they still may.
    pub fn waiting(&self) -> impl Iterator<Item = (&Id, bool)> {
        self.logs
            .iter()
            .filter(|(_, log)| matches!(log.state, State::Waiting))
            .map(|(id, log)| (id, !log.now.is_over))
    }

    /// No container was ever meant.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// There were logs to read, and every one was refused.
    pub fn all_refused(&self) -> bool {
        let refused = |log: &Log| matches!(log.state, State::Refused);
        !self.logs.is_empty() && self.logs.values().all(refused)
    }

    /// How many containers were meant.
    pub fn len(&self) -> usize {
        self.logs.len()
    }

    fn container(&mut self, cluster: &ClusterName, pod: &Pod, now: Container, first: bool) {
        let id = Id {
            cluster: cluster.clone(),
            namespace: pod.namespace().to_owned(),
            pod: pod.name().to_owned(),
            container: now.name.clone(),
        };
        let follow = self.request.part.follow;
        if let Some(log) = self.logs.get_mut(&id).filter(|log| log.uid == pod.uid()) {
            log.now = now;
            return self.reconsider(&id);
        }
        // A pod that was asked for by name is asked although it has not run: the API server says why not.
        let by_name = matches!(self.request.subject, Subject::Pod(_));
        let opens = now.has_run || (by_name && !follow) || self.request.part.previous;
        let log = Log {
            uid: pod.uid().to_owned(),
            node: pod.node().to_owned(),
            restarts: now.restarts,
            now,
            state: match opens {
                true => State::Queued {
                    after: None,
                    whole: !first,
                },
                false => State::Waiting,
            },
            openings: 0,
        };
        if opens {
            self.queue.push_back(id.clone());
        }
        if let Some(Log {
            state: State::Open, ..
        }) = self.logs.insert(id, log)
        {
            // Its reader is told by the log's end, which then means nothing any more; it counts no longer.
            self.open = self.open.saturating_sub(1);
        }
    }

    /// A container that has begun, or begun anew.
    fn reconsider(&mut self, id: &Id) {
        let Some(log) = self.logs.get_mut(id) else {
            return;
        };
        match &mut log.state {
            State::Waiting if log.now.has_run => {
                log.restarts = log.now.restarts;
                log.state = State::Queued {
                    after: None,
                    whole: true,
                };
                self.queue.push_back(id.clone());
            }
            State::Ended { .. } | State::Refused
                if log.now.restarts > log.restarts
                    && log.now.has_run
                    && self.request.part.follow =>
            {
                log.openings = 0;
                self.queue_again(id);
            }
            State::Ended { again, .. } if !log.now.runs => *again = None,
            _ => {}
        }
    }

    fn queue_again(&mut self, id: &Id) {
        if let Some(log) = self.logs.get_mut(id) {
            let after = match &mut log.state {
                State::Ended { after, .. } => after.take(),
                _ => None,
            };
            log.restarts = log.now.restarts;
            log.state = State::Queued { after, whole: true };
            self.queue.push_back(id.clone());
        }
    }

    fn opening(&mut self, id: &Id) -> Option<Opening> {
        let log = self.logs.get_mut(id)?;
        let State::Queued { after, whole } = &mut log.state else {
            return None;
        };
        let mut part = self.request.part.clone();
        if *whole {
            // All of it was written while somebody followed.
            (part.tail, part.since_s, part.from_s) = (None, None, None);
        }
        let opening = Opening {
            id: id.clone(),
            node: log.node.clone(),
            after: after.take(),
            log: LogSelection {
                namespace: id.namespace.clone(),
                pod: id.pod.clone(),
                container: id.container.clone(),
                ..part
            },
        };
        log.state = State::Open;
        log.openings += 1;
        Some(opening)
    }

    /// Logs of pods that are gone are read to their end, and not opened again.
    fn forget_gone(&mut self, cluster: &ClusterName, pods: &[&Pod]) {
        self.logs.retain(|id, log| {
            id.cluster != *cluster
                || matches!(log.state, State::Open)
                || pods.iter().any(|pod| pod.uid() == log.uid)
        });
        for (id, log) in &mut self.logs {
            if id.cluster == *cluster && !pods.iter().any(|pod| pod.uid() == log.uid) {
                log.now.runs = false;
            }
        }
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
