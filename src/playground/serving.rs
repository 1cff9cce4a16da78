//! A playground on a broker in this process: a whole cluster, as a consumer sees one, for tests and examples.

use super::Playground;
use crate::kubernetes::{ConfigurationError, Kubernetes};
use crate::link::LastWill;
use crate::link::memory::MemoryBroker;
use crate::protocol::names::ClusterName;
use crate::protocol::topics::Topics;
use crate::replica::Settings;
use crate::source::{Health, Options, Source};
use std::sync::Arc;
use tokio::sync::watch;

/// A playground that is served; it says goodbye to the broker when this is dropped.
pub struct Served {
    _stop: watch::Sender<bool>,
}

/// Why a playground is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServeError {
    /// Its own address is none, which it never is.
    #[error("the playground's address {0:?} is no URL")]
    Address(String),
    /// No client could be made for its API server.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
}

impl Playground {
    /// Serves it as `cluster` on a broker in this process, as a syncer would: on the default topics, with the default
    /// settings. Consumers connect to the same broker. Only inside of a tokio runtime.
    ///
    /// # Errors
    /// When no client can be made for its own API server.
    pub async fn serve(
        &self,
        broker: &MemoryBroker,
        cluster: &ClusterName,
    ) -> Result<Served, ServeError> {
        self.serve_with(broker, cluster, Settings::default()).await
    }

    /// The same with other settings, which have to be the consumers' as well: for tests that cannot wait.
    ///
    /// # Errors
    /// As [`Playground::serve`].
    pub async fn serve_with(
        &self,
        broker: &MemoryBroker,
        cluster: &ClusterName,
        settings: Settings,
    ) -> Result<Served, ServeError> {
        let address = |_| ServeError::Address(self.url().to_owned());
        let url = self.url().parse().map_err(address)?;
        let upstream = Arc::new(Kubernetes::open(url).await?);
        let source = Source::new(Options {
            cluster: cluster.clone(),
            role: "syncer",
            labels: vec![("simulated".into(), "true".into())],
            retained: true,
            topics: Topics::default(),
            settings,
        })
        .with_logs();
        let (topic, payload) = source.last_will();
        let last_will = LastWill {
            topic,
            payload,
            retain: true,
        };
        let control = broker.connect(cluster.as_str(), cluster.as_str(), Some(last_will));
        let bulk = broker.connect(&format!("{cluster}-bulk"), cluster.as_str(), None);
        let (stop, stopped) = watch::channel(false);
        let health = watch::Sender::new(Health::default());
        tokio::spawn(async move {
            if let Err(error) = source.run(control, bulk, upstream, health, stopped).await {
                tracing::error!(%error, "a playground is served no more");
            }
        });
        Ok(Served { _stop: stop })
    }
}
