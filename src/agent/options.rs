//! The agent's command line.

use crate::cli::duration;
use crate::syncer::SyncerArgs;
use std::time::Duration;

/// The service account that writes, unless a work names another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executor {
    namespace: String,
    name: String,
}

impl Executor {
    /// That account.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// As the API server calls it.
    #[must_use]
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }
}

/// Do in this cluster what a hub wants, and serve its lists and watches to whoever asks on the broker.
///
/// An agent applies the work that its hub has for this cluster, keeps it as the hub wants it whoever changes it, removes
/// what the hub deletes, and says what became of it. It is a syncer, too, and takes the syncer's place: of two processes
/// under one --cluster, one works and the other stands by.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  # With a kubeconfig, the broker on this machine
  agent --broker tcp://127.0.0.1:1883 --client-id agentId --cluster cluster1 --kubeconfig ~/.kube/config

  # In a cluster, TLS and a password; objects are written with the rights of a service account
  agent --broker mqtts://broker.example.com --username cluster1 --password-file /etc/mqtt/password \\
    --cluster cluster1 --executor apps/deployer --listen :8080")]
pub struct AgentArgs {
    /// All that a syncer is told: an agent is one, too.
    #[command(flatten)]
    pub syncer: SyncerArgs,

    /// The hub whose work is done in this cluster, and nobody else's.
    #[arg(long, env = "HUB", value_name = "NAME", default_value = "hub")]
    pub hub: String,

    /// Write as this service account where a work names no other (the right to impersonate it is needed). Default: as
    /// the agent itself.
    #[arg(long, env = "EXECUTOR", value_name = "NAMESPACE/NAME", value_parser = executor)]
    pub executor: Option<Executor>,

    /// How long to keep what belongs to a work that the hub no longer has, without having said that it was deleted: a
    /// hub that was made anew gets its works back meanwhile.
    #[arg(long, env = "EVICTION_GRACE", value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub eviction_grace: Duration,
}

fn executor(text: &str) -> Result<Executor, String> {
    let named = text.split_once('/').filter(|(namespace, name)| {
        !namespace.is_empty() && !name.is_empty() && !name.contains('/')
    });
    let (namespace, name) =
        named.ok_or_else(|| format!("{text:?} is no service account; write NAMESPACE/NAME"))?;
    Ok(Executor::new(namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executor_is_a_service_account() {
        let user = executor("apps/deployer").unwrap().user();
        assert_eq!(user, "system:serviceaccount:apps:deployer");
        for text in ["deployer", "/a", "a/", "a/b/c"] {
            assert!(executor(text).is_err(), "{text}");
        }
    }
}
