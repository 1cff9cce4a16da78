//! How many changes a second arrive, and whether all of them do.

use super::{Context, Measurement, Rows};
use crate::arguments::Form;
use crate::consumer::{Consumer, PATIENCE};
use crate::direct::{self, Seen};
use crate::figure::Unit;
use crate::paired::paired;
use crate::pods;
use crate::report::Row;
use crate::scene::Scene;
use anyhow::{Context as _, Result};
use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedReceiver;

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "throughput",
    title: "Sustained changes",
    method: "Twelve connections write changes of pods into etcd as fast as it takes them, round after round, until each pod \
             has changed as often as the others; measured from the first write until the copy has the last change of every \
             pod. The baseline is a kube-rs watcher under the same load; both listen all the time. Nothing is lost if the copy ends as the API \
             server is, and the consumer never had to ask again (changes of one pod that follow each other within one \
             flush are sent as one). After the last write there is little to wait for, if the rate is sustained.",
    run,
};

/// The first number of restarts: nothing else in a row looks like it.
const UNLIKE: u32 = 7_000_000;

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let (count, rounds) = (context.scaled(1000, 20), context.scaled(20, 5));
    let scene = Scene::new(context.bed, count)?;
    let syncer = scene.syncer("throughput", "1h")?;
    let consumer = Consumer::start(scene.broker.url(), "throughput", "", Form::Rows)?;
    context.runtime.block_on(consumer.synced())?;
    let load = Load {
        scene: &scene,
        count,
        rounds: u32::try_from(rounds)?,
        revision: RefCell::new(UNLIKE),
    };
    // A new subscription asks once more (rule R5): after a turn that is behind us.
    load.through_us(context, &consumer)?;
    let answers = syncer.metric("answers_total")?;
    let watcher = context
        .runtime
        .block_on(async { direct::watch(direct::client(&scene.kubeconfig()).await?).await })?;
    let watcher = RefCell::new(watcher);
    let ours = || load.through_us(context, &consumer);
    let baseline = || load.directly(context, &mut watcher.borrow_mut());
    let [rate, behind] = paired("changes", context.repeats, ours, baseline)?;
    rows.push(Row::pair(
        "changes a second",
        Unit::PerSecond,
        &rate,
        "kube-rs watcher",
    ));
    rows.push(Row::pair(
        "after the last write",
        Unit::Seconds,
        &behind,
        "kube-rs watcher",
    ));
    // Whatever the last turn left under way comes, or is lost.
    let whole = |copy: &Consumer| load.arrived(copy) == load.count;
    let lost = context.runtime.block_on(consumer.until(whole)).is_err();
    let wrong = if lost {
        load.count - load.arrived(&consumer)
    } else {
        0
    };
    rows.push(loss(
        &load,
        wrong,
        syncer.metric("answers_total")? - answers,
    ));
    Ok(())
}

/// Whether the copy is right, and needed no repair to be.
fn loss(load: &Load<'_>, wrong: usize, repairs: f64) -> Row {
    let changes = f64::from(load.rounds) * load.count as f64;
    let row = Row::alone(
        format!("lost, of {} changes a turn", Unit::Count.show(changes)),
        format!("{wrong} pods wrong, {repairs} repairs"),
    );
    row.met("none", repairs == 0.0 && wrong == 0)
}

/// The writer.
struct Load<'a> {
    scene: &'a Scene,
    count: usize,
    rounds: u32,
    /// The last one written.
    revision: RefCell<u32>,
}

impl Load<'_> {
    /// Writes all rounds; gives the moments of the first and of the last write.
    fn write(&self) -> Result<(Instant, Instant)> {
        let begin = Instant::now();
        for _ in 0..self.rounds {
            *self.revision.borrow_mut() += 1;
            self.scene.restart(0..self.count, *self.revision.borrow())?;
        }
        Ok((begin, Instant::now()))
    }

    fn through_us(&self, context: &Context<'_>, consumer: &Consumer) -> Result<[f64; 2]> {
        let (begin, written) = self.write()?;
        let all = |copy: &Consumer| self.arrived(copy) == self.count;
        context.runtime.block_on(consumer.until(all))?;
        Ok(self.figures(begin, written))
    }

    fn directly(
        &self,
        context: &Context<'_>,
        watcher: &mut UnboundedReceiver<Seen>,
    ) -> Result<[f64; 2]> {
        let (begin, written) = self.write()?;
        let revision = *self.revision.borrow();
        let all = async {
            let mut there = HashSet::new();
            while there.len() < self.count {
                let (name, restarts, _) =
                    watcher.recv().await.context("the kube-rs watcher ended")?;
                if restarts == revision {
                    there.insert(name);
                }
            }
            Ok::<_, anyhow::Error>(())
        };
        let in_time = context
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, all).await });
        in_time.context("kube-rs did not see all changes")??;
        Ok(self.figures(begin, written))
    }

    /// Pods of which the copy has the last change: the cell RESTARTS of a row has their number.
    fn arrived(&self, consumer: &Consumer) -> usize {
        let number = self.revision.borrow().to_string();
        let row = |number: usize| consumer.value(&pods::key(number));
        let has = |value: &[u8]| {
            let mut parts = value.windows(number.len());
            parts.any(|part| part == number.as_bytes())
        };
        (0..self.count)
            .filter_map(row)
            .filter(|value| has(value))
            .count()
    }

    /// Changes a second, and how long it took after the last write.
    fn figures(&self, begin: Instant, written: Instant) -> [f64; 2] {
        let changes = f64::from(self.rounds) * self.count as f64;
        [
            changes / begin.elapsed().as_secs_f64(),
            written.elapsed().as_secs_f64(),
        ]
    }
}
