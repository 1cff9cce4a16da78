//! A consumer that was away while little changed.

use super::{Context, Measurement, Rows};
use crate::arguments::Form;
use crate::consumer::Consumer;
use crate::figure::Unit;
use crate::paired::paired;
use crate::pods;
use crate::proxy::Proxy;
use crate::report::Row;
use crate::scene::{Scene, Syncer};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// How long a connection has lasted when it is cut: one that breaks within two seconds is tried again more slowly.
const SETTLED: Duration = Duration::from_secs(3);

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "resync",
    title: "Re-sync after 0.1 % changed",
    method: "The consumer's connection is cut after 3 s of peace, 0.1 % of the pods change, and the connection is let \
             back. Bytes both ways, until the copy has every change; beside them a whole copy over the same wire. Time \
             includes the wait before the consumer tries to connect again.",
    run,
};

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let scene = Scene::new(context.bed, context.pods)?;
    let syncer = scene.syncer("resync", "1h")?;
    for form in Form::BOTH {
        let proxy = context
            .runtime
            .block_on(Proxy::start(scene.broker.port()))?;
        let consumer = Consumer::start(&proxy.url(), "resync", "", form)?;
        context.runtime.block_on(consumer.synced())?;
        let mut revision = if form == Form::Rows { 0 } else { 1000 };
        let again = || {
            revision += 1;
            back(context, &scene, &syncer, (&consumer, &proxy), revision)
        };
        let whole = || {
            let proxy = context
                .runtime
                .block_on(Proxy::start(scene.broker.port()))?;
            let begin = Instant::now();
            let consumer = Consumer::start(&proxy.url(), "resync", "", form)?;
            let objects = context.runtime.block_on(consumer.synced())?;
            ensure!(
                objects == context.pods,
                "{objects} of {} pods",
                context.pods
            );
            Ok([proxy.down() + proxy.up(), begin.elapsed().as_secs_f64()])
        };
        let word = form.word();
        let [bytes, time] = paired(&format!("re-sync, {word}"), context.repeats, again, whole)?;
        rows.push(
            Row::pair(format!("bytes, {word}"), Unit::Bytes, &bytes, "whole copy")
                .at_most(0.02, "2 %"),
        );
        rows.push(Row::pair(
            format!("time, {word}"),
            Unit::Seconds,
            &time,
            "whole copy",
        ));
    }
    Ok(())
}

/// One absence: bytes and time of the way back.
fn back(
    context: &Context<'_>,
    scene: &Scene,
    syncer: &Syncer,
    (consumer, proxy): (&Consumer, &Proxy),
    revision: u32,
) -> Result<[f64; 2]> {
    let count = (context.pods / 1000).max(1);
    let keys: Vec<_> = (0..count).map(pods::key).collect();
    let old: Vec<_> = keys.iter().map(|key| consumer.value(key)).collect();
    let sent = syncer.metric("changes_total")?;
    std::thread::sleep(SETTLED);
    proxy.cut();
    scene.restart(0..count, revision)?;
    bed::wait_for("the syncer's changes", || {
        Ok((syncer.metric("changes_total")? >= sent + count as f64).then_some(()))
    })?;
    let before = proxy.down() + proxy.up();
    let begin = Instant::now();
    proxy.mend();
    let changed = |copy: &Consumer| {
        keys.iter()
            .zip(&old)
            .all(|(key, old)| copy.value(key) != *old)
    };
    context.runtime.block_on(consumer.until(changed))?;
    Ok([
        proxy.down() + proxy.up() - before,
        begin.elapsed().as_secs_f64(),
    ])
}
