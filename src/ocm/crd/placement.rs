//! `Placement` and `PlacementDecision`.

use super::schema::{
    QUALIFIED_NAME, Schema, claim_selector, int_or_string, integer, label_selector, list, object,
    pattern, string, time, words,
};
use super::{Kind, column, condition_column, status};
use crate::ocm::cluster::TaintEffect;
use crate::ocm::placement::{
    PolicyMode, SATISFIED, ScoreType, SortBy, TolerationOperator, TopologyKeyType,
    WhenUnsatisfiable,
};
use crate::ocm::{Placement, PlacementDecision};
use serde_json::Value;
use std::marker::PhantomData;

pub(super) fn placement() -> Value {
    let kind: Kind<Placement> = Kind {
        short: &[],
        columns: vec![
            condition_column("Succeeded", SATISFIED, "status"),
            condition_column("Reason", SATISFIED, "reason"),
            column(
                "SelectedClusters",
                "integer",
                ".status.numberOfSelectedClusters",
            ),
        ],
        spec: Some(spec()),
        status: placement_status(),
        required: &["spec"],
        about: "Which clusters somebody wants, of the ManagedClusterSets that are bound to its namespace.",
        of: PhantomData,
    };
    kind.definition("Namespaced")
}

fn spec() -> Schema {
    let by_name = words(SortBy::WORDS).default(SortBy::ClusterName.as_str());
    let rate = pattern("^[0-9]+[hms]$").default("1m");
    object(vec![
        ("clusterSets", list(string())),
        (
            "decisionStrategy",
            object(vec![("groupStrategy", group_strategy())]),
        ),
        ("numberOfClusters", integer("int32")),
        ("predicates", list(predicate())),
        ("prioritizerPolicy", prioritizer_policy()),
        ("scoreRateLimit", rate),
        ("sortBy", by_name),
        (
            "spreadPolicy",
            object(vec![(
                "spreadConstraints",
                list(spread()).with("maxItems", 8),
            )]),
        ),
        ("tolerations", list(toleration())),
    ])
}

fn predicate() -> Schema {
    let cel = object(vec![("celExpressions", list(string()))])
        .about("Not evaluated here: a condition says so.");
    let selector = object(vec![
        ("celSelector", cel),
        ("claimSelector", claim_selector()),
        ("labelSelector", label_selector()),
    ]);
    object(vec![("requiredClusterSelector", selector)])
}

fn prioritizer_policy() -> Schema {
    let add_on = object(vec![("resourceName", string()), ("scoreName", string())])
        .required(&["resourceName", "scoreName"]);
    let built_in = words(ScoreType::WORDS).default(ScoreType::BuiltIn.as_str());
    let coordinate = object(vec![
        ("addOn", add_on),
        ("builtIn", string()),
        ("type", built_in),
    ])
    .required(&["type"]);
    let weight = integer("int32")
        .with("minimum", -10)
        .with("maximum", 10)
        .default(1);
    let configuration = object(vec![("scoreCoordinate", coordinate), ("weight", weight)])
        .required(&["scoreCoordinate"]);
    object(vec![
        ("configurations", list(configuration)),
        ("mode", string().default(PolicyMode::Additive.as_str())),
    ])
}

fn spread() -> Schema {
    let anyway = WhenUnsatisfiable::ScheduleAnyway;
    object(vec![
        ("maxSkew", integer("int32").with("minimum", 1).default(1)),
        (
            "topologyKey",
            pattern(QUALIFIED_NAME).with("maxLength", 316),
        ),
        ("topologyKeyType", words(TopologyKeyType::WORDS)),
        (
            "whenUnsatisfiable",
            words(&["DoNotSchedule", "ScheduleAnyway"]).default(anyway.as_str()),
        ),
    ])
    .required(&["topologyKey", "topologyKeyType"])
}

fn toleration() -> Schema {
    let equal = string().default(TolerationOperator::Equal.as_str());
    object(vec![
        ("effect", words(TaintEffect::WORDS)),
        ("key", pattern(QUALIFIED_NAME).with("maxLength", 316)),
        ("operator", equal),
        ("tolerationSeconds", integer("int64")),
        ("value", string().with("maxLength", 1024)),
    ])
}

fn group_strategy() -> Schema {
    let selector = object(vec![
        ("claimSelector", claim_selector()),
        ("labelSelector", label_selector()),
    ]);
    let name = pattern("^[a-zA-Z0-9][-A-Za-z0-9_.]{0,61}[a-zA-Z0-9]$");
    let group = object(vec![
        ("groupClusterSelector", selector),
        ("groupName", name),
    ])
    .required(&["groupClusterSelector", "groupName"]);
    let size = int_or_string("^((100|[1-9][0-9]{0,1})%|[1-9][0-9]*)$").default("100%");
    object(vec![
        ("clustersPerDecisionGroup", size),
        ("decisionGroups", list(group)),
    ])
}

fn placement_status() -> Schema {
    let group = object(vec![
        ("clusterCount", integer("int32").default(0)),
        ("decisionGroupIndex", integer("int32")),
        ("decisionGroupName", string()),
        ("decisions", list(string())),
    ]);
    status(vec![
        ("decisionGroups", list(group)),
        ("lastScoreUpdateTime", time()),
        ("numberOfSelectedClusters", integer("int32")),
    ])
}

pub(super) fn decision() -> Value {
    let cluster = object(vec![
        ("clusterName", string()),
        ("reason", string()),
        ("score", integer("int64")),
    ])
    .required(&["clusterName", "reason"]);
    let kind: Kind<PlacementDecision> = Kind {
        short: &[],
        columns: vec![],
        spec: None,
        status: object(vec![("decisions", list(cluster))]).required(&["decisions"]),
        required: &[],
        about: "At most 100 of the clusters that a placement got; its labels name the placement and the group.",
        of: PhantomData,
    };
    kind.definition("Namespaced")
}
