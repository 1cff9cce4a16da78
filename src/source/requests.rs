//! From the words of a selection to the stream that they mean.

use super::{Refusal, Resolved, Upstream, UpstreamError};
use crate::protocol::message::{Selection, State, StreamId, Sync, View};
use crate::replica::{Session, Target};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Resolutions under way at most: what comes on top is asked again by its consumer.
const UNDER_WAY: usize = 64;
/// Selections remembered at most before those that are not served are forgotten.
const REMEMBERED: usize = 4096;
/// Requests of one user that wait for the API server at most.
const WAITING_PER_USER: usize = 256;
/// What waits longer is asked for again by who is still there.
const LONGEST_LEASE_S: u32 = 600;

/// A request whose words were resolved, or not.
pub(super) struct Outcome {
    pub(super) from: Session,
    pub(super) sync: Sync,
    pub(super) result: Result<Resolved, UpstreamError>,
}

/// The requests that wait for an answer of the API server before they can become the publisher's.
pub(super) struct Requests {
    upstream: Arc<dyn Upstream>,
    known: HashMap<Selection, Target>,
    under_way: JoinSet<Outcome>,
    /// Those whose API server was away: the newest of each session and selection, until its lease ends.
    waiting: HashMap<(Session, Selection), (Sync, Instant)>,
}

impl Requests {
    pub(super) fn new(upstream: Arc<dyn Upstream>) -> Self {
        Self {
            upstream,
            known: HashMap::new(),
            under_way: JoinSet::new(),
            waiting: HashMap::new(),
        }
    }

    /// The stream that a selection means, if it was resolved before.
    pub(super) fn known(&self, selection: &Selection) -> Option<&Target> {
        self.known.get(selection)
    }

    /// Whether so much is remembered that what is not served has to be forgotten first.
    pub(super) fn is_full(&self) -> bool {
        self.known.len() >= REMEMBERED
    }

    /// Forgets what means a stream that is not served.
    pub(super) fn prune(&mut self, served: impl Fn(StreamId) -> bool) {
        self.known.retain(|_, target| served(target.stream));
    }

    /// Remembers what a selection means, while there is room: one stream has any number of spellings.
    pub(super) fn learn(&mut self, selection: Selection, target: Target) {
        if !self.is_full() {
            self.known.insert(selection, target);
        }
    }

    /// Forgets whatever means a stream that is no longer served.
    pub(super) fn forget(&mut self, stream: StreamId) {
        self.known.retain(|_, target| target.stream != stream);
    }

    /// Starts to resolve a request's words. Its outcome comes out of [`Requests::next`].
    pub(super) fn resolve(&mut self, from: Session, sync: Sync) {
        if self.under_way.len() >= UNDER_WAY {
            return;
        }
        let upstream = Arc::clone(&self.upstream);
        self.under_way.spawn(async move {
            let result = match sync.selection.view {
                View::Source => Ok(source()),
                _ => upstream.resolve(&sync.selection).await,
            };
            Outcome { from, sync, result }
        });
    }

    /// The next request that was resolved, or not; never ends.
    pub(super) async fn next(&mut self) -> Outcome {
        loop {
            match self.under_way.join_next().await {
                Some(Ok(outcome)) => return outcome,
                // A resolution that panicked is asked for again by its consumer.
                Some(Err(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }

    /// Keeps a request until the API server answers again, its lease ends, or its session leaves.
    pub(super) fn wait(&mut self, from: Session, sync: Sync, now: Instant) {
        let of_user = self.waiting.keys().filter(|(who, _)| who.user == from.user);
        if self.waiting.len() < REMEMBERED && of_user.count() < WAITING_PER_USER {
            let until = now + Duration::from_secs(sync.lease_s.min(LONGEST_LEASE_S).into());
            self.waiting
                .insert((from, sync.selection.clone()), (sync, until));
        }
    }

    /// A session does not want to know any more.
    pub(super) fn leave(&mut self, from: &Session, selection: &Selection) {
        self.waiting.remove(&(from.clone(), selection.clone()));
    }

    /// Those that still wait: who, and for which request.
    pub(super) fn waiting(&mut self, now: Instant) -> impl Iterator<Item = (&Session, u64)> {
        self.waiting.retain(|_, (_, until)| *until > now);
        self.waiting
            .iter()
            .map(|((from, _), (sync, _))| (from, sync.rid))
    }

    /// The API server answers: resolves those that wait, as many as may be under way. To be called again and again.
    pub(super) fn resume(&mut self) {
        let room = UNDER_WAY.saturating_sub(self.under_way.len());
        let next: Vec<_> = self.waiting.keys().take(room).cloned().collect();
        for key in next {
            if let Some((sync, _)) = self.waiting.remove(&key) {
                self.resolve(key.0, sync);
            }
        }
    }
}

/// The view `source` is no resource of the API server.
fn source() -> Resolved {
    Resolved {
        version: "v1".into(),
        ..Resolved::own(View::Source, "source", "Source", "")
    }
}

/// A refusal as a status says it.
pub(super) fn refused(refusal: Refusal) -> State {
    let Refusal {
        code,
        reason,
        message,
    } = refusal;
    State::Refused {
        code,
        reason,
        message,
    }
}
