//! One file a verb: its words, whose doc comments are the help, and what it does.

pub mod clusters;
pub mod demo;
pub mod get;
pub mod version;

use crate::error::Failure;
use clap::Args;
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::Informer;
use mqtt_informer::link::mqtt;
use mqtt_informer::replica::Settings;
use std::time::Duration;

/// How long a goodbye to the broker may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Which clusters a command is about.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterArgs {
    /// Which clusters: names, patterns with * and ?, and !name or !pattern for all but those. Default: all that are there.
    ///
    /// Exactly one name makes the output kubectl's own, byte for byte; otherwise a CLUSTER column comes first.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub cluster: Vec<String>,
}

/// Starts to talk to the broker.
pub fn connect(broker: &BrokerArgs) -> Result<Informer, Failure> {
    let topics = broker.topics()?;
    let prefix = broker.client_id.as_deref().unwrap_or("mqi");
    let options = broker.options(format!("{prefix}-{:08x}", random()))?;
    let connection = mqtt::connect(options).map_err(Failure::because)?;
    Informer::start(connection, topics, Settings::default()).map_err(Failure::because)
}

/// Leaves the broker with a goodbye, so that no lease has to run out.
pub async fn disconnect(informer: Informer) {
    let mut link = informer.link_state();
    drop(informer);
    // The state's writer goes when the driver has ended.
    let ended = async { while link.changed().await.is_ok() {} };
    let _ = tokio::time::timeout(GOODBYE, ended).await;
}

/// Tells this process from another with the same --client-id.
fn random() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    let hash = RandomState::new().hash_one(std::process::id());
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}
