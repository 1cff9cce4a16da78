//! `ManifestWorkReplicaSet`.

use super::schema::{Schema, int_or_string, integer, list, object, pattern, string, words};
use super::{Kind, condition_column, status, work};
use crate::ocm::ManifestWorkReplicaSet;
use crate::ocm::replicaset::{CascadeDeletionPolicy, MANIFESTWORK_APPLIED, PLACEMENT_VERIFIED};
use crate::ocm::strategy::RolloutType;
use serde_json::{Value, json};
use std::marker::PhantomData;

const SHARE: &str = "^((100|[0-9]{1,2})%|[0-9]+)$";

pub(super) fn replica_set() -> Value {
    let described = |column: Value, about: &str| {
        let mut column = column;
        column["description"] = about.into();
        column
    };
    let verified = |name, part| condition_column(name, PLACEMENT_VERIFIED, part);
    let applied = |name, part| condition_column(name, MANIFESTWORK_APPLIED, part);
    let kind: Kind<ManifestWorkReplicaSet> = Kind {
        short: &["mwrs"],
        columns: vec![
            described(verified("Placement", "reason"), "Reason"),
            described(verified("Found", "status"), "Configured"),
            described(applied("ManifestWorks", "reason"), "Reason"),
            described(applied("Applied", "status"), "Applied"),
        ],
        spec: Some(spec()),
        status: set_status(),
        required: &[],
        about: "One ManifestWork for each cluster of placements.",
        of: PhantomData,
    };
    kind.definition("Namespaced")
}

fn spec() -> Schema {
    let reference = object(vec![
        ("name", string().with("minLength", 1)),
        ("rolloutStrategy", strategy()),
    ])
    .required(&["name"]);
    let background = CascadeDeletionPolicy::Background;
    object(vec![
        (
            "cascadeDeletionPolicy",
            words(CascadeDeletionPolicy::WORDS).default(background.as_str()),
        ),
        ("manifestWorkTemplate", work::spec()),
        ("placementRefs", list(reference).with("minItems", 1)),
    ])
    .required(&["cascadeDeletionPolicy", "placementRefs"])
}

/// What all strategies have, and more.
fn steps(more: Vec<(&'static str, Schema)>) -> Schema {
    let deadline = pattern("^(([0-9])+[h|m|s])|None$").default("None");
    let mut fields = vec![
        ("maxFailures", int_or_string(SHARE).default(0)),
        ("minSuccessTime", string().default("0")),
        ("progressDeadline", deadline),
    ];
    fields.extend(more);
    object(fields)
}

fn strategy() -> Schema {
    let mandatory = || {
        let group = object(vec![
            ("groupIndex", integer("int32")),
            ("groupName", string()),
        ]);
        ("mandatoryDecisionGroups", list(group))
    };
    let concurrency = ("maxConcurrency", int_or_string(SHARE));
    object(vec![
        ("all", steps(vec![])),
        ("progressive", steps(vec![mandatory(), concurrency])),
        ("progressivePerGroup", steps(vec![mandatory()])),
        (
            "type",
            words(RolloutType::WORDS).default(RolloutType::All.as_str()),
        ),
    ])
    .default(json!({"type": "All", "all": {"progressDeadline": "None"}}))
}

fn set_status() -> Schema {
    let summary = || {
        let names = [
            "applied",
            "available",
            "degraded",
            "desiredTotal",
            "progressing",
            "total",
            "updated",
        ];
        object(names.map(|name| (name, integer(""))).to_vec())
    };
    let placement = object(vec![
        ("availableDecisionGroups", string()),
        ("name", string()),
        ("summary", summary()),
    ]);
    status(vec![
        ("placementSummary", list(placement)),
        ("summary", summary()),
    ])
}
