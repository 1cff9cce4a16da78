//! `demo`: a broker and simulated clusters in this process, and a command against them.

use crate::args::{Cli, Command};
use crate::error::Failure;
use crate::scope::Scope;
use crate::settings;
use crate::terminal::Terminal;
use clap::Args;
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::Informer;
use mqtt_informer::link::embedded::EmbeddedBroker;
use mqtt_informer::link::{BrokerOptions, mqtt};
use mqtt_informer::playground::{Playground, Spec};
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::Settings;
use mqtt_informer::syncer::{self, SyncerArgs};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The clusters: their names, and the Kubernetes that they say they run.
const CLUSTERS: [(&str, &str); 4] = [
    ("berlin", "v1.36.3"),
    ("denver", "v1.35.6"),
    ("nairobi", "v1.36.3"),
    ("osaka", "v1.34.9"),
];

/// How long the clusters may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// Try it with simulated clusters; nothing has to be installed.
///
/// A broker on loopback, and a few clusters that live only as long as this command: their pods come, go and crash.
/// Without a command everything is shown as it changes; with one, that is run against them.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # Everything on one live screen
  kubectl mqinformer demo

  # One command
  kubectl mqinformer demo -- get pods -A
  kubectl mqinformer demo -- clusters")]
pub struct DemoArgs {
    /// A command of this program, without its name: get pods -A
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Runs the command against clusters that end with it.
pub async fn run(args: &DemoArgs, terminal: &mut Terminal) -> Result<(), Failure> {
    let cli = args.command_line()?;
    terminal.err("These clusters are simulated, in this process, behind a broker on loopback.")?;
    let demo = Demo::start().await?;
    if args.command.is_empty() {
        let url = &demo.broker.broker;
        terminal.err(&format!(
            "From another terminal, while this runs: export BROKER={url}"
        ))?;
    }
    let scope = Scope::broker(demo.broker.clone());
    let result = Box::pin(crate::command(&cli.command, &scope, terminal)).await;
    demo.stop().await;
    result
}

impl DemoArgs {
    fn command_line(&self) -> Result<Cli, Failure> {
        let default = default_command(super::tui::is_possible());
        let command = if self.command.is_empty() {
            &default
        } else {
            &self.command
        };
        let words = std::iter::once("kubectl mqinformer".to_owned()).chain(command.iter().cloned());
        let words: Vec<_> = words.map(Into::into).collect();
        let cli = match settings::without_surroundings(&words) {
            Ok(cli) => cli,
            Err(error) => {
                crate::explain(&error, &words)?;
                return Err(Failure::Told(0));
            }
        };
        match cli.command {
            Command::Demo(_) | Command::Config(_) | Command::Completion(_) | Command::Man(_) => {
                Err(Failure::because(
                    "a demo runs any command but another demo, and has no configuration",
                ))
            }
            _ if !cli.direct.context.is_empty() => Err(Failure::because(
                "a demo has its own clusters; leave --context out",
            )),
            _ => Ok(cli),
        }
    }
}

/// The live screen, or on something that is none, every change as a line.
fn default_command(on_a_terminal: bool) -> Vec<String> {
    let words: &[&str] = match on_a_terminal {
        true => &["tui"],
        false => &["get", "pods", "-A", "-w"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What runs beside the command.
struct Demo {
    broker: BrokerArgs,
    stop: watch::Sender<bool>,
    syncers: JoinSet<()>,
    /// These end when they are dropped.
    _parts: (EmbeddedBroker, Vec<Playground>, TempDir),
}

impl Demo {
    async fn start() -> Result<Self, Failure> {
        let server = EmbeddedBroker::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .await
            .map_err(Failure::because)?;
        let broker = broker(server.url());
        let dir = TempDir::with_prefix("mqinformer-demo-")?;
        let (stop, stopped) = watch::channel(false);
        let (mut syncers, mut playgrounds) = (JoinSet::new(), Vec::new());
        for (seed, (name, version)) in (1..).zip(CLUSTERS) {
            let spec = Spec {
                seed,
                version: version.to_owned(),
                ..Spec::default()
            };
            let playground = Playground::start(spec).await?;
            let kubeconfig = dir.path().join(format!("{name}.kubeconfig"));
            std::fs::write(&kubeconfig, playground.kubeconfig())?;
            playgrounds.push(playground);
            let syncer = syncer::run(syncer(&broker, name, kubeconfig), stopped.clone());
            syncers.spawn(async move {
                if let Err(error) = syncer.await {
                    tracing::error!(%error, "a syncer of the demo ended");
                }
            });
        }
        everybody_is_there(server.url()).await?;
        Ok(Self {
            broker,
            stop,
            syncers,
            _parts: (server, playgrounds, dir),
        })
    }

    async fn stop(mut self) {
        // Those that have ended need no word.
        let _ = self.stop.send(true);
        let ended = async { while self.syncers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), ended).await;
    }
}

async fn everybody_is_there(url: String) -> Result<(), Failure> {
    let connection = mqtt::connect(BrokerOptions::new(url, "demo")).map_err(Failure::because)?;
    let informer = Informer::start(connection, Topics::default(), Settings::default())
        .map_err(Failure::because)?;
    let mut clusters = informer.clusters();
    let all = clusters.wait_for(|known| known.len() == CLUSTERS.len());
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(Failure::because(
            "the simulated clusters did not start; RUST_LOG=info says why",
        )),
    }
}

/// A broker that lets everybody in, whatever the environment says of another.
fn broker(url: String) -> BrokerArgs {
    BrokerArgs {
        broker: url,
        username: None,
        password: None,
        password_file: None,
        tls: false,
        ca_crt: None,
        client_crt: None,
        client_key: None,
        client_id: None,
        signal_topic: "/signal".to_owned(),
        payload_topic: "/payload".to_owned(),
        qos: 1,
    }
}

fn syncer(broker: &BrokerArgs, cluster: &str, kubeconfig: PathBuf) -> SyncerArgs {
    SyncerArgs {
        broker: broker.clone(),
        cluster: cluster.to_owned(),
        kubeconfig: Some(kubeconfig),
        retained: true,
        labels: vec![("simulated".to_owned(), "true".to_owned())],
        listen: None,
        show_secrets: false,
        logs: true,
        max_streams: 256,
        max_streams_per_user: 64,
        heartbeat: Duration::from_secs(2),
        linger: Duration::from_secs(30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Result<Command, Failure> {
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        DemoArgs { command }.command_line().map(|cli| cli.command)
    }

    #[test]
    fn a_command_or_everything_live() {
        let of = |on_a_terminal| {
            DemoArgs {
                command: default_command(on_a_terminal),
            }
            .command_line()
            .unwrap()
        };
        let Command::Get(live) = of(false).command else {
            panic!("another command")
        };
        assert!(live.watch && live.reach.all_namespaces);
        assert!(matches!(of(true).command, Command::Tui(_)));
        assert!(matches!(command(&["clusters"]), Ok(Command::Clusters(_))));
        assert!(matches!(command(&["demo"]), Err(Failure::Because(_))));
        assert!(matches!(command(&["nosuch"]), Err(Failure::Told(1))));
    }
}
