//! A real MQTT 5 broker in this process (crate mqtt5): for the demo, and for tests that want sockets.
//!
//! It keeps everything in memory and lets everybody in: so give it a loopback address.

use mqtt5::broker::config::{StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Several of our messages (64 KiB each); the default of 256 MB would let a stranger fill the memory.
const MAX_PACKET: usize = 1 << 20;

/// What may wait for a client that reads slowly: a whole answer of 64 pages many times over, and a burst of small
/// messages.
const MAX_QUEUED_MESSAGES: usize = 50_000;
const MAX_QUEUED_BYTES: usize = 64 << 20;

/// How long a stop waits for clients to be told.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running broker. It ends, without a goodbye to its clients, when this is dropped.
pub struct EmbeddedBroker {
    address: SocketAddr,
    shutdown: BrokerShutdownHandle,
    task: JoinHandle<()>,
}

/// Why there is no broker: one line.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a broker on {listen}: {reason}")]
pub struct StartError {
    listen: SocketAddr,
    reason: String,
    kind: Option<io::ErrorKind>,
}

impl StartError {
    /// What the system said, if it was the system that said no.
    #[must_use]
    pub fn kind(&self) -> Option<io::ErrorKind> {
        self.kind
    }
}

impl EmbeddedBroker {
    /// Starts a broker; port 0 takes a free one. It accepts connections when this returns.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(listen: SocketAddr) -> Result<Self, StartError> {
        let failed = |reason: &str| StartError {
            listen,
            reason: reason.to_owned(),
            kind: None,
        };
        // The library words a failure to listen over many lines; this has the system's own word for it.
        TcpListener::bind(listen).map_err(|error| StartError {
            kind: Some(error.kind()),
            ..failed(&error.to_string())
        })?;
        let mut broker = MqttBroker::with_config(config(listen))
            .await
            .map_err(|error| failed(&error.to_string()))?;
        let address = broker
            .local_addr()
            .ok_or_else(|| failed("it has no address"))?;
        let shutdown = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let task = tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                tracing::error!(%error, "the embedded broker ended");
            }
        });
        ready
            .wait_for(|ready| *ready)
            .await
            .map_err(|_| failed("it ended at once"))?;
        Ok(Self {
            address,
            shutdown,
            task,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL for [`super::BrokerOptions`].
    pub fn url(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Waits until it has ended by itself, which it does not when all is well; the log says why it did.
    pub async fn ended(&mut self) {
        let _ = (&mut self.task).await;
    }

    /// Tells its clients goodbye and ends.
    pub async fn stop(mut self) {
        self.shutdown.shutdown();
        let _ = tokio::time::timeout(PATIENCE, &mut self.task).await;
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config(listen: SocketAddr) -> BrokerConfig {
    let storage = StorageConfig::new()
        .with_backend(StorageBackend::Memory)
        .with_persistence(false)
        .with_max_queued_messages_per_client(MAX_QUEUED_MESSAGES)
        .with_max_queued_bytes_per_client(MAX_QUEUED_BYTES);
    let mut config = BrokerConfig::default()
        .with_bind_address(listen)
        .with_storage(storage)
        .with_max_packet_size(MAX_PACKET)
        .with_session_expiry(Duration::ZERO);
    config.sys_topics_enabled = false; // they would wake an idle machine for nobody
    config
}
