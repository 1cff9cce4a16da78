//! The upstreams that run: one task a stream, however many viewers.

use super::{Event, Resolved, Upstream};
use crate::protocol::message::StreamId;
use crate::replica::Opening;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How many events of all streams may wait for the driver; the watchers behind them wait then, and so does the API
/// server.
const WAITING: usize = 256;

/// An event of one opening of one stream.
pub(super) type Told = (StreamId, Opening, Event);

/// What is served, and the tasks that bring it.
pub(super) struct Streams {
    upstream: Arc<dyn Upstream>,
    resolved: HashMap<StreamId, Resolved>,
    running: HashMap<StreamId, AbortHandle>,
    told: mpsc::Sender<Told>,
}

impl Streams {
    pub(super) fn new(upstream: Arc<dyn Upstream>) -> (Self, mpsc::Receiver<Told>) {
        let (told, events) = mpsc::channel(WAITING);
        (
            Self {
                upstream,
                resolved: HashMap::new(),
                running: HashMap::new(),
                told,
            },
            events,
        )
    }

    /// Forgets what does not run: nobody was let in, or nobody is left. Not those in `keep`.
    pub(super) fn prune(&mut self, keep: &[StreamId]) {
        let running = &self.running;
        self.resolved
            .retain(|stream, _| running.contains_key(stream) || keep.contains(stream));
    }

    /// Remembers what a stream is, before the publisher may want to open it.
    pub(super) fn know(&mut self, stream: StreamId, resolved: &Resolved) {
        self.resolved
            .entry(stream)
            .or_insert_with(|| resolved.clone());
    }

    /// What a stream is.
    pub(super) fn resolved(&self, stream: StreamId) -> Option<&Resolved> {
        self.resolved.get(&stream)
    }

    /// Whether a stream's upstream runs.
    pub(super) fn is_running(&self, stream: StreamId) -> bool {
        self.running.contains_key(&stream)
    }

    /// Starts a stream's upstream, or starts it anew.
    pub(super) fn open(&mut self, stream: StreamId, opening: Opening) {
        let Some(resolved) = self.resolved.get(&stream).cloned() else {
            return;
        };
        let task = tokio::spawn(run(
            Arc::clone(&self.upstream),
            resolved,
            (stream, opening),
            self.told.clone(),
        ));
        if let Some(before) = self.running.insert(stream, task.abort_handle()) {
            before.abort();
        }
    }

    /// Ends a stream's upstream and forgets the stream.
    pub(super) fn close(&mut self, stream: StreamId) {
        self.resolved.remove(&stream);
        if let Some(task) = self.running.remove(&stream) {
            task.abort();
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.running.values().for_each(AbortHandle::abort);
    }
}

/// Runs an upstream and names its events, until either side ends.
async fn run(
    upstream: Arc<dyn Upstream>,
    resolved: Resolved,
    name: (StreamId, Opening),
    told: mpsc::Sender<Told>,
) {
    let (events, mut received) = mpsc::channel(16);
    let forward = async {
        while let Some(event) = received.recv().await {
            if told.send((name.0, name.1, event)).await.is_err() {
                return;
            }
        }
    };
    let run = async {
        upstream.run(&resolved, events).await;
        // What it told last is still forwarded; that ends by itself.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = run => {}
        () = forward => {}
    }
}
