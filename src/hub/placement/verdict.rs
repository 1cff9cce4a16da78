//! What a placement's conditions say.

use super::filter::Sets;
use super::{Scheduling, unsupported};
use crate::ocm::conditions::{condition, observed, set_beside};
use crate::ocm::placement::{MISCONFIGURED, SATISFIED};
use crate::ocm::unsupported::tell;
use crate::ocm::{Condition, name};

/// Why a placement cannot be scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    reason: &'static str,
    message: String,
}

impl Problem {
    /// It says what cannot be; which part of the scheduler finds so.
    pub(super) fn misconfigured(plugin: &str, message: impl std::fmt::Display) -> Self {
        Self {
            reason: "Misconfigured",
            message: format!("{plugin}:{message}"),
        }
    }

    /// It says what we cannot do.
    pub(super) fn unsupported(message: String) -> Self {
        Self {
            reason: "Unsupported",
            message,
        }
    }
}

/// How scheduling went.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    bound: usize,
    eligible: Vec<String>,
    pub(super) available: usize,
    pub(super) selected: usize,
    problem: Option<Problem>,
}

impl Verdict {
    pub(super) fn new(sets: &Sets<'_>) -> Self {
        Self {
            bound: sets.bound,
            eligible: sets
                .eligible
                .iter()
                .map(|it| name(*it).to_owned())
                .collect(),
            ..Self::default()
        }
    }

    pub(super) fn stopped_by(self, problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..self
        }
    }

    /// The placement's conditions, those of others left as they are.
    pub(super) fn conditions(&self, world: &Scheduling<'_>, missing: usize) -> Vec<Condition> {
        let placement = world.placement;
        let mut all = placement.status.conditions.clone();
        let generation = placement.metadata.generation;
        let (satisfied, reason, message) = self.satisfied(&placement.spec.cluster_sets, missing);
        let satisfied = condition(SATISFIED, satisfied, reason, message, world.now);
        let misconfigured = match &self.problem {
            Some(it) => condition(
                MISCONFIGURED,
                true,
                it.reason,
                it.message.clone(),
                world.now,
            ),
            None => {
                let text = "Placement configurations check pass";
                condition(MISCONFIGURED, false, "Succeedconfigured", text, world.now)
            }
        };
        set_beside(&mut all, observed(misconfigured, generation));
        set_beside(&mut all, observed(satisfied, generation));
        let fields = unsupported(placement, world.scores.is_some());
        tell(&mut all, &fields, world.now);
        all
    }

    fn satisfied(&self, wanted: &[String], missing: usize) -> (bool, &'static str, String) {
        if self.bound == 0 {
            let text = "No valid ManagedClusterSetBindings found in placement namespace";
            return (false, "NoManagedClusterSetBindings", text.to_owned());
        }
        if self.eligible.is_empty() {
            let sets = wanted.join(",");
            let text =
                format!("None of ManagedClusterSets [{sets}] is bound to placement namespace");
            return (false, "NoIntersection", text);
        }
        if let Some(problem) = &self.problem {
            let text = format!("Decisions are kept as they are: {}", problem.message);
            return (false, "NotAllDecisionsScheduled", text);
        }
        if self.available == 0 {
            let sets = self.eligible.join(",");
            let text = format!("All ManagedClusterSets [{sets}] have no member ManagedCluster");
            return (false, "AllManagedClusterSetsEmpty", text);
        }
        match (self.selected, missing) {
            (0, _) => {
                let text = "No ManagedCluster matches any of the cluster predicate";
                (false, "NoManagedClusterMatched", text.to_owned())
            }
            (_, 0) => {
                let text = "All cluster decisions scheduled";
                (true, "AllDecisionsScheduled", text.to_owned())
            }
            (_, missing) => {
                let text = format!("{missing} cluster decisions unscheduled");
                (false, "NotAllDecisionsScheduled", text)
            }
        }
    }
}
