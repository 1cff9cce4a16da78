//! A viewer in 50 lines: follows one resource in every cluster behind a broker.
//!
//! `cargo run --example viewer -- --broker tcp://127.0.0.1:1883 deployments --cluster 'prod-*'`
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use clap::Parser;
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::{Clusters, Informer, Update};
use mqtt_informer::protocol::message::Selection;

/// Prints what changes in the clusters behind a broker.
#[derive(Parser)]
struct Args {
    /// The resource, as kubectl takes it.
    #[arg(default_value = "pods")]
    resource: String,
    /// Names, patterns with * and ?, !name for all but that one. Default: all clusters.
    #[arg(long, value_delimiter = ',')]
    cluster: Vec<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let informer = Informer::builder()
        .options(
            args.broker
                .options(format!("viewer-{}", std::process::id()))?,
        )
        .topics(args.broker.topics()?)
        .clusters(Clusters::new(&args.cluster)?)
        .start()?;
    let selection = Selection {
        resource: args.resource,
        ..Selection::default()
    };
    let mut watch = informer.watch_all(selection);
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let update = tokio::select! {
            Some(update) = watch.next() => update,
            _ = &mut interrupted => break,
        };
        match update {
            Update::Changed(cluster, notices) => {
                for notice in notices.iter().filter(|notice| !notice.key.is_empty()) {
                    let what = if notice.new.is_some() {
                        "is here"
                    } else {
                        "is gone"
                    };
                    println!("{cluster} {} {what}", notice.key.escape_ascii());
                }
            }
            Update::State(cluster, state) => println!("{cluster}: {state:?}"),
            other => println!("{other:?}"),
        }
    }
    // Without a goodbye, the clusters would serve on for a minute.
    informer.close().await;
    Ok(())
}
