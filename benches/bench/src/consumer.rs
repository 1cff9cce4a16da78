//! A consumer of ours: in this process, or as one of its own whose memory is looked at.

use crate::arguments::{Form, Viewer};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use mqtt_informer::informer::{Informer, Progress, StreamState, Subscription};
use mqtt_informer::link::{BrokerOptions, mqtt};
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::Settings;
use std::io::{self, Read, Write};
use std::time::Duration;

/// How long anything may take before the measurement fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A connection and one stream on it.
pub(crate) struct Consumer {
    subscription: Subscription,
    _informer: Informer,
}

impl Consumer {
    /// Connects and subscribes; does not wait for anything.
    pub(crate) fn start(broker: &str, cluster: &str, namespace: &str, form: Form) -> Result<Self> {
        let id = format!("bench-{}-{:x}", std::process::id(), next());
        let connection = mqtt::connect(BrokerOptions::new(broker, id))?;
        let informer = Informer::start(connection, Topics::default(), Settings::default())?;
        let selection = Selection {
            resource: "pods".into(),
            namespace: namespace.into(),
            view: form.view(),
            ..Selection::default()
        };
        let subscription = informer.subscribe(&ClusterName::new(cluster)?, selection);
        Ok(Self {
            subscription,
            _informer: informer,
        })
    }

    /// Waits until a whole copy is held, and gives its number of objects.
    pub(crate) async fn synced(&self) -> Result<usize> {
        let mut state = self.subscription.store().state();
        let settled = |state: &StreamState| {
            state.synced || matches!(state.progress, Progress::Refused { .. })
        };
        let waited = tokio::time::timeout(PATIENCE, state.wait_for(settled)).await;
        let known = match waited {
            Ok(settled) => settled?.clone(),
            Err(_) => {
                let state = self.subscription.store().state().borrow().clone();
                bail!("no copy after {PATIENCE:?}: {state:?}")
            }
        };
        if let Progress::Refused { message, .. } = known.progress {
            bail!("refused: {message}");
        }
        Ok(self.objects())
    }

    /// Objects held: the header is none.
    pub(crate) fn objects(&self) -> usize {
        let entries = self.subscription.store().snapshot().entries;
        entries.len() - usize::from(entries.contains_key(&b""[..]))
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<Bytes> {
        self.subscription
            .store()
            .snapshot()
            .entries
            .get(key.as_bytes())
            .cloned()
    }

    /// Waits until the copy is as `wanted` says, looking whenever it changed.
    pub(crate) async fn until(&self, wanted: impl FnMut(&Self) -> bool) -> Result<()> {
        self.until_within(PATIENCE, wanted).await
    }

    async fn until_within(
        &self,
        patience: Duration,
        mut wanted: impl FnMut(&Self) -> bool,
    ) -> Result<()> {
        let mut versions = self.subscription.store().versions();
        let reached = async {
            while !wanted(self) {
                versions.changed().await?;
            }
            Ok(())
        };
        tokio::time::timeout(patience, reached)
            .await
            .context("the copy did not become what it should")?
    }
}

/// Tells the consumers of this process apart.
fn next() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A consumer as a process: copies, says how many objects it holds, and stays until its stdin ends.
pub(crate) fn main(arguments: &Viewer) -> Result<()> {
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let consumer = Consumer::start(
        &arguments.broker,
        &arguments.cluster,
        &arguments.namespace,
        arguments.form,
    )?;
    let objects = runtime.block_on(consumer.synced())?;
    let mut out = io::stdout();
    writeln!(out, "{objects}")?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The runtime of the programs that users run.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(2).enable_all().build()?)
}
