//! Chooses from the best on, but not all in one place.
//!
//! Clusters are taken one by one: the best that keeps every hard constraint, of these the one that breaks the soft ones
//! least. The skew of a place is how many more clusters it has than the place that has fewest; places are those of the
//! clusters that could be chosen.

use super::candidates::Candidate;
use crate::ocm::placement::{SpreadConstraint, TopologyKeyType, WhenUnsatisfiable};
use crate::ocm::{ManagedCluster, label};
use std::collections::BTreeMap;

/// Chooses so many of the candidates, who come in order, the best first.
pub(super) fn choose<'c, 'a>(
    ranked: &'c [Candidate<'a>],
    constraints: &[SpreadConstraint],
    wanted: usize,
) -> Vec<&'c Candidate<'a>> {
    if constraints.is_empty() {
        return ranked.iter().take(wanted).collect();
    }
    let mut places: Vec<_> = constraints
        .iter()
        .map(|it| Places::of(it, ranked))
        .collect();
    let mut left: Vec<_> = ranked.iter().collect();
    let mut chosen = Vec::new();
    while chosen.len() < wanted {
        let Some(best) = next(&left, &places) else {
            break;
        };
        let candidate = left.remove(best);
        for places in &mut places {
            places.add(candidate.cluster);
        }
        chosen.push(candidate);
    }
    chosen
}

/// Which of those that are left comes next.
fn next(left: &[&Candidate<'_>], places: &[Places<'_>]) -> Option<usize> {
    let fewest: Vec<_> = places.iter().map(Places::fewest).collect();
    let excesses = |candidate: &Candidate<'_>| -> Option<Vec<usize>> {
        let each = places.iter().zip(&fewest);
        each.map(|(places, fewest)| places.excess(candidate.cluster, *fewest))
            .collect()
    };
    let allowed = left
        .iter()
        .enumerate()
        .filter_map(|(i, it)| Some((excesses(it)?, i)));
    allowed.min().map(|(_, i)| i)
}

/// How many clusters were chosen in each place.
struct Places<'a> {
    constraint: &'a SpreadConstraint,
    counts: BTreeMap<Option<String>, usize>,
}

impl<'a> Places<'a> {
    fn of(constraint: &'a SpreadConstraint, candidates: &[Candidate<'_>]) -> Self {
        let hard = is_hard(constraint);
        let places = candidates.iter().map(|it| place(constraint, it.cluster));
        Self {
            constraint,
            counts: places
                .filter(|it| it.is_some() || !hard)
                .map(|it| (it, 0))
                .collect(),
        }
    }

    fn fewest(&self) -> usize {
        self.counts.values().copied().min().unwrap_or_default()
    }

    fn add(&mut self, cluster: &ManagedCluster) {
        let place = place(self.constraint, cluster);
        *self.counts.entry(place).or_default() += 1;
    }

    /// By how much the skew would be too large; none if the cluster must not be chosen.
    fn excess(&self, cluster: &ManagedCluster, fewest: usize) -> Option<usize> {
        let place = place(self.constraint, cluster);
        let there = self.counts.get(&place).copied();
        let most = usize::try_from(self.constraint.max_skew.unwrap_or(1)).unwrap_or(1);
        if !is_hard(self.constraint) {
            let skew = there.unwrap_or_default() + 1 - fewest;
            return Some(skew.saturating_sub(most.max(1)));
        }
        let skew = there? + 1 - fewest;
        (skew <= most.max(1)).then_some(0)
    }
}

fn is_hard(constraint: &SpreadConstraint) -> bool {
    constraint.when_unsatisfiable == WhenUnsatisfiable::DoNotSchedule
}

/// Where a cluster is; none if it does not say.
fn place(constraint: &SpreadConstraint, cluster: &ManagedCluster) -> Option<String> {
    let key = constraint.topology_key.as_str();
    let found = match constraint.topology_key_type {
        TopologyKeyType::Label => label(&cluster.metadata, key),
        TopologyKeyType::Claim => cluster.claim(key),
        TopologyKeyType::Unknown(_) => None,
    };
    found.map(str::to_owned)
}
