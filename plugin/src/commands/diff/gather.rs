//! What each cluster has of some objects, all of it, or why not.

use crate::error::Failure;
use crate::get::messages::{self, Refusal};
use crate::get::plan::Way;
use crate::get::{ClusterSelector, Plan};
use crate::table::Resource;
use futures::future::join_all;
use mqtt_informer::informer::{Cluster, Informer, LinkState, Progress, Snapshot, Subscription};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Words that repeat themselves change no state, and still are no silence: looked at this often.
const AGAIN: Duration = Duration::from_millis(200);

/// One object of one cluster.
pub(super) struct Found {
    pub(super) cluster: ClusterName,
    pub(super) resource: Resource,
    pub(super) object: Value,
}

/// What all clusters have.
#[derive(Default)]
pub(super) struct Gathered {
    /// Those that could be read, in the order of the comparison.
    pub(super) clusters: Vec<ClusterName>,
    pub(super) found: Vec<Found>,
    /// A line for each that could not.
    pub(super) failures: BTreeSet<String>,
}

/// Reads every target of a plan in every cluster that is meant.
pub(super) async fn gather(
    informer: &Informer,
    selector: &ClusterSelector,
    plan: &Plan,
) -> Result<Gathered, Failure> {
    linked(informer, plan.timeout).await?;
    if !selector.is_closed() {
        informer.discovered().await;
    }
    let known = informer.clusters().borrow().clone();
    let names = meant(selector, &known);
    if names.is_empty() {
        let known: Vec<_> = known.keys().collect();
        let line = messages::no_cluster(&selector.to_string(), &known);
        return Err(Failure::because(line.trim_start_matches("error: ")));
    }
    let streams: Vec<_> = names
        .iter()
        .flat_map(|name| plan.targets.iter().map(move |target| (name, target)))
        .map(|(name, target)| {
            let subscription = informer.subscribe(name, plan.selection(target, name));
            (name.clone(), subscription)
        })
        .collect();
    let answers = streams.iter().map(|(name, subscription)| {
        let cluster = known.get(name);
        answer(name, cluster, subscription, plan)
    });
    let answers = join_all(answers).await;
    Ok(sorted_out(names, &streams, answers, plan))
}

/// Those that were named come first, in that order.
fn meant(selector: &ClusterSelector, known: &BTreeMap<ClusterName, Cluster>) -> Vec<ClusterName> {
    let mut names: Vec<_> = selector.named().cloned().collect();
    let others = known
        .iter()
        .filter(|(name, cluster)| selector.matches(name, &cluster.presence.labels));
    for (name, _) in others {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

async fn linked(informer: &Informer, timeout: Duration) -> Result<(), Failure> {
    let mut link = informer.link_state();
    let settled = link.wait_for(|state| match state {
        LinkState::Up => true,
        LinkState::Down(failure) => failure.permanent,
        LinkState::Connecting => false,
    });
    let settled = tokio::time::timeout(timeout, settled).await;
    // Still borrowed otherwise.
    drop(settled);
    let state = informer.link_state().borrow().clone();
    match state {
        LinkState::Up => Ok(()),
        LinkState::Down(failure) => Err(Failure::because(failure)),
        LinkState::Connecting => Err(Failure::because(
            "the broker does not answer: check --broker; --timeout waits longer",
        )),
    }
}

/// Why there is no answer.
enum Without {
    /// Type or object does not exist there.
    Absent(Refusal),
    Failed(String),
}

async fn answer(
    name: &ClusterName,
    cluster: Option<&Cluster>,
    subscription: &Subscription,
    plan: &Plan,
) -> Result<Snapshot, Without> {
    let (store, start) = (subscription.store(), Instant::now());
    let mut states = store.state();
    let limit = plan.request_timeout.map(|limit| start + limit);
    loop {
        let state = states.borrow_and_update().clone();
        if state.synced {
            return Ok(store.snapshot());
        }
        if let Progress::Refused {
            reason, message, ..
        } = state.progress
        {
            let refusal = Refusal { reason, message };
            return Err(match refusal.is_absence() {
                true => Without::Absent(refusal),
                false => Without::Failed(messages::refused(name, &refusal)),
            });
        }
        let failed = |line| Err(Without::Failed(line));
        if cluster.is_some_and(|cluster| cluster.offline) {
            return failed(messages::offline(name));
        }
        let now = Instant::now();
        if let Some(down) = &state.upstream_down
            && (down.since >= plan.timeout || now >= start + plan.timeout)
        {
            return failed(messages::api_server_away(name, down.since, &down.message));
        }
        if limit.is_some_and(|limit| now >= limit) {
            return failed(messages::too_slow(
                name,
                limit.map_or(Duration::ZERO, |it| it - start),
            ));
        }
        if now >= store.heard_at().unwrap_or(start).max(start) + plan.timeout {
            return failed(match (&state.obstacle, plan.way) {
                (Some(obstacle), _) => messages::obstructed(name, obstacle),
                (None, Way::Broker) => messages::silent(name, plan.timeout, cluster.is_some()),
                (None, Way::Direct) => messages::api_server_silent(name, plan.timeout),
            });
        }
        // Whether it changed or not, it is looked at.
        let _ = tokio::time::timeout(AGAIN, states.changed()).await;
    }
}

fn sorted_out(
    names: Vec<ClusterName>,
    streams: &[(ClusterName, Subscription)],
    answers: Vec<Result<Snapshot, Without>>,
    plan: &Plan,
) -> Gathered {
    let mut gathered = Gathered::default();
    let mut failed = BTreeSet::new();
    let mut absences = vec![(0, None); plan.targets.len()];
    for (at, ((name, _), answer)) in streams.iter().zip(answers).enumerate() {
        let outcome = match answer {
            Ok(snapshot) => objects(name, &snapshot, &mut gathered.found),
            Err(Without::Absent(refusal)) => {
                let (count, first) = &mut absences[at % plan.targets.len()];
                *count += 1;
                first.get_or_insert(refusal);
                Ok(())
            }
            Err(Without::Failed(line)) => Err(line),
        };
        if let Err(line) = outcome {
            failed.insert(name.clone());
            gathered.failures.insert(line);
        }
    }
    // What no cluster has is a slip, and no difference.
    for (count, refusal) in absences {
        if let Some(refusal) = refusal.filter(|_| count == names.len()) {
            gathered.failures.insert(refusal.line());
        }
    }
    gathered.clusters = names
        .into_iter()
        .filter(|name| !failed.contains(name))
        .collect();
    gathered
}

fn objects(name: &ClusterName, snapshot: &Snapshot, found: &mut Vec<Found>) -> Result<(), String> {
    let malformed = || messages::malformed(name);
    let header = snapshot.entries.get(&b""[..]).ok_or_else(malformed)?;
    let resource = Resource::from_header(header).map_err(|_| malformed())?;
    for (_, value) in snapshot.objects() {
        found.push(Found {
            cluster: name.clone(),
            resource: resource.clone(),
            object: serde_json::from_slice(value).map_err(|_| malformed())?,
        });
    }
    Ok(())
}
