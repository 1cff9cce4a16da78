//! `--sort-by`: the order that kubectl gives to objects.
//!
//! kubectl's sorter.go, with Go's `sort.Sort`: it is not stable, so that which of two equal ones comes first depends on
//! its algorithm. A port of that (zsortinterface.go) is what makes two outputs equal.

use super::gosort;
use super::jsonpath::{Item, SyntaxError, Template, relaxed};
use super::quantity::Quantity;
use super::verbs;
use serde_json::Value;
use std::cell::RefCell;

/// A field to sort by.
#[derive(Clone, Debug, PartialEq)]
pub struct SortField {
    template: Template,
}

/// What an object has in the field.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// Nothing: before all others.
    Missing,
    /// null: before all values.
    Null,
    /// A number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Text, and the quantity that it is.
    Text(String, Option<Quantity>),
    /// A value that has no order: its type.
    Other(&'static str),
}

impl SortField {
    /// Reads a path. `strictly`: braces within it are refused, as they are for whole objects; for tables they are a
    /// template.
    ///
    /// # Errors
    /// In kubectl's words, and where the mistake is.
    pub fn parse(path: &str, strictly: bool) -> Result<Self, SyntaxError> {
        let template = match relaxed(path) {
            Err(error) if strictly => return Err(error),
            Err(_) => Template::parse(path),
            Ok(_) => Template::parse_relaxed(path),
        };
        let template = template.map_err(|mut error| {
            if !strictly {
                error.message = format!("sorting error: {}", error.message);
            }
            error
        })?;
        Ok(Self { template })
    }

    /// What an object has there.
    ///
    /// # Errors
    /// In client-go's words.
    pub fn key(&self, object: &Value) -> Result<Key, String> {
        Ok(match self.template.first(object)? {
            None => Key::Missing,
            Some(Item::Json(value)) => Key::of(value),
            Some(item) => Key::of(&item.to_json()),
        })
    }

    /// Sorts by keys that go with what is sorted.
    ///
    /// # Errors
    /// When nothing has the field, or two values have no order; what is sorted is as it was, or in any order.
    pub fn sort<T>(&self, items: &mut [(Key, T)]) -> Result<(), String> {
        if !items.is_empty() && items.iter().all(|(key, _)| *key == Key::Missing) {
            let path = verbs::quoted(self.template.text());
            return Err(format!(
                "couldn't find any field with path {path} in the list of objects"
            ));
        }
        let wrong = RefCell::new(None);
        gosort::sort(items, |(one, _), (other, _)| {
            one.less(other).unwrap_or_else(|why| {
                wrong.borrow_mut().get_or_insert(why);
                false
            })
        });
        match wrong.into_inner() {
            Some(why) => Err(format!(
                "Field {} is an unsortable type: {why}",
                self.template.text()
            )),
            None => Ok(()),
        }
    }
}

impl Key {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Self::Text(text.clone(), Quantity::parse(text)),
            Value::Bool(_) => Self::Other("bool"),
            Value::Array(_) => Self::Other("[]interface {}"),
            Value::Object(_) => Self::Other("map[string]interface {}"),
        }
    }

    /// `isLess`.
    fn less(&self, other: &Self) -> Result<bool, &'static str> {
        Ok(match (self, other) {
            (Self::Missing, _) => true,
            (_, Self::Missing) => false,
            (Self::Null, other) => *other != Self::Null,
            (_, Self::Null) => false,
            (Self::Integer(one), Self::Integer(other)) => one < other,
            (Self::Float(one), Self::Float(other)) => one < other,
            (Self::Text(_, Some(one)), Self::Text(_, Some(other))) => one < other,
            (Self::Text(one, _), Self::Text(other, _)) => one < other,
            (Self::Other(kind), _) => return Err(kind),
            _ => return Err("interface"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sorted(path: &str, objects: Value) -> Result<String, String> {
        let field = SortField::parse(path, false).map_err(|error| error.message)?;
        let objects = objects.as_array().unwrap();
        let mut items: Vec<_> = objects
            .iter()
            .map(|object| (field.key(object).unwrap(), object["n"].to_string()))
            .collect();
        field.sort(&mut items)?;
        Ok(items.into_iter().map(|(_, name)| name).collect())
    }

    #[test]
    fn fields_in_kubectl_s_order() {
        let objects = json!([{"n": 1, "a": "10"}, {"n": 2, "a": "9"}, {"n": 3}, {"n": 4, "a": null}, {"n": 5, "a": "1Ki"}]);
        assert_eq!(sorted(".a", objects.clone()), Ok("34215".to_owned()));
        assert_eq!(sorted("n", objects.clone()), Ok("12345".to_owned()));
        assert_eq!(sorted("{.n}", objects.clone()), Ok("12345".to_owned()));
        assert_eq!(
            sorted("none", objects.clone()),
            Err("couldn't find any field with path \"{.none}\" in the list of objects".to_owned())
        );
        assert_eq!(
            sorted("{.a", objects),
            Err("sorting error: unclosed action".to_owned())
        );
        assert_eq!(
            sorted("a", json!([{"a": true}, {"a": true}])),
            Err("Field {.a} is an unsortable type: bool".to_owned())
        );
        assert_eq!(
            sorted("a", json!([{"a": 1}, {"a": "x"}])),
            Err("Field {.a} is an unsortable type: interface".to_owned())
        );
    }
}
