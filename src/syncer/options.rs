//! The syncer's command line.

use crate::cli::{BrokerArgs, duration, listen_address};
use crate::protocol::selector::check_label;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// Serve this cluster's lists and watches to whoever asks on the broker.
///
/// The syncer dials out, to the API server and to the broker; nothing needs to reach it. It reads, it never writes to
/// the cluster, and it watches only what somebody looks at.
///
/// Run two with different client ids and one --cluster for high availability: one serves, the other stands by.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  # With a kubeconfig, the broker on this machine
  syncer --broker tcp://127.0.0.1:1883 --client-id sourceId --cluster cluster1 --kubeconfig ~/.kube/config

  # In a cluster, TLS and a password, probes and metrics on :8080
  syncer --broker mqtts://broker.example.com --username cluster1 --password-file /etc/mqtt/password \\
    --cluster cluster1 --listen :8080")]
pub struct SyncerArgs {
    /// Where the broker is.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// The name under which people see this cluster: any printable text.
    #[arg(long, env = "CLUSTER", value_name = "NAME")]
    pub cluster: String,

    /// The kubeconfig of this cluster. Default: ~/.kube/config, or the service account in a pod.
    #[arg(long, short = 'k', env = "KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Leave the presence on the broker, so that viewers find this cluster at once.
    #[arg(long, env = "RETAINED", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub retained: bool,

    /// A label that people can select this cluster by, such as env=prod (repeat it): --cluster-selector.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,

    /// Serve /healthz, /readyz and /metrics here: HOST:PORT, or :PORT for every address of this machine.
    #[arg(long, env = "LISTEN", value_name = "ADDR", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,

    /// Let the values of all Secrets leave the cluster, not only of those labelled mqtt-resource.
    #[arg(long, env = "SHOW_SECRETS")]
    pub show_secrets: bool,

    /// Let viewers read the logs of containers: an API server has to allow it too (get of pods/log).
    #[arg(long, env = "LOGS")]
    pub logs: bool,

    /// How many streams are served at most.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub max_streams: usize,

    /// How many of them for one user.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub max_streams_per_user: usize,

    /// How often a stream without changes says that it is alive. Viewers expect it every two seconds.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = heartbeat, hide = true)]
    pub heartbeat: Duration,

    /// How long a stream stays warm after its last viewer left.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = linger)]
    pub linger: Duration,
}

fn heartbeat(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_millis(50)..=Duration::from_secs(2))
}

fn linger(text: &str) -> Result<Duration, String> {
    within(text, Duration::ZERO..=Duration::from_secs(24 * 3600))
}

fn within(text: &str, bounds: RangeInclusive<Duration>) -> Result<Duration, String> {
    let length = duration(text)?;
    if bounds.contains(&length) {
        return Ok(length);
    }
    Err(format!(
        "must be from {:?} to {:?}",
        bounds.start(),
        bounds.end()
    ))
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} is no label; write KEY=VALUE"))?;
    check_label(key, value).map_err(|error| error.to_string())?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_as_kubernetes_has_them() {
        let (key, value) = label("example.com/env=prod").unwrap();
        assert_eq!((key.as_str(), value.as_str()), ("example.com/env", "prod"));
        assert!(label("env=").is_ok());
        for text in ["env", "=prod", "env=a b", "a/b/c=d", "env=-x"] {
            assert!(label(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_viewers_could_not_live_with_is_refused() {
        assert!(heartbeat("2s").is_ok() && heartbeat("100ms").is_ok());
        for text in ["0", "1ns", "3s", "1000000h"] {
            assert!(heartbeat(text).is_err(), "{text}");
        }
        assert!(linger("0").is_ok() && linger("1000000h").is_err());
    }
}
