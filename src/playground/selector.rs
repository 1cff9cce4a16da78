//! Which objects a label selector and a field selector select.

use serde_json::Value;

/// A parsed pair of selectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selector {
    /// An error is the words of the API server.
    pub(super) fn parse(labels: &str, fields: &str) -> Result<Self, String> {
        let labels = split_outside_parentheses(labels);
        let labels = labels
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(label_requirement);
        let fields = fields
            .split(',')
            .filter(|part| !part.is_empty())
            .map(field_requirement);
        Ok(Self {
            labels: labels.collect::<Result<_, _>>()?,
            fields: fields.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn selects(&self, object: &Value) -> bool {
        let label = |key: &str| {
            object["metadata"]["labels"][key]
                .as_str()
                .map(str::to_owned)
        };
        // A field that is absent is an empty one.
        let field = |path: &str| {
            let pointer = format!("/{}", path.replace('.', "/"));
            let value = object.pointer(&pointer);
            Some(value.map_or(String::new(), |v| {
                v.as_str().map_or_else(|| v.to_string(), Into::into)
            }))
        };
        self.labels.iter().all(|r| r.holds(label(&r.key)))
            && self.fields.iter().all(|r| r.holds(field(&r.key)))
    }
}

impl Requirement {
    fn holds(&self, value: Option<String>) -> bool {
        match (&self.test, value) {
            (Test::Exists, value) => value.is_some(),
            (Test::Missing, value) => value.is_none(),
            (Test::In(values), value) => value.is_some_and(|value| values.contains(&value)),
            (Test::NotIn(values), value) => value.is_none_or(|value| !values.contains(&value)),
        }
    }
}

fn label_requirement(text: &str) -> Result<Requirement, String> {
    let text = text.trim();
    let requirement = |key: &str, test| {
        let key = key.trim();
        let valid = !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        let unlike = || {
            format!(
                "unable to parse requirement: <nil>: Invalid value: {key:?}: name part is not valid"
            )
        };
        valid
            .then(|| Requirement {
                key: key.into(),
                test,
            })
            .ok_or_else(unlike)
    };
    let list = |values: &str| -> Vec<String> {
        let values = values.trim().trim_start_matches('(').trim_end_matches(')');
        values.split(',').map(|value| value.trim().into()).collect()
    };
    if let Some((key, values)) = text.split_once(" notin ") {
        return requirement(key, Test::NotIn(list(values)));
    }
    if let Some((key, values)) = text.split_once(" in ") {
        return requirement(key, Test::In(list(values)));
    }
    if let Some(key) = text.strip_prefix('!') {
        return requirement(key, Test::Missing);
    }
    let (key, test) = match text.split_once('=') {
        None => return requirement(text, Test::Exists),
        Some((key, value)) if key.ends_with('!') => (
            &key[..key.len() - 1],
            Test::NotIn(vec![value.trim().into()]),
        ),
        Some((key, value)) => (
            key,
            Test::In(vec![value.trim_start_matches('=').trim().into()]),
        ),
    };
    let values = match &test {
        Test::In(values) | Test::NotIn(values) => values.join(","),
        _ => String::new(),
    };
    if values.contains('=') {
        return Err("found '==', expected: ',' or 'end of string'".into());
    }
    requirement(key, test)
}

fn field_requirement(text: &str) -> Result<Requirement, String> {
    const KNOWN: [&str; 8] = [
        "metadata.name",
        "metadata.namespace",
        "spec.nodeName",
        "status.phase",
        "type",
        "reason",
        "involvedObject.name",
        "involvedObject.kind",
    ];
    let cannot = || format!("invalid selector: '{text}'; can't understand '{text}'");
    let (field, value) = text.split_once('=').ok_or_else(cannot)?;
    let (field, negated) = field
        .strip_suffix('!')
        .map_or((field, false), |field| (field, true));
    let values = vec![value.trim_start_matches('=').into()];
    if !KNOWN.contains(&field) {
        return Err(format!("field label not supported: {field}"));
    }
    let test = if negated {
        Test::NotIn(values)
    } else {
        Test::In(values)
    };
    Ok(Requirement {
        key: field.into(),
        test,
    })
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0u32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(labels: &str, fields: &str) -> bool {
        let object = serde_json::json!({
            "metadata": {"name": "web", "labels": {"app": "web", "tier": "front"}},
            "status": {"phase": "Running"},
        });
        Selector::parse(labels, fields).unwrap().selects(&object)
    }

    #[test]
    fn selectors_select() {
        for (labels, fields, expected) in [
            ("", "", true),
            ("app=web", "", true),
            ("app==web,tier", "", true),
            ("app!=web", "", false),
            ("app in (api, web)", "", true),
            ("app notin (api,web),tier", "", false),
            ("!canary", "", true),
            ("canary!=x", "", true),
            ("canary=x", "", false),
            ("", "metadata.name=web", true),
            ("", "status.phase!=Running", false),
            ("app=web", "metadata.name=api", false),
        ] {
            assert_eq!(selects(labels, fields), expected, "{labels} {fields}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        assert!(Selector::parse("a==b==", "").is_err());
        assert!(Selector::parse("a b", "").is_err());
        assert_eq!(
            Selector::parse("", "foo=1").unwrap_err(),
            "field label not supported: foo"
        );
        assert!(Selector::parse("", "foo").is_err());
    }
}
