//! The controlplane's command line.

use super::serve::ServeArgs;
use super::share::ShareArgs;
use crate::cli::{BrokerArgs, duration, listen_address};
use crate::protocol::selector::LabelSelector;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The seed's demo: the Secrets whose owners let their values leave.
const DEMO: (&str, &str) = ("secrets", "mqtt-resource");

/// So that every clock can subtract it.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// Keep chosen resources of all clusters on this side: as copies in an API server, and in a database.
///
/// Without further options: a copy of each Secret labelled mqtt-resource, of every cluster, in the API server of the
/// kubeconfig. The copy of NAMESPACE/NAME of a cluster is NAMESPACE.NAME in the namespace CLUSTER, which is made when
/// it is needed; a cluster-scoped object's is CLUSTER.NAME. Copies are inert: a Deployment's does not run, a Service's
/// takes no address. What cannot be made inert is refused.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  # Secrets labelled mqtt-resource of all clusters, into the API server of ~/.kube/config
  controlplane --broker tcp://127.0.0.1:1883 --client-id controlplaneId --signal-topic /signal --payload-topic /payload

  # Deployments and ConfigMaps of production, into another one; probes and metrics on :8080
  controlplane --broker mqtts://broker.example.com --username hub --password-file /etc/mqtt/password \\
    --kubeconfig hub.yaml --resources deployments.apps,configmaps --cluster 'prod-*' --listen :8080

  # Pods and Deployments of all clusters into a database, no copies
  controlplane --broker tcp://127.0.0.1:1883 --store sqlite://fleet.db --resources pods,deployments.apps

  # And serve them: kubectl --server http://127.0.0.1:8001/clusters/cluster1 get pods
  controlplane --broker tcp://127.0.0.1:1883 --store sqlite://fleet.db --resources pods,nodes \\
    --serve 127.0.0.1:8001 --serve-url http://127.0.0.1:8001

  # Several of these share the clusters
  controlplane --broker tcp://127.0.0.1:1883 --store postgres://hub@db.example.com/fleet --resources pods")]
pub struct ControlplaneArgs {
    /// Where the broker is.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// Which resources, as kubectl knows them: pods,deployments.apps. Default: secrets labelled mqtt-resource.
    #[arg(
        long,
        env = "RESOURCES",
        value_name = "RESOURCE",
        value_delimiter = ','
    )]
    pub resources: Vec<String>,

    /// Of these, the objects with such labels: app=web, 'tier in (a,b)', '!lab'.
    #[arg(
        long,
        short = 'l',
        env = "SELECTOR",
        value_name = "SELECTOR",
        allow_hyphen_values = true,
        value_parser = selector
    )]
    pub selector: Option<String>,

    /// Which clusters: names, patterns with * and ?, and ! before either for all but those. Default: all, those that
    /// come later included.
    #[arg(long, env = "CLUSTERS", value_name = "NAME", value_delimiter = ',')]
    pub cluster: Vec<String>,

    /// Copy into the API server of the kubeconfig. Default: unless there is a --store and no --kubeconfig.
    #[arg(
        long,
        env = "MIRROR",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub mirror: Option<bool>,

    /// Resources to be copied as they are, though it is not known whether a controller would act upon the copies:
    /// certificates.cert-manager.io.
    #[arg(
        long,
        env = "MIRROR_AS_IS",
        value_name = "RESOURCE",
        value_delimiter = ','
    )]
    pub mirror_as_is: Vec<String>,

    /// The kubeconfig of the API server that the copies go to. Default: ~/.kube/config, or the service account in a
    /// pod.
    #[arg(long, short = 'k', env = "KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in it. Default: its current one.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Keep rows and objects in a database: sqlite://FILE, or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "STORE", value_name = "URL", hide_env_values = true)]
    pub store: Option<String>,

    /// Hold all objects of the --store in memory, too: that costs some KB an object instead of some hundred bytes, and
    /// each start reads the whole database. It spares reads of it while objects change, and with a mirror a second
    /// connection, over which everything comes once more.
    #[arg(long, env = "LOCAL_CACHE", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub local_cache: bool,

    /// For how long the database remembers what was: 7d, 36h.
    #[arg(long, env = "HISTORY", value_name = "DURATION", default_value = "7d", value_parser = history)]
    pub history: Duration,

    /// The API over what is stored.
    #[command(flatten)]
    pub serve: ServeArgs,

    /// Several controlplanes.
    #[command(flatten)]
    pub share: ShareArgs,

    /// Leave what is announced by --serve-url on the broker.
    #[arg(long, env = "RETAINED", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub retained: bool,

    /// Serve /healthz, /readyz and /metrics here: HOST:PORT, or :PORT for every address of this machine.
    #[arg(long, env = "LISTEN", value_name = "ADDR", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
}

/// As other durations, and in days: who asks for history thinks in them.
fn history(text: &str) -> Result<Duration, String> {
    let length = match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => Duration::from_secs(24 * 3600) * days,
        Some(Err(_)) => return Err(format!("{text:?} is no duration; write it as 7d or 36h")),
        None => duration(text)?,
    };
    match length {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        length if length > LONGEST => Err(format!("{text:?} is longer than a hundred years")),
        length => Ok(length),
    }
}

fn selector(text: &str) -> Result<String, String> {
    let read = LabelSelector::parse(text).map_err(|error| error.to_string())?;
    Ok(read.to_string())
}

impl ControlplaneArgs {
    /// The resources' words, each once.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for word in self.resources.iter().map(|word| word.trim()) {
            if !word.is_empty() && !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        if words.is_empty() {
            words.push(DEMO.0.to_owned());
        }
        words
    }

    /// The label selector; the demo's goes with the demo's resources only.
    pub(super) fn labels(&self) -> String {
        match (&self.selector, self.resources.is_empty()) {
            (Some(selector), _) => selector.clone(),
            (None, true) => DEMO.1.to_owned(),
            (None, false) => String::new(),
        }
    }

    /// Whether there are copies in an API server.
    pub(super) fn mirrors(&self) -> bool {
        let named = self.kubeconfig.is_some() || self.context.is_some();
        self.mirror.unwrap_or(self.store.is_none() || named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args as _, FromArgMatches as _};

    fn args(line: &str) -> Result<ControlplaneArgs, clap::Error> {
        let command = ControlplaneArgs::augment_args(clap::Command::new("controlplane"));
        let words = std::iter::once("controlplane").chain(line.split_whitespace());
        ControlplaneArgs::from_arg_matches(&command.try_get_matches_from(words)?)
    }

    #[test]
    fn without_resources_it_is_the_seeds_demo() {
        let demo = args("").unwrap();
        assert_eq!(
            (demo.words(), demo.labels()),
            (vec!["secrets".to_owned()], "mqtt-resource".to_owned())
        );
        assert!(demo.mirrors());
        let chosen = args("--resources pods,deployments.apps,pods").unwrap();
        assert_eq!(chosen.words(), ["pods", "deployments.apps"]);
        assert_eq!(chosen.labels(), "");
        let labelled = args("--selector app=web").unwrap();
        assert_eq!(
            (labelled.words(), labelled.labels()),
            (vec!["secrets".to_owned()], "app=web".to_owned())
        );
    }

    #[test]
    fn history_is_told_in_days_or_as_other_durations() {
        for (text, hours) in [("7d", 168), ("36h", 36), ("1d", 24)] {
            assert_eq!(
                history(text),
                Ok(Duration::from_secs(hours * 3600)),
                "{text}"
            );
        }
        for text in [
            "",
            "d",
            "0d",
            "0",
            "-1d",
            "1.5d",
            "999999999d",
            "4294967296d",
            "7",
        ] {
            assert!(history(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(args("--selector a=b=c").is_err());
        assert!(args("--mirror=perhaps").is_err());
        assert!(!args("--mirror=false").unwrap().mirrors());
        assert!(args("--mirror").unwrap().mirrors());
    }

    #[test]
    fn with_a_store_only_a_named_api_server_gets_copies() {
        for (line, mirrors) in [
            ("--store sqlite://x", false),
            ("--store sqlite://x --mirror", true),
            ("--store sqlite://x --kubeconfig y", true),
            ("--store sqlite://x --context y", true),
            ("--store sqlite://x --kubeconfig y --mirror=false", false),
        ] {
            assert_eq!(args(line).unwrap().mirrors(), mirrors, "{line}");
        }
    }
}
