//! The status of a work: what became of each manifest, and of all together.

use super::manifest::Read;
use super::unsupported::unsupported;
use super::{feedback, manifest, rules};
use crate::ocm::conditions::{State, condition, find, is_true, observed, set};
use crate::ocm::unsupported::tell;
use crate::ocm::work::{
    APPLIED, AVAILABLE, COMPLETE, DEGRADED, FEEDBACK_SYNCED, ManifestCondition,
    ManifestResourceMeta, ManifestWorkStatus, PROGRESSING,
};
use crate::ocm::{AppliedResource, Condition, ManifestWork};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// What came of writing one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is as it shall be.
    Complete,
    /// Other managers have fields of it; which.
    Conflict(String),
    /// It could not be written: the API server's words, or a webhook's, or ours.
    Failed(String),
    /// Nobody has tried yet.
    NotYet,
}

/// What was seen of the object.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// It is there.
    There(Box<Value>),
    /// It is there, and nothing of it is told: who writes it may not read it.
    Closed,
    /// It is not.
    Missing,
    /// The API server did not say; why.
    Unknown(String),
}

/// One manifest, what came of it, and what was seen.
pub type Outcome<'a> = (&'a Read, Applied, Seen);

/// The status of a work; since when something is so is kept from the status that it has.
pub fn status(work: &ManifestWork, outcomes: &[Outcome<'_>], now: Timestamp) -> ManifestWorkStatus {
    let mut status = work.status.clone();
    let manifests: Vec<_> = outcomes.iter().map(|it| one(work, it, now)).collect();
    status.resource_status.manifests = manifests;
    let generation = work.metadata.generation;
    let all = &status.resource_status.manifests;
    let mut new: Vec<_> = [applied_of_all(all, now), available_of_all(all, now)]
        .into_iter()
        .flatten()
        .collect();
    new.extend(by_rules(all, now));
    let conditions = &mut status.conditions;
    new.into_iter()
        .for_each(|it| set(conditions, observed(it, generation)));
    rules::forget(conditions, generation);
    tell(conditions, &unsupported(&work.spec), now);
    status
}

fn one(work: &ManifestWork, outcome: &Outcome<'_>, now: Timestamp) -> ManifestCondition {
    let (read, applied, seen) = outcome;
    let meta = match read {
        Ok(manifest) => &manifest.meta,
        Err(unreadable) => &unreadable.meta,
    };
    let generation = work.metadata.generation;
    let old = old(work, meta);
    let mut conditions = old.map(|it| it.conditions.clone()).unwrap_or_default();
    let mut values = old.map(|it| it.status_feedback.clone()).unwrap_or_default();
    if let Some(new) = applied_condition(read, applied, now) {
        set(&mut conditions, observed(new, generation));
    }
    set(&mut conditions, available_condition(read, seen, now));
    let config = manifest::config(&work.spec, meta);
    let asked = config
        .map(|it| it.feedback_rules.as_slice())
        .unwrap_or_default();
    match (seen, untold(meta, seen)) {
        (_, Some(why)) if !asked.is_empty() => {
            set(&mut conditions, feedback::refused(why, now));
            values.values.clear();
        }
        (Seen::There(object), _) => {
            let (found, synced) = feedback::read(object, asked, now);
            put_feedback(&mut conditions, synced, found != values.values);
            values.values = found;
        }
        _ => {}
    }
    if let Seen::There(object) = seen {
        let asked = config
            .map(|it| it.condition_rules.as_slice())
            .unwrap_or_default();
        for new in rules::conditions(object, asked, generation, now) {
            set(&mut conditions, new);
        }
        rules::forget(&mut conditions, generation);
    }
    ManifestCondition {
        resource_meta: meta.clone(),
        status_feedback: values,
        conditions,
    }
}

/// Why nothing that is in an object goes back, if so.
fn untold(meta: &ManifestResourceMeta, seen: &Seen) -> Option<&'static str> {
    let is_secret = meta.group.is_empty() && meta.kind == "Secret";
    match seen {
        _ if is_secret => Some("nothing that is in a Secret leaves its cluster"),
        Seen::Closed => Some("the service account that writes it may not get it"),
        _ => None,
    }
}

/// The question whether who asks may read an object.
pub fn may_read(thing: &AppliedResource) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": {
            "verb": "get",
            "group": thing.group,
            "version": thing.version,
            "resource": thing.resource,
            "namespace": thing.namespace,
            "name": thing.name,
        }},
    })
}

/// As OCM: the feedback's time is when its values changed last.
fn put_feedback(conditions: &mut Vec<Condition>, new: Condition, changed: bool) {
    if changed {
        conditions.retain(|it| it.type_ != FEEDBACK_SYNCED);
    }
    set(conditions, new);
}

/// What is known of a manifest: of the same object, wherever in the work it was.
fn old<'a>(work: &'a ManifestWork, meta: &ManifestResourceMeta) -> Option<&'a ManifestCondition> {
    let all = &work.status.resource_status.manifests;
    let same = |it: &&ManifestCondition| {
        let other = ManifestResourceMeta {
            ordinal: meta.ordinal,
            ..it.resource_meta.clone()
        };
        other == *meta
    };
    let exactly = all.iter().find(|it| it.resource_meta == *meta);
    exactly.or_else(|| {
        let mut alike = all.iter().filter(same);
        alike.next().filter(|_| alike.next().is_none())
    })
}

fn applied_condition(read: &Read, applied: &Applied, now: Timestamp) -> Option<Condition> {
    let failed = |reason: &str, text: &str| {
        let text = format!("Failed to apply manifest: {text}");
        Some(condition(APPLIED, false, reason, text, now))
    };
    match (read, applied) {
        (Err(unreadable), _) => failed("AppliedManifestFailed", &unreadable.message),
        (_, Applied::Failed(why)) => failed("AppliedManifestFailed", why),
        (_, Applied::Conflict(who)) => failed("ApplyConflict", who),
        (_, Applied::NotYet) => None,
        (_, Applied::Complete) => {
            let text = "Apply manifest complete";
            Some(condition(
                APPLIED,
                true,
                "AppliedManifestComplete",
                text,
                now,
            ))
        }
    }
}

fn available_condition(read: &Read, seen: &Seen, now: Timestamp) -> Condition {
    let say = |state, reason: &str, text: String| condition(AVAILABLE, state, reason, text, now);
    match (read, seen) {
        (Err(_), _) => say(
            State::Unknown,
            "IncompletedResourceMeta",
            "Resource meta is incompleted".to_owned(),
        ),
        (_, Seen::There(_) | Seen::Closed) => say(
            State::True,
            "ResourceAvailable",
            "Resource is available".to_owned(),
        ),
        (_, Seen::Missing) => say(
            State::False,
            "ResourceNotAvailable",
            "Resource is not available".to_owned(),
        ),
        (_, Seen::Unknown(why)) => say(
            State::Unknown,
            "FetchingResourceFailed",
            format!("Failed to fetch resource: {why}"),
        ),
    }
}

fn applied_of_all(all: &[ManifestCondition], now: Timestamp) -> Option<Condition> {
    let found = |it: &ManifestCondition| find(&it.conditions, APPLIED).is_some();
    if !all.is_empty() && !all.iter().all(found) {
        return None;
    }
    Some(
        match all.iter().all(|it| is_true(&it.conditions, APPLIED)) {
            true => condition(
                APPLIED,
                true,
                "AppliedManifestWorkComplete",
                "Apply manifest work complete",
                now,
            ),
            false => condition(
                APPLIED,
                false,
                "AppliedManifestWorkFailed",
                "Failed to apply manifest work",
                now,
            ),
        },
    )
}

fn available_of_all(all: &[ManifestCondition], now: Timestamp) -> Option<Condition> {
    let count = |status: &str| {
        let is = |it: &&ManifestCondition| {
            find(&it.conditions, AVAILABLE).is_some_and(|it| it.status == status)
        };
        all.iter().filter(is).count()
    };
    let (total, missing, unknown) = (all.len(), count("False"), count("Unknown"));
    let say = |state, reason: &str, text: String| condition(AVAILABLE, state, reason, text, now);
    Some(match (missing, unknown) {
        (0, 0) => say(
            State::True,
            "ResourcesAvailable",
            "All resources are available".to_owned(),
        ),
        (0, unknown) => say(
            State::Unknown,
            "ResourcesStatusUnknown",
            format!("{unknown} of {total} resources have unknown status"),
        ),
        (missing, _) => say(
            State::False,
            "ResourcesNotAvailable",
            format!("{missing} of {total} resources are not available"),
        ),
    })
}

/// The conditions that rules made of manifests, for the work: progressing and degraded if one is, the others if all are.
fn by_rules(all: &[ManifestCondition], now: Timestamp) -> Vec<Condition> {
    let made = |it: &&Condition| it.reason.starts_with(rules::REASON_PREFIX);
    let each: Vec<_> = all
        .iter()
        .flat_map(|it| &it.conditions)
        .filter(made)
        .collect();
    let mut kinds: Vec<_> = each.iter().map(|it| it.type_.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |kind: &str| {
        let those: Vec<_> = each.iter().filter(|it| it.type_ == kind).collect();
        let count = |status: &str| those.iter().filter(|it| it.status == status).count();
        let (yes, no, total) = (count("True"), count("False"), those.len());
        let any = matches!(kind, PROGRESSING | DEGRADED);
        let state = match (any, yes, no) {
            (true, 1.., _) => State::True,
            (true, 0, no) if no == total => State::False,
            (false, yes, _) if yes == total => State::True,
            (false, _, 1..) => State::False,
            _ => State::Unknown,
        };
        let text = format!("{yes} of {total} manifests are {kind}");
        condition(kind, state, "ConditionRulesAggregated", text, now)
    };
    kinds.into_iter().map(of).collect()
}

/// Whether a manifest has done what it was for, and is not written again.
pub fn is_completed(work: &ManifestWork, meta: &ManifestResourceMeta) -> bool {
    old(work, meta).is_some_and(|it| is_true(&it.conditions, COMPLETE))
}
