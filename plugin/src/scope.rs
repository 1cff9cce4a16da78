//! Where a command finds its clusters: through a broker, or by kubeconfig contexts.

use crate::direct::{self, Contexts, Direct};
use crate::error::Failure;
use crate::get::plan::Way;
use crate::get::{ClusterSelector, Groups, Namespaces};
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::Informer;
use mqtt_informer::link::mqtt;
use mqtt_informer::replica::Settings;
use std::time::Duration;

/// How long a goodbye to the broker may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Where the clusters are.
#[derive(Clone, Debug)]
pub enum Place {
    /// Behind this broker.
    Broker(BrokerArgs),
    /// Here, one a context.
    Contexts(Contexts),
}

impl Place {
    /// What is said of a silent cluster depends on it.
    pub fn way(&self) -> Way {
        match self {
            Self::Broker(_) => Way::Broker,
            Self::Contexts(_) => Way::Direct,
        }
    }
}

/// What all of a command's words have in common.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Where the clusters are.
    pub place: Place,
    /// The groups of the configuration file.
    pub groups: Groups,
    /// `--namespace` is on the command line, not merely in the environment or the configuration file.
    pub namespace_is_typed: bool,
    /// `--context` is.
    pub context_is_typed: bool,
}

impl Scope {
    /// A broker, and nothing else said.
    pub fn broker(broker: BrokerArgs) -> Self {
        Self {
            place: Place::Broker(broker),
            groups: Groups::new(),
            namespace_is_typed: false,
            context_is_typed: false,
        }
    }

    /// The clusters that are meant; `words` are those of `--cluster`.
    pub fn selector(&self, words: &[String]) -> Result<ClusterSelector, Failure> {
        match &self.place {
            Place::Broker(_) => {
                ClusterSelector::new("--cluster", words, &self.groups).map_err(Failure::because)
            }
            Place::Contexts(contexts) => Ok(contexts.selector().clone()),
        }
    }

    /// The namespaces that are meant. A context's own is what is meant there, unless another one was typed.
    pub fn namespaces(&self, all: bool, named: Option<&str>) -> Namespaces {
        match &self.place {
            _ if all => Namespaces::All,
            Place::Contexts(contexts) if !self.namespace_is_typed => {
                Namespaces::each(contexts.namespaces())
            }
            _ => Namespaces::One(named.unwrap_or("default").to_owned()),
        }
    }

    /// Starts to talk to the broker, or to the contexts' API servers, of which each may be silent for so long.
    pub async fn attach(&self, timeout: Duration) -> Result<Attached, Failure> {
        match &self.place {
            Place::Broker(broker) => Ok(Attached::Broker(connect(broker)?)),
            Place::Contexts(contexts) => {
                let login = direct::login(contexts, timeout);
                Ok(Attached::Direct(Direct::start(contexts, login).await?))
            }
        }
    }
}

/// A way to the clusters that is open.
pub enum Attached {
    /// A connection to a broker.
    Broker(Informer),
    /// Sources in this process.
    Direct(Direct),
}

impl Attached {
    /// What copies the clusters' streams.
    pub fn informer(&self) -> &Informer {
        match self {
            Self::Broker(informer) => informer,
            Self::Direct(direct) => &direct.informer,
        }
    }

    /// Leaves the broker with a goodbye, so that no lease has to run out; or ends all that was started.
    pub async fn leave(self) {
        match self {
            Self::Broker(informer) => {
                // A broker that does not take it is not waited for.
                let _ = tokio::time::timeout(GOODBYE, informer.close()).await;
            }
            Self::Direct(direct) => direct.stop().await,
        }
    }
}

fn connect(broker: &BrokerArgs) -> Result<Informer, Failure> {
    let topics = broker.topics()?;
    let prefix = broker.client_id.as_deref().unwrap_or("mqi");
    let options = broker.options(format!("{prefix}-{:08x}", random()))?;
    let connection = mqtt::connect(options).map_err(Failure::because)?;
    Informer::start(connection, topics, Settings::default()).map_err(Failure::because)
}

/// Tells this process from another with the same --client-id.
fn random() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    let hash = RandomState::new().hash_one(std::process::id());
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}
