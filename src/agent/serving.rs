//! What an agent serves: its cluster, as a syncer does, and the status of its hub's work.

use crate::kubernetes::Kubernetes;
use crate::protocol::message::{LogSelection, Selection, View};
use crate::protocol::names::ClusterName;
use crate::source::{BoxFuture, Event, Held, Identity, Refusal, Resolved, Upstream, UpstreamError};
use bytes::Bytes;
use tokio::sync::{mpsc, watch};

/// The upstream of an agent's source.
pub(super) struct Serving {
    kubernetes: Kubernetes,
    hub: String,
    status: watch::Receiver<Held>,
}

impl Serving {
    pub(super) fn new(
        kubernetes: Kubernetes,
        hub: &ClusterName,
        status: watch::Receiver<Held>,
    ) -> Self {
        Self {
            kubernetes,
            hub: hub.as_str().to_owned(),
            status,
        }
    }

    fn status_of(&self, hub: &str) -> Result<Resolved, UpstreamError> {
        if hub != self.hub {
            let message = format!(
                "this agent does the work of the hub {:?}, not of {hub:?}",
                self.hub
            );
            let (code, reason) = (404, "NotFound".into());
            return Err(UpstreamError::Refused(Refusal {
                code,
                reason,
                message,
            }));
        }
        Ok(Resolved::own(View::Status, "status", "Status", hub))
    }
}

impl Upstream for Serving {
    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        match selection.view {
            View::Status => Box::pin(async { self.status_of(&selection.namespace) }),
            _ => self.kubernetes.resolve(selection),
        }
    }

    fn run<'a>(
        &'a self,
        selection: &'a Resolved,
        events: mpsc::Sender<Event>,
    ) -> BoxFuture<'a, ()> {
        match selection.view {
            View::Status => Box::pin(Held::serve(self.status.clone(), events)),
            _ => self.kubernetes.run(selection, events),
        }
    }

    fn log<'a>(
        &'a self,
        log: &'a LogSelection,
        pieces: mpsc::Sender<Bytes>,
    ) -> BoxFuture<'a, Result<(), UpstreamError>> {
        self.kubernetes.log(log, pieces)
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), String>> {
        self.kubernetes.probe()
    }

    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>> {
        self.kubernetes.identify()
    }

    fn now_ms(&self) -> u64 {
        self.kubernetes.now_ms()
    }
}
