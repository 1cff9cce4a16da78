//! Bytes that a consumer receives.

use super::{Context, Measurement, Rows};
use crate::arguments::Form;
use crate::consumer::Consumer;
use crate::figure::Unit;
use crate::proxy::Proxy;
use crate::report::Row;
use crate::scene::Scene;
use crate::{direct, pods, progress};
use anyhow::{Result, ensure};

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "wire",
    title: "Bytes on the wire",
    method: "What comes out of a consumer's TCP connection, MQTT's framing, topics and heartbeats included, counted by a proxy. \
             A change is a container that was restarted. The seed's envelope is the whole object (managedFields included) \
             in base64 in a JSON message; for a list, the whole list in one. Raw JSON is the body of the API server's answer.",
    run,
};

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let scene = Scene::new(context.bed, context.pods)?;
    let _syncer = scene.syncer("wire", "1h")?;
    let json = context
        .runtime
        .block_on(direct::list(&scene.kubeconfig(), Form::Objects))?;
    let table = context
        .runtime
        .block_on(direct::list(&scene.kubeconfig(), Form::Rows))?;
    let goals = [(Form::Rows, 40.0, "1/40"), (Form::Objects, 20.0, "1/20")];
    for (form, part, written) in goals {
        let proxy = context
            .runtime
            .block_on(Proxy::start(scene.broker.port()))?;
        let consumer = Consumer::start(&proxy.url(), "wire", "", form)?;
        let objects = context.runtime.block_on(consumer.synced())?;
        ensure!(
            objects == context.pods,
            "{objects} of {} pods",
            context.pods
        );
        let list = proxy.down();
        progress(&format!(
            "{}: the list came in {}",
            form.word(),
            Unit::Bytes.show(list)
        ));
        let word = form.word();
        let cold = |name, value| {
            Row::values(
                format!("list of {objects} pods, {word}"),
                Unit::Bytes,
                list,
                (name, value),
            )
        };
        rows.push(cold("raw JSON", json.bytes).at_most(0.1, "1/10"));
        rows.push(cold("raw Table", table.bytes));
        rows.push(cold("seed's envelope", envelope(json.bytes)));

        let first = if form == Form::Rows { 1 } else { 2 };
        let change = changes(context, &scene, &consumer, &proxy, first)?;
        let whole = pods::pod(0, 1).to_string().len() as f64;
        let change = |name, value| {
            Row::values(
                format!("a pod's change, {word}"),
                Unit::Bytes,
                change,
                (name, value),
            )
        };
        rows.push(change("seed's envelope", envelope(whole)).at_most(1.0 / part, written));
        rows.push(change("raw JSON", whole));
    }
    Ok(())
}

/// Bytes of one change, the mean over many that come one at a time.
fn changes(
    context: &Context<'_>,
    scene: &Scene,
    consumer: &Consumer,
    proxy: &Proxy,
    revision: u32,
) -> Result<f64> {
    let count = context.scaled(1000, 20).min(context.pods);
    let before = proxy.down();
    for number in 0..count {
        let key = pods::key(number);
        let old = consumer.value(&key);
        scene.restart(number..number + 1, revision)?;
        context
            .runtime
            .block_on(consumer.until(|copy| copy.value(&key) != old))?;
    }
    Ok((proxy.down() - before) / count as f64)
}

/// What the seed sent for `bytes` of JSON: base64, and around it an id, source, type and cluster.
fn envelope(bytes: f64) -> f64 {
    const AROUND: &str = r#"{"id":"00000000-0000-0000-0000-000000000000","source":"cluster1","type":"pods.v1.response.watch","payload":""}"#;
    (bytes / 3.0).ceil() * 4.0 + AROUND.len() as f64
}
