//! Whether a field path means something: what is there is told from what is mistyped. Pure.
//!
//! There is no schema, only objects. A path that no object has is wrong if another one that objects have differs from it
//! by a letter or two, or if its first step is in none of them; else it may be of a field that just now nobody has
//! (`.metadata.deletionTimestamp`), and a warning says so.

use super::path::{FieldPath, Step};
use super::problem::{Problem, distance};
use serde_json::Value;
use std::collections::BTreeSet;

/// Of every object's metadata, whether just now one has it or not.
const METADATA: [&str; 15] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

/// What became of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An object has it, or every object may.
    Known,
    /// None of these objects has it: another one might.
    Unseen,
}

/// Looks for a path in some objects.
pub(super) fn look(path: &FieldPath, objects: &[Value]) -> Verdict {
    let seen = objects.is_empty() || objects.iter().any(|object| !path.all(object).is_empty());
    match seen || is_metadata(path) {
        true => Verdict::Known,
        false => Verdict::Unseen,
    }
}

fn is_metadata(path: &FieldPath) -> bool {
    let name = |at: usize| match path.0.get(at) {
        Some(Step::Field(name)) => Some(name.as_str()),
        _ => None,
    };
    // Which labels and annotations there are, only objects say.
    let is_key = path.0.len() > 2 && matches!(name(1), Some("labels" | "annotations"));
    name(0) == Some("metadata") && !is_key && name(1).is_none_or(|it| METADATA.contains(&it))
}

/// What is to be said of a path that no object of all has; `some` are a few of them.
///
/// # Errors
/// When it is mistyped.
pub(super) fn judge(
    parameter: &'static str,
    path: &FieldPath,
    some: &[Value],
    kinds: &str,
) -> Result<String, Problem> {
    let mut level: Vec<&Value> = some.iter().collect();
    let mut way = FieldPath(Vec::new());
    for step in &path.0 {
        let next: Vec<&Value> = level.iter().flat_map(|value| step.of(value)).collect();
        if next.is_empty() {
            return unknown(parameter, path, (&way, step), &level, kinds);
        }
        way.0.push(step.clone());
        level = next;
    }
    Ok(unseen(path, kinds))
}

fn unseen(path: &FieldPath, kinds: &str) -> String {
    format!("no {kinds} here have {path}")
}

fn unknown(
    parameter: &'static str,
    path: &FieldPath,
    (way, step): (&FieldPath, &Step),
    level: &[&Value],
    kinds: &str,
) -> Result<String, Problem> {
    let Step::Field(name) = step else {
        return Ok(unseen(path, kinds));
    };
    let objects = level.iter().filter_map(|value| value.as_object());
    let names: BTreeSet<&str> = objects
        .flat_map(|fields| fields.keys().map(String::as_str))
        .collect();
    let is_map = matches!(way.0.last(), Some(Step::Field(last)) if matches!(last.as_str(), "labels" | "annotations"));
    let near = names
        .iter()
        .filter(|known| known.chars().count() > 3 && !is_map)
        .map(|known| (distance(name, known), *known))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let field = |detail: String| Problem::field(parameter, detail);
    if let Some((_, known)) = near {
        let mut meant = way.clone();
        meant.0.push(Step::Field(known.to_owned()));
        return Err(field(format!(
            "unknown field \"{path}\" of {kinds}; did you mean \"{meant}\"?"
        )));
    }
    match way.0.is_empty() {
        true => {
            let names: Vec<_> = names
                .iter()
                .take(16)
                .map(|name| format!(".{name}"))
                .collect();
            Err(field(format!(
                "unknown field \"{path}\": {kinds} have {}",
                names.join(", ")
            )))
        }
        false => Ok(unseen(path, kinds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(path: &str) -> Result<String, String> {
        let objects = [json!({
            "apiVersion": "v1", "metadata": {"name": "web", "labels": {"team": "a"}},
            "spec": {"containers": [{"image": "x"}]}, "status": {"phase": "Running"},
        })];
        let path = FieldPath::parse(path).unwrap();
        match look(&path, &objects) {
            Verdict::Known => Ok(String::new()),
            Verdict::Unseen => judge("where", &path, &objects, "pods").map_err(|it| it.detail),
        }
    }

    #[test]
    fn what_is_mistyped_is_told_from_what_nobody_has() {
        for known in [
            ".status.phase",
            ".spec.containers[*].image",
            ".metadata.deletionTimestamp",
            ".metadata",
        ] {
            assert_eq!(check(known), Ok(String::new()), "{known}");
        }
        for absent in [
            ".status.reason",
            ".metadata.labels.tier",
            ".metadata.labels.teams",
            ".spec.containers[3].image",
        ] {
            assert_eq!(
                check(absent),
                Ok(format!("no pods here have {absent}")),
                "{absent}"
            );
        }
        for (wrong, why) in [
            (
                ".status.phse",
                "unknown field \".status.phse\" of pods; did you mean \".status.phase\"?",
            ),
            (
                ".Status.phase",
                "unknown field \".Status.phase\" of pods; did you mean \".status\"?",
            ),
            (
                ".spec.containers[*].imgae",
                "unknown field \".spec.containers[*].imgae\" of pods; did you mean \".spec.containers[*].image\"?",
            ),
            (
                ".phase",
                "unknown field \".phase\": pods have .apiVersion, .metadata, .spec, .status",
            ),
        ] {
            assert_eq!(check(wrong), Err(why.to_owned()));
        }
    }
}
