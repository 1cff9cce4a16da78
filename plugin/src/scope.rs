//! Where a command finds its clusters: through a broker, or by kubeconfig contexts.

use crate::cache::Cache;
use crate::commands::{ClusterArgs, ReachArgs};
use crate::direct::{self, Contexts, Direct};
use crate::error::Failure;
use crate::get::plan::Way;
use crate::get::{ClusterSelector, Groups, Namespaces};
use crate::terminal::Terminal;
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::{Informer, Keeper};
use mqtt_informer::link::mqtt;
use mqtt_informer::protocol::selector::LabelSelector;
use std::sync::Arc;
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
    /// What earlier commands have kept.
    pub cache: Option<Arc<Cache>>,
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
            cache: None,
            groups: Groups::new(),
            namespace_is_typed: false,
            context_is_typed: false,
        }
    }

    /// The clusters that are meant.
    pub fn selector(&self, clusters: &ClusterArgs) -> Result<ClusterSelector, Failure> {
        let labels = clusters
            .cluster_selector
            .as_deref()
            .map(LabelSelector::parse);
        let labels = labels
            .transpose()
            .map_err(|error| Failure::because(format!("--cluster-selector: {error}")))?;
        match &self.place {
            Place::Broker(_) => {
                let every = |name: &String| if name == "all" { "*" } else { name }.to_owned();
                let names: Vec<_> = clusters.cluster.iter().map(every).collect();
                ClusterSelector::new("--cluster", &names, &self.groups)
                    .map(|selector| selector.labelled(labels))
                    .map_err(Failure::because)
            }
            Place::Contexts(_) if labels.is_some() => Err(Failure::because(
                "--cluster-selector and --context cannot be used together: contexts have no labels",
            )),
            Place::Contexts(contexts) => Ok(contexts.selector().clone()),
        }
    }

    /// The namespaces that are meant. A context's own is what is meant there, unless another one was typed.
    pub fn namespaces(&self, reach: &ReachArgs) -> Namespaces {
        // As in kubectl: nothing is no namespace's name.
        let named = reach.namespace.namespace.as_deref();
        let named = named.filter(|name| !name.is_empty());
        match &self.place {
            _ if reach.all_namespaces => Namespaces::All,
            Place::Contexts(contexts) if named.is_none() || !self.namespace_is_typed => {
                Namespaces::each(contexts.namespaces())
            }
            _ => Namespaces::One(named.unwrap_or("default").to_owned()),
        }
    }

    /// Starts to talk to the broker, or to the contexts' API servers, of which each may be silent for so long.
    pub async fn attach(&self, timeout: Duration) -> Result<Attached, Failure> {
        match &self.place {
            Place::Broker(broker) => Ok(Attached::Broker(self.connect(broker)?)),
            Place::Contexts(contexts) => {
                let login = direct::login(contexts, timeout);
                Ok(Attached::Direct(Direct::start(contexts, login).await?))
            }
        }
    }
}

impl Scope {
    fn connect(&self, broker: &BrokerArgs) -> Result<Informer, Failure> {
        let builder = Informer::builder().topics(broker.topics()?);
        let builder = match &self.cache {
            Some(cache) if cache.is_offline() => {
                let keeper: Arc<dyn Keeper> = cache.clone();
                return builder
                    .offline(keeper, cache.clusters())
                    .start()
                    .map_err(Failure::because);
            }
            Some(cache) => builder.keeper(cache.clone()),
            None => builder,
        };
        let prefix = broker.client_id.as_deref().unwrap_or("mqi");
        let options = broker.options(format!("{prefix}-{:08x}", random()))?;
        let connection = mqtt::connect(options).map_err(Failure::because)?;
        builder
            .connection(connection)
            .start()
            .map_err(Failure::because)
    }

    /// Whether what earlier commands have kept is all that there is.
    pub fn is_offline(&self) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.is_offline())
    }

    /// Waits until what was looked at is kept; says what is to be said of the cache.
    pub fn finish(&self, terminal: &mut Terminal) -> Result<(), Failure> {
        let lines = self.cache.as_ref().map(|cache| cache.finish());
        for line in lines.unwrap_or_default() {
            terminal.err(&line)?;
        }
        Ok(())
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

/// Tells this process from another with the same --client-id.
fn random() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    let hash = RandomState::new().hash_one(std::process::id());
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}
