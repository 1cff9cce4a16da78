//! kube-rs's `reflector`, fed through a broker: a typed cache of a cluster that this program cannot reach.
//!
//! `cargo run --example reflector -- --broker tcp://127.0.0.1:1883 cluster1`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

use clap::Parser;
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::watcher::Event;
use kube::runtime::{reflector, watcher};
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::{Informer, Scope, Unavailable};
use mqtt_informer::protocol::names::ClusterName;
use std::pin::pin;

/// Keeps kube-rs's cache of a cluster's config maps, and prints how many it has.
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
                .options(format!("reflector-{}", std::process::id()))?,
        )
        .topics(args.broker.topics()?)
        .start()?;
    let scope = Scope::all().namespace(args.namespace);
    let (reader, writer) = reflector::store::<ConfigMap>();
    let events = informer.watcher::<ConfigMap>(&ClusterName::new(&args.cluster)?, scope);
    let mut events = pin!(reflector(writer, events).take_until(tokio::signal::ctrl_c()));
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init | Event::InitApply(_)) => {}
            Ok(event) => println!("{event}: {} config maps", reader.state().len()),
            Err(error) => eprintln!("{}", words(&error)),
        }
    }
    // Without a goodbye, the cluster would serve on for a minute.
    informer.close().await;
    Ok(())
}

/// Whose fault it is. Texts of a cluster are not let near a terminal as they come.
fn words(error: &watcher::Error) -> String {
    match Unavailable::of(error) {
        Some(trouble) => trouble.to_string().escape_debug().to_string(),
        None => error.to_string().escape_debug().to_string(),
    }
}
