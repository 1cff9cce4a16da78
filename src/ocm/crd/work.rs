//! `ManifestWork` and `AppliedManifestWork`.

use super::schema::{
    SUBDOMAIN, Schema, boolean, condition_list, integer, keyed, list, object, pattern, string,
    time, words,
};
use super::{Kind, status};
use crate::ocm::work::{
    ConditionRuleType, FeedbackScrapeType, FeedbackType, IgnoreCondition, LONGEST_JSON,
    PropagationPolicy, SubjectType, UpdateStrategyType, ValueType,
};
use crate::ocm::{AppliedManifestWork, ManifestWork};
use serde_json::{Value, json};
use std::marker::PhantomData;

pub(super) fn work() -> Value {
    let kind: Kind<ManifestWork> = Kind {
        short: &[],
        columns: vec![],
        spec: Some(spec()),
        status: work_status(),
        required: &[],
        about: "Objects that shall be in the cluster whose namespace this is in.",
        of: PhantomData,
    };
    kind.definition("Namespaced")
}

/// The spec of a work, which is the template of a replica set as well.
pub(super) fn spec() -> Schema {
    let manifest = Schema::new("object")
        .with("x-kubernetes-embedded-resource", true)
        .with("x-kubernetes-preserve-unknown-fields", true);
    object(vec![
        ("deleteOption", delete_option()),
        ("executor", executor()),
        ("manifestConfigs", list(config())),
        ("workload", object(vec![("manifests", list(manifest))])),
    ])
}

/// What names an object of a work.
fn identifier() -> Schema {
    object(vec![
        ("group", string()),
        ("name", string()),
        ("namespace", string()),
        ("resource", string()),
    ])
    .required(&["name", "resource"])
}

fn delete_option() -> Schema {
    let policy = words(PropagationPolicy::WORDS).default(PropagationPolicy::Foreground.as_str());
    object(vec![
        ("propagationPolicy", policy),
        (
            "selectivelyOrphans",
            object(vec![("orphaningRules", list(identifier()))]),
        ),
        ("ttlSecondsAfterFinished", integer("int64")),
    ])
}

fn executor() -> Schema {
    let name = || pattern(SUBDOMAIN).lengths(1, 253);
    let account =
        object(vec![("name", name()), ("namespace", name())]).required(&["name", "namespace"]);
    let subject = object(vec![
        ("serviceAccount", account),
        ("type", words(SubjectType::WORDS)),
    ])
    .required(&["type"]);
    object(vec![("subject", subject)])
}

fn config() -> Schema {
    let poll = words(FeedbackScrapeType::WORDS).default(FeedbackScrapeType::Poll.as_str());
    object(vec![
        ("conditionRules", keyed(&["condition"], condition_rule())),
        ("feedbackRules", list(feedback_rule())),
        ("feedbackScrapeType", poll),
        ("resourceIdentifier", identifier()),
        ("updateStrategy", update_strategy()),
    ])
    .required(&["resourceIdentifier"])
}

fn condition_rule() -> Schema {
    object(vec![
        ("celExpressions", list(string())),
        ("condition", string()),
        ("message", string()),
        ("messageExpression", string()),
        ("type", words(ConditionRuleType::WORDS)),
    ])
    .required(&["condition", "type"])
    .with(
        "x-kubernetes-validations",
        json!([{
            "message": "Condition is required for CEL rules",
            "rule": "self.type != 'CEL' || self.condition != \"\"",
        }]),
    )
}

fn feedback_rule() -> Schema {
    let path = object(vec![
        ("name", string()),
        ("path", string()),
        ("version", string()),
    ])
    .required(&["name", "path"]);
    object(vec![
        ("jsonPaths", keyed(&["name"], path)),
        ("type", words(FeedbackType::WORDS)),
    ])
    .required(&["type"])
}

fn update_strategy() -> Schema {
    let present = IgnoreCondition::OnSpokePresent;
    let ignore = object(vec![
        (
            "condition",
            words(IgnoreCondition::WORDS).default(present.as_str()),
        ),
        ("jqPathExpressions", list(string())),
        ("jsonPaths", list(string())),
        ("jsonPointers", list(string())),
    ])
    .required(&["condition"]);
    let apply = object(vec![
        ("fieldManager", pattern("^work-agent").default("work-agent")),
        ("force", boolean()),
        ("ignoreFields", keyed(&["condition"], ignore)),
    ]);
    let update = UpdateStrategyType::Update;
    object(vec![
        ("serverSideApply", apply),
        (
            "type",
            words(UpdateStrategyType::WORDS).default(update.as_str()),
        ),
    ])
    .required(&["type"])
}

fn work_status() -> Schema {
    let meta = object(vec![
        ("group", string()),
        ("kind", string()),
        ("name", string()),
        ("namespace", string()),
        ("ordinal", integer("int32")),
        ("resource", string()),
        ("version", string()),
    ])
    .required(&["ordinal"]);
    let manifest = object(vec![
        ("conditions", condition_list()),
        ("resourceMeta", meta),
        (
            "statusFeedback",
            object(vec![("values", keyed(&["name"], feedback_value()))]),
        ),
    ])
    .required(&["conditions", "resourceMeta"]);
    status(vec![(
        "resourceStatus",
        object(vec![("manifests", list(manifest))]),
    )])
}

fn feedback_value() -> Schema {
    let value = object(vec![
        ("boolean", boolean()),
        ("integer", integer("int64")),
        ("jsonRaw", string().with("maxLength", LONGEST_JSON)),
        ("string", string()),
        ("type", words(ValueType::WORDS)),
    ])
    .required(&["type"]);
    object(vec![("fieldValue", value), ("name", string())]).required(&["fieldValue", "name"])
}

pub(super) fn applied() -> Value {
    let resource = object(vec![
        ("group", string()),
        ("name", string()),
        ("namespace", string()),
        ("resource", string()),
        ("uid", string()),
        ("version", string()),
    ])
    .required(&["name", "resource", "version"]);
    let spec = object(vec![
        ("agentID", string()),
        ("hubHash", string()),
        ("manifestWorkName", string()),
    ])
    .required(&["hubHash", "manifestWorkName"]);
    let kind: Kind<AppliedManifestWork> = Kind {
        short: &[],
        columns: vec![],
        spec: Some(spec),
        status: object(vec![
            ("appliedResources", list(resource)),
            ("evictionStartTime", time()),
        ]),
        required: &[],
        about: "What an agent put into this cluster for one work of its hub; deleting it deletes that.",
        of: PhantomData,
    };
    kind.definition("Cluster")
}
