//! Label selectors as objects have them (`matchLabels`, `matchExpressions`), as text.
//!
//! `LabelSelectorAsSelector` and `FormatLabelSelector` of `k8s.io/apimachinery/pkg/apis/meta/v1` (helpers.go).

use super::field::Field;

/// The selector in kubectl's language; empty if it selects all, or nothing.
pub(super) fn text(selector: Field<'_>) -> String {
    requirements(selector).unwrap_or_default()
}

/// The same for people: `<none>` for an empty one, `<error>` for one that is none.
pub(super) fn shown(selector: Field<'_>) -> String {
    match requirements(selector) {
        Some(text) if text.is_empty() => "<none>".to_owned(),
        Some(text) => text,
        None => "<error>".to_owned(),
    }
}

/// A map of labels as a selector.
pub(super) fn of_labels(labels: Field<'_>) -> String {
    let pairs = labels
        .map()
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(",")
}

fn requirements(selector: Field<'_>) -> Option<String> {
    let labels = selector.member("matchLabels").map().into_iter();
    let mut all: Vec<_> = labels
        .map(|(key, value)| (key, format!("{key}={value}")))
        .collect();
    for expression in selector.member("matchExpressions").items() {
        let key = expression.member("key").text();
        let mut values = expression.member("values").texts();
        values.sort_unstable();
        let values = values.join(",");
        all.push((
            key,
            match expression.member("operator").text() {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "Exists" => key.to_owned(),
                "DoesNotExist" => format!("!{key}"),
                _ => return None,
            },
        ));
    }
    all.sort_by_key(|(key, _)| *key);
    let texts: Vec<_> = all.into_iter().map(|(_, text)| text).collect();
    Some(texts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requirements_come_by_key() {
        let value = json!({
            "matchLabels": {"tier": "front"},
            "matchExpressions": [
                {"key": "app", "operator": "In", "values": ["web", "api"]},
                {"key": "x", "operator": "DoesNotExist"},
                {"key": "one", "operator": "NotIn", "values": ["v"]},
            ],
        });
        assert_eq!(
            shown(Field::of(&value)),
            "app in (api,web),one notin (v),tier=front,!x"
        );
        assert_eq!(
            (shown(Field::default()), text(Field::default())),
            ("<none>".into(), String::new())
        );
        let wrong = json!({"matchExpressions": [{"key": "a", "operator": "Near"}]});
        assert_eq!(shown(Field::of(&wrong)), "<error>");
    }
}
