//! Writing a fleet as the intake does: batch by batch, a cluster's stream after the other.

use super::{CLUSTERS, entry, header, memory, stream};
use anyhow::Result;
use mqtt_informer::protocol::message::View;
use mqtt_informer::store::{Batch, Store};
use std::time::{Duration, Instant};

/// The intake's largest batch.
const BATCH: usize = 2_000;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Changes that come together when a fleet is at work.
const CHANGES: usize = 100;

/// What writing took.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) rows: Speed,
    pub(crate) objects: Speed,
    pub(crate) updates: Speed,
    /// Resident memory of this process: before, with a quarter of the fleet in it, with all.
    pub(crate) memory: [f64; 3],
}

/// So many in that time.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    count: usize,
    time: Duration,
}

impl Speed {
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }
}

/// Writes `pods` pods, then changes `changed` of them.
pub(crate) async fn load(store: &Store, pods: usize, changed: usize) -> Result<Load> {
    let mut load = Load {
        memory: [memory(); 3],
        ..Load::default()
    };
    for number in 0..CLUSTERS {
        let pods: Vec<_> = (number..pods).step_by(CLUSTERS).collect();
        for view in [View::Rows, View::Objects] {
            let speed = match view {
                View::Rows => &mut load.rows,
                _ => &mut load.objects,
            };
            write(store, &pods, (0, view), BATCH, speed).await?;
        }
        if number < CLUSTERS / 4 {
            load.memory[1] = memory();
        }
    }
    load.memory[2] = memory();
    for number in 0..CLUSTERS {
        let pods: Vec<_> = (number..changed).step_by(CLUSTERS).collect();
        write(store, &pods, (1, View::Objects), CHANGES, &mut load.updates).await?;
    }
    Ok(load)
}

async fn write(
    store: &Store,
    pods: &[usize],
    (revision, view): (u32, View),
    most: usize,
    speed: &mut Speed,
) -> Result<()> {
    for pods in pods.chunks(most) {
        let Some(first) = pods.first() else { continue };
        let mut batch = Batch::new(stream(*first, view)?);
        batch.header = (view == View::Rows).then(header);
        let mut bytes = 0;
        for pod in pods {
            let (key, value) = entry(*pod, revision, view);
            bytes += value.as_ref().map_or(0, bytes::Bytes::len);
            batch.changes.push((key, value));
            if bytes >= MOST_BYTES {
                timed(store, &mut batch, speed).await?;
                bytes = 0;
            }
        }
        timed(store, &mut batch, speed).await?;
    }
    Ok(())
}

/// Writes what is in a batch. What makes the pods is not in the time.
async fn timed(store: &Store, batch: &mut Batch, speed: &mut Speed) -> Result<()> {
    let next = Batch::new(batch.stream.clone());
    let batch = std::mem::replace(batch, next);
    let count = batch.changes.len();
    let begin = Instant::now();
    store.write(batch).await?;
    speed.time += begin.elapsed();
    speed.count += count;
    Ok(())
}
