//! Which clusters come next: sdk-go's `RolloutHandler`, its three strategies.

use super::groups::{Group, Groups};
use super::limits::{Limits, is_failure, not_a_share};
use super::progress::Progress;
use crate::ocm::share;
use crate::ocm::strategy::{MandatoryDecisionGroup, RolloutStrategy, RolloutType};
use k8s_openapi::jiff::Timestamp;
use std::collections::BTreeMap;

/// How far a cluster is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterProgress {
    /// Which.
    pub cluster: String,
    /// How far.
    pub progress: Progress,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When that changes by itself: success has lasted, or patience has not.
    pub recheck: Option<Timestamp>,
}

/// What comes next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Those that are being rolled out; who is [`Progress::ToApply`] is written now.
    pub rollout: Vec<ClusterProgress>,
    /// Those that took too long.
    pub timed_out: Vec<ClusterProgress>,
    /// More have failed than may: nothing new is begun.
    pub too_many_failures: bool,
    /// When to ask again.
    pub recheck: Option<Timestamp>,
}

/// What comes next, of these groups, as far as they are.
///
/// # Errors
/// When the strategy says something that cannot be.
pub fn next(
    strategy: &RolloutStrategy,
    groups: &Groups,
    known: &[ClusterProgress],
    now: Timestamp,
) -> Result<Step, String> {
    let mut known: Vec<_> = known
        .iter()
        .filter(|it| groups.has(&it.cluster))
        .cloned()
        .collect();
    known.sort_by(|a, b| a.cluster.cmp(&b.cluster));
    let step = match &strategy.kind {
        RolloutType::All => all(strategy, groups, &known, now),
        RolloutType::Progressive => progressive(strategy, groups, &known, now),
        RolloutType::ProgressivePerGroup => per_group(strategy, groups, &known, now),
        RolloutType::Unknown(word) => Err(format!("incorrect rollout strategy type {word}")),
    }?;
    let recheck = step.rollout.iter().filter_map(|it| it.recheck);
    Ok(Step {
        recheck: recheck.filter(|it| *it > now).min(),
        ..step
    })
}

fn all(
    strategy: &RolloutStrategy,
    groups: &Groups,
    known: &[ClusterProgress],
    now: Timestamp,
) -> Result<Step, String> {
    let said = strategy.all.clone().unwrap_or_default();
    // OCM ignores how long success lasts and how many may fail here: everything is begun at once anyway.
    let limits = Limits::of(&None, &said.progress_deadline, &None, now)?;
    let count = groups.clusters().len();
    Ok(by_cluster(groups, count, count, &limits, known))
}

fn progressive(
    strategy: &RolloutStrategy,
    groups: &Groups,
    known: &[ClusterProgress],
    now: Timestamp,
) -> Result<Step, String> {
    let said = strategy.progressive.clone().unwrap_or_default();
    let limits = Limits::of(
        &said.min_success_time,
        &said.progress_deadline,
        &said.max_failures,
        now,
    )?;
    let failures = limits.most_failures(groups.clusters().len());
    let (first, rest) = groups.split(&said.mandatory_decision_groups);
    if let Some(step) = mandatory(&first, &said.mandatory_decision_groups, &limits, known) {
        return Ok(step);
    }
    let count = rest.clusters().len();
    let size = share::within(said.max_concurrency.as_ref(), count, count)
        .ok_or_else(|| not_a_share("maxConcurrency", said.max_concurrency.as_ref()))?;
    let of_rest: Vec<_> = known
        .iter()
        .filter(|it| rest.has(&it.cluster))
        .cloned()
        .collect();
    Ok(by_cluster(&rest, size, failures, &limits, &of_rest))
}

fn per_group(
    strategy: &RolloutStrategy,
    groups: &Groups,
    known: &[ClusterProgress],
    now: Timestamp,
) -> Result<Step, String> {
    let said = strategy.progressive_per_group.clone().unwrap_or_default();
    let limits = Limits::of(
        &said.min_success_time,
        &said.progress_deadline,
        &said.max_failures,
        now,
    )?;
    let (first, rest) = groups.split(&said.mandatory_decision_groups);
    if let Some(step) = mandatory(&first, &said.mandatory_decision_groups, &limits, known) {
        return Ok(step);
    }
    Ok(by_group(&rest, &limits, known))
}

/// The groups that come first, without a failure; none if they are done.
fn mandatory(
    groups: &Groups,
    named: &[MandatoryDecisionGroup],
    limits: &Limits,
    known: &[ClusterProgress],
) -> Option<Step> {
    if named.is_empty() || groups.is_empty() {
        return None;
    }
    let strict = limits.strict();
    let of_them: Vec<_> = known
        .iter()
        .filter(|it| groups.has(&it.cluster))
        .cloned()
        .collect();
    let step = by_group(groups, &strict, &of_them);
    let done = step.rollout.is_empty() && step.timed_out.is_empty();
    (!done).then_some(step)
}

/// So many clusters at a time, by name.
fn by_cluster(
    groups: &Groups,
    size: usize,
    failures: usize,
    limits: &Limits,
    known: &[ClusterProgress],
) -> Step {
    let mut step = Step::default();
    let mut failed = 0;
    for cluster in known {
        // Too many have failed: only what was begun is looked after.
        if !step.too_many_failures || cluster.progress != Progress::ToApply {
            limits.judge(cluster, &mut step);
        }
        if is_failure(cluster, limits) {
            failed += 1;
            step.too_many_failures = failed > failures;
        }
        if step.rollout.len() >= size {
            return step;
        }
    }
    if step.too_many_failures {
        return step;
    }
    let is_new = |it: &&str| !known.iter().any(|known| known.cluster == **it);
    let new = groups.clusters().into_iter().filter(is_new).map(to_apply);
    let room = size.saturating_sub(step.rollout.len());
    step.rollout.extend(new.take(room));
    step
}

/// One group at a time.
fn by_group(groups: &Groups, limits: &Limits, known: &[ClusterProgress]) -> Step {
    let begun: BTreeMap<&str, &ClusterProgress> = known
        .iter()
        .filter(|it| it.progress != Progress::ToApply)
        .map(|it| (it.cluster.as_str(), it))
        .collect();
    let mut step = Step::default();
    begun.values().for_each(|it| limits.judge(it, &mut step));
    let mut failed = 0;
    for group in groups.iter() {
        let (new, failed_here) = of_group(group, &begun, limits);
        step.rollout.extend(new);
        failed += failed_here;
        step.too_many_failures = failed_here > limits.most_failures(group.clusters.len());
        // Failures that are still hoped for are among those being rolled out, and hold nobody up.
        let hoped = step
            .rollout
            .iter()
            .filter(|it| it.progress == Progress::Failed)
            .count();
        if step.rollout.len() > hoped.min(failed) || step.too_many_failures {
            break;
        }
    }
    step
}

/// Who of a group is not begun, and how many have failed.
fn of_group(
    group: &Group,
    begun: &BTreeMap<&str, &ClusterProgress>,
    limits: &Limits,
) -> (Vec<ClusterProgress>, usize) {
    let known = |it: &String| begun.get(it.as_str());
    let new = group.clusters.iter().filter(|it| known(it).is_none());
    let failed = group.clusters.iter().filter_map(known);
    (
        new.map(|it| to_apply(it)).collect(),
        failed.filter(|it| is_failure(it, limits)).count(),
    )
}

fn to_apply(cluster: &str) -> ClusterProgress {
    ClusterProgress {
        cluster: cluster.to_owned(),
        progress: Progress::ToApply,
        since: None,
        recheck: None,
    }
}
