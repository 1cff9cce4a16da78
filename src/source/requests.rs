//! From the words of a selection to the stream that they mean.

use super::{Refusal, Resolved, Upstream, UpstreamError};
use crate::protocol::message::{Selection, State, StreamId, Sync, View};
use crate::replica::{Session, Target};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Resolutions under way at most: what comes on top is asked again by its consumer.
const UNDER_WAY: usize = 64;
/// Selections remembered at most before those that are not served are forgotten.
const REMEMBERED: usize = 4096;

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
    /// Those whose API server was away: the newest of each session and selection.
    waiting: HashMap<(Session, Selection), Sync>,
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

    /// Remembers what a selection means; `served` tells which streams must not be forgotten.
    pub(super) fn learn(
        &mut self,
        selection: Selection,
        target: Target,
        served: impl Fn(StreamId) -> bool,
    ) {
        if self.known.len() >= REMEMBERED {
            self.known.retain(|_, target| served(target.stream));
        }
        self.known.insert(selection, target);
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

    /// Keeps a request until the API server answers again.
    pub(super) fn wait(&mut self, from: Session, sync: Sync) {
        if self.waiting.len() < REMEMBERED {
            self.waiting.insert((from, sync.selection.clone()), sync);
        }
    }

    /// Those that wait: who, and for which request.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&Session, u64)> {
        self.waiting
            .iter()
            .map(|((from, _), sync)| (from, sync.rid))
    }

    /// Resolves all that wait: the API server answers again.
    pub(super) fn resume(&mut self) {
        for ((from, _), sync) in std::mem::take(&mut self.waiting) {
            self.resolve(from, sync);
        }
    }
}

/// The view `source` is no resource of the API server.
fn source() -> Resolved {
    Resolved {
        group: String::new(),
        version: "v1".into(),
        plural: "source".into(),
        kind: "Source".into(),
        namespaced: false,
        watchable: true,
        namespace: String::new(),
        labels: String::new(),
        fields: String::new(),
        view: View::Source,
        managed_fields: false,
        secret_values: false,
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
