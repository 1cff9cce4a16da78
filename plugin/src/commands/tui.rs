//! `tui` and `watch`: their words, and the screen that they open.
//!
//! | module | what it is |
//! |---|---|
//! | `driver` | the one loop: what happens goes into [`crate::tui::update()`], what that wants is done, the rest is drawn |
//! | `keys` | what is typed |
//! | `pace` | when frames are drawn |
//! | `feeds` | what is watched |
//! | `work` | what is asked for once, and logs |
//! | `screen` | the terminal, taken over and given back |
//! | `files` | where tables and texts are saved |

mod driver;
mod feeds;
mod files;
mod keys;
mod pace;
mod screen;
mod work;

use super::reader::Limits;
use super::{ClusterArgs, HubArgs};
use crate::error::Failure;
use crate::scope::{Place, Scope};
use crate::terminal::Terminal;
use crate::tui::app::Start;
use crate::tui::command::words_of;
use crate::tui::theme::{Colours, Ground, Theme};
use clap::{Args, ValueEnum};
use driver::Driver;
use mqtt_informer::cli::duration;
use mqtt_informer::protocol::selector::LabelSelector;
use std::time::Duration;

/// Look at all clusters on one live screen.
///
/// Its keys and words are those of k9s: `:deploy shop`, `/` filters, enter goes into an object, ? shows all keys. Rows of
/// a cluster that is not heard are dimmed, and the head of the screen says since when. It shows, and changes nothing in any
/// cluster.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Pods of all clusters
  kubectl mqinformer tui

  # Deployments of production
  kubectl mqinformer tui deploy --cluster 'prod-*'

  # Clusters of the kubeconfig: no broker, nothing installed in them
  kubectl mqinformer tui --context all")]
pub struct TuiArgs {
    /// The type to open on: pods, deploy, certificates.cert-manager.io. Default: pods.
    #[arg(value_name = "TYPE")]
    pub word: Option<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub screen: ScreenArgs,
}

/// What it looks at, and how.
#[derive(Clone, Debug, Args)]
pub struct ScreenArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub clusters: ClusterArgs,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub hub: HubArgs,

    /// The namespace. Default: all.
    #[arg(long, short, env = "MQINFORMER_NAMESPACE", value_name = "NAME")]
    pub namespace: Option<String>,

    /// All namespaces, whatever the environment and the configuration file say.
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,

    /// The terminal's background: light or dark. Default: what the terminal says of it, else dark. NO_COLOR is heeded.
    #[arg(
        long,
        env = "MQINFORMER_THEME",
        value_name = "NAME",
        hide_possible_values = true
    )]
    pub theme: Option<ThemeName>,

    /// Clicks and the wheel work; the terminal's own selection of text needs shift then.
    #[arg(long, env = "MQINFORMER_MOUSE")]
    pub mouse: bool,

    /// For how long a cluster may be silent before it is given up.
    #[arg(long, env = "MQINFORMER_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
}

/// What `--theme` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// For a dark background.
    Dark,
    /// For a light one.
    Light,
    /// Without colours.
    None,
}

/// Whether there is a terminal for a screen.
pub fn is_possible() -> bool {
    screen::is_there()
}

/// Shows the screen until it is left.
pub async fn run(args: &TuiArgs, scope: &Scope, terminal: &mut Terminal) -> Result<(), Failure> {
    let word = args.word.as_deref().unwrap_or_default();
    let args = &args.screen;
    if scope.is_offline() {
        return Err(Failure::because(
            "--offline is for `get`: this is a live screen, and what is kept does not change",
        ));
    }
    if !screen::is_there() {
        return Err(Failure::because(
            "this is a live screen, and stdin or stdout is no terminal; `get -w` prints each change",
        ));
    }
    let start = beginning(word, args, scope)?;
    terminal.progress(None)?;
    let limits = Limits {
        timeout: args.timeout,
        end: None,
        way: scope.place.way(),
    };
    let driver = Driver::new(args, limits, scope.cache.clone())?;
    driver.run(args, scope, start).await
}

fn beginning(word: &str, args: &ScreenArgs, scope: &Scope) -> Result<Start, Failure> {
    let (place, clusters, labels) = match &scope.place {
        Place::Broker(broker) => {
            let labels = args
                .clusters
                .cluster_selector
                .as_deref()
                .map(LabelSelector::parse);
            let labels = labels.transpose();
            let labels =
                labels.map_err(|error| Failure::because(format!("--cluster-selector: {error}")))?;
            let clusters = words_of(&args.clusters.cluster, &scope.groups);
            let clusters = clusters.map_err(|why| Failure::because(format!("--cluster: {why}")))?;
            (broker.broker.clone(), clusters, labels)
        }
        Place::Contexts(_) => {
            // What is wrong with these words is said as for every command.
            scope.selector(&args.clusters)?;
            ("kubeconfig".to_owned(), Vec::new(), None)
        }
    };
    let hub = match &scope.place {
        Place::Broker(_) => Some(args.hub.hub.clone()),
        Place::Contexts(_) => None,
    };
    let named = args
        .namespace
        .iter()
        .filter(|name| !name.is_empty() && !args.all_namespaces);
    Ok(Start {
        place,
        word: word.to_owned(),
        clusters,
        cluster_labels: labels,
        namespaces: named.cloned().collect(),
        groups: scope.groups.clone(),
        hub,
        size: crossterm::terminal::size()?,
    })
}

fn theme(args: &ScreenArgs) -> Theme {
    let theme = Theme::of_environment(|name| std::env::var(name).ok());
    match args.theme {
        Some(ThemeName::Dark) => Theme {
            ground: Ground::Dark,
            ..theme
        },
        Some(ThemeName::Light) => Theme {
            ground: Ground::Light,
            ..theme
        },
        Some(ThemeName::None) => Theme {
            colours: Colours::None,
            ..theme
        },
        None => theme,
    }
}
