//! kubectl's JSONPath, printed: `JSONPathPrinter` of cli-runtime.
//!
//! The language itself is the library's [`mqtt_informer::jsonpath`]; its tests against client-go's own are here.
//!
//! **Architecture invariant:** pure; the same template finds the same in the same object.

#[cfg(test)]
mod tests;

pub use mqtt_informer::jsonpath::{Item, SyntaxError, Template, relaxed};

use super::{Audience, json, sanitize, verbs};
use serde_json::Value;

/// As `-o jsonpath` prints what is found, or as `-o jsonpath-as-json` does.
///
/// # Errors
/// In kubectl's words, the object included, as it does; the last line break is left to who prints it.
pub fn print(
    template: &Template,
    object: &Value,
    as_json: bool,
    audience: Audience,
) -> Result<String, String> {
    let found = template
        .find(object)
        .map_err(|error| explain(template, &error, object))?;
    Ok(found
        .iter()
        .map(|found| match as_json {
            true => {
                let array = Value::Array(found.iter().map(|item| item.to_json()).collect());
                json::document(&array, audience)
            }
            false => found
                .iter()
                .map(|item| text(*item, audience))
                .collect::<Vec<_>>()
                .join(" "),
        })
        .collect())
}

fn explain(template: &Template, error: &str, object: &Value) -> String {
    let text = template.text();
    let (template, object) = (verbs::quoted(text), verbs::syntax(object));
    format!(
        "error executing jsonpath {template}: Error executing template: {error}. \
         Printing more information for debugging the template:\n\
         \ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\t\t{object}\n\n"
    )
}

/// As `PrintResults` prints one thing. What the template says itself is printed as it is.
fn text(item: Item<'_>, audience: Audience) -> String {
    match item {
        Item::Json(value @ (Value::Array(_) | Value::Object(_))) => json::compact(value, audience),
        Item::Json(Value::Null) => "null".to_owned(),
        Item::Json(Value::String(text)) if audience == Audience::Terminal => {
            sanitize::text(text).into_owned()
        }
        Item::Nothing => "<no value>".to_owned(),
        other => other.plain(),
    }
}
