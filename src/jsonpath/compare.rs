//! How filters compare: a port of `eq`, `lt` and the like of Go's `text/template` (funcs.go).

use super::item::Item;
use serde_json::Value;
use std::cmp::Ordering;

const NOT_COMPARABLE: &str = "invalid type for comparison";
const INCOMPATIBLE: &str = "incompatible types for comparison";

/// What can be compared.
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Unsigned(u8),
    Float(f64),
    Text(&'a str),
}

impl<'a> Basic<'a> {
    fn of(item: Item<'a>) -> Result<Self, &'static str> {
        match item {
            Item::Json(Value::Bool(yes)) => Ok(Self::Bool(*yes)),
            Item::Json(Value::Number(number)) => Ok(match number.as_i64() {
                Some(integer) => Self::Int(integer),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            }),
            Item::Json(Value::String(text)) => Ok(Self::Text(text)),
            Item::Text(text) => Ok(Self::Text(text)),
            Item::Int(number) => Ok(Self::Int(number)),
            Item::Float(number) => Ok(Self::Float(number)),
            Item::Bool(yes) => Ok(Self::Bool(yes)),
            Item::Byte(byte) => Ok(Self::Unsigned(byte)),
            Item::Json(_) | Item::Nothing => Err(NOT_COMPARABLE),
        }
    }
}

/// Whether `left operator right` holds.
pub(super) fn holds(operator: &str, left: Item<'_>, right: Item<'_>) -> Result<bool, String> {
    let equal = || equal(left, right);
    let less = || less(left, right);
    let less_or_equal = || match less() {
        Ok(false) => equal(),
        decided => decided,
    };
    let result = match operator {
        "<" => less(),
        ">" => less_or_equal().map(|yes| !yes),
        "==" => equal(),
        "!=" => equal().map(|yes| !yes),
        "<=" => less_or_equal(),
        ">=" => less().map(|yes| !yes),
        unknown => return Err(format!("unrecognized filter operator {unknown}")),
    };
    result.map_err(str::to_owned)
}

fn equal(left: Item<'_>, right: Item<'_>) -> Result<bool, &'static str> {
    Ok(match (Basic::of(left)?, Basic::of(right)?) {
        (Basic::Bool(left), Basic::Bool(right)) => left == right,
        (left, right) => ordered(left, right)? == Some(Ordering::Equal),
    })
}

fn less(left: Item<'_>, right: Item<'_>) -> Result<bool, &'static str> {
    match (Basic::of(left)?, Basic::of(right)?) {
        (Basic::Bool(_), Basic::Bool(_)) => Err(NOT_COMPARABLE),
        (left, right) => Ok(ordered(left, right)? == Some(Ordering::Less)),
    }
}

fn ordered(left: Basic<'_>, right: Basic<'_>) -> Result<Option<Ordering>, &'static str> {
    use Basic::{Float, Int, Text, Unsigned};
    Ok(match (left, right) {
        (Int(left), Int(right)) => Some(left.cmp(&right)),
        (Unsigned(left), Unsigned(right)) => Some(left.cmp(&right)),
        (Int(left), Unsigned(right)) => Some(left.cmp(&i64::from(right))),
        (Unsigned(left), Int(right)) => Some(i64::from(left).cmp(&right)),
        (Float(left), Float(right)) => left.partial_cmp(&right),
        (Text(left), Text(right)) => Some(left.cmp(right)),
        _ => return Err(INCOMPATIBLE),
    })
}
