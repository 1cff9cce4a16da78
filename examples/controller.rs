//! kube-rs's `Controller`, fed through a broker: it reconciles what a cluster has that this program cannot reach.
//!
//! It only observes. Writing back to that cluster is not offered: what a hub wants done travels another way.
//!
//! `cargo run --example controller -- --broker tcp://127.0.0.1:1883 cluster1`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

use clap::Parser;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::controller::Action;
use kube::runtime::watcher::Event;
use kube::runtime::{Controller, WatchStreamExt, reflector};
use kube::{Resource, ResourceExt};
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::{Informer, Scope};
use mqtt_informer::protocol::names::ClusterName;
use std::convert::Infallible;
use std::sync::Arc;

/// Reconciles a cluster's config maps: prints each when it is new or has changed, and when it is gone.
#[derive(Parser)]
struct Args {
    /// The cluster.
    cluster: String,
    /// One namespace. Default: all.
    #[arg(long, short, default_value = "")]
    namespace: String,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let informer = Informer::builder()
        .options(
            args.broker
                .options(format!("controller-{}", std::process::id()))?,
        )
        .topics(args.broker.topics()?)
        .start()?;
    let scope = Scope::all().namespace(args.namespace);
    let (reader, writer) = reflector::store();
    let changes = informer
        .watcher::<ConfigMap>(&ClusterName::new(&args.cluster)?, scope)
        // A controller is triggered by what is there: what is gone is seen here, as it was last.
        .inspect_ok(|event| {
            if let Event::Delete(object) = event {
                println!("deleted {}", words(object));
            }
        })
        .reflect(writer)
        .applied_objects();
    Controller::for_stream(changes, reader)
        .shutdown_on_signal()
        .run(reconcile, never, Arc::new(()))
        .for_each(|result| async {
            if let Err(error) = result {
                eprintln!("{}", error.to_string().escape_debug());
            }
        })
        .await;
    // Without a goodbye, the cluster would serve on for a minute.
    informer.close().await;
    Ok(())
}

/// Where a controller would make the world what the object says. It gets the newest state, not each one.
async fn reconcile(object: Arc<ConfigMap>, _context: Arc<()>) -> Result<Action, Infallible> {
    println!("reconciled {}", words(&*object));
    Ok(Action::await_change())
}

fn never(_object: Arc<ConfigMap>, error: &Infallible, _context: Arc<()>) -> Action {
    match *error {}
}

/// Namespace, name and version, as one word each; texts of a cluster are not let near a terminal as they come.
fn words(object: &impl Resource) -> String {
    let meta = object.meta();
    let version = meta.resource_version.as_deref().unwrap_or_default();
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    let line = format!("{namespace} {} {version}", object.name_any());
    line.escape_debug().to_string()
}
