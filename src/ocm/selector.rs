//! Selectors as objects have them: `matchLabels` and `matchExpressions`.

use super::{LabelSelector, LabelSelectorRequirement};
use thiserror::Error;

/// Why a selector is none; in apimachinery's words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidSelector(pub String);

/// A selector that was checked; an empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    key: String,
    wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl Selector {
    /// Reads a label selector.
    ///
    /// # Errors
    /// When an operator is unknown, or has values where it must not or none where it must.
    pub fn of_labels(selector: &LabelSelector) -> Result<Self, InvalidSelector> {
        let labels = selector.match_labels.iter().flatten();
        let mut terms: Vec<_> = labels
            .map(|(key, value)| Term {
                key: key.clone(),
                wanted: Wanted::In(vec![value.clone()]),
            })
            .collect();
        let expressions = selector.match_expressions.as_deref().unwrap_or_default();
        terms.extend(Self::of_expressions(expressions)?.terms);
        Ok(Self { terms })
    }

    /// Reads expressions by themselves, as selectors of claims have them.
    ///
    /// # Errors
    /// As [`Selector::of_labels`].
    pub fn of_expressions(
        expressions: &[LabelSelectorRequirement],
    ) -> Result<Self, InvalidSelector> {
        let terms = expressions.iter().map(term).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether something with these values is selected.
    pub fn matches<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.terms.iter().all(|it| it.wanted.holds(value(&it.key)))
    }
}

impl Wanted {
    fn holds(&self, value: Option<&str>) -> bool {
        let among = |values: &[String]| value.is_some_and(|it| values.iter().any(|v| v == it));
        match self {
            Self::In(values) => among(values),
            Self::NotIn(values) => !among(values),
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
        }
    }
}

fn term(said: &LabelSelectorRequirement) -> Result<Term, InvalidSelector> {
    let values = said.values.clone().unwrap_or_default();
    let operator = said.operator.as_str();
    let invalid = |what: &str| {
        let (key, text) = (&said.key, format!("{what} for {operator:?}"));
        Err(InvalidSelector(format!("key {key:?}: {text}")))
    };
    let wanted = match (operator, values.is_empty()) {
        ("In", false) => Wanted::In(values),
        ("NotIn", false) => Wanted::NotIn(values),
        ("Exists", true) => Wanted::Exists,
        ("DoesNotExist", true) => Wanted::Absent,
        ("In" | "NotIn", true) => return invalid("values must be given"),
        ("Exists" | "DoesNotExist", false) => return invalid("values must not be given"),
        _ => {
            return Err(InvalidSelector(format!(
                "{operator:?} is not a valid label selector operator"
            )));
        }
    };
    Ok(Term {
        key: said.key.clone(),
        wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(said: Value) -> Result<Selector, InvalidSelector> {
        Selector::of_labels(&serde_json::from_value(said).unwrap())
    }

    fn matches(said: Value) -> bool {
        let labels = [("env", "prod"), ("tier", "1")];
        let value = |key: &str| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        read(said).unwrap().matches(value)
    }

    fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
        json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]})
    }

    #[test]
    fn all_terms_have_to_hold() {
        assert!(matches(json!({})));
        assert!(matches(json!({"matchLabels": {"env": "prod"}})));
        assert!(!matches(
            json!({"matchLabels": {"env": "prod", "tier": "2"}})
        ));
        assert!(matches(expression("env", "In", &["dev", "prod"])));
        assert!(!matches(expression("env", "NotIn", &["dev", "prod"])));
        assert!(matches(expression("other", "NotIn", &["x"])));
        assert!(matches(expression("env", "Exists", &[])));
        assert!(!matches(expression("env", "DoesNotExist", &[])));
        assert!(matches(expression("other", "DoesNotExist", &[])));
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for said in [
            expression("env", "In", &[]),
            expression("env", "Exists", &["x"]),
            expression("env", "Like", &["x"]),
        ] {
            assert!(read(said).is_err());
        }
    }
}
