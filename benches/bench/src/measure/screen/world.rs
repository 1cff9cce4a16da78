//! What is looked at: pods in a playground of this process, behind a syncer and a broker, that change all the time.

use crate::arguments::Form;
use crate::consumer::Consumer;
use crate::measure::Context;
use crate::pods;
use crate::scene::{self, Syncer};
use anyhow::Result;
use bed::{Broker, BrokerSetup};
use mqtt_informer::playground::{Playground, Spec};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The cluster's name.
pub(super) const CLUSTER: &str = "screen";
/// The pod that is looked for on the screen: before all others.
pub(super) const PROBE: &str = "aaa-probe";
/// So often a thousandth of a second's changes happen.
const STEP: Duration = Duration::from_millis(10);

/// A cluster, and one consumer of it beside the screen. All of it ends with this.
pub(super) struct World {
    pub(super) broker: Broker,
    playground: Arc<Playground>,
    count: usize,
    consumer: Option<Consumer>,
    _syncer: Syncer,
}

impl World {
    pub(super) fn new(context: &Context<'_>, count: usize) -> Result<Self> {
        let playground = context.runtime.block_on(Playground::start(Spec::empty()))?;
        for number in 0..count {
            playground.put("pods", slim(number, 0));
        }
        playground.put("pods", probe(0));
        let kubeconfig = context.bed.dir().join(format!("screen-{count}.kubeconfig"));
        std::fs::write(&kubeconfig, playground.kubeconfig())?;
        let broker = context
            .bed
            .broker(&BrokerSetup::plain().configuration(scene::SAMPLE))?;
        let syncer = scene::syncer(context.bed.dir(), broker.url(), &kubeconfig, CLUSTER, "1h")?;
        Ok(Self {
            broker,
            playground: Arc::new(playground),
            count,
            consumer: None,
            _syncer: syncer,
        })
    }

    /// A consumer in this process, to compare with.
    pub(super) fn follow(&mut self, context: &Context<'_>) -> Result<()> {
        let consumer = Consumer::start(self.broker.url(), CLUSTER, "", Form::Rows)?;
        context.runtime.block_on(consumer.synced())?;
        self.consumer = Some(consumer);
        Ok(())
    }

    /// Changes the probe, and waits until the consumer has it while `meanwhile` waits for the same elsewhere. Gives both
    /// times from the change on.
    pub(super) fn change(
        &self,
        context: &Context<'_>,
        number: usize,
        meanwhile: impl FnOnce() -> Result<Instant>,
    ) -> Result<(Duration, Duration)> {
        let consumer = self.consumer.as_ref();
        let consumer = consumer.ok_or_else(|| anyhow::anyhow!("no consumer"))?;
        let key = format!("{}/{PROBE}", pods::NAMESPACE);
        let before = consumer.value(&key);
        let begin = Instant::now();
        self.playground.put("pods", probe(number));
        let (held, seen) = std::thread::scope(|scope| {
            let held = scope.spawn(|| {
                let until = consumer.until(|copy| copy.value(&key) != before);
                context.runtime.block_on(until).map(|()| Instant::now())
            });
            let seen = meanwhile();
            (held.join(), seen)
        });
        let held = held.map_err(|_| anyhow::anyhow!("the consumer's thread ended"))??;
        Ok((held - begin, seen?.saturating_duration_since(begin)))
    }

    /// Pods change from now on, `a_second` of them, until this is dropped.
    pub(super) fn load(&self, a_second: usize) -> Load {
        let (playground, count) = (Arc::clone(&self.playground), self.count);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (begin, mut done) = (Instant::now(), 0);
            while !stopped.load(Ordering::Relaxed) {
                let due = (begin.elapsed().as_secs_f64() * a_second as f64) as usize;
                for change in done..due {
                    // Far apart, and each as often as the others.
                    let number = change.wrapping_mul(7919) % count;
                    let revision = u32::try_from(1 + change / count).unwrap_or(u32::MAX);
                    playground.put("pods", slim(number, revision));
                }
                done = due;
                std::thread::sleep(STEP);
            }
            done as f64 / begin.elapsed().as_secs_f64()
        });
        Load {
            stop,
            thread: Some(thread),
        }
    }
}

/// Changes that happen.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<f64>>,
}

impl Load {
    /// Ends it, and says how many there were a second.
    pub(super) fn end(mut self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take();
        thread
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What rows are made of, and little else: a hundred thousand of them are held by this process.
fn slim(number: usize, revision: u32) -> Value {
    let mut pod = pods::pod(number, revision);
    if let Some(metadata) = pod["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        metadata.remove("annotations");
    }
    let node = pod["spec"]["nodeName"].take();
    pod["spec"] = json!({"containers": [{"name": "app"}], "nodeName": node});
    if let Some(status) = pod["status"].as_object_mut() {
        status.remove("conditions");
    }
    pod
}

/// The probe, with something to be found on the screen.
fn probe(number: usize) -> Value {
    let mut pod = slim(0, 0);
    pod["metadata"]["name"] = PROBE.into();
    pod["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000".into();
    pod["status"]["phase"] = mark(number).into();
    pod
}

/// What the probe's row shows after its change of this number.
pub(super) fn mark(number: usize) -> String {
    format!("probe-{number}.")
}
