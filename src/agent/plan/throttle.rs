//! When a status is sent: what somebody waits for soon, what only moves now and then.

use crate::ocm::Condition;
use crate::ocm::work::ManifestWorkStatus;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// How often a status may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When a condition says something else.
    pub conditions: SignedDuration,
    /// When only values of the status moved, or words of a message.
    pub values: SignedDuration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            conditions: SignedDuration::from_millis(500),
            values: SignedDuration::from_secs(5),
        }
    }
}

/// When to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// There is nothing to say.
    Never,
    /// Now.
    Now,
    /// Then, what is so by then.
    At(Timestamp),
}

/// When a status is to be sent, if that one was sent then.
pub fn due(
    pace: Pace,
    sent: Option<(&ManifestWorkStatus, Timestamp)>,
    status: &ManifestWorkStatus,
    now: Timestamp,
) -> Due {
    let Some((old, at)) = sent else {
        return Due::Now;
    };
    if old == status {
        return Due::Never;
    }
    let wait = match says_the_same(old, status) {
        true => pace.values,
        false => pace.conditions,
    };
    match at.checked_add(wait) {
        Ok(then) if then > now => Due::At(then),
        _ => Due::Now,
    }
}

/// Whether all conditions have the same status and reason.
fn says_the_same(old: &ManifestWorkStatus, new: &ManifestWorkStatus) -> bool {
    let of_manifests = |status: &ManifestWorkStatus| {
        let all = &status.resource_status.manifests;
        all.iter()
            .map(|it| words(&it.conditions))
            .collect::<Vec<_>>()
    };
    words(&old.conditions) == words(&new.conditions) && of_manifests(old) == of_manifests(new)
}

fn words(conditions: &[Condition]) -> Vec<(String, String, String, Option<i64>)> {
    let word = |it: &Condition| {
        let (kind, status, reason) = (it.type_.clone(), it.status.clone(), it.reason.clone());
        (kind, status, reason, it.observed_generation)
    };
    conditions.iter().map(word).collect()
}
