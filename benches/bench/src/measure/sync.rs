//! A cold copy of a whole cluster, beside a list.

use super::{Context, Measurement, Rows};
use crate::arguments::Form;
use crate::consumer::Consumer;
use crate::direct;
use crate::figure::Unit;
use crate::paired::paired;
use crate::report::Row;
use crate::scene::Scene;
use anyhow::{Result, ensure};
use std::time::Instant;

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "sync",
    title: "Cold sync of a cluster",
    method: "From a consumer's connection to the broker until its copy is whole, while nothing was served before: the syncer \
             lists, packs and answers. The baseline is a bare list over a new connection in the same form (for rows, Tables \
             that include the objects; 500 a page), read and thrown away, by kube-rs's own client.",
    run,
};

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let scene = Scene::new(context.bed, context.pods)?;
    let syncer = scene.syncer("sync", "0s")?;
    for form in Form::BOTH {
        let ours = || {
            syncer.until_streams(0.0)?;
            let begin = Instant::now();
            let consumer = Consumer::start(scene.broker.url(), "sync", "", form)?;
            let objects = context.runtime.block_on(consumer.synced())?;
            let took = begin.elapsed().as_secs_f64();
            ensure!(
                objects == context.pods,
                "{objects} of {} pods",
                context.pods
            );
            Ok([took])
        };
        let direct = || {
            let listed = context
                .runtime
                .block_on(direct::list(&scene.kubeconfig(), form))?;
            Ok([listed.seconds])
        };
        let word = form.word();
        let [time] = paired(&format!("cold sync, {word}"), context.repeats, ours, direct)?;
        let what = format!("{} pods, {word}", context.pods);
        rows.push(Row::pair(what, Unit::Seconds, &time, "bare list").at_most(1.25, "1.25"));
    }
    Ok(())
}
