//! What a set's status says.

use super::groups::Groups;
use super::progress::Progress;
use super::steps::{ClusterProgress, Step};
use super::{World, unsupported, works};
use crate::ocm::conditions::{condition, is_true, observed, set};
use crate::ocm::replicaset::{
    MANIFESTWORK_APPLIED, ManifestWorkReplicaSetStatus, PLACEMENT_ROLLED_OUT, PLACEMENT_VERIFIED,
    PlacementSummary, STOPPED, Summary,
};
use crate::ocm::unsupported::tell;
use crate::ocm::work::{APPLIED, AVAILABLE, DEGRADED, PROGRESSING};
use crate::ocm::{ManifestWork, Placement, name, namespace};
use serde_json::Value;

/// What is counted while placements are looked at.
#[derive(Debug, Default)]
pub(super) struct Tally {
    template: Value,
    placements: Vec<PlacementSummary>,
    total: Summary,
    succeeded: usize,
    wanted: usize,
    /// Placements that are not there, strategies that cannot be, failures that stop it all.
    missing: Vec<String>,
    wrong: Vec<String>,
    stopped: Vec<String>,
}

impl Tally {
    pub(super) fn new(world: &World<'_>) -> Self {
        Self {
            template: world.set.spec.manifest_work_template.clone(),
            ..Self::default()
        }
    }

    pub(super) fn no_placement(&mut self, placement: &str) {
        self.missing.push(placement.to_owned());
    }

    pub(super) fn wrong_strategy(&mut self, placement: &str, message: &str) {
        self.wrong.push(format!("{placement}: {message}"));
    }

    pub(super) fn placement(
        &mut self,
        placement: &Placement,
        groups: &Groups,
        works: &[&ManifestWork],
        step: &Step,
        known: &[ClusterProgress],
    ) {
        let clusters = groups.clusters();
        let staying = works.iter().filter(|it| groups.has(namespace(**it)));
        let mut summary = Summary::default();
        for work in staying {
            count(&mut summary, work, &self.template);
        }
        summary.desired_total = number(clusters.len());
        let begun = step
            .rollout
            .iter()
            .filter(|it| it.progress == Progress::ToApply);
        let has_work = |cluster: &str| works.iter().any(|it| namespace(*it) == cluster);
        let new = begun.filter(|it| !has_work(&it.cluster)).count();
        summary.total += number(new);
        let is_done =
            |it: &&ClusterProgress| it.progress == Progress::Succeeded && groups.has(&it.cluster);
        let soaking = step
            .rollout
            .iter()
            .filter(|it| it.progress == Progress::Succeeded)
            .count();
        self.succeeded += known.iter().filter(is_done).count().saturating_sub(soaking);
        self.wanted += clusters.len();
        if step.too_many_failures {
            self.stopped.push(name(placement).to_owned());
        }
        let (groups, total, all) = (groups.len(), summary.total, clusters.len());
        self.add(&summary);
        self.placements.push(PlacementSummary {
            name: name(placement).to_owned(),
            available_decision_groups: format!("{groups} ({total} / {all} clusters applied)"),
            summary,
        });
    }

    fn add(&mut self, one: &Summary) {
        let all = &mut self.total;
        all.total += one.total;
        all.desired_total += one.desired_total;
        all.updated += one.updated;
        all.applied += one.applied;
        all.available += one.available;
        all.degraded += one.degraded;
        all.progressing += one.progressing;
    }

    pub(super) fn status(self, world: &World<'_>) -> ManifestWorkReplicaSetStatus {
        let mut conditions = world.set.status.conditions.clone();
        let all = [
            (PLACEMENT_VERIFIED, self.verified()),
            (PLACEMENT_ROLLED_OUT, self.rolled_out()),
            (MANIFESTWORK_APPLIED, self.applied()),
        ];
        for (kind, (holds, reason, message)) in all {
            let new = condition(kind, holds, reason, message, world.now);
            set(
                &mut conditions,
                observed(new, world.set.metadata.generation),
            );
        }
        tell(&mut conditions, &unsupported(world.set), world.now);
        ManifestWorkReplicaSetStatus {
            conditions,
            summary: self.total,
            placement_summary: self.placements,
        }
    }

    fn verified(&self) -> (bool, &'static str, String) {
        if !self.missing.is_empty() {
            let text = format!("no placement {}", self.missing.join(", "));
            return (false, "PlacementDecisionNotFound", text);
        }
        if !self.wrong.is_empty() {
            return (false, "NotAsExpected", self.wrong.join("; "));
        }
        match self.wanted {
            0 => (false, "PlacementDecisionEmpty", String::new()),
            _ => (true, "AsExpected", String::new()),
        }
    }

    fn rolled_out(&self) -> (bool, &'static str, String) {
        let done = self.missing.is_empty() && self.wrong.is_empty();
        let progress = format!(
            "{} of {} clusters have succeeded",
            self.succeeded, self.wanted
        );
        if done && self.succeeded == self.wanted {
            return (true, "Complete", progress);
        }
        if self.stopped.is_empty() {
            return (false, "Progressing", progress);
        }
        let text = format!("{progress}; {STOPPED}: {}", self.stopped.join(", "));
        (false, "Progressing", text)
    }

    fn applied(&self) -> (bool, &'static str, String) {
        let all = &self.total;
        let text = format!("{} of {} works are available", all.available, all.total);
        if all.total == 0 && self.wanted == 0 {
            return (false, "PlacementDecisionEmpty", String::new());
        }
        let well = all.available == all.total && all.progressing == 0 && all.degraded == 0;
        if well && all.total > 0 {
            return (true, "AsExpected", text);
        }
        match all.progressing > 0 && all.degraded == 0 {
            true => (false, "Processing", text),
            false => (false, "NotAsExpected", text),
        }
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(summary: &mut Summary, work: &ManifestWork, template: &Value) {
    let holds = |kind| i64::from(is_true(&work.status.conditions, kind));
    summary.total += 1;
    summary.updated += i64::from(works::says(work, template));
    summary.applied += holds(APPLIED);
    summary.available += holds(AVAILABLE);
    summary.degraded += holds(DEGRADED);
    summary.progressing += holds(PROGRESSING);
}
