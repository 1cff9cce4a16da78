//! A viewer in 40 lines: follows the pods of one cluster through a broker.
//!
//! `cargo run --example viewer -- tcp://127.0.0.1:1883 cluster1`

use mqtt_informer::informer::Informer;
use mqtt_informer::link::{BrokerOptions, mqtt};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::Settings;
use std::io::Write;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(broker), Some(cluster)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: viewer BROKER CLUSTER [RESOURCE]");
    };
    let resource = args.next().unwrap_or_else(|| "pods".into());
    let connection = mqtt::connect(BrokerOptions::new(
        broker,
        format!("viewer-{}", std::process::id()),
    ))?;
    let informer = Informer::start(connection, Topics::default(), Settings::default())?;
    let selection = Selection {
        resource,
        view: View::Objects,
        ..Selection::default()
    };
    let subscription = informer.subscribe(&ClusterName::new(&cluster)?, selection);
    let store = subscription.store();
    let (mut versions, mut state) = (store.versions(), store.state());
    let mut out = std::io::stdout();
    loop {
        tokio::select! {
            changed = versions.changed() => changed?,
            changed = state.changed() => {
                changed?;
                writeln!(out, "{:?}", *state.borrow_and_update())?;
            }
        }
        for notice in store.notices() {
            let key = String::from_utf8_lossy(&notice.key);
            let what = if notice.new.is_some() {
                "is now"
            } else {
                "is gone, at"
            };
            writeln!(out, "{key} {what} seq {}", store.snapshot().seq)?;
        }
    }
}
