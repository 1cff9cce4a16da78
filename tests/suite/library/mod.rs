//! The library's face over an in-process link: builder, stores, many clusters, and kube-rs's events.

mod clusters;
mod events;
mod logs;

use mqtt_informer::informer::{Clusters, Informer};
use mqtt_informer::link::memory::MemoryBroker;
use mqtt_informer::playground::{Playground, Served, Spec};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::replica::Settings;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// How long anything may take; nothing waits for it in vain when all is well.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Everything ten times as fast: H is 200 ms.
pub(super) fn settings() -> Settings {
    Settings {
        heartbeat: Duration::from_millis(200),
        first_timeout: Duration::from_millis(200),
        lease: Duration::from_secs(6),
        linger: Duration::from_millis(500),
        settle: Duration::from_millis(20),
        ..Settings::default()
    }
}

pub(super) fn name(name: &str) -> ClusterName {
    ClusterName::new(name).unwrap()
}

/// A cluster in this process, and its syncer.
pub(super) struct Cluster {
    pub(super) playground: Playground,
    pub(super) served: Option<Served>,
    broker: MemoryBroker,
    name: ClusterName,
}

impl Cluster {
    pub(super) async fn start(broker: &MemoryBroker, called: &str) -> Self {
        let mut cluster = Self {
            playground: Playground::start(Spec::empty()).await.unwrap(),
            served: None,
            broker: broker.clone(),
            name: name(called),
        };
        cluster.serve().await;
        cluster
    }

    pub(super) async fn serve(&mut self) {
        let served = self
            .playground
            .serve_with(&self.broker, &self.name, settings());
        self.served = Some(served.await.unwrap());
    }

    pub(super) fn put(&self, name: &str, value: &str) {
        self.playground.put(
            "configmaps",
            json!({"metadata": {"name": name, "namespace": "shop"}, "data": {"v": value}}),
        );
    }

    pub(super) fn delete(&self, name: &str) {
        self.playground.delete("configmaps", "shop", name);
    }
}

pub(super) fn informer(broker: &MemoryBroker, clusters: &[&str]) -> Informer {
    Informer::builder()
        .connection(broker.connect("viewer", "-", None))
        .settings(settings())
        .clusters(Clusters::new(clusters).unwrap())
        .start()
        .unwrap()
}

pub(super) fn config_maps() -> Selection {
    Selection {
        resource: "configmaps".into(),
        namespace: "shop".into(),
        view: View::Objects,
        ..Selection::default()
    }
}

pub(super) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("{what} did not happen"))
}
