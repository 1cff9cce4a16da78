//! From the clusters that can be meant to those that are.

use super::{Problem, Scheduling, filter, score, spread, taints, unsupported};
use crate::ocm::unsupported::message;
use crate::ocm::{ManagedCluster, name};
use k8s_openapi::jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How often a choice that depends on itself is made again.
const MOST_ROUNDS: usize = 8;

/// A cluster that can be chosen.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) cluster: &'a ManagedCluster,
    score: i64,
    avoided: bool,
    chosen: bool,
}

/// What was chosen.
#[derive(Debug, Default)]
pub(super) struct Chosen<'a> {
    /// By name.
    pub(super) clusters: Vec<&'a ManagedCluster>,
    /// How good each of them is.
    pub(super) scores: BTreeMap<&'a str, i64>,
    /// How many more were wanted.
    pub(super) missing: usize,
    /// When tolerations end.
    pub(super) recheck: Option<Timestamp>,
}

pub(super) fn choose<'a>(
    world: &Scheduling<'a>,
    available: Vec<&'a ManagedCluster>,
) -> Result<Chosen<'a>, Problem> {
    let spec = &world.placement.spec;
    let asked = unsupported(world.placement, world.scores.is_some());
    if !asked.is_empty() {
        return Err(Problem::unsupported(message(&asked)));
    }
    taints::check(&spec.tolerations)?;
    let wanted = wanted(spec.number_of_clusters, available.len())?;
    let matching = filter::predicates(&spec.predicates, available)?;
    let own = world.own_clusters();
    // Who stays only because it is chosen is no measure for the others: once it is not, they would have other scores.
    let (measure, _) = tolerated(world, matching.clone(), &BTreeSet::new());
    let (feasible, recheck) = tolerated(world, matching, &own);
    let alone =
        |all: &[(&'a ManagedCluster, bool)]| all.iter().map(|(it, _)| *it).collect::<Vec<_>>();
    let clusters = alone(&feasible);
    let scores = score::scores(world, &clusters, &alone(&measure))?;
    let rank = |own: &BTreeSet<&str>| ranked(&feasible, &scores, own);
    let names = settled(world, wanted, &own, rank);
    // As they are once chosen: written otherwise, each choice would be followed by another score for the same.
    let scored = |it: &&'a str| (*it, scores.of(it, true));
    Ok(Chosen {
        missing: spec
            .number_of_clusters
            .map_or(0, |_| wanted.saturating_sub(names.len())),
        scores: names.iter().map(scored).collect(),
        clusters: clusters
            .into_iter()
            .filter(|it| names.contains(name(*it)))
            .collect(),
        recheck,
    })
}

fn wanted(said: Option<i32>, all: usize) -> Result<usize, Problem> {
    let Some(said) = said else { return Ok(all) };
    usize::try_from(said).map_err(|_| {
        let text = format!("numberOfClusters must not be negative, it is {said}");
        Problem::misconfigured("", text)
    })
}

/// Those whose taints are tolerated, whether they are rather avoided, and when that changes.
fn tolerated<'a>(
    world: &Scheduling<'_>,
    clusters: Vec<&'a ManagedCluster>,
    own: &BTreeSet<&str>,
) -> (Vec<(&'a ManagedCluster, bool)>, Option<Timestamp>) {
    let tolerations = &world.placement.spec.tolerations;
    let mut recheck: Option<Timestamp> = None;
    let mut feasible = Vec::new();
    for cluster in clusters {
        let chosen = own.contains(name(cluster));
        let tolerance = taints::tolerance(cluster, tolerations, chosen, world.now);
        if !tolerance.refused {
            recheck = recheck.into_iter().chain(tolerance.until).min();
            feasible.push((cluster, tolerance.avoided));
        }
    }
    (feasible, recheck)
}

/// The best first. Being chosen makes no cluster worse, or a choice would undo itself.
fn ranked<'a>(
    feasible: &[(&'a ManagedCluster, bool)],
    scores: &score::Scores<'_>,
    own: &BTreeSet<&str>,
) -> Vec<Candidate<'a>> {
    let candidate = |(cluster, avoided): &(&'a ManagedCluster, bool)| {
        let chosen = own.contains(name(*cluster));
        Candidate {
            cluster,
            score: scores.of(name(*cluster), chosen),
            avoided: *avoided && !chosen,
            chosen,
        }
    };
    let mut all: Vec<_> = feasible.iter().map(candidate).collect();
    all.sort_by_key(|it| (it.avoided, Reverse(it.score), !it.chosen, name(it.cluster)));
    all
}

/// What is chosen, once choosing again changes nothing.
///
/// With constraints, a cluster that wins a place can make room elsewhere for one that had none; the second choice would
/// then move what the first had just placed. So it is made here, before anybody sees it.
fn settled<'a>(
    world: &Scheduling<'a>,
    wanted: usize,
    own: &BTreeSet<&'a str>,
    rank: impl Fn(&BTreeSet<&str>) -> Vec<Candidate<'a>>,
) -> BTreeSet<&'a str> {
    let constraints = &world.placement.spec.spread_policy.spread_constraints;
    let once = |own: &BTreeSet<&'a str>| -> BTreeSet<&'a str> {
        let ranked = rank(own);
        let chosen = spread::choose(&ranked, constraints, wanted);
        chosen.iter().map(|it| name(it.cluster)).collect()
    };
    let mut seen = vec![own.clone()];
    let mut names = once(own);
    for _ in 0..MOST_ROUNDS {
        if seen.contains(&names) {
            break;
        }
        seen.push(names.clone());
        names = once(&names);
    }
    names
}
