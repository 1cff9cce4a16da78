//! How an informer is made: where the broker is, as whom, and which clusters are meant.

use super::driver::Keeping;
use super::{Backing, Cluster, Clusters, Informer, Keeper};
use crate::link::memory::MemoryBroker;
use crate::link::{BrokerOptions, Connection, OptionsError, Password, mqtt};
use crate::protocol::names::{ClusterName, InvalidName};
use crate::protocol::topics::Topics;
use crate::replica::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Makes an [`Informer`]; see [`Informer::builder`].
#[must_use]
#[derive(Default)]
pub struct Builder {
    way: Way,
    login: Option<(String, Password)>,
    topics: Topics,
    settings: Settings,
    clusters: Clusters,
    keeping: Keeping,
    known: BTreeMap<ClusterName, Cluster>,
}

/// The way to the broker.
#[derive(Default)]
enum Way {
    #[default]
    None,
    Broker(Box<BrokerOptions>),
    Made(Connection),
}

/// Why there is no informer: each says what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Neither a broker nor a connection was given.
    #[error("no broker was named: give `broker(URL)`, `options(..)` or `connection(..)`")]
    NoBroker,
    /// Credentials belong to a broker's URL; a connection that was made has its own.
    #[error("credentials are for `broker(URL)`: a connection that is already made has its own")]
    CredentialsOfConnection,
    /// The broker's options contradict each other, or the URL is none.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The name by which the broker knows this program cannot be part of a topic.
    #[error("the user of this connection cannot be a topic's segment, choose another: {0}")]
    User(#[from] InvalidName),
    /// Connections and copies live in tasks.
    #[error("there is no tokio runtime here: start an informer inside of one")]
    NoRuntime,
}

impl Builder {
    /// The broker's URL: `tcp://`, `mqtts://`, `ws://` or `wss://`, then `HOST[:PORT]`.
    pub fn broker(self, url: impl Into<String>) -> Self {
        let id = format!("mqi-{:08x}", rand::random::<u32>());
        self.options(BrokerOptions::new(url, id))
    }

    /// The name and the password for the broker. Its ACL tells by the name who asks.
    pub fn credentials(self, name: impl Into<String>, password: impl Into<Password>) -> Self {
        Self {
            login: Some((name.into(), password.into())),
            ..self
        }
    }

    /// Everything that can be said of a connection to a broker: certificates, client id, quality of service.
    pub fn options(self, options: BrokerOptions) -> Self {
        Self {
            way: Way::Broker(Box::new(options)),
            ..self
        }
    }

    /// A connection that is already made, such as one in this process ([`crate::link::memory::MemoryBroker`]).
    pub fn connection(self, connection: Connection) -> Self {
        Self {
            way: Way::Made(connection),
            ..self
        }
    }

    /// Other topics than `/signal` and `/payload`.
    pub fn topics(self, topics: Topics) -> Self {
        Self { topics, ..self }
    }

    /// Other numbers than the protocol's own. Heartbeats have to be those of the sources.
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The clusters that [`Informer::watch_all`] follows; without this, all of them.
    pub fn clusters(self, clusters: Clusters) -> Self {
        Self { clusters, ..self }
    }

    /// Begins streams with what was kept of them, and gives copies away to be kept when their last reader leaves.
    pub fn keeper(mut self, keeper: Arc<dyn Keeper>) -> Self {
        self.keeping.keeper = Some(keeper);
        self
    }

    /// Holds no values but those that this has not stored: all copies are thin, and begin with what it has. They are
    /// for one reader each, which stores ([`super::Subscription::unsettled`]); a [`Builder::keeper`] is given none.
    pub fn thin(mut self, backing: Arc<dyn Backing>) -> Self {
        self.keeping.backing = Some(backing);
        self
    }

    /// No broker: the copies are those that were kept, of the clusters that are known from then, and stay as they are.
    /// How old they may be is unknown to it ([`super::Freshness::Unknown`]); a stream of which nothing is kept is
    /// refused.
    pub fn offline(
        self,
        keeper: Arc<dyn Keeper>,
        known: impl IntoIterator<Item = (ClusterName, Cluster)>,
    ) -> Self {
        Self {
            way: Way::Made(MemoryBroker::new().connect("offline", "-", None)),
            keeping: Keeping {
                keeper: Some(keeper),
                backing: None,
                is_offline: true,
            },
            known: known.into_iter().collect(),
            ..self
        }
    }

    /// Starts. Nothing was sent yet when it returns: a broker that cannot be reached is tried again for ever, and
    /// [`Informer::link_state`] says so.
    ///
    /// # Errors
    /// What is wrong with what was given; nothing that the network could answer.
    pub fn start(self) -> Result<Informer, StartError> {
        tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let connection = match (self.way, self.login) {
            (Way::None, _) => return Err(StartError::NoBroker),
            (Way::Made(_), Some(_)) => return Err(StartError::CredentialsOfConnection),
            (Way::Made(connection), None) => connection,
            (Way::Broker(mut options), login) => {
                if let Some((name, password)) = login {
                    (options.username, options.password) = (Some(name), Some(password));
                }
                mqtt::connect(*options)?
            }
        };
        Ok(Informer::begin(
            connection,
            (self.topics, self.settings),
            self.clusters,
            (self.keeping, self.known),
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::memory::MemoryBroker;

    fn error(builder: Builder) -> StartError {
        builder.start().err().unwrap()
    }

    #[tokio::test]
    async fn what_is_missing_or_wrong_is_said() {
        assert_eq!(error(Informer::builder()), StartError::NoBroker);
        let wrong = error(Informer::builder().broker("http://example.com"));
        assert!(matches!(&wrong, StartError::Options(_)), "{wrong}");
        let memory = || MemoryBroker::new().connect("viewer", "a/b", None);
        let twice = Informer::builder()
            .connection(memory())
            .credentials("me", "secret");
        assert_eq!(error(twice), StartError::CredentialsOfConnection);
        let wildcard = MemoryBroker::new().connect("viewer", "", None);
        let user = error(Informer::builder().connection(wildcard));
        assert!(matches!(&user, StartError::User(_)), "{user}");
    }

    #[test]
    fn outside_of_a_runtime_nothing_panics() {
        let builder = Informer::builder().broker("tcp://127.0.0.1:1");
        assert_eq!(error(builder), StartError::NoRuntime);
    }
}
