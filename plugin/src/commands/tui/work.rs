//! What the screen wants once, and logs, between it and the informer.

use crate::commands::describe;
use crate::commands::reader::Limits;
use crate::tui::event::{Described, RequestId, What};
use futures::future::{self, BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use mqtt_informer::informer::Informer;
use mqtt_informer::informer::log::{LogPosition, LogReader, LogRequest};
use mqtt_informer::protocol::logs::LogSelection;
use mqtt_informer::protocol::names::ClusterName;

/// All that is under way.
pub(super) struct Work {
    limits: Limits,
    informer: Option<Informer>,
    descriptions: FuturesUnordered<BoxFuture<'static, What>>,
    logs: Vec<(RequestId, LogReader)>,
}

impl Work {
    /// Nothing is under way.
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            informer: None,
            descriptions: FuturesUnordered::new(),
            logs: Vec::new(),
        }
    }

    /// There is an informer now.
    pub(super) fn attach(&mut self, informer: &Informer) {
        self.informer = Some(informer.clone());
    }

    /// Nothing can be selected, and so nothing described or read, before there is an informer.
    pub(super) fn describe(&self, request: RequestId, described: Described) {
        if let Some(informer) = self.informer.clone() {
            let limits = self.limits;
            let described = async move {
                let answer =
                    describe::text(informer, limits, &described.resource, &described.object).await;
                What::Described(request, answer)
            };
            self.descriptions.push(described.boxed());
        }
    }

    pub(super) fn read_log(
        &mut self,
        request: RequestId,
        cluster: &ClusterName,
        log: LogSelection,
        after: Option<LogPosition>,
    ) {
        if let Some(informer) = &self.informer {
            let wanted = LogRequest {
                log,
                after,
                patience: self.limits.timeout,
            };
            self.logs.push((request, informer.log(cluster, wanted)));
        }
    }

    pub(super) fn close_log(&mut self, request: RequestId) {
        self.logs.retain(|(known, _)| *known != request);
    }

    /// What comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> What {
        let descriptions = &mut self.descriptions;
        let described = async {
            match descriptions.next().await {
                Some(what) => what,
                None => future::pending().await,
            }
        };
        let logs = self.logs.iter_mut().map(|(request, reader)| {
            let request = *request;
            async move {
                match reader.next().await {
                    Some(event) => What::Log(request, event),
                    // It has ended, and said so.
                    None => future::pending().await,
                }
            }
            .boxed()
        });
        let logs: Vec<_> = logs.collect();
        let log = async {
            match logs.is_empty() {
                true => future::pending().await,
                false => future::select_all(logs).await.0,
            }
        };
        tokio::select! {
            what = described => what,
            what = log => what,
        }
    }

    /// What has come already, if anything has.
    pub(super) fn ready(&mut self) -> Option<What> {
        self.next().now_or_never()
    }
}
