//! One file a verb: its words, whose doc comments are the help, and what it does.
//!
//! An argument with an environment variable is a *setting*: the configuration file may have it too (see
//! [`crate::settings`]).

pub mod api_resources;
pub mod clusters;
pub mod complete;
pub mod config;
pub mod controlplane;
pub mod demo;
pub mod describe;
pub mod diff;
pub mod events;
pub mod fleet;
pub mod get;
pub mod history;
pub mod logs;
pub mod man;
mod reader;
pub mod rollout;
pub mod search;
pub mod tui;
pub mod version;
pub mod wait;
mod wakes;
mod works;

use clap::Args;
use mqtt_informer::cli::duration;
use mqtt_informer::protocol::names::{ClusterName, HUB};
use std::time::Duration;

/// Which clusters a command is about.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterArgs {
    /// Which clusters: names, patterns with * and ?, @groups of the configuration file, and ! before any of these for
    /// all but those. Default, and "all": all that are there.
    ///
    /// With exactly one name, get, describe, events and logs print what kubectl prints; otherwise they say of everything
    /// from which cluster it is. With --context, the clusters are its contexts.
    #[arg(
        long,
        env = "MQINFORMER_CLUSTER",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub cluster: Vec<String>,

    /// Of these, the clusters whose syncers have such labels: env=prod, 'tier in (a,b)', '!lab'.
    #[arg(
        long,
        env = "MQINFORMER_CLUSTER_SELECTOR",
        value_name = "SELECTOR",
        allow_hyphen_values = true
    )]
    pub cluster_selector: Option<String>,
}

/// Which hub a command asks.
#[derive(Clone, Debug, Args)]
pub struct HubArgs {
    /// The hub whose works, placements and clusters are looked at: the --name that it serves under.
    #[arg(long, env = "MQINFORMER_HUB", value_name = "NAME", default_value = HUB)]
    pub hub: ClusterName,
}

/// Which namespace a command is about.
#[derive(Clone, Debug, Default, Args)]
pub struct NamespaceArgs {
    /// The namespace. Default: "default"; with --context, each context's own.
    #[arg(long, short, env = "MQINFORMER_NAMESPACE", value_name = "NAME")]
    pub namespace: Option<String>,
}

/// Where a command looks.
#[derive(Clone, Debug, Default, Args)]
pub struct ReachArgs {
    /// In which clusters.
    #[command(flatten)]
    pub clusters: ClusterArgs,

    /// In which namespace.
    #[command(flatten)]
    pub namespace: NamespaceArgs,

    /// All namespaces.
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
}

/// As client-go reads `--request-timeout` (clientcmd's `ParseTimeout`): a bare number is one of seconds.
fn seconds_or_duration(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => duration(text),
    }
}

#[cfg(test)]
#[test]
fn a_bare_number_is_one_of_seconds() {
    let read = |text| seconds_or_duration(text).ok();
    assert_eq!(read("5"), Some(Duration::from_secs(5)));
    assert_eq!(read("5ms"), Some(Duration::from_millis(5)));
    assert_eq!(read("five"), None);
}

/// For how long a command waits.
#[derive(Clone, Debug, Args)]
pub struct TimeoutArgs {
    /// For how long a cluster may be silent before it is given up.
    #[arg(long, env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,

    /// For how long the whole may last; 0 for as long as it takes.
    #[arg(long, env = "MQINFORMER_REQUEST_TIMEOUT", value_name = "DURATION", default_value = "0", value_parser = seconds_or_duration)]
    pub request_timeout: Duration,
}
