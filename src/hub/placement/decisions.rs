//! What was chosen, as the objects that say so.

use super::candidates::Chosen;
use super::events::events;
use super::groups::{Group, groups};
use super::{Outcome, Scheduling, Verdict};
use crate::ocm::decision::{
    GROUP_INDEX_LABEL, GROUP_NAME_LABEL, MOST_DECISIONS, PLACEMENT_LABEL, PlacementDecisionStatus,
};
use crate::ocm::placement::{DecisionGroupStatus, PlacementStatus};
use crate::ocm::{
    ClusterDecision, ObjectMeta, OwnerReference, Placement, PlacementDecision, Time, duration, name,
};
use k8s_openapi::Resource as _;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often scores alone are written, if nobody says.
const SCORE_RATE: Duration = Duration::from_secs(60);

/// All stays as it is, but for the conditions.
pub(super) fn unchanged(world: &Scheduling<'_>, verdict: &Verdict) -> Outcome {
    Outcome {
        decisions: world.own_decisions().cloned().collect(),
        redundant: Vec::new(),
        status: PlacementStatus {
            conditions: verdict.conditions(world, 0),
            ..world.placement.status.clone()
        },
        events: Vec::new(),
        recheck: None,
    }
}

pub(super) fn outcome(world: &Scheduling<'_>, verdict: &Verdict, chosen: Chosen<'_>) -> Outcome {
    let spec = &world.placement.spec;
    let recorded = recorded(world, &chosen);
    let strategy = &spec.decision_strategy.group_strategy;
    let found = groups(strategy, &spec.sort_by, &chosen.clusters, &recorded.scores);
    let groups = match found {
        Ok(groups) => groups,
        Err(problem) => return unchanged(world, &verdict.clone().stopped_by(problem)),
    };
    let mut decisions = Vec::new();
    let mut statuses = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let of_group = of_group(
            world.placement,
            index,
            group,
            decisions.len(),
            &recorded.scores,
        );
        statuses.push(group_status(index, group, &of_group));
        decisions.extend(of_group);
    }
    let is_left = |it: &str| decisions.iter().any(|new| name(new) == it);
    let redundant: Vec<_> = world
        .own_decisions()
        .map(name)
        .filter(|it| !is_left(it))
        .map(str::to_owned)
        .collect();
    Outcome {
        events: events(world, &decisions, &redundant),
        status: PlacementStatus {
            number_of_selected_clusters: i32::try_from(chosen.clusters.len()).unwrap_or(i32::MAX),
            decision_groups: statuses,
            conditions: verdict.conditions(world, chosen.missing),
            last_score_update_time: recorded.at.map(Time),
        },
        recheck: chosen.recheck.into_iter().chain(recorded.due).min(),
        decisions,
        redundant,
    }
}

fn of_group(
    placement: &Placement,
    index: usize,
    group: &Group<'_>,
    before: usize,
    scores: &BTreeMap<&str, i64>,
) -> Vec<PlacementDecision> {
    let clusters: Vec<_> = group
        .clusters
        .iter()
        .map(|it| ClusterDecision {
            cluster_name: (*it).to_owned(),
            reason: String::new(),
            score: scores.get(it).copied(),
        })
        .collect();
    // A group that is empty has one object that says so.
    let parts: Vec<_> = match clusters.is_empty() {
        true => vec![Vec::new()],
        false => clusters.chunks(MOST_DECISIONS).map(<[_]>::to_vec).collect(),
    };
    let parts = parts.into_iter().enumerate();
    parts
        .map(|(i, part)| PlacementDecision {
            metadata: metadata(placement, index, &group.name, before + i + 1),
            status: PlacementDecisionStatus {
                decisions: Some(part),
            },
        })
        .collect()
}

fn metadata(placement: &Placement, group: usize, group_name: &str, number: usize) -> ObjectMeta {
    let of = name(placement);
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let owner = placement.metadata.uid.clone().map(|uid| OwnerReference {
        api_version: Placement::API_VERSION.to_owned(),
        kind: Placement::KIND.to_owned(),
        name: of.to_owned(),
        uid,
        controller: Some(true),
        block_owner_deletion: Some(true),
    });
    ObjectMeta {
        name: Some(format!("{of}-decision-{number}")),
        namespace: placement.metadata.namespace.clone(),
        labels: Some(BTreeMap::from([
            label(PLACEMENT_LABEL, of),
            label(GROUP_NAME_LABEL, group_name),
            label(GROUP_INDEX_LABEL, &group.to_string()),
        ])),
        owner_references: owner.map(|it| vec![it]),
        ..ObjectMeta::default()
    }
}

fn group_status(
    index: usize,
    group: &Group<'_>,
    decisions: &[PlacementDecision],
) -> DecisionGroupStatus {
    let number = |it: usize| i32::try_from(it).unwrap_or(i32::MAX);
    DecisionGroupStatus {
        decision_group_index: number(index),
        decision_group_name: group.name.clone(),
        decisions: decisions.iter().map(|it| name(it).to_owned()).collect(),
        cluster_count: number(group.clusters.len()),
    }
}

/// The scores that are written.
struct Recorded<'a> {
    scores: BTreeMap<&'a str, i64>,
    at: Option<Timestamp>,
    /// When newer ones may be.
    due: Option<Timestamp>,
}

/// New scores are written with a new choice, and otherwise not more often than `scoreRateLimit` says.
fn recorded<'a>(world: &Scheduling<'a>, chosen: &Chosen<'a>) -> Recorded<'a> {
    let old: BTreeMap<&str, i64> = world
        .own_decisions()
        .flat_map(|it| it.decisions())
        .map(|it| (it.cluster_name.as_str(), it.score.unwrap_or_default()))
        .collect();
    let last = world.placement.status.last_score_update_time.as_ref();
    let last = last.map(|it| it.0);
    if old == chosen.scores {
        return Recorded {
            scores: old,
            at: last,
            due: None,
        };
    }
    let due = last.and_then(|it| it.checked_add(rate(world.placement)).ok());
    let same = old.keys().eq(chosen.scores.keys());
    match due.filter(|due| same && *due > world.now) {
        Some(due) => Recorded {
            scores: old,
            at: last,
            due: Some(due),
        },
        None => Recorded {
            scores: chosen.scores.clone(),
            at: Some(world.now),
            due: None,
        },
    }
}

fn rate(placement: &Placement) -> SignedDuration {
    let said = placement.spec.score_rate_limit.as_deref();
    let rate = said.and_then(duration::parse).unwrap_or(SCORE_RATE);
    SignedDuration::try_from(rate).unwrap_or(SignedDuration::from_secs(60))
}
