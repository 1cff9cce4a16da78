//! Which objects a label selector and a field selector select.

use crate::protocol::selector::LabelSelector;
use serde_json::Value;

/// The fields that any object may be selected by here; a real API server has such a list for each kind.
const FIELDS: [&str; 12] = [
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "status.phase",
    "type",
    "reason",
    "involvedObject.name",
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.apiVersion",
    "involvedObject.uid",
    "involvedObject.fieldPath",
];

/// A parsed pair of selectors.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    labels: LabelSelector,
    fields: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    /// Where the field is, as a JSON pointer.
    path: String,
    value: String,
    equal: bool,
}

impl Selector {
    /// An error is the words of the API server.
    pub(super) fn parse(labels: &str, fields: &str) -> Result<Self, String> {
        let labels = LabelSelector::parse(labels).map_err(|error| error.to_string())?;
        let fields = fields.split(',').filter(|term| !term.is_empty()).map(term);
        Ok(Self {
            labels,
            fields: fields.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn selects(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        // A field that is absent is an empty one.
        let field = |path: &str| {
            object
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        self.labels.matches(|key| labels[key].as_str())
            && self
                .fields
                .iter()
                .all(|term| (field(&term.path) == term.value) == term.equal)
    }
}

fn term(text: &str) -> Result<Term, String> {
    let cannot = || format!("invalid selector: '{text}'; can't understand '{text}'");
    let (field, value) = text.split_once('=').ok_or_else(cannot)?;
    let (field, equal) = field
        .strip_suffix('!')
        .map_or((field, true), |field| (field, false));
    if !FIELDS.contains(&field) {
        return Err(format!("field label not supported: {field}"));
    }
    let path = format!("/{}", field.replace('.', "/"));
    Ok(Term {
        path,
        value: value.trim_start_matches('=').into(),
        equal,
    })
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
