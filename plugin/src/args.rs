//! The command line as typed.

use crate::commands::{
    api_resources::ApiResourcesArgs, clusters::ClustersArgs, complete::CompletionArgs,
    config::ConfigArgs, demo::DemoArgs, describe::DescribeArgs, diff::DiffArgs, events::EventsArgs,
    get::GetArgs, history::HistoryArgs, logs::LogsArgs, man::ManArgs, rollout::RolloutArgs,
    search::SearchArgs, tui::TuiArgs, version::VersionArgs, wait::WaitArgs,
};
use crate::filter::quantity::Quantity;
use clap::{Args, ValueHint};
use clap::{Parser, Subcommand};
use mqtt_informer::cli::{BrokerArgs, duration};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// See many Kubernetes clusters through an MQTT broker, as if they were local.
///
/// Each cluster runs a syncer that dials out to the broker; this plugin asks the syncers what their API servers hold.
/// Nothing needs to reach the clusters. With --context no broker is needed: the clusters are those of the kubeconfig.
///
/// What is often the same can be in a file: see `kubectl mqinformer config --help`.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl mqinformer",
    bin_name = "kubectl mqinformer",
    version,
    arg_required_else_help = true,
    args_override_self = true,
    after_help = "Examples:
  # Clusters that simulate themselves: nothing to install
  kubectl mqinformer demo

  # All clusters on one live screen; without any command, too
  kubectl mqinformer tui

  # kubectl's own output, from a cluster that only the broker can reach
  export BROKER=mqtts://broker.example.com
  kubectl mqinformer get pods --cluster cluster1

  # All clusters in one table
  kubectl mqinformer get pods -A

  # Clusters of the kubeconfig: no broker, nothing installed in them
  kubectl mqinformer get pods -A --context all"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the broker is.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// Clusters without a broker.
    #[command(flatten)]
    pub direct: DirectArgs,
    /// What is kept on this disk.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Where the settings are.
    #[command(flatten)]
    pub file: FileArgs,
}

/// Clusters without a broker.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Direct")]
pub struct DirectArgs {
    /// Kubeconfig contexts, instead of a broker: names, patterns with * and ?, @groups, "all", and ! before any of
    /// these.
    ///
    /// Nothing has to be installed in the clusters. Each is called as its context is. Exactly one name makes the
    /// output kubectl's own. Not together with --broker or --cluster.
    #[arg(
        long,
        env = "MQINFORMER_CONTEXT",
        value_name = "NAME",
        value_delimiter = ',',
        global = true
    )]
    pub context: Vec<String>,

    /// The kubeconfig for --context. In KUBECONFIG: several, which are merged. Default: ~/.kube/config.
    #[arg(long, env = "KUBECONFIG", value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub kubeconfig: Option<OsString>,
}

/// What is kept on this disk, so that clusters send only what has changed since.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheArgs {
    /// Print what earlier commands have kept, with its age on stderr; nobody is asked.
    #[arg(long, global = true)]
    pub offline: bool,

    /// Read nothing from this disk, and keep nothing on it.
    #[arg(long, env = "MQINFORMER_NO_CACHE", global = true)]
    pub no_cache: bool,

    /// How much may be kept. What was not used for the longest time goes first.
    #[arg(long, env = "MQINFORMER_CACHE_SIZE", value_name = "BYTES", default_value = "256Mi", value_parser = bytes, global = true)]
    pub cache_size: u64,

    /// For how long it may be used.
    #[arg(long, env = "MQINFORMER_CACHE_AGE", value_name = "DURATION", default_value = "168h", value_parser = duration, global = true)]
    pub cache_age: Duration,
}

fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no number of bytes; write it as 500M, 256Mi or 1Gi");
    // A share of what?
    let amount = Some(text).filter(|text| !text.ends_with('%'));
    let quantity = amount.and_then(Quantity::parse).ok_or_else(wrong)?;
    quantity.whole().ok_or_else(wrong)
}

/// Where the settings are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub struct FileArgs {
    /// The configuration file. Default: ~/.config/mqinformer/config.yaml.
    #[arg(long, env = "MQINFORMER_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Which of the file's profiles goes before its other settings. Default: its current-profile.
    #[arg(long, env = "MQINFORMER_PROFILE", value_name = "NAME", global = true)]
    pub profile: Option<String>,
}

/// The verbs; what each does is said where its words are.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a doc comment here would replace the command's help"
)]
pub enum Command {
    Get(GetArgs),
    Tui(TuiArgs),
    /// Look at one type on the live screen that `tui` is.
    #[command(
        mut_arg("word", |word| word
            .required(true)
            .help("The type: pods, deploy, certificates.cert-manager.io")),
        after_help = "Examples:
  # Deployments of all clusters
  kubectl mqinformer watch deploy"
    )]
    Watch(TuiArgs),
    Describe(DescribeArgs),
    ApiResources(ApiResourcesArgs),
    Wait(WaitArgs),
    Rollout(RolloutArgs),
    Events(EventsArgs),
    Logs(LogsArgs),
    Diff(DiffArgs),
    Search(SearchArgs),
    History(HistoryArgs),
    Clusters(ClustersArgs),
    Config(ConfigArgs),
    Demo(DemoArgs),
    Completion(CompletionArgs),
    #[command(hide = true)]
    Man(ManArgs),
    Version(VersionArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cache_has_a_size() {
        assert!(bytes("50%").is_err(), "of what?");
        assert_eq!(bytes("256Mi"), Ok(256 << 20));
        assert_eq!(bytes("0"), Ok(0));
        for text in ["", "-1", "1.5", "500m", "a", "1e40"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn flags_of_the_broker_may_stand_anywhere() {
        let words = [
            "x",
            "get",
            "pods",
            "--broker",
            "tcp://h:1",
            "-q",
            "0",
            "--cluster",
            "a,!b",
            "-ojson",
        ];
        let cli = Cli::try_parse_from(words).unwrap();
        assert_eq!(
            (cli.broker.broker.as_str(), cli.broker.qos),
            ("tcp://h:1", 0)
        );
        let Command::Get(args) = cli.command else {
            panic!("another command")
        };
        assert_eq!(args.reach.clusters.cluster, ["a", "!b"]);
    }
}
