//! Which clusters can be meant at all: bound sets, predicates.

use super::{Problem, Scheduling};
use crate::ocm::placement::{ClusterPredicate, ClusterSelector};
use crate::ocm::selector::{InvalidSelector, Selector};
use crate::ocm::{ManagedCluster, ManagedClusterSet, is_deleting, label, name, namespace};
use std::collections::BTreeSet;

/// The cluster sets of a placement.
#[derive(Debug, Default)]
pub(super) struct Sets<'a> {
    /// How many are bound in its namespace, and exist.
    pub(super) bound: usize,
    /// Those of them that it wants, by name.
    pub(super) eligible: Vec<&'a ManagedClusterSet>,
}

pub(super) fn sets<'a>(world: &Scheduling<'a>) -> Sets<'a> {
    let here = namespace(world.placement);
    let bindings = world.bindings.iter().filter(|it| namespace(*it) == here);
    let bound: BTreeSet<&str> = bindings.map(name).collect();
    let mut eligible: Vec<_> = world
        .sets
        .iter()
        .filter(|it| bound.contains(name(*it)))
        .collect();
    let bound = eligible.len();
    let wanted = &world.placement.spec.cluster_sets;
    if !wanted.is_empty() {
        eligible.retain(|it| wanted.iter().any(|wanted| wanted == name(*it)));
    }
    eligible.sort_by_key(|it| name(*it));
    Sets { bound, eligible }
}

/// The clusters of these sets, by name, but for those that are being deleted.
pub(super) fn available<'a>(
    world: &Scheduling<'a>,
    sets: &[&ManagedClusterSet],
) -> Result<Vec<&'a ManagedCluster>, Problem> {
    let mut found = Vec::new();
    for cluster in world.clusters {
        if !is_deleting(&cluster.metadata) && is_in_any(cluster, sets)? {
            found.push(cluster);
        }
    }
    found.sort_by_key(|it| name(*it));
    Ok(found)
}

fn is_in_any(cluster: &ManagedCluster, sets: &[&ManagedClusterSet]) -> Result<bool, Problem> {
    for set in sets {
        let has = set.has(cluster).map_err(|error| {
            let text = format!("ManagedClusterSet {}: {error}", name(*set));
            Problem::misconfigured("ClusterSets", text)
        })?;
        if has {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A selector of clusters that was checked.
pub(super) struct Matcher {
    labels: Selector,
    claims: Selector,
}

impl Matcher {
    pub(super) fn of(selector: &ClusterSelector) -> Result<Self, InvalidSelector> {
        Ok(Self {
            labels: Selector::of_labels(&selector.label_selector)?,
            claims: Selector::of_expressions(&selector.claim_selector.match_expressions)?,
        })
    }

    pub(super) fn matches(&self, cluster: &ManagedCluster) -> bool {
        self.labels.matches(|key| label(&cluster.metadata, key))
            && self.claims.matches(|name| cluster.claim(name))
    }
}

/// Those that match one of the predicates; all, if there is none.
pub(super) fn predicates<'a>(
    predicates: &[ClusterPredicate],
    mut clusters: Vec<&'a ManagedCluster>,
) -> Result<Vec<&'a ManagedCluster>, Problem> {
    if predicates.is_empty() {
        return Ok(clusters);
    }
    let matchers: Vec<_> = predicates
        .iter()
        .map(|it| Matcher::of(&it.required_cluster_selector))
        .collect::<Result<_, _>>()
        .map_err(|error| Problem::misconfigured("Predicate", error.to_string()))?;
    clusters.retain(|cluster| matchers.iter().any(|it| it.matches(cluster)));
    Ok(clusters)
}
