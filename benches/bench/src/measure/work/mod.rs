//! Work that goes from a hub to clusters, and its status that comes back.

mod load;
mod seen;
mod site;

use super::{Context, Measurement, Rows};
use crate::figure::{Unit, seconds};
use crate::progress;
use crate::report::{Row, grouped};
use anyhow::Result;
use bed::User;
use load::{report_all, uid, work_name, write_all};
use seen::{Seen, Works};
use site::Site;
use std::time::{Duration, Instant};

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "work",
    title: "Work for clusters",
    method: "A hub, mosquitto and an agent for each cluster; ten agents share an API server, each with a namespace of its own, \
             and no controllers run. A work is a ManifestWork with a ConfigMap and a Deployment (1.6 kB of JSON) and \
             WellKnownStatus feedback. *All at once*: written by eight clients as fast as the hub's API server takes them; *one \
             by one*: each when the one before is done. From the request on until a kube-rs watcher of the hub's works sees \
             `Applied` of that generation; of a Deployment whose status changes, the replicas (an agent tells of values that move every five \
             seconds at most, so the second change in a row waits). Bytes are what the broker \
             gave to the agents and to the hub over TCP, heartbeats included; memory is resident, processor time the kernel's. \
             The hub is killed when half of the changes are written, and started anew at once.",
    run,
};

/// Works that are changed one by one.
const ONE_BY_ONE: usize = 100;

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let site = Site::new(context)?;
    let works = context
        .runtime
        .block_on(Works::watch(&site.home.kubeconfig(User::Admin)))?;
    let mut trial = Trial {
        context,
        site,
        works,
        numbers: (0..context.works).collect(),
        clusters: context.clusters,
    };
    let before = trial.memory()?;
    trial.whole("made", 1, rows)?;
    trial.memory_rows(before, rows)?;
    trial.changes(rows)?;
    trial.whole("changed", 3, rows)?;
    trial.feedback(rows)?;
    trial.restart(rows)
}

struct Trial<'a> {
    context: &'a Context<'a>,
    site: Site,
    works: Works,
    numbers: Vec<usize>,
    clusters: usize,
}

impl Trial<'_> {
    /// Waits until each of these works was seen as wanted; how long after its beginning that was.
    fn until(
        &mut self,
        numbers: &[usize],
        begun: &[Instant],
        wanted: impl Fn(&str, &Seen) -> bool,
    ) -> Result<Vec<Duration>> {
        let names: Vec<_> = numbers.iter().map(|it| work_name(*it)).collect();
        let seen = self.works.until(&names, wanted);
        let seen = self.context.runtime.block_on(seen)?;
        let pairs = seen.iter().zip(begun);
        Ok(pairs
            .map(|(seen, begun)| seen.saturating_duration_since(*begun))
            .collect())
    }

    /// All works are written at once.
    fn whole(&mut self, what: &str, revision: u32, rows: &mut Rows) -> Result<()> {
        let numbers = self.numbers.clone();
        progress(&format!("{} works are {what}", numbers.len()));
        let (bytes, busy, begin) = (self.site.bytes(), self.busy()?, Instant::now());
        let begun = write_all(&self.site, &numbers, (self.clusters, revision))?;
        let generation = i64::from(revision);
        let times = self.until(&numbers, &begun, |_, it| it.applied >= generation)?;
        let all = begin.elapsed();
        let label = format!(
            "{} on {} clusters, all at once, {what}",
            grouped(numbers.len()),
            self.clusters
        );
        quantiles(&label, &times, rows);
        rows.push(Row::alone(
            format!("{label}: until the last is Applied"),
            Unit::Seconds.show(all.as_secs_f64()),
        ));
        self.costs(&label, bytes, busy, rows)
    }

    /// One work after the other changes: some of them for the second time, so that all have the same generation then.
    fn changes(&mut self, rows: &mut Rows) -> Result<()> {
        let count = ONE_BY_ONE.min(self.numbers.len());
        let (some, rest) = self.numbers.split_at(count);
        let (some, rest) = (some.to_vec(), rest.to_vec());
        let mut times = Vec::new();
        for number in some {
            let begun = write_all(&self.site, &[number], (self.clusters, 2))?;
            times.extend(self.until(&[number], &begun, |_, it| it.applied >= 2)?);
        }
        quantiles("one by one, changed", &times, rows);
        let begun = write_all(&self.site, &rest, (self.clusters, 2))?;
        self.until(&rest, &begun, |_, it| it.applied >= 2).map(drop)
    }

    /// Deployments change in their clusters.
    fn feedback(&mut self, rows: &mut Rows) -> Result<()> {
        let some: Vec<_> = self.numbers.iter().copied().take(ONE_BY_ONE).collect();
        let mut times = Vec::new();
        for number in some {
            let said = report_all(&self.site, &[number], (self.clusters, 1))?;
            times.extend(self.until(&[number], &said, |_, it| it.replicas == Some(1))?);
        }
        quantiles("one by one, status", &times, rows);
        let numbers = self.numbers.clone();
        progress(&format!(
            "{} deployments have another status",
            numbers.len()
        ));
        let (bytes, busy) = (self.site.bytes(), self.busy()?);
        let said = report_all(&self.site, &numbers, (self.clusters, 2))?;
        let times = self.until(&numbers, &said, |_, it| it.replicas == Some(2))?;
        let label = format!(
            "{} on {} clusters, all at once, status",
            grouped(numbers.len()),
            self.clusters
        );
        quantiles(&label, &times, rows);
        self.costs(&label, bytes, busy, rows)
    }

    /// All works change, and in the middle of that the hub is killed.
    fn restart(&mut self, rows: &mut Rows) -> Result<()> {
        progress("the hub is killed while works change");
        let numbers = self.numbers.clone();
        let uids = self.uids()?;
        let (first, second) = numbers.split_at(numbers.len() / 2);
        let begin = Instant::now();
        let mut begun = write_all(&self.site, first, (self.clusters, 4))?;
        self.site.kill_the_hub()?;
        let back = begin.elapsed();
        begun.extend(write_all(&self.site, second, (self.clusters, 4))?);
        let times = self.until(&numbers, &begun, |_, it| it.applied >= 4)?;
        let label = "all changed, the hub killed in the middle";
        quantiles(label, &times, rows);
        let last = begin.elapsed().as_secs_f64();
        rows.push(Row::alone(
            format!("{label}: until it is ready again, until the last is Applied"),
            format!(
                "{}, {}",
                Unit::Seconds.show(back.as_secs_f64()),
                Unit::Seconds.show(last)
            ),
        ));
        let lost = uids
            .iter()
            .zip(self.uids()?)
            .filter(|(old, new)| *old != new);
        let lost = lost.count();
        let row = Row::alone(
            format!("{label}: deployments that were deleted"),
            lost.to_string(),
        );
        rows.push(row.met("0", lost == 0));
        Ok(())
    }

    fn uids(&self) -> Result<Vec<serde_json::Value>> {
        let all = self.numbers.iter();
        all.map(|it| uid(&self.site, *it, self.clusters)).collect()
    }

    /// Resident memory of the hub, and of the agents together.
    fn memory(&self) -> Result<[f64; 2]> {
        let agents = self.site.agents.iter().map(|it| it.memory("VmRSS"));
        let agents = agents.sum::<Result<f64>>()?;
        Ok([self.site.hub.memory("VmRSS")?, agents])
    }

    fn memory_rows(&self, before: [f64; 2], rows: &mut Rows) -> Result<()> {
        let (after, agents) = (self.memory()?, self.clusters as f64);
        let each = self.numbers.len() as f64 / agents;
        for (who, at, count) in [("hub", 0, 1.0), ("an agent", 1, agents)] {
            let held = if at == 0 { each * agents } else { each };
            let shown = [before[at] / count, after[at] / count].map(|it| Unit::Bytes.show(it));
            rows.push(Row::alone(
                format!(
                    "memory of {who}, without works, with {}",
                    grouped(held as usize)
                ),
                format!("{}, {}", shown[0], shown[1]),
            ));
        }
        Ok(())
    }

    /// Processor time of the hub, and of the agents together.
    fn busy(&self) -> Result<[Duration; 2]> {
        let agents = self.site.agents.iter().map(|it| it.busy());
        let agents = agents.sum::<Result<Duration>>()?;
        Ok([self.site.hub.busy()?, agents])
    }

    /// What a work has cost since.
    fn costs(
        &self,
        label: &str,
        bytes: [f64; 2],
        busy: [Duration; 2],
        rows: &mut Rows,
    ) -> Result<()> {
        let works = self.numbers.len() as f64;
        let (now, then) = (self.site.bytes(), self.busy()?);
        let bytes = [0, 1].map(|it| Unit::Bytes.show((now[it] - bytes[it]) / works));
        rows.push(Row::alone(
            format!("{label}: a work's bytes to its agent, back to the hub"),
            format!("{}, {}", bytes[0], bytes[1]),
        ));
        let busy = [0, 1].map(|it| {
            let time = then[it].saturating_sub(busy[it]).as_secs_f64();
            Unit::Seconds.show(time / works)
        });
        rows.push(Row::alone(
            format!("{label}: a work's processor time in the hub, in its agent"),
            format!("{}, {}", busy[0], busy[1]),
        ));
        Ok(())
    }
}

fn quantiles(label: &str, times: &[Duration], rows: &mut Rows) {
    let sample = seconds(times);
    let [middle, most] = [0.5, 0.99].map(|q| Unit::Seconds.show(sample.quantile(q)));
    rows.push(Row::alone(label, format!("p50 {middle}, p99 {most}")));
}
