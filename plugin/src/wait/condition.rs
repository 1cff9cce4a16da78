//! One condition of `wait --for`.

use super::InvalidWait;
use crate::print::jsonpath::{Item, Template, relaxed};
use crate::print::verbs;
use serde_json::Value;

/// One thing to wait for.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `create`: that it exists.
    Created,
    /// `delete`: that it exists no more.
    Deleted,
    /// `condition=Ready=true`
    Status {
        /// Its type.
        name: String,
        /// Its status.
        status: String,
    },
    /// `jsonpath={.status.phase}=Running`; without a value anything will do.
    Path {
        /// Where to look.
        path: Box<Template>,
        /// What is wanted there.
        value: Option<String>,
    },
}

/// Whether an object is as wanted.
pub type Met = Result<bool, String>;

impl Condition {
    pub(super) fn parse(word: &str) -> Result<Self, InvalidWait> {
        match word.to_lowercase().as_str() {
            "create" => return Ok(Self::Created),
            "delete" => return Ok(Self::Deleted),
            _ => {}
        }
        if let Some(condition) = word.strip_prefix("condition=") {
            let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
            let (name, status) = (name.to_owned(), status.to_owned());
            return Ok(Self::Status { name, status });
        }
        match word.strip_prefix("jsonpath=") {
            Some(input) => path(input),
            None => Err(InvalidWait::Unknown(verbs::quoted(word))),
        }
    }

    /// Whether an object that exists is as wanted.
    pub fn is_met(&self, object: &Value) -> Met {
        match self {
            Self::Created => Ok(true),
            Self::Deleted => Ok(false),
            Self::Status { name, status } => has_status(object, name, status),
            Self::Path { path, value } => has_value(object, path, value.as_deref()),
        }
    }
}

fn path(input: &str) -> Result<Condition, InvalidWait> {
    let parts = split(input);
    let (path, value) = match parts.as_slice() {
        [path] => (path, None),
        [path, value] => (path, Some(value.trim_matches(['\'', '"']))),
        _ => return Err(InvalidWait::Format),
    };
    let wrong = |error| InvalidWait::Path(error, path.clone());
    relaxed(path).map_err(wrong)?;
    if value == Some("") {
        return Err(InvalidWait::NoValue);
    }
    if path.is_empty() {
        return Err(InvalidWait::NoPath);
    }
    let template = Template::parse_relaxed(path).map_err(wrong)?;
    Ok(Condition::Path {
        path: Box::new(template),
        value: value.map(str::to_owned),
    })
}

/// At each single `=`; a double one stays.
fn split(input: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = input.chars().peekable();
    while let Some(c) = rest.next() {
        let double = c == '=' && rest.next_if_eq(&'=').is_some();
        match parts.last_mut() {
            Some(part) if double => part.push_str("=="),
            Some(part) if c != '=' => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts
}

fn has_status(object: &Value, name: &str, status: &str) -> Met {
    let Some(conditions) = conditions(object)? else {
        return Ok(false);
    };
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    for condition in conditions {
        let text = |name: &str| condition.get(name).and_then(Value::as_str);
        let (Some(_), Some(found)) = (text("type").filter(|kind| same(kind, name)), text("status"))
        else {
            continue;
        };
        let observed = condition
            .get("observedGeneration")
            .and_then(Value::as_i64)
            .or_else(|| object["status"]["observedGeneration"].as_i64());
        // What was observed before the last change says nothing of it.
        let generation = object["metadata"]["generation"].as_i64();
        if generation
            .zip(observed)
            .is_some_and(|(wanted, seen)| seen < wanted)
        {
            return Ok(false);
        }
        return Ok(same(found, status));
    }
    Ok(false)
}

/// `.status.conditions`, if there are any.
fn conditions(object: &Value) -> Result<Option<&Vec<Value>>, String> {
    let wrong = |value: &Value, wanted: &str| {
        let kind = Item::Json(value).type_name();
        let value = verbs::plain(value);
        Err(format!(
            ".status.conditions accessor error: {value} is of the type {kind}, expected {wanted}"
        ))
    };
    match object.get("status") {
        None => Ok(None),
        Some(Value::Object(status)) => match status.get("conditions") {
            None => Ok(None),
            Some(Value::Array(conditions)) => Ok(Some(conditions)),
            Some(other) => wrong(other, "[]interface{}"),
        },
        Some(other) => wrong(other, "map[string]interface{}"),
    }
}

fn has_value(object: &Value, path: &Template, value: Option<&str>) -> Met {
    let found = path.find(object)?;
    let Some(first) = found.first().and_then(|found| found.first()) else {
        return Ok(false);
    };
    if found.len() > 1 {
        return Err("given jsonpath expression matches more than one list".to_owned());
    }
    if found[0].len() > 1 {
        return Err("given jsonpath expression matches more than one value".to_owned());
    }
    let Some(value) = value else {
        return Ok(true);
    };
    if let Item::Json(Value::Array(_) | Value::Object(_)) = first {
        return Err("jsonpath leads to a nested object or list which is not supported".to_owned());
    }
    Ok(first.plain().trim() == value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(word: &str, object: &Value, want: Met) {
        let condition = Condition::parse(word).unwrap();
        assert_eq!(condition.is_met(object), want, "{word}");
    }

    #[test]
    fn conditions_as_kubectl_sees_them() {
        let pod = json!({
            "metadata": {"generation": 2},
            "status": {"phase": "Running", "n": 3, "l": [1, 2], "conditions": [
                1, {"type": "Other"}, {"type": "Ready", "status": "True"}, {"type": "Old", "status": "True", "observedGeneration": 1},
                {"type": "New", "status": "False", "observedGeneration": 2},
            ]},
        });
        for (word, want) in [
            ("condition=ready", Ok(true)),
            ("condition=Ready=TRUE", Ok(true)),
            ("condition=Ready=False", Ok(false)),
            ("condition=Missing", Ok(false)),
            ("condition=Other", Ok(false)),
            ("condition=Old", Ok(false)),
            ("condition=New=false", Ok(true)),
            ("jsonpath={.status.phase}=Running", Ok(true)),
            ("jsonpath=.status.phase='Running'", Ok(true)),
            ("jsonpath=status.n=3", Ok(true)),
            ("jsonpath={.status.n}=4", Ok(false)),
            ("jsonpath={.status.none}=4", Ok(false)),
            ("jsonpath={.status.none}", Ok(false)),
            ("jsonpath={.status.l}", Ok(true)),
            (
                "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=True",
                Ok(true),
            ),
            ("create", Ok(true)),
            ("Delete", Ok(false)),
        ] {
            check(word, &pod, want);
        }
        let errors = [
            (
                "jsonpath={.status.l}=1",
                "jsonpath leads to a nested object or list which is not supported",
            ),
            (
                "jsonpath={.status.l[*]}=1",
                "given jsonpath expression matches more than one value",
            ),
        ];
        for (word, why) in errors {
            check(word, &pod, Err(why.to_owned()));
        }
        check("condition=Ready", &json!({}), Ok(false));
        check(
            "condition=Ready",
            &json!({"status": {"conditions": {"a": 1}}}),
            Err(".status.conditions accessor error: map[a:1] is of the type map[string]interface {}, expected []interface{}".to_owned()),
        );
    }

    #[test]
    fn what_cannot_be_waited_for() {
        for (word, why) in [
            ("nonsense", "unrecognized condition: \"nonsense\""),
            (
                "jsonpath={.a}=b=c",
                "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or",
            ),
            (
                "jsonpath={.a}=",
                "jsonpath wait has to have a value after equal sign",
            ),
            ("jsonpath=", "jsonpath expression cannot be empty"),
            ("jsonpath={.a[x]}", "invalid array index x"),
            (
                "jsonpath={.a}{.b}",
                "unexpected path string, expected a 'name1.name2'",
            ),
        ] {
            let error = Condition::parse(word).unwrap_err().to_string();
            assert!(error.contains(why), "{word}: {error}");
        }
    }

    #[test]
    fn only_single_equal_signs_split() {
        assert_eq!(
            split("a.b.c====d.e.f===g.h.i==="),
            ["a.b.c====d.e.f==", "g.h.i==", ""]
        );
    }
}
