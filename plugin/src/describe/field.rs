//! Fields of an object's JSON as Go reads them into its types: what is missing is empty, zero or false.

use serde_json::Value;
use std::collections::BTreeMap;

/// A field that may be missing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field<'a>(Option<&'a Value>);

impl<'a> Field<'a> {
    /// The whole of a value.
    pub(super) fn of(value: &'a Value) -> Self {
        Self(Some(value))
    }

    /// A member, by its name as it is.
    pub(super) fn member(self, name: &str) -> Self {
        Self(self.0.and_then(|value| value.get(name)))
    }

    /// A member of a member: `spec.template`.
    pub(super) fn at(self, path: &str) -> Self {
        path.split('.').fold(self, Self::member)
    }

    /// It is there, and is not null.
    pub(super) fn exists(self) -> bool {
        self.value().is_some()
    }

    /// What it is, if it is there.
    pub(super) fn value(self) -> Option<&'a Value> {
        self.0.filter(|value| !value.is_null())
    }

    /// Itself, if it is there.
    pub(super) fn some(self) -> Option<Self> {
        self.exists().then_some(self)
    }

    /// A text.
    pub(super) fn text(self) -> &'a str {
        self.0.and_then(Value::as_str).unwrap_or_default()
    }

    /// A text, or this one if it is missing or empty.
    pub(super) fn text_or<'b>(self, default: &'b str) -> &'b str
    where
        'a: 'b,
    {
        match self.text() {
            "" => default,
            text => text,
        }
    }

    /// A number or a text as it is printed; empty if it is missing.
    pub(super) fn shown(self) -> String {
        match self.value() {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }

    /// A number or a text, or this one if it is missing.
    pub(super) fn shown_or(self, default: &str) -> String {
        match self.exists() {
            true => self.shown(),
            false => default.to_owned(),
        }
    }

    /// A whole number.
    pub(super) fn int(self) -> i64 {
        self.0.and_then(Value::as_i64).unwrap_or_default()
    }

    /// A flag.
    pub(super) fn is_true(self) -> bool {
        self.0.and_then(Value::as_bool).unwrap_or_default()
    }

    /// The items of a list.
    pub(super) fn items(
        self,
    ) -> impl ExactSizeIterator<Item = Field<'a>> + DoubleEndedIterator + Clone {
        let items = self.0.and_then(Value::as_array).map(Vec::as_slice);
        items.unwrap_or_default().iter().map(Field::of)
    }

    /// The texts of a list.
    pub(super) fn texts(self) -> Vec<&'a str> {
        self.items().map(Self::text).collect()
    }

    /// The members of an object, in the order of their names.
    pub(super) fn members(self) -> BTreeMap<&'a str, Field<'a>> {
        let members = self.0.and_then(Value::as_object).into_iter().flatten();
        members
            .map(|(name, value)| (name.as_str(), Field::of(value)))
            .collect()
    }

    /// A map of texts, in the order of its keys.
    pub(super) fn map(self) -> BTreeMap<&'a str, &'a str> {
        let members = self.members().into_iter();
        members.map(|(key, value)| (key, value.text())).collect()
    }

    /// A list or a map without anything in it.
    pub(super) fn is_empty(self) -> bool {
        match self.0 {
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(members)) => members.is_empty(),
            _ => true,
        }
    }

    /// `metadata.name`.
    pub(super) fn name(self) -> &'a str {
        self.at("metadata.name").text()
    }

    /// `metadata.namespace`.
    pub(super) fn namespace(self) -> &'a str {
        self.at("metadata.namespace").text()
    }

    /// `metadata.uid`.
    pub(super) fn uid(self) -> &'a str {
        self.at("metadata.uid").text()
    }

    /// The owner that controls it.
    pub(super) fn controller(self) -> Option<Self> {
        let mut owners = self.at("metadata.ownerReferences").items();
        owners.find(|owner| owner.member("controller").is_true())
    }
}

/// A list of texts as Go's `%v` prints it.
pub(super) fn bracketed(texts: &[&str]) -> String {
    format!("[{}]", texts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_is_empty() {
        let value = json!({"a": {"b": "x", "n": null, "i": 7, "l": ["p", 1]}});
        let field = Field::of(&value);
        assert_eq!(
            (field.at("a.b").text(), field.at("a.c.d").text()),
            ("x", "")
        );
        assert_eq!((field.at("a.i").int(), field.at("a.b").int()), (7, 0));
        assert!(!field.at("a.n").exists() && field.at("a.l").exists());
        assert_eq!(field.at("a.l").texts(), ["p", ""]);
        assert_eq!(
            (field.at("a.i").shown(), field.at("a.x").shown_or("<none>")),
            ("7".into(), "<none>".into())
        );
        assert!(field.at("a.x").is_empty() && !field.at("a.l").is_empty());
    }
}
