//! OCM's documented examples, and what always holds.

mod documented;
mod filters;
mod grouping;
mod scoring;
mod spreading;
mod stable;

use super::*;
use crate::ocm::conditions::find;
use crate::ocm::placement::{MISCONFIGURED, SATISFIED};
use serde_json::{Value, json};

/// A hub: what `schedule` is given, owned.
#[derive(Clone, Debug)]
struct Hub {
    placement: Placement,
    bindings: Vec<ManagedClusterSetBinding>,
    sets: Vec<ManagedClusterSet>,
    clusters: Vec<ManagedCluster>,
    decisions: Vec<PlacementDecision>,
    scores: Option<Vec<Score>>,
    now: Timestamp,
}

fn read<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A cluster of the set `default`.
fn cluster(cluster: &str, more: Value) -> ManagedCluster {
    let mut found: ManagedCluster = read(more);
    found.metadata.name = Some(cluster.to_owned());
    let labels = found.metadata.labels.get_or_insert_default();
    labels.insert(
        crate::ocm::cluster::CLUSTER_SET_LABEL.to_owned(),
        "default".to_owned(),
    );
    found
}

fn labelled(name: &str, labels: Value) -> ManagedCluster {
    cluster(name, json!({"metadata": {"labels": labels}}))
}

/// A decision of another placement.
fn other_decision(placement: &str, clusters: &[&str]) -> PlacementDecision {
    let decisions: Vec<_> = clusters
        .iter()
        .map(|it| json!({"clusterName": it, "reason": ""}))
        .collect();
    read(json!({
        "metadata": {
            "name": format!("{placement}-decision-1"),
            "namespace": "default",
            "labels": {crate::ocm::decision::PLACEMENT_LABEL: placement},
        },
        "status": {"decisions": decisions},
    }))
}

impl Hub {
    /// A placement `p` in `default`, where the set `default` is bound.
    fn new(spec: Value, clusters: Vec<ManagedCluster>) -> Self {
        let bound = json!({"metadata": {"name": "default", "namespace": "default"}, "spec": {"clusterSet": "default"}});
        Self {
            placement: read(json!({
                "metadata": {"name": "p", "namespace": "default", "uid": "u", "generation": 3},
                "spec": spec,
            })),
            bindings: vec![read(bound)],
            sets: vec![read(json!({"metadata": {"name": "default"}}))],
            clusters,
            decisions: Vec::new(),
            scores: None,
            now: at(1_000_000),
        }
    }

    fn schedule(&self) -> Outcome {
        let world = Scheduling {
            placement: &self.placement,
            bindings: &self.bindings,
            sets: &self.sets,
            clusters: &self.clusters,
            decisions: &self.decisions,
            scores: self.scores.as_deref(),
            now: self.now,
        };
        schedule(&world).unwrap()
    }

    /// Schedules, and takes what comes out as what there is.
    fn settle(&mut self) -> Outcome {
        let outcome = self.schedule();
        let is_ours = |it: &PlacementDecision| it.is_of("default", "p");
        self.decisions.retain(|it| !is_ours(it));
        self.decisions.extend(outcome.decisions.clone());
        self.placement.status = outcome.status.clone();
        outcome
    }

    fn selected(&self) -> Vec<String> {
        clusters(&self.schedule())
    }
}

fn clusters(outcome: &Outcome) -> Vec<String> {
    let all = outcome
        .decisions
        .iter()
        .flat_map(PlacementDecision::clusters);
    let mut names: Vec<_> = all.map(str::to_owned).collect();
    names.sort();
    names
}

/// Status, reason and message of a condition.
fn condition(outcome: &Outcome, kind: &str) -> [String; 3] {
    let found = find(&outcome.status.conditions, kind).unwrap().clone();
    assert_eq!(found.observed_generation, Some(3));
    [found.status, found.reason, found.message]
}
