//! From a change in the API server to a consumer's copy.

use super::{Context, Measurement, Rows};
use crate::arguments::Form;
use crate::consumer::{Consumer, PATIENCE};
use crate::direct::{self, Seen};
use crate::figure::{Sample, Unit, seconds};
use crate::report::Row;
use crate::scene::Scene;
use crate::{pods, progress};
use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use mqtt_informer::link::{BrokerOptions, Connection, Event, Publish, mqtt};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "latency",
    title: "A change in the API server until it is in a consumer's copy",
    method: "One pod after the other changes (a container was restarted); each time, a kube-rs watcher in the harness notes \
             when it sees it, and so does a consumer of ours, which gets it from a syncer through mosquitto. *Added* is the \
             difference, change by change. The bare hop is one message of the same size from one connection of ours to \
             another through the same broker, in turns with the changes.",
    run,
};

/// What a live message of one row has, about.
const HOP_BYTES: usize = 300;
const HOP: &str = "bench/hop";

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let scene = Scene::new(context.bed, context.scaled(1000, 10))?;
    let _syncer = scene.syncer("latency", "1h")?;
    for form in Form::BOTH {
        let samples = context.runtime.block_on(measure(context, &scene, form))?;
        table(&samples, form.word(), rows);
    }
    Ok(())
}

/// Times of each change.
#[derive(Default)]
struct Samples {
    ours: Vec<Duration>,
    direct: Vec<Duration>,
    added: Vec<Duration>,
    hop: Vec<Duration>,
}

async fn measure(context: &Context<'_>, scene: &Scene, form: Form) -> Result<Samples> {
    let count = context.scaled(5000, 50);
    let consumer = Consumer::start(scene.broker.url(), "latency", pods::NAMESPACE, form)?;
    consumer.synced().await?;
    let mut watcher = direct::watch(direct::client(&scene.kubeconfig()).await?).await?;
    while watcher.try_recv().is_ok() {}
    let mut hop = Hop::start(scene.broker.url()).await?;
    let mut samples = Samples::default();
    let base = if form == Form::Rows { 1 } else { 100_000 };
    for change in 0..count {
        let number = change % context.scaled(1000, 10);
        let key = pods::key(number);
        let before = consumer.value(&key);
        let revision = base + u32::try_from(change)?;
        let begin = Instant::now();
        // In this thread: the other one is free for those that wait.
        let written = tokio::task::block_in_place(|| scene.restart(number..number + 1, revision));
        let seen = async {
            consumer.until(|copy| copy.value(&key) != before).await?;
            Ok::<_, anyhow::Error>(Instant::now())
        };
        let (ours, direct) = tokio::join!(seen, seen_directly(&mut watcher, number, revision));
        written?;
        let (ours, direct) = (ours?, direct?);
        samples.ours.push(ours - begin);
        samples.direct.push(direct - begin);
        samples.added.push(ours.saturating_duration_since(direct));
        samples.hop.push(hop.once().await?);
        if (change + 1) % 1000 == 0 {
            progress(&format!(
                "{}: {} of {count} changes",
                form.word(),
                change + 1
            ));
        }
    }
    Ok(samples)
}

async fn seen_directly(
    watcher: &mut UnboundedReceiver<Seen>,
    number: usize,
    revision: u32,
) -> Result<Instant> {
    let name = pods::name(number);
    let seen = async {
        loop {
            let (seen, restarts, when) =
                watcher.recv().await.context("the kube-rs watcher ended")?;
            if seen == name && restarts == revision {
                return Ok(when);
            }
        }
    };
    tokio::time::timeout(PATIENCE, seen)
        .await
        .context("kube-rs did not see the change")?
}

/// Two connections to the broker.
struct Hop {
    from: Connection,
    to: Connection,
    payload: Bytes,
}

impl Hop {
    async fn start(broker: &str) -> Result<Self> {
        let from = mqtt::connect(BrokerOptions::new(broker, "hop-from"))?;
        let mut to = mqtt::connect(BrokerOptions::new(broker, "hop-to"))?;
        to.link.subscribe(HOP);
        while !matches!(event(&mut to).await?, Event::Subscribed(_)) {}
        let mut hop = Self {
            from,
            to,
            payload: vec![7; HOP_BYTES].into(),
        };
        while !matches!(event(&mut hop.from).await?, Event::Up { .. }) {}
        Ok(hop)
    }

    async fn once(&mut self) -> Result<Duration> {
        let begin = Instant::now();
        self.from.link.publish(Publish {
            topic: HOP.to_owned(),
            payload: self.payload.clone(),
            retain: false,
            at_least_once: true,
            ticket: 1,
        });
        while !matches!(event(&mut self.to).await?, Event::Message { .. }) {}
        let took = begin.elapsed();
        while !matches!(event(&mut self.from).await?, Event::Acknowledged(1)) {}
        Ok(took)
    }
}

async fn event(connection: &mut Connection) -> Result<Event> {
    let event = tokio::time::timeout(PATIENCE, connection.events.recv()).await;
    match event
        .context("the broker is silent")?
        .context("the link ended")?
    {
        Event::Down(failure) => bail!("{failure}"),
        event => Ok(event),
    }
}

fn table(samples: &Samples, form: &str, rows: &mut Rows) {
    let (ours, direct) = (seconds(&samples.ours), seconds(&samples.direct));
    let (added, hop) = (seconds(&samples.added), seconds(&samples.hop));
    for (name, q) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let of = |sample: &Sample| sample.quantile(q);
        let total = Row::values(
            format!("{form}, from the write on, {name}"),
            Unit::Seconds,
            of(&ours),
            ("kube-rs watcher", of(&direct)),
        );
        let extra = Row::values(
            format!("{form}, added, {name}"),
            Unit::Seconds,
            of(&added),
            ("bare hop", of(&hop)),
        );
        rows.push(total);
        rows.push(if name == "p99" {
            extra.at_most(3.0, "3")
        } else {
            extra
        });
    }
    let spread = |sample: &Sample| sample.quantile(0.999) / sample.median();
    let tail = Row::alone(
        format!("{form}, from the write on, p99.9 / p50"),
        Unit::Count.show(spread(&ours)),
    );
    rows.push(tail.met("≤ 8", spread(&ours) <= 8.0));
    rows.push(Row::alone(
        format!("{form}, added, p99.9 / p50"),
        Unit::Count.show(spread(&added)),
    ));
}
