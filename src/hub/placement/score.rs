//! How good clusters are: Balance, Steady, ResourceAllocatableCPU and -Memory, and what add-ons say.

use super::{Problem, Scheduling};
use crate::ocm::placement::{
    AddOnScore, PolicyMode, PrioritizerConfig, PrioritizerPolicy, ScoreType,
};
use crate::ocm::{ManagedCluster, PlacementDecision, name, namespace, quantity};
use k8s_openapi::jiff::Timestamp;
use std::collections::BTreeMap;

const BEST: i64 = 100;

/// What an add-on says of a cluster: an item of an `AddOnPlacementScore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The cluster, whose namespace the object is in.
    pub cluster: String,
    /// The object's name.
    pub resource: String,
    /// Which of its scores.
    pub name: String,
    /// -100 to 100.
    pub value: i64,
    /// Until when it holds; nothing: for ever.
    pub valid_until: Option<Timestamp>,
}

/// What counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Measure {
    Balance,
    Steady,
    Cpu,
    Memory,
    AddOn(String, String),
}

/// How good clusters are, for one placement.
#[derive(Debug, Default)]
pub(super) struct Scores<'a> {
    /// All but Steady, times its weight.
    sums: BTreeMap<&'a str, i64>,
    /// The weight of being chosen already.
    steady: i64,
}

impl Scores<'_> {
    pub(super) fn of(&self, cluster: &str, chosen: bool) -> i64 {
        let bonus = if chosen { BEST * self.steady } else { 0 };
        self.sums.get(cluster).copied().unwrap_or_default() + bonus
    }
}

/// Whether a configuration is of an add-on's score, and counts.
pub(super) fn is_add_on(configuration: &PrioritizerConfig) -> bool {
    let coordinate = configuration.score_coordinate.as_ref();
    configuration.weight != Some(0) && coordinate.is_some_and(|it| it.kind == ScoreType::AddOn)
}

/// Of clusters; how much they can give is measured by that of others.
pub(super) fn scores<'a>(
    world: &Scheduling<'a>,
    clusters: &[&'a ManagedCluster],
    others: &[&'a ManagedCluster],
) -> Result<Scores<'a>, Problem> {
    let mut all = Scores::default();
    for (measure, weight) in weights(&world.placement.spec.prioritizer_policy)? {
        let found = match &measure {
            Measure::Steady => {
                all.steady = weight;
                continue;
            }
            Measure::Balance => balance(world, clusters),
            Measure::Cpu => allocatable("cpu", clusters, others),
            Measure::Memory => allocatable("memory", clusters, others),
            Measure::AddOn(resource, score) => add_on(world, clusters, resource, score),
        };
        for (cluster, score) in found {
            *all.sums.entry(cluster).or_default() += score * weight;
        }
    }
    Ok(all)
}

/// How much what counts, but for what does not count at all.
fn weights(policy: &PrioritizerPolicy) -> Result<BTreeMap<Measure, i64>, Problem> {
    let mut weights = match &policy.mode {
        PolicyMode::Additive => BTreeMap::from([(Measure::Balance, 1), (Measure::Steady, 1)]),
        PolicyMode::Exact => BTreeMap::new(),
        PolicyMode::Unknown(word) if word.is_empty() => {
            BTreeMap::from([(Measure::Balance, 1), (Measure::Steady, 1)])
        }
        PolicyMode::Unknown(word) => {
            return problem(format!("incorrect prioritizer policy mode: {word}"));
        }
    };
    for configuration in &policy.configurations {
        let weight = i64::from(configuration.weight.unwrap_or(1));
        weights.insert(measure(configuration)?, weight);
    }
    weights.retain(|_, weight| *weight != 0);
    Ok(weights)
}

fn measure(configuration: &PrioritizerConfig) -> Result<Measure, Problem> {
    let Some(coordinate) = &configuration.score_coordinate else {
        return problem("scoreCoordinate field is required".to_owned());
    };
    if coordinate.kind == ScoreType::AddOn {
        return match &coordinate.add_on {
            Some(AddOnScore {
                resource_name,
                score_name,
            }) => Ok(Measure::AddOn(resource_name.clone(), score_name.clone())),
            None => problem("addOn should not be empty".to_owned()),
        };
    }
    match coordinate.built_in.as_deref().unwrap_or_default() {
        "Balance" => Ok(Measure::Balance),
        "Steady" => Ok(Measure::Steady),
        "ResourceAllocatableCPU" => Ok(Measure::Cpu),
        "ResourceAllocatableMemory" => Ok(Measure::Memory),
        other => problem(format!("incorrect builtin prioritizer: {other}")),
    }
}

fn problem<T>(message: String) -> Result<T, Problem> {
    Err(Problem::misconfigured("", message))
}

type Found<'a> = Vec<(&'a str, i64)>;

/// The fewer decisions of other placements a cluster has, the better.
fn balance<'a>(world: &Scheduling<'a>, clusters: &[&'a ManagedCluster]) -> Found<'a> {
    let (here, this) = (namespace(world.placement), name(world.placement));
    let others = world.decisions.iter().filter(|it| !it.is_of(here, this));
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for cluster in others.flat_map(PlacementDecision::clusters) {
        *counts.entry(cluster).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(1);
    let score = |cluster: &str| match counts.get(cluster) {
        // Halved, cut and doubled again, as OCM does: documented scores are even.
        Some(count) => 2 * (100.0 * (0.5 - f64::from(*count) / f64::from(most))) as i64,
        None => BEST,
    };
    let names = clusters.iter().map(|it| name(*it));
    names.map(|it| (it, score(it))).collect()
}

/// The more a cluster can give, the better; one that does not say counts nothing. What is more or less than all by which it
/// is measured is as good or bad as can be.
fn allocatable<'a>(
    resource: &str,
    clusters: &[&'a ManagedCluster],
    others: &[&'a ManagedCluster],
) -> Found<'a> {
    let given = |cluster: &ManagedCluster| {
        cluster.status.capacity.get(resource)?;
        quantity::approximate(cluster.status.allocatable.get(resource)?)
    };
    let known = |all: &[&'a ManagedCluster]| -> Vec<_> {
        let known = all.iter().filter_map(|it| Some((name(*it), given(it)?)));
        known.collect()
    };
    let (clusters, others) = (known(clusters), known(others));
    let amounts = || others.iter().map(|it| it.1);
    let least = amounts().fold(f64::INFINITY, f64::min);
    let most = amounts().fold(f64::NEG_INFINITY, f64::max);
    let score = |amount: f64| match most - least {
        range if range > 0.0 => {
            let share = ((amount - least) / range).clamp(0.0, 1.0);
            ((share - 0.5) * 2.0 * 100.0) as i64
        }
        _ => BEST,
    };
    clusters
        .into_iter()
        .map(|(name, amount)| (name, score(amount)))
        .collect()
}

/// What an add-on says, as long as it holds.
fn add_on<'a>(
    world: &Scheduling<'_>,
    clusters: &[&'a ManagedCluster],
    resource: &str,
    score: &str,
) -> Found<'a> {
    let holds = |it: &&Score| it.valid_until.is_none_or(|until| until > world.now);
    let of = |cluster: &str| {
        let all = world.scores.unwrap_or_default().iter();
        all.filter(holds)
            .find(|it| it.cluster == cluster && it.resource == resource && it.name == score)
    };
    clusters
        .iter()
        .filter_map(|it| Some((name(*it), of(name(*it))?.value.clamp(-BEST, BEST))))
        .collect()
}
