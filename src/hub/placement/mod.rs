//! Which clusters a `Placement` gets: OCM's scheduler as one pure function.
//!
//! Sets that are bound in its namespace → clusters in them → predicates → tolerations → scores → spread → groups.
//! Filters, scores, reasons and messages are OCM's, so its documentation is ours too. Where we differ:
//!
//! - A placement that is misconfigured, or asks for what we cannot evaluate, keeps the decisions that it has. OCM takes
//!   them all away, and with them all workload: by one typing error.
//! - Among equal scores, a cluster that is already chosen comes first. OCM goes by the name.
//! - `PreferNoSelect` and `spreadPolicy` do what OCM's API says; its scheduler knows neither yet.
//!
//! **Architecture invariant:** pure, and stable: what it answers, given as what there is, is answered again.

mod candidates;
mod decisions;
mod events;
mod filter;
mod groups;
mod score;
mod spread;
mod taints;
#[cfg(test)]
mod tests;
mod verdict;

pub use events::Event;
pub use score::Score;

use crate::ocm::placement::{DISABLE_ANNOTATION, PlacementStatus};
use crate::ocm::unsupported::Unsupported;
use crate::ocm::{
    ManagedCluster, ManagedClusterSet, ManagedClusterSetBinding, Placement, PlacementDecision,
    is_deleting, name, namespace,
};
use k8s_openapi::jiff::Timestamp;
use std::collections::BTreeSet;
use verdict::{Problem, Verdict};

/// What there is.
#[derive(Clone, Copy, Debug)]
pub struct Scheduling<'a> {
    /// Whose clusters are looked for.
    pub placement: &'a Placement,
    /// Of all namespaces, or of the placement's.
    pub bindings: &'a [ManagedClusterSetBinding],
    /// All of them.
    pub sets: &'a [ManagedClusterSet],
    /// All of them.
    pub clusters: &'a [ManagedCluster],
    /// Of all placements: they are balanced against each other.
    pub decisions: &'a [PlacementDecision],
    /// What add-ons say of clusters; nothing: nobody reads it, so who asks for it is told.
    pub scores: Option<&'a [Score]>,
    /// The hub's clock.
    pub now: Timestamp,
}

/// What shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// All `PlacementDecision`s of the placement; labels and status to be written.
    pub decisions: Vec<PlacementDecision>,
    /// The names of those to be deleted.
    pub redundant: Vec<String>,
    /// The placement's.
    pub status: PlacementStatus,
    /// What the placement's readers are told.
    pub events: Vec<Event>,
    /// When to ask again, though nothing has changed.
    pub recheck: Option<Timestamp>,
}

/// Schedules a placement; none if nobody shall: it is being deleted, or says so by an annotation.
pub fn schedule(world: &Scheduling<'_>) -> Option<Outcome> {
    let placement = world.placement;
    let annotations = placement.metadata.annotations.as_ref();
    let disabled = annotations.and_then(|it| it.get(DISABLE_ANNOTATION));
    if is_deleting(&placement.metadata) || disabled.is_some_and(|it| it == "true") {
        return None;
    }
    let sets = filter::sets(world);
    let mut verdict = Verdict::new(&sets);
    let found = filter::available(world, &sets.eligible)
        .inspect(|available| verdict.available = available.len())
        .and_then(|available| candidates::choose(world, available));
    Some(match found {
        Ok(chosen) => {
            verdict.selected = chosen.clusters.len();
            decisions::outcome(world, &verdict, chosen)
        }
        Err(problem) => decisions::unchanged(world, &verdict.stopped_by(problem)),
    })
}

impl<'a> Scheduling<'a> {
    /// The decisions of this placement as they are.
    fn own_decisions(&self) -> impl Iterator<Item = &'a PlacementDecision> {
        let (namespace, name) = (namespace(self.placement), name(self.placement));
        let decisions = self.decisions.iter();
        decisions.filter(move |it| it.is_of(namespace, name))
    }

    /// The clusters that this placement has.
    fn own_clusters(&self) -> BTreeSet<&'a str> {
        self.own_decisions()
            .flat_map(PlacementDecision::clusters)
            .collect()
    }
}

/// What of a placement we do not do.
pub fn unsupported(placement: &Placement, reads_scores: bool) -> Vec<Unsupported> {
    let predicates = placement.spec.predicates.iter().enumerate();
    let by_cel = predicates.filter(|(_, it)| {
        let cel = &it.required_cluster_selector.cel_selector;
        !cel.cel_expressions.is_empty()
    });
    let mut all: Vec<_> = by_cel
        .map(|(i, _)| {
            let field = format!("spec.predicates[{i}].requiredClusterSelector.celSelector");
            Unsupported::new(
                field,
                "CEL is not evaluated here, decisions stay as they are",
            )
        })
        .collect();
    let add_ons = placement.spec.prioritizer_policy.configurations.iter();
    if !reads_scores && add_ons.clone().any(score::is_add_on) {
        all.push(Unsupported::new(
            "spec.prioritizerPolicy.configurations[].scoreCoordinate.addOn",
            "scores of add-ons are not read here, decisions stay as they are",
        ));
    }
    all
}
