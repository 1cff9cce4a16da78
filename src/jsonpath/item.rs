//! What a node finds, and how Go's reflection sees it.

use crate::golang::{number, verbs};
use serde_json::{Number, Value};

/// One thing that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    /// A part of the object.
    Json(&'a Value),
    /// Text of the template itself.
    Text(&'a str),
    /// A number of the template.
    Int(i64),
    /// A number of the template.
    Float(f64),
    /// `true` or `false` in the template.
    Bool(bool),
    /// A byte of text: what `.*` finds in it.
    Byte(u8),
    /// What a range that found nothing goes through once.
    Nothing,
}

impl<'a> Item<'a> {
    /// The name of its type, as `reflect` has it.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Json(Value::Null) => "<nil>",
            Self::Json(Value::Bool(_)) | Self::Bool(_) => "bool",
            Self::Json(Value::Number(number)) if number.as_i64().is_some() => "int64",
            Self::Json(Value::Number(_)) | Self::Float(_) => "float64",
            Self::Json(Value::String(_)) | Self::Text(_) => "string",
            Self::Json(Value::Array(_)) => "[]interface {}",
            Self::Json(Value::Object(_)) => "map[string]interface {}",
            Self::Int(_) => "int",
            Self::Byte(_) => "uint8",
            Self::Nothing => "<invalid Value>",
        }
    }

    /// `fmt.Sprint` of it.
    pub fn plain(self) -> String {
        match self {
            Self::Json(value) => verbs::plain(value),
            Self::Text(text) => text.to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number::float(number),
            Self::Bool(yes) => yes.to_string(),
            Self::Byte(byte) => byte.to_string(),
            Self::Nothing => "<invalid reflect.Value>".to_owned(),
        }
    }

    /// It as JSON.
    pub fn to_json(self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Text(text) => text.into(),
            Self::Int(number) => number.into(),
            Self::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Self::Bool(yes) => yes.into(),
            Self::Byte(byte) => byte.into(),
            Self::Nothing => Value::Null,
        }
    }

    /// What is directly within, for `.*` and `..`.
    pub(super) fn children(self) -> Vec<Self> {
        match self {
            Self::Json(Value::Object(map)) => map.values().map(Item::Json).collect(),
            Self::Json(Value::Array(items)) => items.iter().map(Item::Json).collect(),
            Self::Json(Value::String(text)) => text.bytes().map(Item::Byte).collect(),
            Self::Text(text) => text.bytes().map(Item::Byte).collect(),
            _ => Vec::new(),
        }
    }

    /// The items of a list; none if it is none.
    pub(super) fn list(self) -> Option<&'a [Value]> {
        match self {
            Self::Json(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        matches!(self, Self::Json(Value::Null))
    }
}
