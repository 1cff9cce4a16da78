//! Which contexts answer.

use super::contexts::Contexts;
use super::fleet::login;
use futures::future::join_all;
use mqtt_informer::kubernetes::{Kubernetes, Login};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::source::Upstream;
use std::time::Duration;
use tokio::time::Instant;

/// What one context said when it was asked who it is.
#[derive(Clone, Debug)]
pub struct Probed {
    /// The context.
    pub name: ClusterName,
    /// Its own namespace.
    pub namespace: String,
    /// The API server's version: `v1.36.3`; in words why there is none.
    pub version: Result<String, String>,
}

impl Contexts {
    /// Asks all of them at once, in the order of their names. None takes longer than `timeout`, but for one that has
    /// the terminal.
    pub async fn probe(&self, timeout: Duration) -> Vec<Probed> {
        let login = login(self, timeout);
        let own = self.namespaces();
        let probes = own.into_iter().map(|(name, namespace)| async move {
            let version = self.version(&name, login, timeout).await;
            Probed {
                name,
                namespace,
                version,
            }
        });
        join_all(probes).await
    }

    async fn version(
        &self,
        name: &ClusterName,
        login: Login,
        timeout: Duration,
    ) -> Result<String, String> {
        let begin = Instant::now();
        let cluster = Kubernetes::of_context(&self.kubeconfig, name.as_str(), login).await;
        let cluster = cluster.map_err(|error| error.to_string())?;
        // The time that a person took to log in is not the API server's.
        let begin = match login {
            Login::AtTerminal(_) => Instant::now(),
            Login::Unattended(_) => begin,
        };
        match tokio::time::timeout_at(begin + timeout, cluster.identify()).await {
            Ok(identity) => Ok(identity?.kubernetes_version),
            Err(_) => Err(format!(
                "no answer within {timeout:?}: --timeout waits longer"
            )),
        }
    }
}
