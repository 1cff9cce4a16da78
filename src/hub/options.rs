//! The hub's command line.

use crate::cli::{BrokerArgs, listen_address};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Send workload to clusters, and gather its status.
///
/// A hub serves each cluster's agent the work that its own API server has for it: ManifestWorks in the namespace that is
/// called as the cluster, and any other object there with the label mqinformer.io/distribute. It finds places for work
/// (Placement), rolls it out (ManifestWorkReplicaSet), and writes the status back. The API is Open Cluster Management's;
/// its definitions are installed where they are not.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  # Every agent that comes is let in
  hub --broker tcp://127.0.0.1:1883 --client-id hubId --signal-topic /signal --payload-topic /payload --auto-accept '*'

  # TLS and a password; agents log in as agent-CLUSTER; probes on :8080
  hub --broker mqtts://broker.example.com --username hub --password-file /etc/mqtt/password \\
    --agent-user 'agent-{cluster}' --listen :8080")]
pub struct HubArgs {
    /// Where the broker is.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// The name under which the hub serves; its agents' --hub.
    #[arg(long, env = "NAME", value_name = "NAME", default_value = "hub")]
    pub name: String,

    /// The kubeconfig of the hub's own API server. Default: ~/.kube/config, or the service account in a pod.
    #[arg(long, short = 'k', env = "KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Let in clusters of such names without being asked: '*', 'edge-*' (repeat it). Default: a person sets
    /// spec.hubAcceptsClient of the ManagedCluster.
    #[arg(
        long,
        env = "AUTO_ACCEPT",
        value_name = "PATTERN",
        value_delimiter = ','
    )]
    pub auto_accept: Vec<String>,

    /// The broker's user as which the agent of a cluster logs in; {cluster} stands for its name. Nobody else gets its
    /// work.
    #[arg(long, env = "AGENT_USER", value_name = "PATTERN", default_value = "{cluster}", value_parser = agent_user)]
    pub agent_user: String,

    /// Leave the presence on the broker.
    #[arg(long, env = "RETAINED", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub retained: bool,

    /// Serve /healthz, /readyz and /metrics here: HOST:PORT, or :PORT for every address of this machine.
    #[arg(long, env = "LISTEN", value_name = "ADDR", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
}

fn agent_user(text: &str) -> Result<String, String> {
    match text.contains(super::serving::CLUSTER) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{text:?} is the same user for every cluster; write {} where the cluster's name is",
            super::serving::CLUSTER
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cluster_has_a_user_of_its_own() {
        assert!(agent_user("agent-{cluster}").is_ok());
        assert!(agent_user("agent").is_err());
    }
}
