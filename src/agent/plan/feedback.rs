//! What of an object's status goes back to the hub.

use crate::jsonpath::{Item, Template};
use crate::ocm::Condition;
use crate::ocm::conditions::condition;
use crate::ocm::work::{
    FEEDBACK_SYNCED, FeedbackRule, FeedbackType, FeedbackValue, FieldValue, JsonPath, LONGEST_JSON,
    ValueType,
};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

const REPLICAS: &[(&str, &str)] = &[
    ("ReadyReplicas", ".status.readyReplicas"),
    ("Replicas", ".status.replicas"),
    ("AvailableReplicas", ".status.availableReplicas"),
];
const DAEMONS: &[(&str, &str)] = &[
    ("NumberReady", ".status.numberReady"),
    ("DesiredNumberScheduled", ".status.desiredNumberScheduled"),
    ("NumberAvailable", ".status.numberAvailable"),
];
const JOB: &[(&str, &str)] = &[
    (
        "JobComplete",
        r#".status.conditions[?(@.type=="Complete")].status"#,
    ),
    ("JobSucceeded", ".status.succeeded"),
];
const POD: &[(&str, &str)] = &[
    (
        "PodReady",
        r#".status.conditions[?(@.type=="Ready")].status"#,
    ),
    ("PodPhase", ".status.phase"),
];

/// The values that the rules ask for, and the condition that says whether all were found.
///
/// A path that finds nothing is no failure: the object may not be that far.
pub fn read(
    object: &Value,
    rules: &[FeedbackRule],
    now: Timestamp,
) -> (Vec<FeedbackValue>, Condition) {
    if rules.is_empty() {
        return (
            Vec::new(),
            condition(FEEDBACK_SYNCED, true, "NoStatusFeedbackSynced", "", now),
        );
    }
    let mut values: Vec<FeedbackValue> = Vec::new();
    let mut errors = Vec::new();
    for found in rules.iter().flat_map(|it| by_rule(object, it)) {
        match found {
            Ok(value) if values.iter().any(|it| it.name == value.name) => {
                errors.push(format!("two values are called {}", value.name));
            }
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    let synced = match errors.is_empty() {
        true => condition(FEEDBACK_SYNCED, true, "StatusFeedbackSynced", "", now),
        false => refused(&errors.join(", "), now),
    };
    (values, synced)
}

/// The condition that says why not all was found.
pub fn refused(why: &str, now: Timestamp) -> Condition {
    let text = format!("Sync status feedback failed with error {why}");
    condition(
        FEEDBACK_SYNCED,
        false,
        "StatusFeedbackSyncFailed",
        text,
        now,
    )
}

type Found = Result<FeedbackValue, String>;

fn by_rule(object: &Value, rule: &FeedbackRule) -> Vec<Found> {
    match &rule.kind {
        FeedbackType::WellKnownStatus => well_known(object),
        FeedbackType::JSONPaths => rule
            .json_paths
            .iter()
            .filter_map(|path| by_path(object, path))
            .collect(),
        FeedbackType::Unknown(word) => vec![Err(format!("no such type of rule: {word}"))],
    }
}

/// What everybody wants to know of a kind.
fn well_known(object: &Value) -> Vec<Found> {
    let word = |key: &str| object[key].as_str().unwrap_or_default();
    let (version, kind) = (word("apiVersion"), word("kind"));
    let paths = match (version, kind) {
        ("apps/v1", "Deployment" | "StatefulSet") => REPLICAS,
        ("apps/v1", "DaemonSet") => DAEMONS,
        ("batch/v1", "Job") => JOB,
        ("v1", "Pod") => POD,
        _ => {
            let text = format!(
                "cannot find the wellknown statuses for resource with gvk {version}, Kind={kind}"
            );
            return vec![Err(text)];
        }
    };
    let found = paths.iter().map(|(name, path)| value(object, name, path));
    found.filter_map(Result::transpose).collect()
}

fn by_path(object: &Value, path: &JsonPath) -> Option<Found> {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let wanted = path.version.as_deref().unwrap_or_default();
    if !wanted.is_empty() && wanted != version {
        let name = &path.name;
        return Some(Err(format!(
            "version set in the path {name} is not matched for the related resource"
        )));
    }
    value(object, &path.name, &path.path).transpose()
}

/// What a path finds; none if that is nothing.
fn value(object: &Value, name: &str, path: &str) -> Result<Option<FeedbackValue>, String> {
    let template = Template::parse(&format!("{{{path}}}")).map_err(|error| {
        let error = error.message;
        format!("failed to parse json path {path} of {name} with error: {error}")
    })?;
    let found = template
        .find(object)
        .map_err(|error| format!("failed to find value for {name} with error: {error}"))?;
    let first = found.first().map(Vec::as_slice).unwrap_or_default();
    let field = match (first, found.len()) {
        ([], _) | ([Item::Nothing | Item::Json(Value::Null)], _) => return Ok(None),
        ([one], 1) => field(&one.to_json(), name)?,
        (many, _) => field(&many.iter().map(|it| it.to_json()).collect(), name)?,
    };
    Ok(Some(FeedbackValue {
        name: name.to_owned(),
        field_value: field,
    }))
}

fn field(value: &Value, name: &str) -> Result<FieldValue, String> {
    let nothing = FieldValue::default();
    Ok(match value {
        Value::Bool(yes) => FieldValue {
            kind: ValueType::Boolean,
            boolean: Some(*yes),
            ..nothing
        },
        Value::String(text) => FieldValue {
            kind: ValueType::String,
            string: Some(text.clone()),
            ..nothing
        },
        Value::Number(number) if number.is_i64() => FieldValue {
            kind: ValueType::Integer,
            integer: number.as_i64(),
            ..nothing
        },
        other => FieldValue {
            kind: ValueType::JsonRaw,
            json_raw: Some(raw(other, name)?),
            ..nothing
        },
    })
}

fn raw(value: &Value, name: &str) -> Result<String, String> {
    let text = value.to_string();
    match text.len() > LONGEST_JSON {
        true => Err(format!(
            "the length of returned json raw string for name {name} is larger than the maximum length {LONGEST_JSON}"
        )),
        false => Ok(text),
    }
}
