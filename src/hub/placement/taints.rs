//! Which taints a placement tolerates, and until when.

use super::Problem;
use crate::ocm::placement::{Toleration, TolerationOperator};
use crate::ocm::{ManagedCluster, Taint, TaintEffect};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

const PLUGIN: &str = "TaintToleration";

/// What the taints of a cluster mean for one placement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tolerance {
    /// It cannot be chosen.
    pub(super) refused: bool,
    /// It is chosen only if nothing else is there.
    pub(super) avoided: bool,
    /// When that changes by itself.
    pub(super) until: Option<Timestamp>,
}

/// Refuses tolerations that cannot be.
pub(super) fn check(tolerations: &[Toleration]) -> Result<(), Problem> {
    for toleration in tolerations {
        let exists = toleration.operator == TolerationOperator::Exists;
        let empty = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        if let TolerationOperator::Unknown(word) = &toleration.operator {
            let text =
                format!("The operator of a toleration must be Equal or Exists, not {word:?}.");
            return Err(Problem::misconfigured(PLUGIN, text));
        }
        if empty(&toleration.key) && !exists {
            let text = "If the key is empty, operator must be Exists.";
            return Err(Problem::misconfigured(PLUGIN, text));
        }
        if exists && !empty(&toleration.value) {
            let text = "If the operator is Exists, the value should be empty.";
            return Err(Problem::misconfigured(PLUGIN, text));
        }
    }
    Ok(())
}

/// What a cluster's taints mean; `chosen`: whether the placement has it already.
pub(super) fn tolerance(
    cluster: &ManagedCluster,
    tolerations: &[Toleration],
    chosen: bool,
    now: Timestamp,
) -> Tolerance {
    let mut all = Tolerance::default();
    for taint in &cluster.spec.taints {
        let of_one = one(taint, tolerations, chosen, now);
        all.refused |= of_one.refused;
        all.avoided |= of_one.avoided;
        all.until = all.until.into_iter().chain(of_one.until).min();
    }
    all
}

fn one(taint: &Taint, tolerations: &[Toleration], chosen: bool, now: Timestamp) -> Tolerance {
    if taint.effect == TaintEffect::NoSelectIfNew && chosen {
        return Tolerance::default();
    }
    let matching = tolerations.iter().filter(|it| concerns(it, taint));
    let ends = matching.map(|it| end(it, taint));
    // Of several, the one that lasts longest counts.
    let mut until = None;
    for end in ends {
        match end {
            None => return Tolerance::default(),
            Some(end) if end > now => until = until.max(Some(end)),
            Some(_) => {}
        }
    }
    let intolerable = until.is_none();
    let only_rather_not = taint.effect == TaintEffect::PreferNoSelect;
    Tolerance {
        refused: intolerable && !only_rather_not,
        avoided: intolerable && only_rather_not,
        until,
    }
}

fn concerns(toleration: &Toleration, taint: &Taint) -> bool {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let key = said(&toleration.key);
    toleration
        .effect
        .as_ref()
        .is_none_or(|it| it.as_str().is_empty() || *it == taint.effect)
        && (key.is_empty() || key == taint.key)
        && match toleration.operator {
            TolerationOperator::Exists => true,
            TolerationOperator::Equal => said(&toleration.value) == said(&taint.value),
            TolerationOperator::Unknown(_) => false,
        }
}

/// When a toleration ends; none: never. A taint that does not say since when is as old as can be.
fn end(toleration: &Toleration, taint: &Taint) -> Option<Timestamp> {
    let seconds = toleration.toleration_seconds?;
    let added = taint.time_added.as_ref().map(|it| it.0);
    let end = added.and_then(|it| it.checked_add(SignedDuration::from_secs(seconds)).ok());
    Some(end.unwrap_or(Timestamp::MIN))
}
