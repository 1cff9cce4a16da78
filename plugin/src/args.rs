//! The command line as typed.

use crate::commands::{clusters::ClustersArgs, demo::DemoArgs, get::GetArgs, version::VersionArgs};
use clap::{Parser, Subcommand};
use mqtt_informer::cli::BrokerArgs;

/// See many Kubernetes clusters through an MQTT broker, as if they were local.
///
/// Each cluster runs a syncer that dials out to the broker; this plugin asks the syncers what their API servers hold. Nothing needs to
/// reach the clusters, and no kubeconfig is read.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl mqinformer",
    bin_name = "kubectl mqinformer",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "Examples:
  # Clusters that simulate themselves: nothing to install
  kubectl mqinformer demo

  # kubectl's own output, from a cluster that only the broker can reach
  export BROKER=mqtts://broker.example.com
  kubectl mqinformer get pods --cluster cluster1

  # All clusters in one table
  kubectl mqinformer get pods -A"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the broker is.
    #[command(flatten)]
    pub broker: BrokerArgs,
}

/// The verbs; what each does is said where its words are.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a doc comment here would replace the command's help"
)]
pub enum Command {
    Get(GetArgs),
    Clusters(ClustersArgs),
    Demo(DemoArgs),
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
        assert_eq!(args.clusters.cluster, ["a", "!b"]);
    }
}
