//! Conditions made of an object: `conditionRules` of the type `WellKnownConditions`.
//!
//! `Complete` of jobs and pods is OCM's. `Progressing` and `Degraded` of deployments, stateful sets and daemon sets are
//! ours: they let a rollout wait until what it rolls out runs, where OCM asks for CEL.

use crate::ocm::Condition;
use crate::ocm::conditions::{State, condition, observed};
use crate::ocm::work::{COMPLETE, ConditionRule, ConditionRuleType, DEGRADED, PROGRESSING};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// What begins the reason of a condition that a rule made: so it goes when the rule goes.
pub const REASON_PREFIX: &str = "ConditionRule";

/// What the rules make of an object.
pub fn conditions(
    object: &Value,
    rules: &[ConditionRule],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let each = rules.iter().map(|rule| {
        let (state, reason, message) = judge(object, rule);
        let message = rule
            .message
            .clone()
            .filter(|it| !it.is_empty())
            .unwrap_or(message);
        observed(
            condition(&rule.condition, state, reason, message, now),
            generation,
        )
    });
    each.collect()
}

/// Removes what rules made that are no more: their conditions are of an older generation.
pub fn forget(conditions: &mut Vec<Condition>, generation: Option<i64>) {
    conditions
        .retain(|it| !it.reason.starts_with(REASON_PREFIX) || it.observed_generation == generation);
}

fn judge(object: &Value, rule: &ConditionRule) -> (State, &'static str, String) {
    if rule.kind != ConditionRuleType::WellKnownConditions {
        let text = format!("{} is not evaluated by this agent", rule.kind.as_str());
        return (State::Unknown, "ConditionRuleUnsupported", text);
    }
    match well_known(object, &rule.condition) {
        Some((holds, message)) => (holds.into(), "ConditionRuleEvaluated", message),
        None => {
            let kind = object["kind"].as_str().unwrap_or_default();
            let text = format!("there is no well-known {} of {kind}", rule.condition);
            (State::Unknown, "ConditionRuleInvalid", text)
        }
    }
}

fn well_known(object: &Value, kind: &str) -> Option<(bool, String)> {
    let word = |key: &str| object[key].as_str().unwrap_or_default();
    match (word("apiVersion"), word("kind"), kind) {
        ("batch/v1", "Job", COMPLETE) => {
            let done = has(object, "Complete", "True") || has(object, "Failed", "True");
            let text = if done {
                "Job is finished"
            } else {
                "Job is not finished"
            };
            Some((done, text.to_owned()))
        }
        ("v1", "Pod", COMPLETE) => {
            let phase = object["status"]["phase"].as_str().unwrap_or_default();
            let done = matches!(phase, "Succeeded" | "Failed");
            Some((done, format!("Pod is in phase {phase}")))
        }
        ("apps/v1", "Deployment" | "StatefulSet", PROGRESSING) => Some(rolling(object, &REPLICAS)),
        ("apps/v1", "DaemonSet", PROGRESSING) => Some(rolling(object, &DAEMONS)),
        ("apps/v1", "Deployment", DEGRADED) => {
            let stuck =
                has(object, "Progressing", "False") || has(object, "ReplicaFailure", "True");
            Some((stuck, String::new()))
        }
        _ => None,
    }
}

fn has(object: &Value, kind: &str, status: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let mut all = conditions.into_iter().flatten();
    all.any(|it| it["type"] == kind && it["status"] == status)
}

/// Where a kind says how many there shall be, are new, and are available.
struct Counts {
    wanted: &'static str,
    updated: &'static str,
    available: &'static str,
}

const REPLICAS: Counts = Counts {
    wanted: "/spec/replicas",
    updated: "/status/updatedReplicas",
    available: "/status/availableReplicas",
};
const DAEMONS: Counts = Counts {
    wanted: "/status/desiredNumberScheduled",
    updated: "/status/updatedNumberScheduled",
    available: "/status/numberAvailable",
};

/// As `kubectl rollout status` judges.
fn rolling(object: &Value, counts: &Counts) -> (bool, String) {
    let number = |at: &str| object.pointer(at).and_then(Value::as_i64);
    let seen = number("/status/observedGeneration").unwrap_or(0);
    if seen < number("/metadata/generation").unwrap_or(0) {
        return (true, "its controller has not seen it yet".to_owned());
    }
    // A deployment that does not say wants one; a daemon set that does not say has not been counted.
    let wanted = number(counts.wanted).unwrap_or(1);
    let updated = number(counts.updated).unwrap_or(0);
    let available = number(counts.available).unwrap_or(0);
    let text = format!("{updated} of {wanted} are updated, {available} available");
    (updated < wanted || available < wanted, text)
}
