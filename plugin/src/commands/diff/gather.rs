//! What each cluster has of some objects, all of it, or why not.

use crate::commands::reader::{Read, Reader};
use crate::error::Failure;
use crate::get::member::Trouble;
use crate::get::messages::{self, Refusal};
use crate::get::{ClusterSelector, Plan};
use crate::table::Resource;
use futures::future::join_all;
use mqtt_informer::informer::{Cluster, Informer};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
    /// A line for each that could not, or that may be old.
    pub(super) failures: BTreeSet<String>,
    /// What each target is called, as the clusters say, and whether one of them has it.
    targets: BTreeMap<usize, (String, bool)>,
}

impl Gathered {
    /// What was named and is in no cluster.
    pub(super) fn missing(&self, plan: &Plan) -> Vec<Refusal> {
        let missing = |(target, (resource, is_there)): (&usize, &(String, bool))| {
            let name = plan.targets.get(*target)?.name.as_deref()?;
            (!is_there).then(|| Refusal::not_found(resource, name))
        };
        self.targets.iter().filter_map(missing).collect()
    }
}

/// Reads every target of a plan in every cluster that is meant.
pub(super) async fn gather(
    informer: &Informer,
    reader: &Reader,
    selector: &ClusterSelector,
    plan: &Plan,
) -> Result<Gathered, Failure> {
    if !selector.is_closed() {
        reader.discovered().await;
    }
    let known = informer.clusters().borrow().clone();
    let names = meant(selector, &known);
    if names.is_empty() {
        let known: Vec<_> = known.keys().collect();
        let line = messages::no_cluster(&selector.to_string(), &known);
        return Err(Failure::because(line.trim_start_matches("error: ")));
    }
    let reads = names.iter().flat_map(|name| {
        let targets = plan.targets.iter();
        targets.map(move |target| reader.read(name, plan.selection(target, name)))
    });
    let answers = join_all(reads).await;
    Ok(sorted_out(names, answers, reader, plan))
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

fn sorted_out(
    names: Vec<ClusterName>,
    answers: Vec<Result<Read, Trouble>>,
    reader: &Reader,
    plan: &Plan,
) -> Gathered {
    let mut gathered = Gathered::default();
    let mut failed = BTreeSet::new();
    let mut absences = vec![(0, None); plan.targets.len()];
    let asked = names
        .iter()
        .flat_map(|name| (0..plan.targets.len()).map(move |target| (name, target)));
    for ((name, target), answer) in asked.zip(answers) {
        match answer {
            Ok(read) => {
                let stale = |doubt| messages::stale(name, doubt);
                gathered.failures.extend(read.doubt.map(stale));
                let called = (read.found.resource.qualified(), false);
                let (_, is_there) = gathered.targets.entry(target).or_insert(called);
                *is_there |= !read.found.objects.is_empty();
                for object in read.found.objects {
                    gathered.found.push(Found {
                        cluster: name.clone(),
                        resource: read.found.resource.clone(),
                        object,
                    });
                }
            }
            Err(Trouble::Refused(refusal)) if refusal.is_absence() => {
                let (count, first) = &mut absences[target];
                *count += 1;
                first.get_or_insert(refusal);
            }
            Err(trouble) => {
                failed.insert(name.clone());
                gathered.failures.insert(reader.line(name, &trouble));
            }
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
